"""The marks of a time axis, from seconds to thousands of years, where a calendar has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from reconciler.core.wallclock import FIRST, LAST, render

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_MONDAY = 4 * _DAY  # 1970-01-05

_SECONDS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY, 2 * _DAY, 7 * _DAY)
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000, 24_000, 60_000, 120_000)
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark at a wall-clock second. `major` where something larger begins: among hours a day, among days a month."""

    second: int
    label: str
    major: bool


def ticks(start: int, end: int, most: int) -> tuple[Tick, ...]:
    """Return the marks for wall-clock seconds from `start` to `end`, both included, at most `most` of them.

    They are at full minutes, hours, days, Mondays, months or years: the finest of these that there is room for, so with
    room for five or more there is always one. Among Mondays the labels are days; that of a larger unit that begins says
    that unit: among hours `20 Jan`, among days and months of the year's first `2026`.
    """
    start, end = max(start, FIRST), min(end, LAST)
    for step in _SECONDS:
        found = range(_aligned(start, step), end + 1, step)
        if len(found) <= most:
            return tuple(_by_seconds(second, step) for second in found)
    for months in _MONTHS:
        # Counted first: years of months are soon counted, and slowly listed.
        if (_month(end) - _month(start)) // months <= most:
            marks = tuple(_by_months(start, end, months))
            if len(marks) <= most:
                return marks
    return ()


def _aligned(start: int, step: int) -> int:
    """Return the first second from `start` on that is a multiple of a step since 1970; of weeks, a Monday."""
    origin = _MONDAY if step == 7 * _DAY else 0
    return start + (origin - start) % step


def _by_seconds(second: int, step: int) -> Tick:
    day = date.fromordinal(second // _DAY + _EPOCH)
    if step < _DAY and second % _DAY:
        return Tick(second, render(second)[11 : 19 if step < 60 else 16], major=False)
    new_year = step == _DAY and (day.month, day.day) == (1, 1)
    label = f"{day.year}" if new_year else f"{day.day} {_NAMES[day.month - 1]}"
    return Tick(second, label, major=step < _DAY or day.day == 1)


def _by_months(start: int, end: int, step: int) -> Iterator[Tick]:
    first = _month(start)
    for month in range(first - first % step, _month(end) + 1, step):
        year, rest = divmod(month, 12)
        second = (date(year, rest + 1, 1).toordinal() - _EPOCH) * _DAY if year else start - 1
        if start <= second <= end:
            yield Tick(second, f"{year}" if rest == 0 else _NAMES[rest], major=rest == 0 and step < 12)


def _month(second: int) -> int:
    """Return the number of the month that holds a second, counted from the year 0."""
    day = date.fromordinal(second // _DAY + _EPOCH)
    return day.year * 12 + day.month - 1
