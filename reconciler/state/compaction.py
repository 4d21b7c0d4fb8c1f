"""Folding the old lines of ledgers, in commits on the state branch that leave every plan as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.change import Key
from reconciler.state.compacted import Parts, compacted, coverage_of
from reconciler.state.detail import below
from reconciler.state.json_lines import DamagedState
from reconciler.state.snapshot import GitSnapshot, WrittenLedger, ledger_path

_AT_ONCE = 128
"""How many ledgers are read at once."""
_COMMIT = 8 << 20
"""How many bytes of ledgers, as they are to be, go into one commit: that much is in memory."""
_WORTH = 0.8
"""A ledger is folded where it gets at least a fifth smaller: each time adds to git's history, and to its depth."""

Kept = Callable[[Sequence[bytes]], int]
"""How many of the lines of a file are to stay."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A ledger to be written with `lines` more of its lines folded. `before` is its size, `detail` what it was."""

    key: Key
    lines: int
    before: int
    detail: str
    written: WrittenLedger

    @property
    def after(self) -> int:
        """Its size in bytes."""
        return len(self.written.data)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one commit does, the keys that come after, and what was wrong with ledgers before these."""

    folded: tuple[Folded, ...]
    rest: tuple[Key, ...]
    small: int
    damage: tuple[DamagedState, ...]


def newest(number: int) -> Kept:
    """Keep that many lines, at least one."""
    return lambda lines: min(number, len(lines))


def since(time: str) -> Kept:
    """Keep what was triggered at a UTC time or later, and what was written after such a line; at least the last."""

    def kept(lines: Sequence[bytes]) -> int:
        old = next((at for at, line in enumerate(lines) if json.loads(line)["triggeredAt"] >= time), len(lines))
        return max(len(lines) - old, 1)

    return kept


def next_batch(snapshot: GitSnapshot, keys: Sequence[Key], kept: Kept) -> Batch:
    """Fold ledgers of some tables, which can be trusted, until that is enough for a commit.

    `small` counts those that would hardly get smaller, and stay as they are.
    """
    folded: list[Folded] = []
    damage: list[DamagedState] = []
    small = size = done = 0
    for key, data in _read(snapshot, keys):
        done += 1
        try:
            each = _fold(snapshot, key, data, kept)
        except DamagedState as found:
            damage.append(found)
            continue
        if each is None:
            continue
        if each.after > each.before * _WORTH:
            small += 1
            continue
        folded.append(each)
        size += each.after
        if size > _COMMIT:
            break
    return Batch(tuple(folded), tuple(keys[done:]), small, tuple(damage))


def _read(snapshot: GitSnapshot, keys: Sequence[Key]) -> Iterator[tuple[Key, bytes]]:
    for at in range(0, len(keys), _AT_ONCE):
        paths = {key: ledger_path(snapshot.folder, key) for key in keys[at : at + _AT_ONCE]}
        found = snapshot.read(paths.values())
        yield from ((key, found.get(path, b"")) for key, path in paths.items())


def _fold(snapshot: GitSnapshot, key: Key, data: bytes, kept: Kept) -> Folded | None:
    """Fold what is not to be kept of a ledger; None where that is nothing.

    What is folded already has to be what it was, as far as that is here. Raises DamagedState.
    """
    path = ledger_path(snapshot.folder, key)
    ledger = snapshot.ledger(key)
    entry = snapshot.entry(path)
    parts = Parts.of(snapshot.short(path), data)
    number = len(parts.lines) - kept(parts.lines) if parts.lines else 0
    if entry is None or ledger is None or number <= 0:
        return None
    below(parts, snapshot.details)
    after = compacted(parts, entry.oid, parts.folded + number)
    if coverage_of(parts.path, after, key) != ledger.coverage:
        raise DamagedState(parts.path, 0, "with its lines folded it would not cover the same")
    return Folded(key, number, len(data), entry.oid, WrittenLedger(after, key, ledger.coverage))
