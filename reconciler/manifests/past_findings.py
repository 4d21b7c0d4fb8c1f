"""Collects what is wrong with a file of past calls, at its place."""

from __future__ import annotations

from reconciler.errors import Problem
from reconciler.manifests.past_rows import Row

_REPORTED = 200


class Findings:
    """The problems of one file, in the order in which they are found; `errors` counts those that are no warnings."""

    __slots__ = ("_file", "_warned", "errors", "problems")

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self.errors = 0
        self._file = file
        self._warned: set[tuple[str, str]] = set()

    @property
    def full(self) -> bool:
        """Say whether there are so many errors that more would help nobody."""
        return self.errors >= _REPORTED

    def add(self, line: int, column: int, field: str, message: str, hint: str) -> None:
        self.add_error(Problem(self._file, line, column, field, message, hint))

    def add_error(self, problem: Problem) -> None:
        self.problems.append(problem)
        self.errors += 1

    def error(self, row: Row, field: str, message: str, hint: str) -> None:
        """Add an error about a field, or about the line where it has no such field."""
        self.add(row.line, row.cells[field].column if field in row.cells else 1, field, message, hint)

    def warn(self, row: Row, table: str, field: str, message: str, hint: str) -> None:
        """Add a warning about a field, once a table: more of the same kind would hide the rest."""
        if (table, field) not in self._warned:
            self._warned.add((table, field))
            column = row.cells[field].column
            self.problems.append(Problem(self._file, row.line, column, field, message, hint, "warning"))

    def text(self, row: Row, field: str) -> str | None:
        """Return the text of a field, None where it is not given or is something else, which is an error."""
        if field not in row.cells:
            return None
        value = row.cells[field].value
        if not isinstance(value, str):
            self.error(row, field, "is not text", "put it into double quotes")
            return None
        return value
