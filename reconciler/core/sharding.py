"""Which of several appliers a table belongs to, so that a CI matrix runs them at once, each with tables of its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.call import canonical
from reconciler.core.change import Key
from reconciler.core.config import Target
from reconciler.core.request import Declared

_SHARD = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Shard:
    """The shard `number` of `count`, counted from 1. Raises ValueError for one that there is not."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ValueError(f"there is no shard {self.number} of {self.count}")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `I/N`. Raises ValueError for anything else, and where I is not from 1 to N."""
        found = _SHARD.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not I/N")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, slots=True)
class Share:
    """The tables of one shard. `homes` names, for a table that is bound to others, the one whose name decides for all.

    Each table is in exactly one of N shards: by its name alone, or by that of the first table that it is bound to,
    whatever other tables there are. That rests on the manifests: two appliers with different commits may both count a
    table as theirs, or neither. The first is safe, since the state branch decides which of them makes a call, as it
    does for any two appliers; what neither takes is owed still, and the next apply makes it. A table that only the
    state knows is in the shard that its own name gives.
    """

    shard: Shard
    homes: Mapping[Key, Key]

    def __contains__(self, key: Key) -> bool:
        return number_of(self.homes.get(key, key), self.shard.count) == self.shard.number


def number_of(key: Key, count: int) -> int:
    """Return the shard, from 1 to `count`, of a table that is bound to no other: the same on any machine, for ever."""
    digest = hashlib.sha256(canonical(key).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % count + 1


def homes(declared: Declared, targets: Mapping[str, Target]) -> dict[Key, Key]:
    """Return, for each table that is bound to others, the smallest of all that it is bound to, however indirectly.

    Bound are tables that wait for each other (`dependsOn`): one in another shard would never be seen to be done. And
    tables of one lineage, on a target that coalesces: only an upstream's call of the same run can cover another.
    """
    bound = _Bound()
    for key, rules in declared.rules.items():
        for dependency in rules.depends_on:
            bound.join(key, dependency.key)
    for name, lineage in declared.lineage.items():
        if targets[name].coalesce:
            tables = {request.table for request in declared.requests if request.target == name}
            for table, below in lineage.among(tables).items():
                bound.join_all((name, table), ((name, each) for each in below))
    return bound.homes()


class _Bound:
    """Sets of tables that are bound together (union-find): each points to a smaller one of its set, the smallest to
    itself.
    """

    def __init__(self) -> None:
        self._toward: dict[Key, Key] = {}

    def join(self, one: Key, other: Key) -> None:
        low, high = sorted((self._smallest(one), self._smallest(other)))
        self._toward[high] = low

    def join_all(self, one: Key, others: Iterable[Key]) -> None:
        for other in others:
            self.join(one, other)

    def homes(self) -> dict[Key, Key]:
        return {key: self._smallest(key) for key in self._toward}

    def _smallest(self, key: Key) -> Key:
        toward = self._toward.setdefault(key, key)
        while toward != key:  # each step halves the way for the next
            self._toward[key] = self._toward[toward]
            key, toward = toward, self._toward[toward]
        return key
