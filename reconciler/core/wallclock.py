"""The scheduler's wall clock: `yyyy-MM-dd HH:mm:ss` to integer seconds and back.

Seconds count from 1970-01-01 00:00:00 on the wall clock itself. There is no zone in them: a time that a
daylight-saving change skips is still a time that one can write.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400
# Spelled-out digits: `\d` would match other scripts' digits, and `fullmatch` leaves no room for a newline.
_FORMAT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")

FIRST = (1 - _EPOCH) * _DAY
"""The first second that the format can write, 0001-01-01 00:00:00."""
LAST = (date.max.toordinal() - _EPOCH) * _DAY + _DAY - 1
"""The last second that the format can write, 9999-12-31 23:59:59."""


@lru_cache(maxsize=4096)
def _midnight(year: int, month: int, day: int) -> int:
    return (date(year, month, day).toordinal() - _EPOCH) * _DAY


@lru_cache(maxsize=4096)
def _day_of(text: str) -> int:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError
    return _midnight(*map(int, match.groups()))


@lru_cache(maxsize=4096)
def _time_of(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError
    hour, minute, second = map(int, match.groups())
    return hour * 3600 + minute * 60 + second


def parse(text: str) -> int:
    """Return the wall-clock second that `text` names.

    Takes exactly the vendor's format in ASCII digits. Raises ValueError, with a reason that can be shown, for every
    other spelling and for times that do not exist (30 February, 24:00:00, a leap second).
    """
    try:
        if len(text) == 19 and text[10] == " ":
            return _day_of(text[:10]) + _time_of(text[11:])  # manifests and ledgers repeat their days and times of day
    except ValueError:
        pass  # why, is found out below
    match = _FORMAT.fullmatch(text)
    if match is None:
        raise ValueError("is not written as yyyy-MM-dd HH:mm:ss")
    year, month, day, hour, minute, second = map(int, match.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("is a time of day that does not exist")
    try:
        return _midnight(year, month, day) + hour * 3600 + minute * 60 + second
    except ValueError:
        raise ValueError("is a day that does not exist") from None


def render(second: int) -> str:
    """Write a wall-clock second as the vendor does. The inverse of `parse`."""
    days, rest = divmod(second, _DAY)
    return f"{_date(days)} {_time(rest)}"


def year_of(second: int) -> tuple[int, int]:
    """Return the calendar year that holds a second, as a window of seconds."""
    year = date.fromordinal(second // _DAY + _EPOCH).year
    return _midnight(year, 1, 1), _midnight(year, 12, 31) + _DAY


# A schedule has few times of day, and a plan few days: most of their text is written already.
@lru_cache(maxsize=4096)
def _date(days: int) -> str:
    day = date.fromordinal(days + _EPOCH)
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"


@lru_cache(maxsize=4096)
def _time(rest: int) -> str:
    return f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": _DAY, "w": 7 * _DAY}
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhdw])")


def parse_duration(text: str) -> int:
    """Return the seconds of a duration such as `30s`, `6h` or `366d`. Raises ValueError for other text."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("is not a duration such as 30s, 15m, 6h, 1d or 2w")
    return int(match[1]) * _UNITS[match[2]]


def render_duration(seconds: int) -> str:
    """Write a duration in the largest units that fit, at most two of them: `3d 4h`."""
    parts = []
    for unit, size in (("d", _DAY), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
