"""The windows of a plan as a Mermaid gantt chart, which GitHub and GitLab draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from reconciler.core.call import Range, Span, Times
from reconciler.core.change import Key
from reconciler.core.config import Target
from reconciler.core.planner import PlannedCall
from reconciler.core.text import count
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import LAST, render
from reconciler.core.window import Window, intersect, union
from reconciler.errors import NotHere
from reconciler.render.inert import diagram_label, fenced

_BARS = 40
_DAY = 86_400
_FEW_POINTS = 3
_LETTER = 7
"""Pixels of a letter of a section's name, which stands left of the bars."""
_THINNEST = 100
"""No bar is thinner than one part in so many of the whole chart: what is short must still be seen."""


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bar of the chart; a point is drawn as a diamond."""

    section: str
    label: str
    mark: str
    window: Window
    point: bool


def chart(calls: Sequence[tuple[Target, PlannedCall]], standings: Mapping[Key, Standing]) -> str:
    """Return the windows of calls, a section a table, at most forty bars; nothing for no calls.

    Where there is room, what was triggered around them, or may have been, is drawn below, for tables of `standings`.

    Each target's own wall clock is drawn. Mermaid's times have no zone: they read the same for every viewer, but for
    an hour that the viewer's own clock skips.
    """
    several = len({target.name for target, _ in calls}) > 1
    sections: list[tuple[Key, list[_Bar]]] = []
    room = _BARS
    for (target, table), some in groupby(calls, key=lambda one: (one[0].name, one[1].call.table)):
        name = f"{target}.{table}" if several else table
        bars = list(islice((bar for _, planned in some for bar in _bars(name, planned)), room))
        sections.append(((target, table), bars))
        room -= len(bars)
        if not room:
            break
    if not sections:
        return ""
    left = sum(_bar_count(planned.call.span) for _, planned in calls) - (_BARS - room)
    for key, bars in sections:
        if room and key in standings:
            around = _around(bars, standings[key])[:room]
            bars += around
            room -= len(around)
    more = f"\n\n… and {count(left, 'more bar')} not drawn." if left else ""
    return fenced(_lines([bar for _, bars in sections for bar in bars]), "mermaid") + more


def _lines(bars: Sequence[_Bar]) -> Iterator[str]:
    first, last = min(bar.window[0] for bar in bars), max(bar.window[1] for bar in bars)
    thinnest = max(1, (last - first) // _THINNEST)
    longest = max(len(bar.section) for bar in bars)
    yield f"%%{{init: {{'gantt': {{'leftPadding': {longest * _LETTER + 20}}}}}}}%%"
    yield "gantt"
    yield "    dateFormat YYYY-MM-DD HH:mm:ss"
    yield f"    axisFormat {_axis(last - first)}"
    yield "    todayMarker off"
    for section, some in groupby(bars, key=lambda bar: bar.section):
        yield f"    section {section}"
        for bar in some:
            yield f"    {bar.label} :{_data(bar, thinnest)}"


def _axis(seconds: int) -> str:
    """Return how the axis is marked, so that no two marks overlap or read the same."""
    if seconds <= 2 * 86_400:
        return "%d %H:%M"
    return "%m-%d\n    tickInterval 1day" if seconds <= 14 * 86_400 else "%Y-%m-%d"


def _data(bar: _Bar, thinnest: int) -> str:
    start, end = bar.window
    if bar.point:
        return f"{bar.mark}milestone, {render(start)}, 0s"
    return f"{bar.mark}{render(start)}, {render(min(max(end, start + thinnest), LAST))}"


def _bar_count(span: Span) -> int:
    return len(span.times) if isinstance(span, Times) and len(span.times) <= _FEW_POINTS else 1


def _bars(section: str, planned: PlannedCall) -> Iterator[_Bar]:
    """Yield the bars of a call: of a range its window, of a few points each, of many the time from first to last."""
    name = diagram_label(section, 32)
    label, mark = _kind(planned)
    match planned.call.span:
        case Range(window):
            yield _Bar(name, label, mark, window, point=False)
        case Times(times) if len(times) <= _FEW_POINTS:
            for time in times:
                yield _Bar(name, label, mark, (time, time + 1), point=True)
        case Times(times):
            points = f"{label} {len(times)} points"
            yield _Bar(name, points, mark, (times[0], times[-1] + 1), point=False)


def _around(calls: Sequence[_Bar], standing: Standing) -> list[_Bar]:
    """Return bars of what was triggered, or may have been, as near to calls as these are long: the nearest first.

    There are none where old lines of the ledger are folded, and this clone does not have them.
    """
    first, last = min(bar.window[0] for bar in calls), max(bar.window[1] for bar in calls)
    reach = max(last - first, _DAY)
    triggered, doubtful = [], []
    try:
        segments = standing.timeline.segments
    except NotHere:
        return []
    for piece in segments:
        if piece.again or piece.status in ("triggered", "rerun"):
            triggered.append(piece.window)
        if piece.status == "inDoubt":
            doubtful.append(piece.window)
    bars = [
        _Bar(calls[0].section, label, mark, window, point=False)
        for label, mark, windows in (("triggered", "done, ", triggered), ("in doubt", "crit, done, ", doubtful))
        for window in intersect(union(windows), ((first - reach, last + reach),))
    ]
    return sorted(bars, key=lambda bar: max(bar.window[0] - last, first - bar.window[1]))


def _kind(planned: PlannedCall) -> tuple[str, str]:
    """Return a bar's label and Mermaid's mark for its colour."""
    tokens = " ".join(diagram_label(token, 24) for token in planned.call.rerun[:2])
    label = f"rerun {tokens}" if tokens else "new"
    if planned.held:
        return f"{label} held", ""
    return label, "crit, " if planned.call.rerun else "active, "
