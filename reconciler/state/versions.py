"""The versions that a ledger's file had, beside what it is now: whether one stands still, and what a step took away."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.state.compacted import damage_of
from reconciler.state.detail import lost_line
from reconciler.state.fold_line import is_compacted
from reconciler.state.git import Git
from reconciler.state.snapshot import GitSnapshot, blob_id


class Versions:
    """The versions that one ledger had, and what it is now: its file, and what that was before it was compacted."""

    def __init__(self, git: Git, snapshot: GitSnapshot, path: str, sizes: Mapping[str, int]) -> None:
        self._git = git
        self._snapshot = snapshot
        self._path = snapshot.short(path)
        self._forms = snapshot.forms(path)
        self._sizes = sizes
        self._places: dict[str, int | None] = {}
        self._undone: dict[str, bool] = {}

    def stands(self, oid: str) -> bool:
        """Say whether the ledger stands for all of a version still: it begins so, or did before it was compacted."""
        return self._place(oid) is not None or self._stands_undone(oid)

    def _place(self, oid: str) -> int | None:
        """Return which form of the ledger begins with a version, the newest."""
        if oid not in self._places:
            begun = (at for at, form in enumerate(self._forms) if _begins(form, oid, self._sizes.get(oid)))
            self._places[oid] = next(begun, None)
        return self._places[oid]

    def _stands_undone(self, oid: str) -> bool:
        """Say so of a compacted version where the ledger was put back as it was before that."""
        if oid not in self._undone:
            data = _read(self._git, oid)
            self._undone[oid] = is_compacted(data) and self._lost(data, self._forms[0]) is None
        return self._undone[oid]

    def took(self, old: str, new: str) -> bool:
        """Say whether a step took lines away from a version that stands: it got shorter, and was not compacted."""
        if self._sizes.get(new, 0) >= self._sizes[old]:
            return False
        before, after = self._place(old), self._place(new)
        if before is not None and after is not None:
            return after >= before
        return self.lost(old, new) is not None

    def put_right(self, old: str, new: str) -> bool:
        """Say whether a step replaced a version that could not be trusted by one that stands."""
        return self.stands(new) and damage_of(self._path, _read(self._git, old)) is not None

    def lost(self, old: str, new: str) -> int | None:
        """Return the first line that a step took away; None where it took none."""
        return self._lost(_read(self._git, old), _read(self._git, new))

    def _lost(self, old: bytes, new: bytes) -> int | None:
        return lost_line(self._path, old, new, self._snapshot.details)


def _begins(data: bytes, oid: str, size: int | None) -> bool:
    """Say whether `data` begins with the blob `oid`, without reading that: git's id of it is a hash of its bytes."""
    return size is not None and size <= len(data) and blob_id(memoryview(data)[:size], oid) == oid


def _read(git: Git, oid: str) -> bytes:
    return next(git.blobs([oid]))
