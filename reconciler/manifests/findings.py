"""Collects what is wrong with one document, at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.errors import Problem, Severity
from reconciler.manifests.marks import Path, Places, render_path

_REPORTED: dict[Severity, int] = {"error": 200, "warning": 50}
"""How many problems of a kind a document has room for; one more says that there are more."""
_NOTHING_TOLD: Final[Mapping[Severity, int]] = {"error": 0, "warning": 0}
_NOWHERE: Final[frozenset[tuple[int, int]]] = frozenset()


class Findings:
    """The problems of one document, in the order in which they are found.

    Where the text or the shape of the document is wrong, the same place gets no second problem about its meaning.
    """

    __slots__ = ("_misshapen", "_told", "document", "problems")

    def __init__(self, document: Places, text: Sequence[Problem] = (), shape: Sequence[Problem] = ()) -> None:
        self.document = document
        self.problems = [*shape]
        self._misshapen = _NOWHERE
        self._told: Mapping[Severity, int] = _NOTHING_TOLD
        if text or shape:
            self._misshapen = frozenset((problem.line, problem.column) for problem in (*text, *shape))
            self._told = {"error": len(shape), "warning": 0}

    @property
    def failed(self) -> bool:
        """Say whether there is an error among the problems."""
        return any(problem.severity == "error" for problem in self.problems)

    def error(self, path: Path, message: str, hint: str) -> None:
        """Add an error about the value at `path`."""
        self._add(path, message, hint, "error")

    def warning(self, path: Path, message: str, hint: str) -> None:
        """Add a warning about the value at `path`."""
        self._add(path, message, hint, "warning")

    def _add(self, path: Path, message: str, hint: str, severity: Severity) -> None:
        line, column = self.document.place(path)
        if (line, column) in self._misshapen or self._told[severity] > _REPORTED[severity]:
            return
        self._told = {**self._told, severity: self._told[severity] + 1}
        if self._told[severity] > _REPORTED[severity]:
            message, hint = f"there are more {severity}s in this document", "mend those above first"
        problem = Problem(self.document.file, line, column, render_path(path), message, hint, severity)
        self.problems.append(problem)
