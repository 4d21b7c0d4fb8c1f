"""Windows as few short texts: times as a ledger writes them, and what repeats at equal distances written once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reconciler.core.wallclock import LAST, parse, render
from reconciler.core.window import Window, Windows

TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
_ITEM = re.compile(rf"({TIME})(?:\.\.({TIME}))?(?: \*([1-9][0-9]{{0,6}}) \+([1-9][0-9]{{0,11}}))?")
_LEAST = 3
"""Fewer windows than this are not worth a repeat."""
_MOST = 1_000_000


class _Days(dict[str, int]):
    """The second at which a day begins, by its ten characters. Raises ValueError for a day that does not exist."""

    def __missing__(self, day: str) -> int:
        self[day] = second = parse(f"{day} 00:00:00")
        return second


class _Clock(dict[str, int]):
    """The seconds since midnight, by eight characters. Raises ValueError for a time that does not exist."""

    def __missing__(self, time: str) -> int:
        self[time] = second = parse(f"1970-01-01 {time}")
        return second


DAYS, CLOCK = _Days(), _Clock()


def write_windows(windows: Windows) -> list[str]:
    """Write windows that are sorted, and of which none touch.

    An item is a second, or the first and the last of several (`FIRST..LAST`); ` *N +STEP` after it says that there are
    N such windows, each STEP seconds after the one before.
    """
    items = []
    at = 0
    while at < len(windows):
        number, step = _repeat(windows, at)
        start, end = windows[at]
        text = render(start) if end == start + 1 else f"{render(start)}..{render(end - 1)}"
        items.append(text if number == 1 else f"{text} *{number} +{step}")
        at += number
    return items


def _repeat(windows: Windows, at: int) -> tuple[int, int]:
    """Return how many windows from one on are alike, at equal distances, and that distance."""
    start, end = windows[at]
    if at + 1 == len(windows):
        return 1, 0
    step = windows[at + 1][0] - start
    number = 1
    for window in windows[at + 1 : at + _MOST]:
        start, end = start + step, end + step
        if window != (start, end):
            break
        number += 1
    return (number, step) if number >= _LEAST else (1, 0)


def read_windows(items: Iterable[str]) -> Windows:
    """Read what `write_windows` wrote. Raises ValueError for anything else."""
    found: list[Window] = []
    for item in items:
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"{item[:60]!r} is no time, and no times")
        window, number, step = _item(*match.groups())
        if found and window[0] <= found[-1][1]:
            raise ValueError("times are not sorted, or touch")
        found += _repeated(window, number, step)
    return tuple(found)


def _item(first: str, last: str | None, number: str | None, step: str | None) -> tuple[Window, int, int]:
    start = DAYS[first[:10]] + CLOCK[first[11:]]
    end = DAYS[last[:10]] + CLOCK[last[11:]] + 1 if last else start + 1
    if end <= start or (last and end == start + 1):
        raise ValueError("the end of a window is not after its start")
    return (start, end), int(number or 1), int(step or 0)


def _repeated(window: Window, number: int, step: int) -> Iterator[Window]:
    start, end = window
    if number > 1 and (step <= end - start or end - 1 + step * (number - 1) > LAST or number > _MOST):
        raise ValueError("a window is repeated over itself, or beyond the last time")
    return ((start + step * each, end + step * each) for each in range(number))
