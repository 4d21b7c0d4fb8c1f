"""A sound document of which nothing is kept: whoever asks for a place has its file read again."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.manifests.marks import Document, Path
from reconciler.manifests.yaml_text import load


class Forgotten:
    """The document at a position in a file that the strict reader takes without a problem.

    `known` are line, column and last line of the values that are asked for often.
    """

    __slots__ = ("_data", "_document", "_known", "_position", "file")

    def __init__(
        self, file: str, data: bytes, position: int, known: Mapping[Path, tuple[int, int, int]] | None = None
    ) -> None:
        self.file = file
        self._data = data
        self._position = position
        self._known = known
        self._document: Document | None = None

    def place(self, path: Path) -> tuple[int, int]:
        """Return line and column of the value at `path`."""
        return self.span(path)[:2]

    def span(self, path: Path) -> tuple[int, int, int]:
        """Return line and column of the value at `path`, and its last line."""
        known = self._known.get(path) if self._known is not None else None
        if known is not None:
            return known
        if self._document is None:
            self._document = load(self.file, self._data).documents[self._position]
        return self._document.span(path)
