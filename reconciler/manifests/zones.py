"""The seconds of a zone's wall clock that a change of its offset skips, and those that it shows twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from reconciler.core.window import EMPTY, Window, Windows, intersect, subtract, union

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1).toordinal()
_DAY = 86_400
_STEP = _DAY // 4
"""No zone changes its offset and changes it back within six hours."""

_EARLIEST, _LATEST = ((day.toordinal() - _FIRST_DAY) * _DAY for day in (date(1, 1, 3), date(9999, 12, 29)))


def clock_changes(zone: str, first_year: int, last_year: int) -> tuple[Windows, Windows]:
    """Return the seconds of the zone's wall clock that are skipped, and those that are doubled, in whole years.

    Both years are included. Seconds are as in core/wallclock. Raises what ZoneInfo raises where there is no such zone.
    """
    years = [_changes(zone, year) for year in range(first_year, last_year + 1)]
    return union(window for skipped, _ in years for window in skipped), union(
        window for _, doubled in years for window in doubled
    )


@lru_cache(maxsize=8192)
def _changes(zone: str, year: int) -> tuple[Windows, Windows]:
    start = (date(year, 1, 1).toordinal() - _FIRST_DAY) * _DAY
    end = (date(year, 12, 31).toordinal() - _FIRST_DAY + 1) * _DAY
    shown: Windows = EMPTY
    doubled: list[Window] = []
    # Two days around the year: no offset is longer than one, and no change either.
    for piece in _pieces(ZoneInfo(zone), max(start - 2 * _DAY, _EARLIEST), min(end + 2 * _DAY, _LATEST)):
        doubled += intersect(shown, (piece,))
        shown = union((*shown, piece))
    if not doubled and len(shown) == 1:
        return EMPTY, EMPTY
    whole = ((max(start, shown[0][0]), min(end, shown[-1][1])),)
    return subtract(whole, shown), intersect(whole, union(doubled))


def _pieces(zone: ZoneInfo, start: int, end: int) -> list[Window]:
    """Return what the wall clock shows from one UTC second to another: a window for each time without a change."""
    pieces: list[Window] = []
    since, offset = start, _offset(zone, start)
    for at in range(start, end, _STEP):
        after = min(at + _STEP, end)
        if _offset(zone, after) != offset:
            change = _first_change(zone, at, after)
            pieces.append((since + offset, change + offset))
            since, offset = change, _offset(zone, change)
    pieces.append((since + offset, end + offset))
    return pieces


def _first_change(zone: ZoneInfo, before: int, after: int) -> int:
    """Return the first UTC second that has the offset of `after`, which `before` has not."""
    new = _offset(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == new:
            after = middle
        else:
            before = middle
    return after


def _offset(zone: ZoneInfo, second: int) -> int:
    offset = (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return offset // timedelta(seconds=1) if offset is not None else 0
