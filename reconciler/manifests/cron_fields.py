"""One field of a cron expression to the numbers that it stands for, in Quartz's way or in Unix cron's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from reconciler.manifests.quoting import quoted

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_ITEM = re.compile(r"(?:(\*)|([A-Z]+|[0-9]+)(?:-([A-Z]+|[0-9]+))?)?(?:/([0-9]+))?")


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an expression is not taken, and the way out."""

    message: str
    hint: str


class Refused(ValueError):
    """A field is not taken, or several are not."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = refusals


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name, its least and greatest number, and names for the numbers from the least on.

    `wraps` is how many numbers a range that runs backwards goes around (22-2, FRI-MON), 0 where none may. `quartz` is
    False for Unix cron, which knows neither `5/15` nor `/15`.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    wraps: int = 0
    quartz: bool = True


SECONDS = Field("seconds", 0, 59, wraps=60)
MINUTES = Field("minutes", 0, 59, wraps=60)
HOURS = Field("hours", 0, 23, wraps=24)
DAY = Field("day of month", 1, 31, wraps=31)
MONTH = Field("month", 1, 12, _MONTHS, wraps=12)
WEEKDAY = Field("day of week", 1, 7, _WEEKDAYS, wraps=7)
YEAR = Field("year", 1970, 2199)
UNIX_MINUTES = Field("minute", 0, 59, quartz=False)
UNIX_HOURS = Field("hour", 0, 23, quartz=False)
UNIX_DAY = Field("day of month", 1, 31, quartz=False)
UNIX_MONTH = Field("month", 1, 12, _MONTHS, quartz=False)
UNIX_WEEKDAY = Field("day of week", 0, 7, _WEEKDAYS, quartz=False)


def expand(field: Field, text: str) -> tuple[int, ...]:
    """Return the numbers that a field in upper case stands for, sorted. Raises Refused, with the field's name.

    Takes `*`, numbers, names, ranges, steps and lists of these. Quartz's ranges may run backwards, around the end, and
    `5/15` goes on from 5. What Quartz takes and does not heed is refused: steps after names, letters after a name.
    Source: Quartz's CronExpression and CronTrigger tutorial; crontab(5) for Unix cron.
    """
    found: set[int] = set()
    items = text.split(",")
    for item in items:
        if not item:
            raise refused(field, text, "an item of the list is missing", "remove the comma, or write the item")
        if len(items) > 1 and item == "*":
            raise refused(field, text, "`*` in a list is all of it", "write `*` alone, or leave it out")
        found.update(_numbers(field, text, item))
    return tuple(sorted(found))


def all_of(*reads: Callable[[], T]) -> list[T]:
    """Return what fields are read as. Raises Refused with everything that is wrong with any, in this order."""
    found: list[T] = []
    refusals: list[Refusal] = []
    for read in reads:
        try:
            found.append(read())
        except Refused as error:
            refusals += error.refusals
    if refusals:
        raise Refused(*refusals)
    return found


def refused(field: Field, text: str, what: str, hint: str) -> Refused:
    """Return the error that says what is wrong with a field."""
    return Refused(Refusal(f"{field.name} {quoted(text)}: {what}", hint))


def number(field: Field, text: str, word: str) -> int:
    """Return the number that a word in the field's `text` is or names. Raises Refused."""
    if word.isdigit():
        value = int(word)
        if field.low <= value <= field.high:
            return value
        raise refused(field, text, f"{value} is not from {field.low} to {field.high}", _range_hint(field))
    if word in field.names:
        return field.names.index(word) + field.low
    raise refused(field, text, f"{quoted(word)} {_what_is(word)}", _range_hint(field))


def _numbers(field: Field, text: str, item: str) -> range | list[int]:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise refused(field, text, _odd(item), _range_hint(field))
    star, first, last, step = match.groups()
    if step is not None:
        _check_step(field, text, item, match)
    every = int(step or 1)
    if first is None:
        if not star and not field.quartz:
            raise refused(field, text, "a step needs what it starts from", f"write `*{item}`")
        return range(field.low, field.high + 1, every)
    start = number(field, text, first)
    if last is None:
        return range(start, (field.high if step else start) + 1, every)
    end = number(field, text, last)
    if first.isdigit() != last.isdigit():
        raise refused(field, text, "a range goes from a number to a name", "write two numbers, or two names")
    return _around(field, text, (start, end), every)


def _around(field: Field, text: str, ends: tuple[int, int], every: int) -> range | list[int]:
    start, end = ends
    if start <= end:
        return range(start, end + 1, every)
    if not field.wraps:
        raise refused(field, text, f"the range from {start} to {end} runs backwards", _forwards(field, start, end))
    return [(value - field.low) % field.wraps + field.low for value in range(start, end + field.wraps + 1, every)]


def _forwards(field: Field, start: int, end: int) -> str:
    if field is YEAR:
        return "swap the two years"
    if field is UNIX_WEEKDAY and end == 0:
        return f"write {start}-7: 7 is Sunday too"
    return f"write {start}-{field.high},{field.low}" + (f"-{end}" if end > field.low else "")


def _check_step(field: Field, text: str, item: str, match: re.Match[str]) -> None:
    _, first, last, step = match.groups()
    most = field.high
    if not 1 <= int(step) <= most:
        hint = f"write 1 to {most}: the count starts anew with each field; for other intervals write {{every: …}}"
        raise refused(field, text, f"a step of {step} is not from 1 to {most}", hint)
    if field.quartz and first and not first.isdigit():
        hint = "write numbers: " + ", ".join(f"{name} is {at}" for at, name in enumerate(field.names, field.low))
        raise refused(field, text, "Quartz does not heed a step after a name", hint)
    if not field.quartz and first and last is None:
        hint = f"write {first}-{field.high}/{step}"
        raise refused(field, text, f"in Unix cron {quoted(item)} is not the same everywhere", hint)


def _range_hint(field: Field) -> str:
    says = f"write numbers from {field.low} to {field.high}"
    if field is WEEKDAY:
        return f"{says}, where 1 is Sunday, or SUN to SAT"
    if field is UNIX_WEEKDAY:
        return f"{says}, where 0 and 7 are Sunday, or SUN to SAT"
    return f"{says}, or {field.names[0]} to {field.names[-1]}" if field.names else says


def _what_is(word: str) -> str:
    if word in ("H", "R"):
        return "is a time that a build server chooses; an instance has one time"
    if word in ("L", "LW", "W"):
        return "does not belong here"
    return "is not a name that is known here"


def _odd(item: str) -> str:
    if "?" in item:
        return "`?` stands alone, in day of month or day of week of a Quartz expression"
    for sign in ("#", "W", "L"):
        if sign in item:
            return f"{quoted(item)} has a `{sign}` where it does not belong"
    return f"{quoted(item)} cannot be read"
