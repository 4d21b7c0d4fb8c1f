"""A table's time by status alone, for pictures of many tables: a layer of windows a status, the most urgent first.

What a timeline says with the facts behind each piece, this says without them, in a twentieth of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.call import Range, Span
from reconciler.core.schedule import Schedule
from reconciler.core.timeline import Standing, Status
from reconciler.core.window import EMPTY, Window, Windows, subtract, union


@dataclass(frozen=True, slots=True)
class Layer:
    """Where a table has a status: `numbers` of the schedule's instants, and `seconds` where it has none."""

    status: Status
    numbers: Windows
    seconds: Windows


@dataclass(frozen=True, slots=True)
class Layers:
    """What a table's time looks like. Where layers lie over each other, the first is what it is.

    Without a schedule, or where it is not `known`, all of it is in seconds.
    """

    schedule: Schedule | None
    known: Window | None
    layers: tuple[Layer, ...]


def layers_of(standing: Standing) -> Layers:
    """Return the layers of a table, those that hold something, in the order of URGENCY."""
    table, plan = standing.table, standing.plan
    known = table.known
    schedule = table.rules.schedule if known else None
    above = [(planned.held, planned.call) for planned in plan.calls]
    above += [(one.made.held, one.instead) for one in standing.upstream]
    owed = _split(schedule, known, _windows(call.span for held, call in above if not held))
    held = _split(schedule, known, _windows(call.span for held, call in above if held))
    unclear = _split(schedule, known, [window for doubt in plan.all_doubts for window in doubt.windows])
    lines = table.ledger.triggers if table.ledger else ()
    sent = _split(schedule, known, _windows(line.span for line in lines))
    again = _split(schedule, known, _windows(line.span for line in lines if line.rerun))
    found = (
        Layer("inDoubt", *unclear.union()),
        Layer("held", *held.union()),
        Layer("owed", *owed.union()),
        Layer("rerun", *again.joined(sent.twice()).union()),
        Layer("triggered", *sent.union()),
    )
    return Layers(schedule, known, tuple(layer for layer in found if layer.numbers or layer.seconds))


@dataclass(frozen=True, slots=True)
class _Split:
    """Windows of numbers of a schedule's instants, and of seconds where it has none."""

    numbers: Sequence[Window]
    seconds: Sequence[Window]

    def __iter__(self) -> Iterator[Windows]:
        yield tuple(self.numbers)
        yield tuple(self.seconds)

    def union(self) -> _Split:
        return _Split(union(self.numbers), union(self.seconds))

    def joined(self, other: _Split) -> _Split:
        return _Split([*self.numbers, *other.numbers], [*self.seconds, *other.seconds])

    def twice(self) -> _Split:
        """Return what is in more than one of the windows."""
        return _Split(_twice(self.numbers), _twice(self.seconds))


def _windows(spans: Iterable[Span]) -> list[Window]:
    """Return the windows of spans as they come, none joined: what is in two of them is there twice."""
    found: list[Window] = []
    for span in spans:
        if isinstance(span, Range):
            found.append(span.window)
        else:
            found += [(time, time + 1) for time in span.times]
    return found


def _split(schedule: Schedule | None, known: Window | None, windows: list[Window]) -> _Split:
    if schedule is None or known is None or not windows:
        return _Split(EMPTY, windows)
    start, end = known
    before = schedule.before
    numbers: list[Window] = []
    seconds: list[Window] = []
    for window in windows:
        first, last = window
        if first < start or last > end:
            seconds += subtract((window,), (known,))
            first, last = max(first, start), min(last, end)
            if first >= last:
                continue
        here = before(first), before(last)
        if here[0] < here[1]:
            numbers.append(here)
        else:
            seconds.append((first, last))
    return _Split(numbers, seconds)


def _twice(windows: Sequence[Window]) -> Windows:
    found: list[Window] = []
    reach: int | None = None
    for start, end in sorted(windows):
        if reach is not None and start < reach:
            found.append((start, min(end, reach)))
        reach = end if reach is None else max(reach, end)
    return union(found)
