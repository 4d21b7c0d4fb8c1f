"""What many ledgers cover, read from git one after the other, on both cores where they are many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from struct import Struct

from reconciler.core.change import Key
from reconciler.core.progress import Count
from reconciler.parallel import side_by_side, uncollected
from reconciler.state.fold import fold, pack
from reconciler.state.git import Entry, Git
from reconciler.state.shelf import Shelf

Wanted = tuple[Key, Entry]
"""A table, and the file of its ledger."""

_CHUNK = 128
"""How many ledgers in a row one core takes: neighbours in a tree are neighbours in git's packs."""
_SAVED = 24 * _CHUNK
"""After how many ledgers the cache is saved."""
_WORTH = 200
"""For fewer ledgers than this a second process is not worth its start."""
_LENGTH = Struct("<i")


def fold_all(git: Git, shelf: Shelf, wanted: Sequence[Wanted]) -> None:
    """Put on the shelf what ledgers cover. One that is not plain is left out: who asks for it reads it alone."""
    with git.progress.counting("checking", len(wanted), "ledger") as count, uncollected():
        for at in range(0, len(wanted), _SAVED):
            _fold_some(git, shelf, wanted[at : at + _SAVED], count)
            if at + _SAVED < len(wanted):
                shelf.cache.save(whole=False)  # what is in its file needs no memory


def _fold_some(git: Git, shelf: Shelf, wanted: Sequence[Wanted], count: Count) -> None:
    chunks = [wanted[at : at + _CHUNK] for at in range(0, len(wanted), _CHUNK)]
    here, there = (chunks[::2], chunks[1::2]) if len(wanted) >= _WORTH else (chunks, [])

    def take(records: Iterable[bytes | None], some: Sequence[Sequence[Wanted]], each: int) -> None:
        for (key, entry), record in zip(chain.from_iterable(some), records, strict=True):
            if record is not None:
                shelf.learn(entry, key, record)
            count.done = min(count.done + each, count.total)

    if not there:
        take(_records(git, here), here, 1)
        return
    _, written = side_by_side(
        lambda: take(_records(git, here), here, 2), lambda: b"".join(map(_framed, _records(git, there)))
    )
    take(_unframed(written) if written is not None else _records(git, there), there, 0 if written else 1)


def _records(git: Git, chunks: Iterable[Sequence[Wanted]]) -> Iterator[bytes | None]:
    wanted = list(chain.from_iterable(chunks))
    blobs = git.blobs(entry.oid for _, entry in wanted)
    for (key, _), data in zip(wanted, blobs, strict=True):
        coverage = fold(data, *key)
        yield pack(coverage) if coverage else None


def _framed(record: bytes | None) -> bytes:
    return _LENGTH.pack(-1) if record is None else _LENGTH.pack(len(record)) + record


def _unframed(data: bytes) -> Iterator[bytes | None]:
    at = 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        yield None if length < 0 else data[at : at + length]
        at += max(length, 0)
