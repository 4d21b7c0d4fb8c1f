"""`make bench`: what planning alone costs with schedules: a year, half of it covered, in memory, no file read.

One more case is what `coalesce` costs on top: layers of hourly tables, a month each, every one but the first covered.

python -m tests.bench.planning [TABLES] [SECONDS]

SECONDS bounds each case: where that is not enough for all TABLES, it says how many tables were planned.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from reconciler.core.call import Range, Span, Times
from reconciler.core.coalesce import Planned, with_downstream
from reconciler.core.config import Limits, Target
from reconciler.core.ledger import Ledger, Trigger
from reconciler.core.lineage import Lineage
from reconciler.core.needs import Table
from reconciler.core.planner import plan_table
from reconciler.core.request import Declared, Place, Request, Rules
from reconciler.core.wallclock import parse
from reconciler.core.window import Window
from reconciler.manifests.cron import Cron, read_cron
from reconciler.manifests.schedule import ScheduleText

_DAY = 86_400
_YEAR: Window = (parse("2025-01-01 00:00:00"), parse("2026-01-01 00:00:00"))
_POINTS = 100
_TARGET = Target("bench", "embedded", "tn_bench", None, "Asia/Shanghai", points_per_call=_POINTS)
_SCHEDULES = {"hourly": ("0 0 * * * ?", 3600), "5 minutes": ("0 0/5 * * * ?", 300)}


@dataclass(frozen=True, slots=True)
class Case:
    """A schedule with an instant every `step` seconds, and calls that triggered half of a year of it."""

    name: str
    cron: str
    step: int
    spans: tuple[Span, ...]

    @property
    def instants(self) -> range:
        return range(*_YEAR, self.step)


def cases() -> Iterator[Case]:
    """Yield what is measured."""
    for name, (cron, step) in _SCHEDULES.items():
        for how, covered in _COVERED.items():
            yield Case(f"{name}, {how}", cron, step, tuple(covered(step)))


def _one_block(step: int) -> Iterator[Span]:
    start, end = _YEAR
    yield Range((start, (start + end) // 2 // step * step), "inclusive")


def _every_other_day(_: int) -> Iterator[Span]:
    for start in range(*_YEAR, 2 * _DAY):
        yield Range((start, start + _DAY), "inclusive")


def _every_other_instant(step: int) -> Iterator[Span]:
    times = tuple(range(*_YEAR, 2 * step))
    for at in range(0, len(times), _POINTS):
        yield Times(times[at : at + _POINTS])


_COVERED: dict[str, Callable[[int], Iterator[Span]]] = {
    "one block": _one_block,
    "every other day": _every_other_day,
    "every other instant": _every_other_instant,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Some tables planned: how many, in how many seconds of one core, with how many calls."""

    tables: int
    seconds: float
    calls: int


def plan(case: Case, tables: int, most: float) -> Measured:
    """Plan up to `tables` tables, for about `most` seconds at most."""
    calls = 0
    begin = time.process_time()
    for number in range(tables):
        made = plan_table(_table(case, f"catalog.bench.table_{number}"), {}).calls
        calls += len(made)
        if time.process_time() - begin > most:
            tables = number + 1
            break
    return Measured(tables, time.process_time() - begin, calls)


def _table(case: Case, name: str) -> Table:
    cron = read_cron(case.cron)
    assert isinstance(cron, Cron)
    schedule = ScheduleText(case.cron, cron).over(_TARGET.time_zone, (_YEAR,))
    place = Place("bench.yaml", 1, 1)
    asked = Request("bench.yaml#1", "bench", _TARGET.name, name, (_YEAR,), None, None, None, Limits(), place)
    lines = (Trigger("", span, (), ("bench.yaml#1",), (), None, "", "", "") for span in case.spans)
    return Table(_TARGET, name, (asked,), Ledger(_TARGET.name, name, tuple(lines), ""), (), _YEAR[1], Rules(schedule))


def floor(case: Case, rounds: int = 5) -> float:
    """Return the seconds that one table takes at the least with plain sets: list the year, take off what ran."""
    best = float("inf")
    ran = [range(*span.window, case.step) if isinstance(span, Range) else span.times for span in case.spans]
    for _ in range(rounds):
        begin = time.process_time()
        missing = set(case.instants).difference(*ran)
        best = min(best, time.process_time() - begin)
        assert len(missing) > len(case.instants) / 2 - _DAY
    return best


_LAYERS, _BELOW = 10, 3
_MONTH: Window = (parse("2025-01-01 00:00:00"), parse("2025-02-01 00:00:00"))


def coalesce(tables: int) -> Measured:
    """Let calls cover others: layers of tables, each table with three downstreams in the next layer."""
    each = max(tables // _LAYERS, _BELOW)
    hourly = Case("", *_SCHEDULES["hourly"], ())
    names = [[f"catalog.layer_{layer}.table_{number}" for number in range(each)] for layer in range(_LAYERS)]
    lineage = Lineage(
        {
            name: tuple(below[(number + more) % each] for more in range(_BELOW))
            for above, below in pairwise(names)
            for number, name in enumerate(above)
        }
    )
    made = [_in_lineage(hourly, name) for layer in names for name in layer]
    planned = {(table.target.name, table.name): Planned(table, {}, plan_table(table, {})) for table in made}
    requests = tuple(request for table in made for request in table.requests)
    rules = {key: one.table.rules for key, one in planned.items()}
    declared = Declared(len(made), requests, rules, {_TARGET.name: lineage})
    held = {key: one.plan for key, one in planned.items()}
    begin = time.process_time()
    plans = with_downstream(planned, held, declared, lambda _: True)
    seconds = time.process_time() - begin
    calls = [call for plan in plans.values() for call in plan.ready]
    covers = sum(len(call.covers) for call in calls)
    assert (len(calls), covers) == (each, each * (_LAYERS - 1)), "each table is called or covered, once"
    return Measured(len(made), seconds, len(calls))


def _in_lineage(case: Case, name: str) -> Table:
    table = _table(case, name)
    asked = tuple(replace(request, windows=(_MONTH,)) for request in table.requests)
    return replace(table, target=replace(_TARGET, lineage="lineage.yaml", coalesce=True), requests=asked, ledger=None)


def main(tables: int = 1000, most: float = 20) -> None:
    """Measure and print a table."""
    print(f"planning alone: a year for {tables} tables, half of the instants covered; at most {most} s a case")
    print("floor: for one table, list the instants in a plain range and take off the triggered ones with a set")
    head = ("tables", "s", "tables/s", "instants/s", "calls", "x floor")
    print(f"{'half covered in':<32}" + "".join(f"{name:>12}" for name in head))
    for case in cases():
        done = plan(case, tables, most)
        ratio = done.seconds / done.tables / floor(case)
        _tell(case.name, done, len(case.instants), f"{ratio:.2f}")
    month = range(*_MONTH, _SCHEDULES["hourly"][1])
    _tell("coalesce, 10 layers, a month", coalesce(tables), len(month), "-")


def _tell(name: str, done: Measured, instants: int, ratio: str) -> None:
    pace = done.tables / done.seconds
    print(
        f"{name:<32}{done.tables:>12}{done.seconds:>12.2f}{pace:>12.0f}{pace * instants:>12.0f}"
        f"{done.calls:>12}{ratio:>12}"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
