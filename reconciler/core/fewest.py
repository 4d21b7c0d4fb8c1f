"""From what is owed to the fewest calls: runs of neighbours as ranges, scattered instants as points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from reconciler.core.call import Range, RangeEnd, Span, Times
from reconciler.core.schedule import Schedule
from reconciler.core.wallclock import LAST
from reconciler.core.window import EMPTY, Window, Windows, near


@dataclass(frozen=True, slots=True)
class Terms:
    """What calls may look like. `chunk` is in seconds: no range is longer, None for no limit.

    With a `schedule` what is owed is numbered by it, without one it is seconds. Without `ranges`, all are points.
    """

    range_end: RangeEnd
    points_per_call: int
    schedule: Schedule | None = None
    chunk: int | None = None
    ranges: bool = True

    def at(self, number: int) -> int:
        """Return the second of an instant."""
        return self.schedule.at(number) if self.schedule else number

    def before(self, second: int) -> int:
        """Return the number of the first instant that is not before `second`."""
        return self.schedule.before(second) if self.schedule else second

    def numbered(self, windows: Windows) -> Windows:
        """Return the numbers of the instants in windows of seconds."""
        return self.schedule.numbered(windows) if self.schedule else windows

    def strays(self, windows: Windows) -> Windows:
        """Return those windows of seconds that hold no instant of the schedule."""
        schedule = self.schedule
        return tuple(window for window in windows if not schedule.count((window,))) if schedule else EMPTY


@dataclass(frozen=True, slots=True)
class Cut:
    """What one call sends, and the numbers of the instants that it triggers.

    `instances` counts them, None where only a schedule could. `end_matters` says whether the other reading of
    `rangeEnd` would trigger other instances, None where that is not known.
    """

    span: Span
    numbers: Windows
    instances: int | None
    end_matters: bool | None


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbours that go together. `whole` is False for a part of a longer run that `chunk` cut: a call of its own."""

    window: Window
    whole: bool

    @property
    def length(self) -> int:
        return self.window[1] - self.window[0]


def fewest(owed: Windows, terms: Terms, taken: Windows = EMPTY) -> Iterator[Cut]:
    """Return the fewest calls that trigger every instant of `owed` once, and no other: ranges by start, then points.

    `taken` are the seconds that were triggered or are in doubt. A range reaches over seconds without an instant as it
    likes, but never over any that were sent before and have no instant now: the schedule may have been another then.
    With a schedule, a run goes as points where that saves a call; without one, only single seconds do. Where both
    take as many calls, what has neighbours is a range. Each part of a run that `chunk` cut is a call. A range ends a
    second after its last instant where nothing lies there, for then inclusive and exclusive mean the same.
    """
    if not terms.ranges:
        yield from _points((number for window in owed for number in range(*window)), terms)
        return
    singles = [first for first, end in owed if end - first == 1]
    runs = [run for window in owed if window[1] - window[0] > 1 for run in _runs(window, terms, taken)]
    pointed = _pointed([run for run in runs if run.whole], len(singles), terms)
    for run in runs:
        if run.window in pointed:
            continue
        if run.length == 1:
            yield from _points(range(*run.window), terms)
        else:
            yield _range(run.window, terms, taken)
    yield from _points(sorted(chain(singles, *(range(*window) for window in pointed))), terms)


def _points(numbers: Iterable[int], terms: Terms) -> Iterator[Cut]:
    points = list(numbers)
    for at in range(0, len(points), terms.points_per_call):
        some = points[at : at + terms.points_per_call]
        yield Cut(Times(tuple(map(terms.at, some))), tuple((number, number + 1) for number in some), len(some), None)


def takes_more(owed: Windows, terms: Terms, most: int) -> bool:
    """Say whether the parts that `chunk` cuts `owed` into are more than `most`; stops counting there."""
    if terms.chunk is None:
        return False
    parts = (run for window in owed for run in _chunks(*window, terms) if not run.whole)
    return next(islice(parts, most, None), None) is not None


def _runs(window: Window, terms: Terms, taken: Windows) -> Iterator[_Run]:
    """Cut a run of neighbours where a stray lies in between, where `chunk` says, and where no range can end."""
    first, end = window
    edges = terms.strays(near(taken, terms.at(first), terms.at(end - 1)))
    stops = dict.fromkeys(stop for stop in (terms.before(start) for start, _ in edges) if first < stop < end)
    if terms.range_end == "exclusive" and terms.at(end - 1) == LAST and end - first > 1:
        stops[end - 1] = None
    for stop in (*stops, end):
        yield from _chunks(first, stop, terms)
        first = stop


def _chunks(first: int, end: int, terms: Terms) -> Iterator[_Run]:
    if terms.chunk is None or terms.at(end - 1) - terms.at(first) < terms.chunk:
        yield _Run((first, end), whole=True)
        return
    origin = terms.at(first)
    while first < end:
        parts = (terms.at(first) - origin) // terms.chunk + 1
        stop = min(terms.before(origin + parts * terms.chunk), end)
        yield _Run((first, stop), whole=False)
        first = stop


def _pointed(runs: Sequence[_Run], singles: int, terms: Terms) -> frozenset[Window]:
    """Return the runs that go as points: those of one instant, and as many short ones as save a call.

    `singles` more instants are points anyway. Of any number of runs the shortest make the fewest points, so looking at
    them by length finds the minimum.
    """
    alone = [run for run in runs if run.length == 1]
    if terms.schedule is None:
        return frozenset(run.window for run in alone)
    free = sorted((run for run in runs if run.length > 1), key=lambda run: (run.length, run.window))
    total = singles + len(alone)
    fewest_calls, taken = len(free) + _full(total, terms), 0
    for number, run in enumerate(free, 1):
        total += run.length
        calls = len(free) - number + _full(total, terms)
        if calls < fewest_calls:
            fewest_calls, taken = calls, number
    return frozenset(run.window for run in (*alone, *free[:taken]))


def _full(points: int, terms: Terms) -> int:
    return -(-points // terms.points_per_call)


def _range(window: Window, terms: Terms, taken: Windows) -> Cut:
    first, end = window
    start, stop = terms.at(first), terms.at(end - 1) + 1
    schedule = terms.schedule
    if schedule is None:
        return Cut(Range((start, stop), terms.range_end), (window,), None, None)
    instant_follows = schedule.holds(stop)
    if terms.range_end == "exclusive":
        return Cut(Range((start, stop), "exclusive"), (window,), end - first, instant_follows)
    exact = instant_follows or stop > LAST or bool(near(taken, stop, stop + 1))
    return Cut(Range((start, stop if exact else stop + 1), "inclusive"), (window,), end - first, exact)
