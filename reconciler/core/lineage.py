"""Which tables lie downstream of which: what a trigger of one table reruns anyway. Nothing here recurses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Edges = Mapping[str, tuple[str, ...]]
"""The direct downstreams of tables."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of one target: `direct` has the direct downstreams of tables. Raises ValueError for a cycle."""

    direct: Edges
    _depth: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_depth", _depths(self.direct))

    def among(self, tables: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return, for each of `tables`, those of them that lie downstream of it, however far, sorted.

        One pass over all edges, whatever the number of tables: what lies below is a bit a table, in one number.
        """
        names = sorted(set(tables))
        bits = {name: 1 << at for at, name in enumerate(names)}
        below: dict[str, int] = {}
        for table in sorted(self._depth, key=self._depth.__getitem__, reverse=True):
            reached = 0
            for each in self.direct.get(table, ()):
                reached |= below[each] | bits.get(each, 0)
            below[table] = reached
        return {name: tuple(_names(below.get(name, 0), names)) for name in names}

    def order(self, tables: Iterable[str]) -> tuple[str, ...]:
        """Return `tables`, each once, upstreams before their downstreams: by the longest way from a first table."""
        return tuple(sorted(set(tables), key=lambda table: (self._depth.get(table, 0), table)))


def _names(bits: int, names: list[str]) -> Iterator[str]:
    written = bin(bits)[:1:-1]
    at = written.find("1")
    while at >= 0:
        yield names[at]
        at = written.find("1", at + 1)


def _depths(direct: Edges) -> dict[str, int]:
    """Return for every table the length of the longest way that leads to it. Raises ValueError for a cycle."""
    above = _counts(direct)
    depths = dict.fromkeys((table for table, number in above.items() if not number), 0)
    ready = list(depths)
    for table in ready:  # grows while it is read
        for below in direct.get(table, ()):
            depths[below] = max(depths.get(below, 0), depths[table] + 1)
            above[below] -= 1
            if not above[below]:
                ready.append(below)
    if len(ready) < len(above):
        raise ValueError("the lineage has a cycle")
    return depths


def _counts(direct: Edges) -> dict[str, int]:
    """Return for every table how many direct upstreams it has."""
    above = dict.fromkeys(direct, 0)
    for some in direct.values():
        for table in some:
            above[table] = above.get(table, 0) + 1
    return above


def cycles(direct: Edges, most: int) -> Iterator[tuple[str, ...]]:
    """Yield up to `most` cycles that share no table, each from its first name on, without that name again at its end.

    Whatever cycles there are, each shares a table with one that is found, unless there are more than `most`.
    """
    left = dict(direct)
    for _ in range(most):
        left = _without_ends(left)
        if not left:
            return
        found = _walk(left)
        yield found
        for table in found:
            del left[table]


def _without_ends(direct: Edges) -> dict[str, tuple[str, ...]]:
    """Return the edges between the tables from which a way leads on for ever."""
    above: dict[str, list[str]] = {}
    number: dict[str, int] = {}
    for table, some in direct.items():
        number[table] = len(some)
        for below in some:
            above.setdefault(below, []).append(table)
    ends = [table for table in {*number, *above} if not number.get(table)]
    for end in ends:  # grows while it is read
        for table in above.get(end, ()):
            number[table] -= 1
            if not number[table]:
                ends.append(table)
    gone = set(ends)
    return {
        table: tuple(below for below in some if below not in gone)
        for table, some in direct.items()
        if table not in gone
    }


def _walk(direct: Edges) -> tuple[str, ...]:
    """Return the cycle that going on to the first name leads into; every table has a downstream."""
    table = min(direct)
    passed: dict[str, int] = {}
    while table not in passed:
        passed[table] = len(passed)
        table = min(direct[table])
    cycle = list(passed)[passed[table] :]
    first = cycle.index(min(cycle))
    return (*cycle[first:], *cycle[:first])
