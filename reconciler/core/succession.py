"""Which trigger of a table holds where, and which ones it superseded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.core.facts import Line
from reconciler.core.ledger import Trigger
from reconciler.core.needs import Table
from reconciler.core.planner import TablePlan
from reconciler.core.request import STANDARD
from reconciler.core.timeline import Standing


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a table's time over which the same triggers lie; positions in the ledger, oldest first.

    `first` and `last` are its first and last instant, without a schedule its first and last second; `number` and
    `instances` are as a segment has them.
    """

    first: int
    last: int
    number: int | None
    instances: int | None
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Superseded:
    """What became of a trigger: those that triggered its instants next, oldest first, and whether all of them."""

    by: tuple[Trigger, ...]
    whole: bool


def stretches(table: Table) -> tuple[Stretch, ...]:
    """Return the longest pieces of a table's time over which the same triggers lie, by time."""
    plan = TablePlan(table.target, table.name, None, (), (), ())
    timeline = Standing(table, plan).timeline
    numbers = [fact.number - 2 if isinstance(fact, Line) else None for fact in timeline.facts]
    on: list[Stretch] = []
    off: list[Stretch] = []
    for segment in timeline.segments:
        lines = tuple(at for fact in segment.facts if (at := numbers[fact]) is not None)
        if lines:
            here = Stretch(segment.first, segment.last, segment.number, segment.instances, lines)
            (off if segment.number is None else on).append(here)
    return tuple(sorted((*_longest(on), *_longest(off)), key=lambda stretch: stretch.first))


def _longest(pieces: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield pieces, those joined that lie side by side and are the same."""
    last: Stretch | None = None
    for piece in pieces:
        joined = _joined(last, piece) if last else piece
        if last and joined is None:
            yield last
        last = joined or piece
    if last:
        yield last


def _joined(one: Stretch, other: Stretch) -> Stretch | None:
    """Return two neighbours as one, None where something else lies over them or between them."""
    if one.lines != other.lines or (one.number is None) != (other.number is None):
        return None
    if one.number is None or one.instances is None or other.instances is None:
        beside = one.last + 1 == other.first
    else:
        beside = one.number + one.instances == other.number
    instances = (one.instances or 0) + (other.instances or 0) if one.number is not None else None
    return Stretch(one.first, other.last, one.number, instances, one.lines) if beside else None


def successions(table: Table) -> tuple[Superseded, ...]:
    """Return for each trigger of a table, in the ledger's order, what superseded it: nothing where it holds still."""
    triggers = table.ledger.triggers if table.ledger else ()
    by: list[set[int]] = [set() for _ in triggers]
    holds = [False for _ in triggers]
    for stretch in stretches(table):
        holds[stretch.lines[-1]] = True
        for line, next_line in zip(stretch.lines, stretch.lines[1:], strict=False):
            by[line].add(next_line)
    return tuple(
        Superseded(tuple(triggers[at] for at in sorted(some)), bool(some) and not held)
        for some, held in zip(by, holds, strict=True)
    )


def around(table: Table, second: int) -> Stretch | None:
    """Return the piece that a second is in, None where nothing was triggered.

    It is in instants where the schedule has one at this second, else in seconds.
    """
    schedule = table.rules.schedule
    if schedule is not None and schedule.holds(second):
        found = [each for each in stretches(table) if each.number is not None and each.first <= second <= each.last]
        if found:
            return found[0]
    timed = stretches(replace(table, rules=STANDARD))
    return next((each for each in timed if each.first <= second <= each.last), None)
