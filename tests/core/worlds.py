"""Small worlds for the planner: requests, ledgers and doubts over a few dozen seconds, made by hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from reconciler.core.call import Call, Range, RangeEnd, Span
from reconciler.core.config import Limits, Target
from reconciler.core.fewest import Terms, fewest
from reconciler.core.ledger import Intent, Ledger, Trigger
from reconciler.core.needs import Table
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Order, Place, Request, Rerun, Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.window import Windows, union

HORIZON = 40
TOKENS = ("red", "blue")


def target(range_end: RangeEnd = "inclusive", points: int = 3) -> Target:
    return Target(
        name="prod",
        url="http://127.0.0.1:1",
        tenant="tn",
        auth=None,
        time_zone="UTC",
        range_end=range_end,
        points_per_call=points,
    )


def request(key: str, windows: Windows, token: str | None = None, limits: Limits | None = None) -> Request:
    return Request(
        key=key,
        manifest="m",
        target="prod",
        table="a.b",
        windows=windows,
        rerun=Rerun(token, "because") if token else None,
        reason=None,
        owner=None,
        limits=limits or Limits(),
        place=Place("m.yaml", 1, 1),
    )


def call(span: Span, tokens: tuple[str, ...] = ()) -> Call:
    return Call("prod", "a.b", "tn", span, tokens, ("old.yaml#1",), ())


def trigger(span: Span, tokens: tuple[str, ...] = ()) -> Trigger:
    made = call(span, tokens)
    return Trigger(made.id, span, tokens, made.requests, (), None, "2026-01-01T00:00:00Z", "run", "commit")


def ledger(*triggers: Trigger) -> Ledger:
    return Ledger("prod", "a.b", triggers, "head")


def intent(span: Span, tokens: tuple[str, ...] = ()) -> Intent:
    return Intent(call(span, tokens), "run", "somebody", "2026-01-01T00:00:00Z", "commit")


windows = st.lists(st.tuples(st.integers(0, HORIZON), st.integers(0, HORIZON)), min_size=1, max_size=3).map(union)
filled = windows.filter(bool)
spans_of_time = filled.map(lambda held: next(fewest(held[:1], Terms("inclusive", 100))).span)
tokens = st.lists(st.sampled_from(TOKENS), unique=True, max_size=2).map(lambda some: tuple(sorted(some)))
triggers = st.builds(trigger, spans_of_time, tokens)


schedules = st.builds(
    lambda step, start, skipped: Schedule("test", Every(step, start), skipped),
    st.integers(1, 7),
    st.integers(0, 3),
    windows,
)
ORDERS: tuple[Order, ...] = ("oldestFirst", "newestFirst")


@dataclass(frozen=True, slots=True)
class World:
    """A table with everything that the planner is given."""

    table: Table
    approvals: dict[str, Approval]

    @property
    def instants(self) -> list[int]:
        """All seconds that count: where there is a schedule, those of its instants that the clock shows."""
        schedule = self.table.rules.schedule
        if schedule is None:
            return list(range(HORIZON + 2))
        every = schedule.instants
        assert isinstance(every, Every)
        return [
            second
            for second in range(HORIZON + 2)
            if (second - every.start) % every.step == 0
            and not any(start <= second < end for start, end in schedule.skipped)
        ]


@st.composite
def worlds(draw: st.DrawFn, *, with_doubt: bool = True, scheduled: bool = True) -> World:
    asked = draw(st.lists(st.tuples(filled, st.sampled_from([None, *TOKENS])), max_size=5))
    requests = tuple(request(f"m.yaml#{number}", held, token) for number, (held, token) in enumerate(asked))
    answers: st.SearchStrategy[Approval] = st.sampled_from((Approved(("dana",)), Waiting("ask dana")))
    approvals = {one.key: draw(answers) for one in requests if one.rerun}
    lines = draw(st.lists(triggers, max_size=4))
    pending: list[Intent] = []
    if with_doubt:
        pending = draw(st.lists(st.builds(intent, spans_of_time, tokens), max_size=2))
    kept = ledger(*lines) if lines else None
    aim = target(draw(st.sampled_from(["inclusive", "exclusive"])), draw(st.integers(1, 3)))
    rules = Rules(draw(st.none() | schedules) if scheduled else None, order=draw(st.sampled_from(ORDERS)))
    return World(Table(aim, "a.b", requests, kept, tuple(pending), now=HORIZON * 2, rules=rules), approvals)


_slots = st.lists(
    st.builds(lambda start, length: (start, start + length), st.integers(0, HORIZON), st.integers(1, 12)), max_size=5
).map(union)


@st.composite
def sparse_worlds(draw: st.DrawFn) -> World:
    """Draw worlds of short windows, of which many hold no instant: a range may reach over what lies in between."""
    asked = draw(st.lists(st.tuples(_slots.filter(bool), st.sampled_from([None, *TOKENS])), min_size=1, max_size=3))
    requests = tuple(request(f"m.yaml#{number}", held, token) for number, (held, token) in enumerate(asked))
    approvals: dict[str, Approval] = {one.key: Approved(("dana",)) for one in requests if one.rerun}
    every = Every(draw(st.integers(4, 9)), draw(st.integers(0, 3)))
    starts = st.integers(0, HORIZON) | st.integers(0, 8).map(lambda number: every.at(number) + 1)
    sent = draw(st.lists(st.tuples(starts, st.integers(1, 12)), max_size=3))
    lines = tuple(trigger(Range((start, start + length), "inclusive")) for start, length in sent)
    kept = ledger(*lines) if lines else None
    rules = Rules(Schedule("test", every))
    aim = target(points=draw(st.integers(1, 3)))
    return World(Table(aim, "a.b", requests, kept, (), now=HORIZON * 2, rules=rules), approvals)
