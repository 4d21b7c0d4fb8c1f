"""What compacted ledgers were before lines of theirs were folded: git keeps it, and here it is read again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256

from reconciler.core.text import count
from reconciler.errors import NotHere
from reconciler.state.compacted import Parts, holds, lost_at, same_start
from reconciler.state.fold_line import Fold, detail_named, is_compacted
from reconciler.state.git import Git
from reconciler.state.json_lines import DamagedState
from reconciler.state.shelf import Contents


class Details:
    """The files that folds name, read from git, many at once where that is known."""

    def __init__(self, git: Git, contents: Contents) -> None:
        """`contents` keeps what was read."""
        self.git = git
        self._contents = contents
        self._missing: set[str] = set()

    def bring(self, files: Iterable[bytes]) -> None:
        """Read what compacted ledgers among `files` name, then what that names, as deep as it goes."""
        named = {oid for oid in map(detail_named, files) if oid}
        seen: set[str] = set()
        while named:
            seen |= named
            found = self._read(named)
            named = {oid for oid in map(detail_named, found) if oid} - seen

    def of(self, fold: Fold) -> bytes | None:
        """Return the file that a fold names, None where this clone does not have it."""
        return next(iter(self._read([fold.detail])), None)

    def whole(self, path: str, data: bytes, near: Iterable[bytes] = ()) -> bytes:
        """Return a ledger's file as if it had never been compacted. `near` are files that may be asked for next.

        Raises NotHere where this clone does not have what was folded, DamagedState where that is not what the fold
        names. What the fold says that these lines cover is not looked at.
        """
        self._bring_near(data, near)
        return _whole(path, data, self) if is_compacted(data) else data

    def forms(self, path: str, data: bytes, near: Iterable[bytes] = ()) -> tuple[bytes, ...]:
        """Return a ledger's file, and what it was before each time that it was compacted, the newest first.

        It ends where history ends in this clone, or where a fold does not stand for what was there.
        """
        self._bring_near(data, near)
        return (data, *_forms(path, data, self)) if is_compacted(data) else (data,)

    def _bring_near(self, data: bytes, near: Iterable[bytes]) -> None:
        named = detail_named(data)
        if named and named not in self._contents and named not in self._missing:
            self.bring([data, *near])

    def _read(self, oids: Iterable[str]) -> list[bytes]:
        found: list[bytes] = []
        wanted = []
        for oid in oids:
            data = self._contents.get(oid)
            if data is not None:
                found.append(data)
            elif oid not in self._missing:
                wanted.append(oid)
        for oid, data in zip(wanted, self.git.blobs_here(wanted), strict=True):
            if data is None:
                self._missing.add(oid)
            else:
                self._contents.put(oid, data)
                found.append(data)
        return found


def below(parts: Parts, details: Details) -> Parts | None:
    """Return what a compacted ledger was before it was compacted last; None where this clone does not have it.

    Raises DamagedState where the fold does not stand for that.
    """
    data = details.of(parts.fold) if parts.fold else None
    if data is None:
        return None
    found = Parts.of(parts.path, data)
    if found.folded >= parts.folded or lost_at(found, parts) is not None:
        raise DamagedState(
            parts.path,
            2,
            f"it does not stand for the {count(parts.folded, 'line')} that it names",
            f"what these were: git cat-file blob {parts.fold.detail if parts.fold else ''}",
        )
    return found


def _forms(path: str, data: bytes, details: Details) -> Iterator[bytes]:
    try:
        parts = Parts.of(path, data)
        while (found := below(parts, details)) is not None:
            yield found.up_to(found.total)
            parts = found
    except DamagedState:
        return


def _whole(path: str, data: bytes, details: Details) -> bytes:
    parts = Parts.of(path, data)
    pieces = [parts.lines]
    while parts.fold:
        found = details.of(parts.fold)
        if found is None:
            raise _not_here(parts, details.git)
        older = Parts.of(path, found)
        lines = older.lines[: max(parts.folded - older.folded, 0)]
        if not lines or older.total < parts.folded or sha256(lines[-1]).hexdigest() != parts.fold.covers.head:
            raise DamagedState(path, 2, f"the file that it names, {parts.fold.detail}, does not hold the lines")
        pieces.append(lines)
        parts = older
    return parts.front + b"".join(line + b"\n" for lines in reversed(pieces) for line in lines)


def _not_here(parts: Parts, git: Git) -> NotHere:
    since = json.loads(parts.lines[0]).get("triggeredAt") if parts.lines else None
    hint = (
        "this clone is shallow; fetch the rest: git fetch --unshallow"
        if git.shallow_ends()
        else "fetch the branch on which they were folded, with its history"
    )
    return NotHere(
        f"{parts.path}: its first {count(parts.folded, 'line')} are folded, and this clone does not have them"
        + (f"; it has those that were triggered since {since}" if since else ""),
        f"{hint}\nplans and applies do not need them; what shows single calls does",
    )


def lost_line(path: str, old: bytes, new: bytes, details: Details) -> int | None:
    """Return the first line of `new` that takes away from what `old` stood for; None where it stands for all of it.

    Where the files alone cannot tell, since `old` ends before the fold of `new`, what was folded is asked. A shallow
    clone may not have that: then the fold has to cover what `old` does. Any other has it, or it never was.
    """
    if new.startswith(old):
        return None
    if not is_compacted(old) and not is_compacted(new):
        return same_start(old.split(b"\n"), new.split(b"\n")) + 1
    try:
        before, now = Parts.of(path, old), Parts.of(path, new)
        parts = now
        while parts.folded > before.total:
            older = below(parts, details)
            if older is None:
                covered = parts.fold and holds(before.covers(before.total), parts.fold.covers)
                return None if covered and details.git.shallow_ends() else 2
            parts = older
        at = lost_at(before, parts)
    except DamagedState as damage:
        return damage.problem.line or 1
    return at if parts is now or at is None else 2
