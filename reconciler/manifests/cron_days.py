"""The day fields of a cron expression to questions about days that the library can answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.manifests.cron_fields import (
    DAY,
    MONTH,
    UNIX_DAY,
    UNIX_MONTH,
    UNIX_WEEKDAY,
    WEEKDAY,
    Field,
    Refusal,
    Refused,
    all_of,
    expand,
    number,
    refused,
)

_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ALL_MONTHS = tuple(range(1, 13))
_FURTHEST_BACK = 27
_BEFORE_LAST = re.compile(r"L-([0-9]+)")
_NEAREST_BEFORE_LAST = re.compile(r"L-[0-9]+W")
_NEAREST = re.compile(r"([0-9]+)W")
_LAST_ONE = re.compile(r"([0-9]+|[A-Z]{3})L")
_NTH = re.compile(r"([0-9]+|[A-Z]{3})#([0-9]+)")

Months = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DayRule:
    """Which days: those that match any of `queries`, each "day-of-month month day-of-week" as croniter writes it.

    `back` moves them that many days back, which never leaves the month. `last` keeps the last one of each month.
    """

    queries: tuple[str, ...]
    back: int = 0
    last: bool = False


def quartz_days(day: str, month: str, weekday: str) -> DayRule | None:
    """Return the days of a Quartz expression's fields in upper case, None for every day. Raises Refused.

    Exactly one of the two day fields is `?`. `L` as day of week is Saturday. A `W` does not leave its month.
    Source: Quartz's CronExpression and CronTrigger tutorial.
    """
    try:
        months = expand(MONTH, month)
    except Refused:
        months = _ALL_MONTHS  # said below, in its turn
    both = (day == "?") == (weekday == "?")
    try:
        of_month, _, of_week = all_of(
            lambda: None if day == "?" else _of_month(day, months),
            lambda: _check(MONTH, month),
            lambda: None if weekday == "?" else _of_week(weekday, months),
        )
    except Refused as error:
        raise Refused(*error.refusals, *([_both(day, month, weekday, sound=False)] if both else [])) from None
    if both:
        raise Refused(_both(day, month, weekday, sound=True))
    return of_month or of_week


def unix_days(day: str, month: str, weekday: str) -> DayRule | None:
    """Return the days of a Unix cron expression's fields in upper case, None for every day. Raises Refused.

    Where both day fields are restricted, a day that matches one of them is enough. Source: crontab(5).
    """
    days, months, weekdays = all_of(
        lambda: _unix(UNIX_DAY, day), lambda: expand(UNIX_MONTH, month), lambda: _unix(UNIX_WEEKDAY, weekday)
    )
    weekdays = tuple(sorted({each % 7 for each in weekdays}))
    if day == "*" or weekday == "*":
        if weekday == "*":
            _check_fires(UNIX_DAY, day, days, months)
        return _rule(_listed(days, 31), months, _listed(weekdays, 7))
    if "*" in day + weekday:
        message = f"day of month {day} and day of week {weekday}: some crons read this as `and`, some as `or`"
        written = f"{day.replace('*', '1-31')} {month} {weekday.replace('*', '0-6')}"
        raise Refused(Refusal(message, f"write `{written}` for `or`; `and` cannot be written"))
    either = _rule(_listed(days, 31), months, "*"), _rule("*", months, _listed(weekdays, 7))
    queries = tuple(query for rule in either if rule for query in rule.queries)
    return None if None in either else DayRule(queries)


def _both(day: str, month: str, weekday: str, sound: bool) -> Refusal:
    """Say that both day fields are given, or none; what to write, where the three of them are `sound` besides."""
    if day == "?":
        return Refusal("day of month and day of week are both `?`", "write `*` in one of them for every day")
    message = "day of month and day of week are both given, which Quartz refuses"
    if sound and weekday == "*":
        return Refusal(message, f"write `{day} {month} ?` for the last three of them")
    if sound and day == "*":
        return Refusal(message, f"write `? {month} {weekday}` for the last three of them")
    return Refusal(message, "write `?` in one of them")


def _of_month(day: str, months: Months) -> DayRule | None:
    if day == "LW":
        # The last weekday is the last of the last Monday, Tuesday, …, Friday.
        return DayRule(tuple(_query("*", months, f"l{weekday}") for weekday in range(1, 6)), last=True)
    if match := _BEFORE_LAST.fullmatch(day):
        if int(match[1]) > _FURTHEST_BACK:
            raise refused(DAY, day, "not every month is that long", f"write L-1 to L-{_FURTHEST_BACK}")
        return DayRule((_query("l", months, "*"),), back=int(match[1]))
    if _NEAREST_BEFORE_LAST.fullmatch(day):
        hint = "write LW for the last weekday of the month, L-3 for three days before its last, or list the days"
        raise refused(DAY, day, "the weekday nearest to a day before the last is beyond the cron library", hint)
    if match := _NEAREST.fullmatch(day):
        return _nearest(day, number(DAY, day, match[1]), months)
    if "W" in day:
        hint = "write one day, such as 15W, or LW for the last weekday of the month"
        raise refused(DAY, day, "a `W` stands after one day of the month, alone in its field", hint)
    items = day.split(",")
    plain = [item for item in items if item != "L"]
    if any(item.startswith("L") for item in plain):
        raise refused(DAY, day, "this `L` stands alone in its field", "write L, or L-3 for three days before the last")
    days = expand(DAY, ",".join(plain)) if plain else ()
    if len(plain) < len(items):
        return _or_last(days, months)
    _check_fires(DAY, day, days, months)
    return _rule(_listed(days, 31), months, "*")


def _or_last(days: tuple[int, ...], months: Months) -> DayRule | None:
    """Return listed days and the last of the month. Two questions: the library takes 30 days and an `l` for 31 days."""
    longest = max(_LENGTHS[month - 1] for month in months)
    there = tuple(day for day in days if day <= longest)
    listed = _rule(_listed(there, 31), months, "*") if there else DayRule(())
    return listed and DayRule((*listed.queries, _query("l", months, "*")))


def _nearest(text: str, day: int, months: Months) -> DayRule:
    shortest = min(28 if month == 2 else _LENGTHS[month - 1] for month in months)
    if day > shortest:
        hint = f"write {shortest}W or less, LW for the last weekday, or months that are longer"
        raise refused(DAY, text, "not every month here has that day, and Quartz's versions differ on the others", hint)
    return DayRule((_query(f"{day}w", months, "*"),))


def _of_week(weekday: str, months: Months) -> DayRule | None:
    if weekday == "L":
        return DayRule((_query("*", months, "6"),))
    if match := _LAST_ONE.fullmatch(weekday):
        return DayRule((_query("*", months, f"l{number(WEEKDAY, weekday, match[1]) - 1}"),))
    if match := _NTH.fullmatch(weekday):
        if not 1 <= int(match[2]) <= 5:
            hint = "write 1 to 5 after it, or such as 6L for the last Friday of the month"
            raise refused(WEEKDAY, weekday, "the number after `#` is not from 1 to 5", hint)
        return DayRule((_query("*", months, f"{number(WEEKDAY, weekday, match[1]) - 1}#{int(match[2])}"),))
    if "#" in weekday or ("L" in weekday and "," in weekday):
        hint = "write one of them, such as 6#3 or 6L"
        raise refused(WEEKDAY, weekday, "a `#` or `L` stands after one weekday, alone in its field", hint)
    days = tuple(day - 1 for day in expand(WEEKDAY, weekday))
    return _rule("*", months, _listed(days, 7))


def _check(field: Field, text: str) -> None:
    expand(field, text)


def _unix(field: Field, text: str) -> tuple[int, ...]:
    signs = [sign for sign in "?LW#" if sign in text.replace("WED", "")]
    if signs:
        hint = "write six fields, seconds first; in Unix cron `*` stands for every day"
        raise refused(field, text, f"`{signs[0]}` is Quartz's, but five fields are Unix cron", hint)
    return expand(field, text)


def _check_fires(field: Field, text: str, days: tuple[int, ...], months: Months) -> None:
    longest = max(_LENGTHS[month - 1] for month in months)
    if days[0] > longest:
        hint = f"write a day up to {longest}, or other months"
        hint += "; `L` is the last day of a month, whatever it is" if field.quartz else ""
        raise refused(field, text, "never fires: no month here has that day", hint)


def _rule(days: str, months: Months, weekdays: str) -> DayRule | None:
    query = _query(days, months, weekdays)
    return None if query == "* * *" else DayRule((query,))


def _query(days: str, months: Months, weekdays: str) -> str:
    return f"{days} {_listed(months, 12)} {weekdays}"


def _listed(numbers: tuple[int, ...], whole: int) -> str:
    return "*" if len(numbers) == whole else ",".join(map(str, numbers))
