"""Collects what is wrong with one document, at its place."""

from __future__ import annotations

from reconciler.errors import Problem, Severity
from reconciler.manifests.marks import Document, Path, render_path

_REPORTED = 200


class Findings:
    """The problems of one document, in the order in which they are found.

    Where the text or the shape of the document is wrong, the same place gets no second problem about its meaning.
    """

    __slots__ = ("_misshapen", "document", "problems")

    def __init__(self, document: Document, text: tuple[Problem, ...], shape: tuple[Problem, ...]) -> None:
        self.document = document
        self.problems = [*shape]
        self._misshapen = {(problem.line, problem.column) for problem in (*text, *shape)}

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
        if (line, column) in self._misshapen or len(self.problems) > _REPORTED:
            return
        if len(self.problems) == _REPORTED:
            message, hint, severity = "there are more problems in this document", "mend those above first", "error"
        problem = Problem(self.document.file, line, column, render_path(path), message, hint, severity)
        self.problems.append(problem)
