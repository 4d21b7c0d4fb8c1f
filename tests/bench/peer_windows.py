"""The same work on the same windows by our functions, portion's and SQLMesh's: prints JSON, in seconds of processor.

python tests/bench/peer_windows.py [ROUNDS]            with a Python that has the extra `bench`

`union`: windows as a ledger has them, joined. `subtract`: what of wanted ranges and points is not among these.
portion's are `Interval` and `-`; SQLMesh's `merge_intervals` and `compute_missing_intervals`, of
sqlmesh.core.snapshot.definition: its scheduler asks the latter for each range. Its cache would answer all rounds after
the first, and is passed by.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from reconciler.core.window import Windows, subtract, union

_HOUR = 3600
_FROM = 1_735_689_600
_SIZES = (1_000, 10_000, 100_000)
_SQLMESH_MOST = 10_000

Work = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Case:
    """Covered windows, every other hour; and for each hundred of them a range of two days and ten points."""

    covered: Windows

    @classmethod
    def of(cls, windows: int) -> Case:
        return cls(tuple((_FROM + at * 2 * _HOUR, _FROM + (at * 2 + 1) * _HOUR) for at in range(windows)))

    @property
    def ranges(self) -> Windows:
        return tuple((start, start + 48 * _HOUR) for start, _ in self.covered[::100])

    @property
    def points(self) -> tuple[int, ...]:
        return tuple(start + _HOUR for start, _ in self.covered[55::10])

    @property
    def wanted(self) -> Windows:
        return union((*self.ranges, *((time, time + 1) for time in self.points)))


def ours(case: Case) -> Iterator[tuple[str, Work]]:
    """Yield our functions; each returns how many windows it found."""
    loose = list(case.covered)
    wanted = [*case.ranges, *((time, time + 1) for time in case.points)]
    yield "union", lambda: len(union(loose))
    yield "subtract", lambda: len(subtract(union(wanted), case.covered))


def portion(case: Case) -> Iterator[tuple[str, Work]]:
    """Yield portion's; intervals are made beforehand, but for those that a union makes."""
    package = import_module("portion")
    loose = [package.closedopen(*window) for window in case.covered]
    wanted = [package.closedopen(*window) for window in case.wanted]
    covered = package.Interval(*loose)
    yield "union", lambda: len(package.Interval(*loose))
    yield "subtract", lambda: len(package.Interval(*wanted) - covered)


def sqlmesh(case: Case) -> Iterator[tuple[str, Work]]:
    """Yield SQLMesh's; a point is the hour that begins there, for it counts whole intervals."""
    definition = import_module("sqlmesh.core.snapshot.definition")
    hour = import_module("sqlmesh.core.node").IntervalUnit.HOUR
    missing = definition.compute_missing_intervals.__wrapped__
    covered = tuple((start * 1000, end * 1000) for start, end in case.covered)
    wanted = [*case.ranges, *((time, time + _HOUR) for time in case.points)]

    def subtracted() -> int:
        definition.expand_range.cache_clear()
        return sum(len(missing(hour, covered, start * 1000, end * 1000, 0, None)) for start, end in wanted)

    yield "union", lambda: len(definition.merge_intervals(covered))
    if len(covered) <= _SQLMESH_MOST:
        yield "subtract", subtracted


def timed(work: Work, rounds: int) -> float:
    """Return the median seconds of processor."""
    took = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        took.append(time.process_time() - begin)
    return statistics.median(took)


def main(rounds: int = 5) -> None:
    """Measure all sizes and print them."""
    figures: dict[str, dict[str, float]] = {}
    for size in _SIZES:
        case = Case.of(size)
        found = {what: work() for what, work in ours(case)}
        for name, made in (("reconciler", ours), ("portion", portion), ("sqlmesh", sqlmesh)):
            for what, work in made(case):
                assert name == "sqlmesh" or work() == found[what], f"{name} finds other windows: {what}"
                figures.setdefault(f"{what}, {size:,} windows", {})[name] = timed(work, rounds)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
