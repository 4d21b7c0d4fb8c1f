"""Cron expressions, Quartz's and Unix's, to times of day and days. The only module that knows the cron library."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby, product
from typing import TypeVar

from reconciler.core.schedule import Daily, Instants, every_day
from reconciler.manifests.cron_days import DayRule, quartz_days, unix_days
from reconciler.manifests.cron_fields import (
    HOURS,
    MINUTES,
    SECONDS,
    UNIX_HOURS,
    UNIX_MINUTES,
    YEAR,
    Field,
    Refusal,
    Refused,
    expand,
)
from reconciler.manifests.quoting import code_point, quoted

FIRST_YEAR, LAST_YEAR = YEAR.low, YEAR.high
"""The years for which days are known."""

_EPOCH = date(1970, 1, 1).toordinal()
# There are 14 calendars: a year starts on one of seven weekdays, and has a 29 February or not. Each is in 28 years.
_SAME_CALENDAR = {(date(year, 1, 1).weekday(), isleap(year)): year for year in range(1970, 1998)}
_ODD = re.compile(r"[^A-Za-z0-9*?/,# -]")
_INTERVAL = re.compile(r"(?:every +)?([1-9][0-9]{0,8}[smhdw])", re.IGNORECASE)
_MACROS = {
    "@yearly": "0 0 0 1 1 ?",
    "@annually": "0 0 0 1 1 ?",
    "@monthly": "0 0 0 1 * ?",
    "@weekly": "0 0 0 ? * SUN",
    "@daily": "0 0 0 * * ?",
    "@midnight": "0 0 0 * * ?",
    "@hourly": "0 0 * * * ?",
}
_LIKE = 'write Quartz ("0 0 * * * ?"), Unix cron ("0 * * * *") or an interval ({every: 1h})'

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression that was checked: its times of day in seconds, its days (None: every day) and its years."""

    times: tuple[int, ...]
    rule: DayRule | None
    years: tuple[int, ...] | None = None

    def instants(self, first_year: int, last_year: int) -> Instants:
        """Return its instants from the first year to the last, which is included."""
        if self.rule is None and self.years is None:
            return every_day(self.times)
        return Daily(self.times, tuple(day for year in range(first_year, last_year + 1) for day in self._days(year)))

    def fires(self) -> bool:
        """Say whether there is a day at all. Without years that is known: a day that no month has was refused."""
        return self.years is None or any(self._days(year) for year in self.years)

    def _days(self, year: int) -> tuple[int, ...]:
        if self.years is not None and year not in self.years:
            return ()
        if self.rule is None:
            return tuple(range(date(year, 1, 1).toordinal() - _EPOCH, date(year, 12, 31).toordinal() - _EPOCH + 1))
        return _days(self.rule, year)


@lru_cache(maxsize=1024)
def read_cron(text: str) -> Cron | tuple[Refusal, ...]:
    """Return what an expression means, or everything that is wrong with it.

    Six or seven fields are Quartz's, five are Unix cron's. Fields have spaces between them, as many as one likes.
    Source: Quartz's CronExpression and CronTrigger tutorial.
    """
    fields = text.upper().split()
    odd = _not_cron(text, fields)
    if odd is not None:
        return (odd,)
    reader = _Reader([])
    cron = reader.unix(fields) if len(fields) == 5 else reader.quartz(fields)
    if cron is None:
        return tuple(reader.refusals)
    if not cron.fires():
        return (Refusal(f"never fires: none of the years {quoted(fields[-1])} has such a day", "correct the year"),)
    return cron


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads all parts of an expression, and keeps what is wrong with each."""

    refusals: list[Refusal]

    def unix(self, fields: list[str]) -> Cron | None:
        minutes, hours = self._expand(UNIX_MINUTES, fields[0]), self._expand(UNIX_HOURS, fields[1])
        rule = self._try(lambda: unix_days(*fields[2:5]))
        return None if self.refusals else Cron(_times((0,), minutes, hours), rule)

    def quartz(self, fields: list[str]) -> Cron | None:
        parts = zip((SECONDS, MINUTES, HOURS), fields, strict=False)
        seconds, minutes, hours = (self._expand(field, text) for field, text in parts)
        rule = self._try(lambda: quartz_days(*fields[3:6]))
        years = self._expand(YEAR, fields[6]) if len(fields) == 7 and fields[6] != "*" else None
        return None if self.refusals else Cron(_times(seconds, minutes, hours), rule, years)

    def _expand(self, field: Field, text: str) -> tuple[int, ...]:
        return self._try(lambda: expand(field, text)) or ()

    def _try(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except Refused as error:
            self.refusals.extend(error.refusals)
            return None


def _not_cron(text: str, fields: list[str]) -> Refusal | None:
    plain = text.strip(" ")
    interval = _INTERVAL.fullmatch(plain)
    if interval:
        return Refusal(f"{quoted(plain)} is an interval, not cron", f"write {{every: {interval[1].lower()}}}")
    if plain.startswith("@"):
        same = _MACROS.get(plain.lower())
        return Refusal(f"{quoted(plain)} is a macro, which is not read", f'write "{same}"' if same else _LIKE)
    odd = _ODD.search(text)
    if odd:
        return Refusal(f"{code_point(odd[0])} has no meaning in a cron expression", _LIKE)
    if len(fields) not in (5, 6, 7):
        has = f"has {len(fields)} field{'' if len(fields) == 1 else 's'}"
        return Refusal(f"{quoted(plain)} {has}; Quartz has 6 or 7, Unix cron has 5", _LIKE)
    return None


@lru_cache(maxsize=256)
def _times(seconds: tuple[int, ...], minutes: tuple[int, ...], hours: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(hour * 3600 + minute * 60 + second for hour, minute, second in product(hours, minutes, seconds))


def _days(rule: DayRule, year: int) -> tuple[int, ...]:
    """Return the days of a year that a rule has, counted from 1970-01-01, sorted."""
    first = date(year, 1, 1)
    start = first.toordinal() - _EPOCH
    return tuple(start + day for day in _days_of_year(rule, _SAME_CALENDAR[first.weekday(), isleap(year)]))


@lru_cache(maxsize=4096)
def _days_of_year(rule: DayRule, year: int) -> tuple[int, ...]:
    """Return the days of a year that a rule has, counted from its 1 January, sorted."""
    found = sorted({day for query in rule.queries for day in _matching(query, year)})
    if rule.last:
        found = [list(days)[-1] for _, days in groupby(found, lambda day: day.month)]
    start = date(year, 1, 1).toordinal()
    return tuple(day.toordinal() - start - rule.back for day in found)


def _matching(query: str, year: int) -> list[date]:
    """Ask the library, about midnights alone: it takes 0.1 to 0.3 ms a day."""
    from croniter import croniter_range

    first, last = datetime(year, 1, 1), datetime(year, 12, 31)  # noqa: DTZ001 - the wall clock has no zone
    return [found.date() for found in croniter_range(first, last, f"0 0 {query}", ret_type=datetime)]
