"""What is known of state files without asking git again: some bytes, what ledgers cover, what pending files say."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from reconciler.cache import Cache, key_of
from reconciler.core.change import Key
from reconciler.core.ledger import Intent
from reconciler.core.text import count
from reconciler.state.git import Entry, Git

_BUDGET = 32 << 20
"""How many bytes of files are kept in memory: those that were used last."""


class Contents:
    """The bytes of some files, by object id. What was not used for longest goes first."""

    def __init__(self) -> None:
        self._bytes: dict[str, bytes] = {}
        self._size = 0

    def get(self, oid: str) -> bytes | None:
        data = self._bytes.pop(oid, None)
        if data is not None:
            self._bytes[oid] = data  # at the end now: used last
        return data

    def put(self, oid: str, data: bytes) -> None:
        self.drop(oid)
        self._bytes[oid] = data
        self._size += len(data)
        while self._size > _BUDGET and len(self._bytes) > 1:
            self.drop(next(iter(self._bytes)))

    def drop(self, oid: str) -> None:
        self._size -= len(self._bytes.pop(oid, b""))

    def keep(self, oids: Collection[str]) -> None:
        """Forget all but some."""
        for oid in [oid for oid in self._bytes if oid not in oids]:
            self.drop(oid)

    def __contains__(self, oid: str) -> bool:
        return oid in self._bytes


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was read or written already. `cache` holds what ledgers cover, of earlier runs too."""

    cache: Cache = field(default_factory=lambda: Cache(None))
    contents: Contents = field(default_factory=Contents)
    pending: dict[Entry, tuple[Intent, ...]] = field(default_factory=dict)

    def keep(self, entries: Collection[Entry]) -> None:
        """Forget what is in none of some files."""
        self.contents.keep(frozenset(entry.oid for entry in entries))
        files = frozenset(entries)
        for entry in [entry for entry in self.pending if entry not in files]:
            del self.pending[entry]

    def bytes_of(self, git: Git, entries: Iterable[Entry]) -> dict[str, bytes]:
        """Return the bytes of files, by object id; git is asked once for all that are not here."""
        found: dict[str, bytes] = {}
        missing: dict[str, None] = {}
        for entry in entries:
            data = self.contents.get(entry.oid)
            if data is None:
                missing[entry.oid] = None
            else:
                found[entry.oid] = data
        if missing:
            with git.progress.waiting(f"reading {count(len(missing), 'state file')}"):
                for oid, data in zip(missing, git.blobs(missing), strict=True):
                    found[oid] = data
                    self.contents.put(oid, data)
        return found

    def record(self, entry: Entry, key: Key) -> bytes | None:
        """Return what the ledger of a table covers, as `fold.pack` writes it; None where it is not known."""
        return self.cache.get(_kept_by(entry, key))

    def knows(self, entry: Entry, key: Key) -> bool:
        """Say whether what the ledger of a table covers is known, or seems to be: a cache may prove damaged."""
        return self.cache.holds(_kept_by(entry, key))

    def learn(self, entry: Entry, key: Key, record: bytes) -> None:
        """Take what the ledger of a table covers as `fold.pack` writes it."""
        self.cache.put(_kept_by(entry, key), record)


def _kept_by(entry: Entry, key: Key) -> bytes:
    """Return what the coverage of a ledger is found by: its blob, and whose it has to be."""
    return key_of(entry.oid.encode(), key[0].encode(), key[1].encode())
