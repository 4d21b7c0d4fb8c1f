"""The time axis of a terminal's timelines: which span it shows, its line of marks, its legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.core.axis import ticks
from reconciler.core.call import Range
from reconciler.core.call import Span as CallSpan
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import LAST, parse, render
from reconciler.core.window import Window
from reconciler.render.strip import NOW, WORDS, Axis

_HOUR, _DAY = 3600, 86_400
_FIRST = parse("0001-01-01 00:00:00")
_GAP = 2
_PER_MARK = 14
_LONGEST = 1000
"""Columns: an hour has more seconds, so no cell is shorter than one."""


@dataclass(frozen=True, slots=True)
class Span:
    """What an axis shows. `earlier` and `later` count the tables that were triggered before and after it."""

    window: Window
    earlier: int = 0
    later: int = 0

    @property
    def by_hours(self) -> bool:
        """Whether the axis is so short that hours matter."""
        return self.window[1] - self.window[0] <= 2 * _DAY

    def axis(self, columns: int) -> Axis:
        return Axis(*self.window, min(columns, _LONGEST))


def span_of(standings: Sequence[Standing]) -> Span | None:
    """Return the span of what is asked for or in doubt; None where there is nothing to show.

    What was triggered before or after is shown too, unless that would make the axis more than twice as long on that
    side: one old trigger must not press all that matters into a corner.
    """
    asked = [window for each in standings for window in _asked(each)]
    sent = [window for each in standings if (window := _sent(each))]
    if not (asked or sent):
        return None
    start, end = _snapped(_hull(asked or sent))
    first, last = _hull([*asked, *sent])
    room = end - start
    start, end = _snapped((first if 0 < start - first <= room else start, last if 0 < last - end <= room else end))
    return Span((start, end), sum(1 for each in sent if each[0] < start), sum(1 for each in sent if each[1] > end))


def _asked(standing: Standing) -> list[Window]:
    requests = [request.windows for request in standing.table.requests if request.windows]
    doubts = [doubt.windows for doubt in standing.plan.all_doubts]
    return [(windows[0][0], windows[-1][1]) for windows in (*requests, *doubts)]


def _sent(standing: Standing) -> Window | None:
    lines = standing.table.ledger.triggers if standing.table.ledger else ()
    return _hull([_ends_of(line.span) for line in lines]) if lines else None


def _ends_of(span: CallSpan) -> Window:
    return span.window if isinstance(span, Range) else (span.times[0], span.times[-1] + 1)


def _hull(windows: Sequence[Window]) -> Window:
    return min(start for start, _ in windows), max(end for _, end in windows)


def _snapped(window: Window) -> Window:
    """Return the full hours around a window, the full days around one of more than a day."""
    start, end = window
    unit = _HOUR if end - start <= _DAY else _DAY
    return max(start - start % unit, _FIRST), min(end + -end % unit, LAST + 1)


def scale(span: Span, axis: Axis, now: int) -> str:
    """Return the line above timelines: where the axis begins and ends, marks between, and where now is.

    A mark's bar is over the cell that it names; `now` is a cell, -1 where it is none of them. What would collide is
    left out.
    """
    line = [" "] * axis.columns
    first, last = _ends(span, axis.columns)
    _put(line, 0, first)
    _put(line, axis.columns - len(last), last)
    for tick in ticks(axis.start, axis.end - 1, max(axis.columns // _PER_MARK, 1)):
        _put(line, axis.cell(tick.second), f"|{tick.label}")
    if now >= 0 and line[now] == " ":
        line[now] = NOW
    return "".join(line).rstrip()


def _ends(span: Span, columns: int) -> tuple[str, str]:
    start, end = span.window
    first, last = render(start), render(min(end, LAST))
    days = first[:10], render(end - 1)[:10]
    hours = [(first[:16], last[11:16] if first[:10] == last[:10] else last[:16])] if span.by_hours else []
    for ends in (*hours, days):
        if len(ends[0]) + _GAP + len(ends[1]) <= columns and ends[0] != ends[1]:
            return ends
    return days[0], ""


def _put(line: list[str], at: int, text: str) -> None:
    """Write text into a line where that is free, with room around it."""
    around = line[max(at - _GAP, 0) : at + len(text) + _GAP]
    if at + len(text) <= len(line) and not "".join(around).strip():
        line[at : at + len(text)] = text


def legend(shown: Iterable[str], note: str, columns: int) -> list[str]:
    """Return what the characters say that are shown, and a note, in lines of as many columns."""
    used = frozenset("".join(shown))
    return wrapped([*(f"{mark} {words}" for mark, words in WORDS.items() if mark in used), note], columns)


def wrapped(items: Iterable[str], columns: int) -> list[str]:
    """Return items side by side, in as many lines as they take."""
    lines = [""]
    for item in items:
        joined = f"{lines[-1]}  {item}" if lines[-1] else item
        if len(joined) <= columns or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(item)
    return lines
