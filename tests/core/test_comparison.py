"""What a branch adds, against an oracle that looks at every second on its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Range, Times
from reconciler.core.change import Change, Changed, Entry, Key, key_of
from reconciler.core.comparison import Dropped, Side, added, no_longer_asked, once_triggered
from reconciler.core.config import Limits, Target
from reconciler.core.ledger import Doubt, Intent, Ledger, Trigger, doubts
from reconciler.core.needs import Table
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import plan_table
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Place, Request, Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.window import Windows
from tests.core.worlds import (
    HORIZON,
    TOKENS,
    filled,
    intent,
    ledger,
    request,
    spans_of_time,
    target,
    tokens,
    trigger,
    triggers,
)
from tests.examples import examples
from tests.figures import Tried

KEY = ("prod", "a.b")
CASES = examples(200)
SECONDS = range(HORIZON + 2)


@dataclass(frozen=True, slots=True)
class State:
    """A snapshot of one table."""

    kept: Ledger | None
    intents: tuple[Intent, ...] = ()
    commit: str | None = "tip"

    def ledger(self, key: Key) -> Ledger | None:
        return self.kept if key == KEY else None


@dataclass(frozen=True, slots=True)
class Branch:
    """A table's state, what the base asks for, and what the branch does: requests with their approvals."""

    state: State
    base: tuple[Request, ...]
    head: tuple[Request, ...]
    before: Mapping[str, Approval]
    now: Mapping[str, Approval]
    target: Target


def _plan(state: State | Changed, branch: Branch, asked: Sequence[Request], approvals: Mapping[str, Approval]) -> Plan:
    if not asked:
        return make_plan(state.commit, (), doubts(state.ledger(KEY), state.intents))
    table = Table(branch.target, "a.b", tuple(asked), state.ledger(KEY), state.intents, now=10**6)
    return make_plan(state.commit, [plan_table(table, approvals)])


def _side(state: State | Changed, branch: Branch, asked: Sequence[Request], approvals: Mapping[str, Approval]) -> Side:
    return Side({KEY: asked} if asked else {}, _plan(state, branch, asked, approvals))


def _sides(branch: Branch) -> tuple[Side, Side]:
    base = _side(branch.state, branch, branch.base, branch.before)
    onto = once_triggered(branch.state, base.plan)
    return base, _side(onto, branch, branch.head, branch.now)


def _shown(branch: Branch) -> Plan:
    return added(branch.state, *_sides(branch))


@st.composite
def _requests(draw: st.DrawFn, name: str, limits: st.SearchStrategy[Limits]) -> tuple[Request, ...]:
    asked = draw(st.lists(st.tuples(filled, st.sampled_from([None, None, *TOKENS])), max_size=3))
    held = draw(limits)
    return tuple(request(f"{name}#{at}", windows, token, held) for at, (windows, token) in enumerate(asked))


_answers: st.SearchStrategy[Approval] = st.sampled_from((Approved(("dana",)), Waiting("ask dana")))
_limits = st.sampled_from((Limits(), Limits(), Limits(calls=1), Limits(span=5)))


@st.composite
def branches(draw: st.DrawFn, limits: st.SearchStrategy[Limits] = st.just(Limits())) -> Branch:  # noqa: B008
    """Draw a branch that keeps some requests of the base, drops others, adds some, and approves as it likes."""
    base = draw(_requests("m.yaml", limits))
    kept = tuple(one for one in base if draw(st.booleans()))
    head = kept + draw(_requests("n.yaml", limits))
    lines = draw(st.lists(triggers, max_size=3))
    pending = draw(st.lists(st.builds(intent, spans_of_time, tokens), max_size=2))
    before = {one.key: draw(_answers) for one in base if one.rerun}
    now = {one.key: draw(_answers) if one.key not in before or draw(st.booleans()) else before[one.key] for one in head}
    aim = target(draw(st.sampled_from(["inclusive", "exclusive"])), draw(st.integers(1, 3)))
    return Branch(State(ledger(*lines) if lines else None, tuple(pending)), base, head, before, now, aim)


@dataclass(slots=True)
class Instant:
    """One second, counted by the rules alone: the tokens of its triggers, and of each call in doubt over it."""

    at: int
    lines: list[frozenset[str]]
    lost: list[frozenset[str]]

    @property
    def doubtful(self) -> list[frozenset[str]]:
        return [those for those in self.lost if not any(those < line for line in self.lines)]

    def owed(self, requests: Sequence[Request], approvals: Mapping[str, Approval]) -> frozenset[str] | None:
        """Return the tokens that a trigger has to bear now, None where none is owed."""
        asked = [one for one in requests if _holds(one.windows, self.at)]
        fresh = any(one.rerun is None for one in asked) and not self.lines and not self.doubtful
        reruns = {one.rerun.token for one in asked if one.rerun and isinstance(approvals[one.key], Approved)}
        due = {token for token in reruns if not any(token in tokens for tokens in (*self.lines, *self.doubtful))}
        return frozenset().union(due, *self.doubtful) if fresh or due else None


def _holds(windows: Windows, second: int) -> bool:
    return any(start <= second < end for start, end in windows)


def _instants(state: State) -> Iterator[Instant]:
    for at in SECONDS:
        lines = [line for line in (state.kept.triggers if state.kept else ()) if _holds(line.span.windows, at)]
        lost = [one.call for one in state.intents if _holds(one.call.span.windows, at)]
        yield Instant(at, [frozenset(line.rerun) for line in lines], [frozenset(call.rerun) for call in lost])


def _by_second(plan: Plan) -> dict[int, frozenset[str]]:
    found = [(s, frozenset(call.rerun)) for call in plan.ready for w in call.span.windows for s in range(*w)]
    assert max(Counter(second for second, _ in found).values(), default=0) <= 1
    return dict(found)


@pytest.mark.claim("a plan against a base shows what the branch adds, counted instant by instant")
def test_what_is_shown_and_what_the_base_owes_is_what_the_head_owes_in_the_end(tried: Tried) -> None:
    cases = 0

    @settings(max_examples=CASES)
    @given(branches())
    def check(branch: Branch) -> None:
        nonlocal cases
        cases += 1
        base, head = {}, {}
        for instant in _instants(branch.state):
            first = instant.owed(branch.base, branch.before)
            if first is not None:
                base[instant.at] = first
                instant.lines.append(first)
            second = instant.owed(branch.head, branch.now)
            if second is not None:
                head[instant.at] = second
        before, _ = _sides(branch)
        assert _by_second(before.plan) == base
        assert _by_second(_shown(branch)) == head

    check()
    tried(cases)


def _applied(state: State, plan: Plan) -> State:
    """Return the state once `plan` was applied for real: its lines appended, nothing left of its own."""
    lines = tuple(
        Trigger(call.id, call.span, call.rerun, call.requests, (), "t", "2026-01-02T00:00:00Z", "r", "c")
        for call in plan.ready
    )
    kept = (*(state.kept.triggers if state.kept else ()), *lines)
    return replace(state, kept=ledger(*kept) if kept else None)


@settings(max_examples=examples(100))
@given(branches(_limits))
def test_once_the_base_is_applied_the_head_owes_what_was_shown_and_holds_no_less(branch: Branch) -> None:
    base, _ = _sides(branch)
    shown = _shown(branch)
    later = _plan(_applied(branch.state, base.plan), branch, branch.head, branch.now)
    assert shown.ready == later.ready
    assert {planned.call.id for planned in shown.held} <= {planned.call.id for planned in later.held}
    assert {planned.call.id for planned in later.held} <= {p.call.id for p in (*shown.held, *base.plan.held)}


@settings(max_examples=examples(100))
@given(branches(_limits))
def test_a_branch_that_changes_nothing_shows_nothing(branch: Branch) -> None:
    moved = tuple(replace(one, place=Place("m.yaml", 99, 1)) for one in branch.base)
    still = replace(branch, head=moved, now=branch.before)
    shown = _shown(still)
    assert (shown.calls, shown.doubts) == ((), ())
    assert no_longer_asked(*_dropping(still), {}) == ()


@given(branches(_limits), st.randoms())
def test_the_order_of_reading_changes_nothing(branch: Branch, random: object) -> None:
    base, head = list(branch.base), list(branch.head)
    random.shuffle(base)  # type: ignore[attr-defined]
    random.shuffle(head)  # type: ignore[attr-defined]
    other = replace(branch, base=tuple(base), head=tuple(head))
    assert _shown(other) == _shown(branch)
    assert no_longer_asked(*_dropping(other), {}) == no_longer_asked(*_dropping(branch), {})


@given(branches(_limits))
def test_heads_and_covered_requests_are_those_of_the_ledger_as_it_is(branch: Branch) -> None:
    now = _plan(branch.state, branch, branch.head, branch.now)
    assert [(table.head, table.covered) for table in _shown(branch).tables] == [
        (table.head, table.covered) for table in now.tables
    ]


def _dropping(branch: Branch) -> tuple[Side, Mapping[Key, Sequence[Request]]]:
    base, head = _sides(branch)
    return base, head.asked


@settings(max_examples=examples(100))
@given(branches(_limits))
def test_what_the_base_owes_and_nobody_asks_for_any_more_is_told(branch: Branch) -> None:
    base, asked = _dropping(branch)
    lost: set[int] = set()
    calls = 0
    for planned in (planned for _, planned in base.plan.calls):
        gone = {
            second
            for window in planned.call.span.windows
            for second in range(*window)
            if not _asked_still(branch, second, planned.call.rerun)
        }
        calls, lost = calls + bool(gone), lost | gone
    told = no_longer_asked(base, asked, {})
    assert {s for table in told for window in table.windows for s in range(*window)} == lost
    assert sum(table.calls for table in told) == calls


def _asked_still(branch: Branch, second: int, rerun: tuple[str, ...]) -> bool:
    before, now = (
        {one.rerun.token if one.rerun else None for one in side if _holds(one.windows, second)}
        for side in (branch.base, branch.head)
    )
    return {token for token in rerun if token in before} <= now if rerun else bool(now)


_SPANS = (Range((0, 10), "inclusive"), Times((20, 30)))
HOURS = ((3600, 5 * 3600 + 1),)
RED = request("m.yaml#red", HOURS, "red")


def _branch(base: Sequence[Request], head: Sequence[Request], **changes: object) -> Branch:
    waiting: dict[str, Approval] = {"m.yaml#red": Waiting("ask dana")}
    branch = Branch(State(None), tuple(base), tuple(head), waiting, waiting, target())
    return replace(branch, **changes)  # type: ignore[arg-type]


def test_a_rerun_that_the_branch_releases_is_shown_and_one_that_still_waits_is_not() -> None:
    assert _shown(_branch([RED], [RED])).calls == ()
    approved: dict[str, Approval] = {"m.yaml#red": Approved(("dana",))}
    (call,) = _shown(_branch([RED], [RED], now=approved)).ready
    assert call.rerun == ("red",)


def test_calls_that_a_raised_limit_releases_are_shown() -> None:
    tight, wide = (request("m.yaml#1", HOURS, limits=Limits(span=span)) for span in (60, 86_400))
    assert _shown(_branch([tight], [tight])).calls == ()
    assert len(_shown(_branch([tight], [wide])).ready) == 1


def test_a_held_call_that_is_held_for_another_reason_now_is_shown() -> None:
    ahead = request("m.yaml#1", ((10**9, 10**9 + 61),), limits=Limits(span=30))
    longer = replace(ahead, limits=Limits(span=86_400))
    (planned,) = _shown(_branch([ahead], [longer])).held
    assert planned.held is not None
    assert planned.held.because == "future"


def test_doubts_are_shown_where_the_branch_touches_their_table() -> None:
    lost = intent(Range(HOURS[0], "inclusive"))
    fresh = request("m.yaml#1", HOURS)
    state = State(None, (lost,))
    assert _shown(_branch([fresh], [fresh], state=state)).doubts == ()
    more = request("m.yaml#2", ((7200, 7201),))
    assert len(_shown(_branch([fresh], [fresh, more], state=state)).doubts) == 1
    gone: tuple[Doubt, ...] = _shown(_branch([fresh], [], state=state)).orphans
    assert [key_of(doubt.intent) for doubt in gone] == [KEY]
    assert _shown(_branch([], [], state=state)).orphans == ()


def test_a_request_that_becomes_a_rerun_is_still_asked_for() -> None:
    base, asked = _dropping(_branch([request("m.yaml#1", HOURS)], [RED]))
    assert no_longer_asked(base, asked, {}) == ()
    base, asked = _dropping(_branch([RED], [request("m.yaml#1", HOURS)]))
    assert no_longer_asked(base, asked, {}) == (Dropped(KEY, 1, HOURS),)


def _hourly_and_daily() -> tuple[Rules, Rules]:
    return Rules(Schedule("hourly", Every(3600))), Rules(Schedule("daily", Every(86_400)))


def _scheduled(rules: Rules, asked: Request) -> Side:
    table = Table(target(), "a.b", (asked,), None, (), now=10**6, rules=rules)
    return Side({KEY: (asked,)}, make_plan(None, [plan_table(table, {})]))


def test_instants_that_a_branch_takes_off_the_schedule_are_told() -> None:
    hourly, daily = _hourly_and_daily()
    asked = request("m.yaml#1", ((0, 4 * 3600),))
    (dropped,) = no_longer_asked(_scheduled(hourly, asked), {KEY: (asked,)}, {KEY: daily})
    assert dropped.windows == tuple((hour * 3600, hour * 3600 + 1) for hour in (1, 2, 3))
    assert no_longer_asked(_scheduled(hourly, asked), {KEY: (asked,)}, {KEY: hourly}) == ()


def test_the_gaps_that_a_range_reaches_over_are_not_taken_for_lost() -> None:
    _, daily = _hourly_and_daily()
    both = request("m.yaml#1", ((0, 60), (3 * 86_400, 3 * 86_400 + 60)))
    sparse = Rules(Schedule("sparse", Every(3 * 86_400)))
    side = _scheduled(sparse, both)
    assert no_longer_asked(side, {KEY: (both,)}, {KEY: sparse}) == ()
    assert no_longer_asked(side, {KEY: (both,)}, {KEY: daily}) == ()


def test_a_change_finds_its_lines_by_table() -> None:
    entries = tuple(Entry(key, trigger(call_span)) for key in (KEY, ("prod", "c.d")) for call_span in _SPANS)
    changed = Changed(State(None), Change(entries=entries))
    found = changed.ledger(KEY)
    assert found is not None
    assert [line.span for line in found.triggers] == list(_SPANS)
    assert changed.ledger(("prod", "e.f")) is None


def test_what_the_bases_calls_cover_counts_as_done_and_is_missed_where_the_branch_drops_it() -> None:
    span = Range((0, 10), "inclusive")
    cover = replace(intent(span).call, table="c.d", requests=("below#1",))
    table = Table(target(), "a.b", (request("above#1", ((0, 10),)),), None, (), 10**10)
    plan = plan_table(table, {})
    calls = tuple(replace(planned, call=replace(planned.call, covers=(cover,))) for planned in plan.calls)
    base = make_plan("tip", [replace(plan, calls=calls)])
    below = once_triggered(State(None), base).ledger(("prod", "c.d"))
    assert below is not None
    assert below.covered == ((0, 10),)
    asked = {KEY: table.requests, ("prod", "c.d"): (replace(request("below#1", ((0, 10),)), table="c.d"),)}
    assert no_longer_asked(Side(asked, base), asked, {}) == ()
    dropped = no_longer_asked(Side(asked, base), {KEY: table.requests}, {})
    assert dropped == (Dropped(("prod", "c.d"), 1, ((0, 10),)),)
