"""Compacted ledgers: old lines folded into what they cover, and whether one file stands for all that another did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from reconciler.core.change import Key
from reconciler.core.ledger import Coverage
from reconciler.core.window import EMPTY, inside
from reconciler.state.fold import fold
from reconciler.state.fold_line import COMPACTED, WHOLE, Fold, header, is_compacted, read_fold, write_fold
from reconciler.state.json_lines import DamagedState, read_lines
from reconciler.state.ledger_file import read_file


@dataclass(frozen=True, slots=True)
class Parts:
    """A ledger file in two: what comes before its lines, and the lines. Only a fold among it is read.

    Lines are numbered from 1 as triggers of the whole ledger, those that are folded too.
    """

    path: str
    front: bytes
    fold: Fold | None
    lines: tuple[bytes, ...]

    @classmethod
    def of(cls, path: str, data: bytes) -> Parts:
        """Take a file apart. Raises DamagedState for a fold that cannot be trusted."""
        first, *rest = data.removesuffix(b"\n").split(b"\n")
        first += b"\n"
        if not is_compacted(data):
            return cls(path, first, None, tuple(rest))
        try:
            line, *lines = rest
            return cls(path, first + line + b"\n", read_fold(first, line), tuple(lines))
        except (ValueError, RecursionError) as error:
            raise DamagedState(path, 2, str(error)) from None

    @property
    def folded(self) -> int:
        """How many lines are folded."""
        return self.fold.covers.lines if self.fold else 0

    @property
    def total(self) -> int:
        """How many lines it stands for."""
        return self.folded + len(self.lines)

    def place(self, number: int) -> int:
        """Return at which line of the file a line stands, or what stands for it."""
        return 2 if number <= self.folded else number - self.folded + (2 if self.fold else 1)

    def since(self, number: int) -> tuple[bytes, ...]:
        """Return the lines after one that is folded, or is the last of those, or stands here."""
        return self.lines[number - self.folded :]

    def up_to(self, number: int) -> bytes:
        """Return the file as it was when it had that many lines, at least those that are folded."""
        return self.front + b"".join(line + b"\n" for line in self.lines[: number - self.folded])

    def covers(self, number: int) -> Coverage:
        """Return what the first lines cover, at least those that are folded. Raises DamagedState."""
        if number == self.folded:
            return self.fold.covers if self.fold else Coverage(sha256(self.front[:-1]).hexdigest(), 0, ())
        return coverage_of(self.path, self.up_to(number), self.key)

    @property
    def key(self) -> Key:
        """The target and the table that the header names. Raises DamagedState."""
        try:
            fields = json.loads(self.front.split(b"\n", 1)[0])
            return str(fields["target"]), str(fields["tableName"])
        except (ValueError, LookupError, TypeError, RecursionError):
            raise DamagedState(self.path, 1, "its first line names no target and table") from None


def coverage_of(path: str, data: bytes, key: Key) -> Coverage:
    """Return what the file of a table's ledger covers. Raises DamagedState."""
    return fold(data, *key) or read_file(path, data, *key).coverage


def compacted(parts: Parts, oid: str, number: int) -> bytes:
    """Return a ledger's file with the first `number` lines folded: more than are, and not all. Raises DamagedState.

    `oid` is git's id of the file as it is.
    """
    first = header(COMPACTED, *parts.key)
    rest = b"".join(line + b"\n" for line in parts.since(number))
    return first + write_fold(first, Fold(parts.covers(number), oid)) + rest


def lost_at(old: Parts, new: Parts) -> int | None:
    """Return the line of the file `new` that is not, or does not stand for, what `old` had; None where nothing is lost.

    For a fold of `new` that reaches beyond the last line of `old`, that is line 2: from these two nobody can tell.
    Raises DamagedState where lines that have to be compared with a fold cannot be read.
    """
    start = max(old.folded, new.folded)
    if start > old.total or start > new.total:
        return new.place(min(start, new.total + 1))
    if old.covers(start) != new.covers(start):
        return new.place(start)
    before, now = old.since(start), new.since(start)
    same = same_start(before, now)
    return None if same == len(before) else new.place(start + same + 1)


def same_start(before: Sequence[bytes], now: Sequence[bytes]) -> int:
    """Return how many lines two files have in common from their start on."""
    same = 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            break
        same += 1
    return same


def holds(old: Coverage, new: Coverage) -> bool:
    """Say whether `new` covers, rerun for rerun, whatever `old` covers, by as many lines: what can be told of folds."""
    layers = dict(new.layers)
    return old.lines <= new.lines and all(inside(windows, layers.get(tokens, EMPTY)) for tokens, windows in old.layers)


def damage_of(path: str, data: bytes) -> DamagedState | None:
    """Return what is wrong with a ledger's file, whichever table it says it is of; None where it can be trusted."""
    try:
        (_, fields), *_ = read_lines(path, data, (WHOLE, COMPACTED))
        coverage_of(path, data, (str(fields.get("target")), str(fields.get("tableName"))))
    except DamagedState as damage:
        return damage
    return None
