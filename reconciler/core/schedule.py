"""A schedule: which seconds of the wall clock have an instance. Counts and finds instants without listing them.

Instants are numbered in order, from an origin of the schedule's own. Windows of such numbers serve the same algebra as
windows of seconds do: what lies side by side on the schedule is one window, however far apart on the clock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, chain, groupby, pairwise
from typing import Protocol

from reconciler.core.wallclock import FIRST, LAST
from reconciler.core.window import Window, Windows, intersect

_DAY = 86_400
_NEAR = 370 * _DAY


class Instants(Protocol):
    """Instants of a wall clock that nobody ever changes, numbered in order."""

    def before(self, second: int) -> int:
        """Return the number of the first instant that is not before `second`."""

    def befores(self, seconds: Iterable[int]) -> list[int]:
        """Return what `before` says of each of many seconds."""

    def at(self, number: int) -> int:
        """Return the second of the instant with this number."""


@dataclass(frozen=True, slots=True)
class Every:
    """An instant every `step` seconds, one of them at `start`."""

    step: int
    start: int = 0

    def before(self, second: int) -> int:
        return -((self.start - second) // self.step)

    def befores(self, seconds: Iterable[int]) -> list[int]:
        start, step = self.start, self.step
        return [-((start - second) // step) for second in seconds]

    def at(self, number: int) -> int:
        return self.start + number * self.step


@dataclass(frozen=True, slots=True)
class Daily:
    """Instants at the same `times` of certain `days`.

    `times` are seconds after midnight, `days` count from 1970-01-01; both are sorted, none is there twice, and there
    is at least one time. `days` None is every day. Days that are not listed have no instants.
    """

    times: tuple[int, ...]
    days: tuple[int, ...] | None = None

    def before(self, second: int) -> int:
        day, rest = divmod(second, _DAY)
        if self.days is None:
            return day * len(self.times) + bisect_left(self.times, rest)
        at = bisect_left(self.days, day)
        today = bisect_left(self.times, rest) if at < len(self.days) and self.days[at] == day else 0
        return at * len(self.times) + today

    def befores(self, seconds: Iterable[int]) -> list[int]:
        return [self.before(second) for second in seconds]

    def at(self, number: int) -> int:
        at, time = divmod(number, len(self.times))
        return (at if self.days is None else self.days[at]) * _DAY + self.times[time]


def every_day(times: tuple[int, ...]) -> Instants:
    """Return the instants at the same `times` of every day: by their step, where all lie equally far apart."""
    step = _DAY // len(times)
    if step * len(times) == _DAY and times == tuple(range(times[0], _DAY, step)):
        return Every(step, times[0])
    return Daily(times)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The instants of a table, on the wall clock of its target's time zone.

    `text` is how the manifest writes it. `skipped` are the seconds that the clock never shows (it is put forward), so
    an instant there does not exist; `doubled` those that it shows twice (it is put back): a schedule time there is one
    name for both, and counts once. Both hold for the time that the schedule was made for.
    """

    text: str
    instants: Instants
    skipped: Windows = ()
    doubled: Windows = ()
    _kept: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _lost: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _gaps: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = [(self.instants.before(start), self.instants.before(end)) for start, end in self.skipped]
        gaps = [(first, end) for first, end in numbers if first < end]
        lost = tuple(accumulate(end - first for first, end in gaps))
        object.__setattr__(self, "_gaps", tuple(first for first, _ in gaps))
        object.__setattr__(self, "_lost", (0, *lost))
        object.__setattr__(
            self, "_kept", tuple(first - gone for (first, _), gone in zip(gaps, (0, *lost), strict=False))
        )

    def before(self, second: int) -> int:
        """Return the number of the first instant that is not before `second`."""
        number = self.instants.before(second)
        if not self._gaps:
            return number
        at = bisect_right(self._gaps, number)
        if not at:
            return number
        behind = number - self._gaps[at - 1]
        return number - self._lost[at - 1] - min(behind, self._lost[at] - self._lost[at - 1])

    def at(self, number: int) -> int:
        """Return the second of the instant with this number."""
        if self._gaps:
            number += self._lost[bisect_right(self._kept, number)]
        return self.instants.at(number)

    def count(self, windows: Windows) -> int:
        """Return how many instants windows of seconds hold."""
        return sum(self.before(end) - self.before(start) for start, end in windows)

    def numbered(self, windows: Windows) -> Windows:
        """Return the numbers of the instants in windows of seconds, as windows: side by side on the schedule is one."""
        edges = chain.from_iterable(windows)
        numbers = [self.before(second) for second in edges] if self._gaps else self.instants.befores(edges)
        found: list[Window] = []
        for first, last in zip(numbers[::2], numbers[1::2], strict=True):
            if first == last:
                continue
            if found and found[-1][1] == first:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
        return tuple(found)

    def seconds(self, numbers: Windows) -> Iterator[int]:
        """Yield the seconds of the instants in windows of numbers."""
        at = self.at if self._gaps else self.instants.at
        for first, end in numbers:
            yield from map(at, range(first, end))

    def days(self, window: Window) -> tuple[tuple[int, int], ...]:
        """Return how many instants the days of a window have, one after the other: `(days, instants each)` a run.

        The window starts and ends at midnight.
        """
        first, last = window[0] // _DAY, window[1] // _DAY
        numbers = [self.before(day * _DAY) for day in range(first, last + 1)]
        each = groupby(end - start for start, end in pairwise(numbers))
        return tuple((sum(1 for _ in some), instants) for instants, some in each)

    def lasts(self, number: int, known: Window) -> int:
        """Return the seconds that an instant takes in a picture: until the next, but no longer than since the last.

        `known` are the numbers of the instants that are known.
        """
        here = self.at(number)
        after = [self.at(number + 1) - here] if number + 1 < known[1] else []
        before = [here - self.at(number - 1)] if number > known[0] else []
        return min((*after, *before), default=_DAY)

    def holds(self, second: int) -> bool:
        """Say whether there is an instant at `second`."""
        return self.before(second) < self.before(second + 1)

    def around(self, second: int) -> tuple[int | None, int | None]:
        """Return the nearest instants before and after a second that can be written, looked for within about a year."""
        before = self.numbered(((max(second - _NEAR, FIRST), second),))
        after = self.numbered(((second + 1, min(second + 1 + _NEAR, LAST + 1)),))
        return self.at(before[-1][1] - 1) if before else None, self.at(after[0][0]) if after else None

    def skips(self, window: Window) -> tuple[int, ...]:
        """Return the times in a window that would be instants, but that the clock never shows."""
        hidden = (self._raw(start, end) for start, end in intersect(self.skipped, (window,)))
        return tuple(second for some in hidden for second in some)

    def doubles(self, window: Window) -> tuple[int, ...]:
        """Return the instants in a window that the clock shows twice."""
        return tuple(self.seconds(self.numbered(intersect(self.doubled, (window,)))))

    def _raw(self, start: int, end: int) -> Iterator[int]:
        return map(self.instants.at, range(self.instants.before(start), self.instants.before(end)))
