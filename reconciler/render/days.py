"""How many instances each day of a table has, and how many of them were triggered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.needs import Table
from reconciler.core.timeline import Segment
from reconciler.core.window import EMPTY, Window, Windows, intersect, union

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Day:
    """A day that starts at a wall-clock second; `instances` is how many the schedule has on it."""

    start: int
    triggered: int
    instances: int


def days_of(table: Table, segments: Iterable[Segment], window: Window) -> Iterator[Day]:
    """Yield the days that start in a window and of which a segment tells, by time; none where no schedule is known."""
    schedule, known = table.rules.schedule, table.known
    if schedule is None or known is None:
        return
    numbered = [(each, _numbers(each)) for each in segments if each.number is not None]
    told = union(window for _, some in numbered for window in some)
    done = union(w for each, some in numbered if each.again or each.status in {"triggered", "rerun"} for w in some)
    first = schedule.before(known[0])
    for start in range(-(-max(window[0], known[0]) // DAY) * DAY, min(window[1], known[1]), DAY):
        day = ((schedule.before(start) - first, schedule.before(start + DAY) - first),)
        if _count(intersect(told, day)):
            yield Day(start, _count(intersect(done, day)), _count(day))


def _numbers(segment: Segment) -> Windows:
    number, instances = segment.number, segment.instances
    return EMPTY if number is None or instances is None else ((number, number + instances),)


def _count(numbers: Windows) -> int:
    return sum(end - first for first, end in numbers)
