"""What `git cat-file --batch` prints, blob by blob, without holding all of it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.errors import Failure


class Batch:
    """The contents of blobs, in the order in which git was asked for them, from the pieces in which they come."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._some = bytearray()

    def next(self) -> bytes | None:
        """Return the next blob, None where git has no blob of that id. Raises Failure where git ends too early."""
        header = self._line().split(b" ")
        if len(header) != 3:  # "<id> missing"
            return None
        data = self._take(int(header[2]) + 1)[:-1]
        return data if header[1] == b"blob" else None

    def _line(self) -> bytes:
        while (end := self._some.find(b"\n")) < 0:
            self._more()
        return self._take(end + 1)[:-1]

    def _take(self, size: int) -> bytes:
        while len(self._some) < size:
            self._more()
        found = bytes(memoryview(self._some)[:size])
        del self._some[:size]
        return found

    def _more(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise Failure("git ended in the middle of a file", "see what `git fsck` says")
        self._some += piece
