"""A table's time as a picture: what was triggered, what runs again, what is owed, held or in doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from reconciler.core.change import Key
from reconciler.core.facts import Fact, Line, Upstream, facts_of, upstream_of
from reconciler.core.ledger import Doubt
from reconciler.core.needs import Table
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.request import Request
from reconciler.core.schedule import Schedule
from reconciler.core.wallclock import LAST
from reconciler.core.window import Window, Windows, intersect, partition, subtract, union

Status = Literal["inDoubt", "held", "owed", "rerun", "triggered"]

URGENCY: tuple[Status, ...] = ("inDoubt", "held", "owed", "rerun", "triggered")
"""What a place shows that has room for one of several: the first of these."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a table stands: all that is known of it, its plan, and the planned calls upstream that cover some of it."""

    table: Table
    plan: TablePlan
    carried: tuple[PlannedCall, ...] = ()

    @property
    def key(self) -> Key:
        return self.table.target.name, self.table.name

    @property
    def triggers(self) -> int:
        """How many lines its ledger has."""
        return len(self.table.ledger.triggers) if self.table.ledger else 0

    @property
    def made(self) -> int:
        """How many of them are calls for this very table: the others, calls for tables upstream covered."""
        return sum(1 for line in self.table.ledger.triggers if not line.covered_by) if self.table.ledger else 0

    @property
    def last(self) -> str | None:
        """When it was triggered last, in UTC."""
        return self.table.ledger.triggers[-1].triggered_at if self.triggers and self.table.ledger else None

    @property
    def held(self) -> int:
        """How many of its calls are held."""
        return sum(1 for planned in self.plan.calls if planned.held)

    @property
    def upstream(self) -> tuple[Upstream, ...]:
        """The calls for it that are not made, because planned calls for tables upstream cover them."""
        return tuple(upstream_of(self.key, self.carried))

    @property
    def owners(self) -> tuple[str, ...]:
        """Whom the manifests that ask for it name as owners."""
        return tuple(sorted({request.owner for request in self.table.requests if request.owner}))

    @property
    def urgency(self) -> tuple[bool, bool, bool]:
        """What sorts tables by how much they need somebody: doubt first, then what is held, then what is owed.

        What calls for tables upstream cover counts, too.
        """
        above = self.upstream
        held = bool(self.held) or any(one.made.held for one in above)
        owed = bool(self.plan.ready) or any(not one.made.held for one in above)
        return not self.plan.all_doubts, not held, not owed

    @property
    def rank(self) -> tuple[tuple[bool, bool, bool], Key]:
        """What tables are sorted by wherever they are shown: those in need first, then by target and name."""
        return self.urgency, self.key

    @property
    def timeline(self) -> Timeline:
        """Its time, cut into pieces."""
        facts = tuple(facts_of(self.table, self.plan, self.carried))
        return Timeline(tuple(fact for fact, _ in facts), tuple(_segments(self.table, facts)))


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a table's time over which everything is the same.

    `first` and `last` are its first and last instant, in seconds; without a schedule its first and last second.
    `window` is what it takes in a picture: with a schedule each instant lasts until the next. `number` is that of the
    first instant on the schedule, `instances` how many there are; without a schedule both are None. What was triggered
    where the schedule has no instant, or where it is not known, is told in seconds, with no number.

    `status` is the most urgent of what is open, or else what was made of it. `again` says that it was triggered before,
    and is owed, held or in doubt now. `facts` are positions in the timeline's.
    """

    window: Window
    first: int
    last: int
    number: int | None
    instances: int | None
    status: Status
    again: bool
    facts: tuple[int, ...]


@dataclass(frozen=True)
class Timeline:
    """Everything that was triggered, is owed, held or in doubt of a table: `segments` by time.

    No instant is in two of them. In a picture, what has no instant may lie over what has.
    """

    facts: tuple[Fact, ...]
    segments: tuple[Segment, ...]

    @cached_property
    def statuses(self) -> frozenset[Status]:
        return frozenset(segment.status for segment in self.segments)

    @property
    def window(self) -> Window | None:
        """From the first to the last of it, None where there is nothing."""
        ends = [segment.window for segment in self.segments]
        return (min(start for start, _ in ends), max(end for _, end in ends)) if ends else None


Known = tuple[Fact, Windows]
Layers = Iterable[tuple[Windows, int]]
Place = tuple[Window, int, int, int | None, int | None]
"""The first fields of a segment."""


def _segments(table: Table, facts: Sequence[Known]) -> Iterator[Segment]:
    """Yield the pieces by time: of what the schedule has, by instants; of the rest, by seconds."""
    schedule, known = table.rules.schedule, table.known
    if schedule is None or known is None:
        yield from _pieces(facts, ((windows, at) for at, (_, windows) in enumerate(facts)), _seconds)
        return
    on = ((schedule.numbered(intersect(windows, (known,))), at) for at, (_, windows) in enumerate(facts))
    off = ((_off(schedule, windows, known), at) for at, (_, windows) in enumerate(facts))
    cells = _Cells(schedule, schedule.before(known[0]), schedule.before(known[1]))
    found = [*_pieces(facts, on, cells.place), *_pieces(facts, off, _seconds)]
    yield from sorted(found, key=lambda segment: segment.first)


def _off(schedule: Schedule, windows: Windows, known: Window) -> Windows:
    """Return what of windows of seconds has no instant, or lies where the schedule is not known."""
    inside = intersect(windows, (known,))
    strays = (window for window in inside if schedule.before(window[0]) == schedule.before(window[1]))
    return union((*subtract(windows, (known,)), *strays))


def _pieces(facts: Sequence[Known], layers: Layers, place: Callable[[Window], Place]) -> Iterator[Segment]:
    kinds = [_kind(fact) for fact, _ in facts]
    for window, numbers in partition(tuple(layers)):
        at = tuple(sorted(numbers))
        status, again = _look(tuple([kinds[number] for number in at]))
        if status is not None:
            yield Segment(*place(window), status, again, at)


_Kind = Literal["request", "line", "rerun line", "doubt", "call", "held call"]


def _kind(fact: Fact) -> _Kind:
    match fact:
        case Request():
            return "request"
        case Line():
            return "rerun line" if fact.trigger.rerun else "line"
        case Doubt():
            return "doubt"
        case PlannedCall():
            return "held call" if fact.held else "call"
        case Upstream():
            return "held call" if fact.made.held else "call"


@lru_cache(maxsize=4096)
def _look(here: tuple[_Kind, ...]) -> tuple[Status | None, bool]:
    """Say what a piece is: its status, and whether that comes on top of a trigger.

    The status is the most urgent of what is open, or else what was made of it; None where it is only asked for.
    """
    lines = here.count("line") + here.count("rerun line")
    if "doubt" in here:
        return "inDoubt", lines > 0
    if "held call" in here:
        return "held", lines > 0
    if "call" in here:
        return "owed", lines > 0
    if "rerun line" in here or lines > 1:
        return "rerun", False
    return "triggered" if lines else None, False


def _seconds(window: Window) -> Place:
    return window, window[0], window[1] - 1, None, None


@dataclass(frozen=True, slots=True)
class _Cells:
    """Where instants lie in a picture: `start` is the number of the first that is known, `end` that after the last."""

    schedule: Schedule
    start: int
    end: int

    def place(self, window: Window) -> Place:
        number, end = window
        first, last = self.schedule.at(number), self.schedule.at(end - 1)
        until = min(last + self.schedule.lasts(end - 1, (self.start, self.end)), LAST + 1)
        return (first, until), first, last, number - self.start, end - number
