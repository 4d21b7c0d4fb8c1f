"""What a schedule lets a plan say: how many instances, what the clock skips or doubles, whether `rangeEnd` matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.core.call import Call, Method
from reconciler.core.planner import TablePlan
from reconciler.core.schedule import Schedule
from reconciler.core.text import count
from reconciler.core.wallclock import render
from reconciler.core.window import Window, Windows, near

_FEW = 3


def counted(call: Call, schedule: Schedule | None) -> str:
    """Return what to say of a call's instances, where there is a schedule: `5 instances`; nothing otherwise."""
    if schedule is None or call.instances is None:
        return ""
    decides = f", rangeEnd decides whether the one at {_end(call)} is among them" if call.end_matters else ""
    return f"{count(call.instances, 'instance')}{decides}"


def _end(call: Call) -> str:
    return str(call.span.fields()["endTime"])


def end_sentence(tables: Iterable[TablePlan]) -> str | None:
    """Say for how many range calls the reading of endTime matters; None where that is not known of any."""
    known = [
        planned.call.end_matters
        for table in tables
        for planned in table.calls
        if planned.call.span.method is Method.RANGE and planned.call.end_matters is not None
    ]
    if not known:
        return None
    if not any(known):
        return "rangeEnd does not matter for ranges with a schedule here: none ends on an instance"
    return f"rangeEnd decides on the last instance of {count(sum(known), 'range')} with a schedule"


def clock_notes(table: TablePlan) -> Iterator[str]:
    """Yield what a daylight-saving change does to the instances around the calls of a table."""
    schedule = table.rules.schedule
    if schedule is None:
        return
    zone = table.target.time_zone
    hidden = _within(schedule.skipped, table, schedule.skips)
    if hidden:
        yield f"no instance at {_times(hidden)}: the clock of {zone} is put forward then"
    twice = _within(schedule.doubled, table, schedule.doubles)
    if twice:
        yield f"one schedule time for two moments at {_times(twice)}: the clock of {zone} is put back then"


def _within(changes: Windows, table: TablePlan, times: Callable[[Window], Sequence[int]]) -> list[int]:
    if not changes:
        return []
    windows = (window for planned in table.calls for window in planned.call.span.windows)
    return sorted({time for window in windows if near(changes, *window) for time in times(window)})


def _times(times: Sequence[int]) -> str:
    shown = ", ".join(render(time) for time in times[:_FEW])
    return shown if len(times) <= _FEW else f"{shown} and {len(times) - _FEW:,} more times up to {render(times[-1])}"
