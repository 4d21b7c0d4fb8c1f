"""What explains a plan agrees with an oracle that looks at every instant on its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Call, Range, Times
from reconciler.core.config import Limits
from reconciler.core.explain import explain
from reconciler.core.explanation import ByUpstream, Done, Explanation, NoInstant, Owed, Piece, Unapproved, Unclear
from reconciler.core.ledger import doubts
from reconciler.core.needs import Table
from reconciler.core.planner import Carried, PlannedCall, TablePlan, plan_downstream, plan_table
from reconciler.core.policy import Approved, Held
from reconciler.core.request import Request, Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.window import Windows
from tests.core.worlds import HORIZON, World, call, filled, intent, ledger, request, target, trigger, worlds
from tests.figures import Tried


def _holds(windows: Windows, second: int) -> bool:
    return any(start <= second < end for start, end in windows)


def _explained(world: World, at: int | None = None) -> Explanation:
    plan = plan_table(world.table, world.approvals)
    return explain(world.table, plan, world.approvals, (), at)


def _asks(request: Request, world: World, second: int) -> tuple[str, bool]:
    """Say by the rules alone what becomes of a request at an instant, and whether a call for it may be made."""
    lines = world.table.ledger.triggers if world.table.ledger else ()
    here = [line for line in lines if _holds(line.span.windows, second)]
    open_doubts = [d for d in doubts(world.table.ledger, world.table.intents) if _holds(d.windows, second)]
    if request.rerun is None:
        return ("done" if here else "unclear" if open_doubts else "owed"), not here and not open_doubts
    token = request.rerun.token
    if any(token in line.rerun for line in here):
        return "done", False
    if any(token in doubt.intent.call.rerun for doubt in open_doubts):
        return "unclear", False
    same = (r for r in world.table.requests if r.rerun and r.rerun.token == token and _holds(r.windows, second))
    approved = any(isinstance(world.approvals[each.key], Approved) for each in same)
    return ("owed" if approved else "unapproved"), approved


def _verdict(world: World, second: int) -> str:
    asked = [_asks(each, world, second) for each in world.table.requests if _holds(each.windows, second)]
    if any(ready for _, ready in asked):
        return "called"
    if any(_holds(d.windows, second) for d in doubts(world.table.ledger, world.table.intents)):
        return "inDoubt"
    if any(what == "unapproved" for what, _ in asked):
        return "held"
    return "covered" if asked else "notAsked"


_NAMES = {Done: "done", Unclear: "unclear", Owed: "owed", Unapproved: "unapproved", ByUpstream: "by", NoInstant: "no"}


def _check(piece: Piece, world: World, second: int) -> None:
    assert piece.verdict == _verdict(world, second)
    over = sorted((r for r in world.table.requests if _holds(r.windows, second)), key=lambda request: request.key)
    assert [reason.request for reason in piece.reasons] == over
    for reason in piece.reasons:
        assert _NAMES[type(reason)] == _asks(reason.request, world, second)[0]
        if isinstance(reason, Owed | Unapproved):
            assert [planned for planned in reason.calls if _holds(planned.call.span.windows, second)]
            assert all((planned.held is None) == isinstance(reason, Owed) for planned in reason.calls)
    lines = world.table.ledger.triggers if world.table.ledger else ()
    here = [(at + 2, line) for at, line in enumerate(lines) if _holds(line.span.windows, second)]
    assert [(line.number, line.trigger) for line in piece.lines] == here


def _around(piece: Piece, world: World) -> list[int]:
    return [second for second in world.instants if piece.first <= second <= piece.last]


def _check_pieces(world: World) -> int:
    """Check every piece of a world at every instant, and return how many instants it has."""
    explanation = _explained(world)
    held: set[int] = set()
    for piece in explanation.pieces:
        instants = _around(piece, world)
        assert (instants[0], instants[-1]) == (piece.first, piece.last)
        assert piece.instances == (len(instants) if world.table.rules.schedule else None)
        assert not held.intersection(instants)
        held.update(instants)
        for second in instants:
            _check(piece, world, second)
    asked = {s for s in world.instants if any(_holds(r.windows, s) for r in world.table.requests)}
    doubtful = {s for s in world.instants if any(_holds(d.windows, s) for d in explanation.plan.doubts)}
    assert held >= asked | doubtful
    assert held == asked | doubtful or not world.table.requests
    return len(held)


@pytest.mark.claim("explain: what it says of each instant is what an oracle says")
def test_pieces_are_disjoint_hold_all_that_is_asked_and_say_what_the_oracle_says(tried: Tried) -> None:
    seen: list[int] = []

    @settings(max_examples=400)
    @given(worlds())
    def check(world: World) -> None:
        seen.append(_check_pieces(world))

    check()
    tried(len(seen), note=f"random worlds, {sum(seen):,} instants")


@settings(max_examples=200)
@given(worlds(), st.integers(0, HORIZON + 1))
def test_one_instant_is_told_as_its_piece_tells_it(world: World, second: int) -> None:
    explanation = _explained(world, second)
    (piece,) = explanation.pieces
    assert (piece.first, piece.last) == (second, second)
    if piece.verdict == "notScheduled":
        assert second not in world.instants
        assert all(isinstance(reason, NoInstant) for reason in piece.reasons)
        return
    assert second in world.instants or not world.table.requests
    _check(piece, world, second)


@settings(max_examples=200)
@given(worlds())
def test_two_pieces_side_by_side_differ(world: World) -> None:
    table = world.table
    for one, other in zip(_explained(world).pieces, _explained(world).pieces[1:], strict=False):
        if table.terms.before(one.last) + 1 == table.terms.before(other.first):
            facts = [(p.lines, p.doubts, p.calls, [r.request for r in p.reasons]) for p in (one, other)]
            assert facts[0] != facts[1]


def _carried(world: World, windows: Windows) -> tuple[TablePlan, tuple[PlannedCall, ...]]:
    """Plan as where a call upstream runs what `windows` hold; return the plan and that call."""
    above = replace(call(Range((0, HORIZON), "inclusive")), table="up.stream")
    plan, covers = plan_downstream(
        world.table, world.approvals, plan_table(world.table, world.approvals), [Carried(above, windows)]
    )
    return plan, tuple(PlannedCall(replace(one.call, covers=calls), None) for one, calls in covers)


@settings(max_examples=300)
@given(worlds(), filled)
def test_what_a_call_upstream_runs_is_told_so_and_the_rest_as_before(world: World, windows: Windows) -> None:
    plan, carriers = _carried(world, windows)
    for piece in explain(world.table, plan, world.approvals, carriers).pieces:
        for second in _around(piece, world):
            expected = _verdict(world, second)
            carried = expected == "called" and _holds(windows, second)
            assert piece.verdict == ("coveredBy" if carried else expected)
            for reason in piece.reasons:
                owed = _asks(reason.request, world, second)[1]
                assert isinstance(reason, ByUpstream) == (owed and carried)


HOURLY = Schedule("hourly", Every(10), skipped=((30, 40),), doubled=((10, 20),))


def _table(*requests: Request, schedule: Schedule | None = None, now: int = 10**9) -> Table:
    return Table(target(), "a.b", requests, None, (), now, Rules(schedule))


def _at(table: Table, second: int) -> Explanation:
    return explain(table, plan_table(table, {}), {}, (), second)


def test_a_time_off_the_schedule_is_told_with_the_instants_around_it() -> None:
    table = _table(request("m.yaml#1", ((0, 100),)), schedule=HOURLY)
    off, skipped, doubled = (_at(table, second).instant for second in (25, 30, 10))
    assert off is not None
    assert skipped is not None
    assert doubled is not None
    assert (off.on_schedule, off.before, off.after, off.skipped) == (False, 20, 40, False)
    assert (skipped.on_schedule, skipped.before, skipped.after, skipped.skipped) == (False, 20, 40, True)
    assert (doubled.on_schedule, doubled.doubled) == (True, True)


def test_of_years_that_nobody_asks_for_nothing_is_said_about_the_schedule() -> None:
    table = _table(request("m.yaml#1", ((0, 100),)), schedule=HOURLY)
    told = _at(table, 400 * 86_400)
    assert told.instant is not None
    assert (told.instant.on_schedule, told.pieces[0].verdict, told.pieces[0].instances) == (None, "notAsked", None)


def test_what_a_limit_or_the_future_holds_is_held_and_says_why() -> None:
    late = _table(request("m.yaml#1", ((50, 60),)), now=10)
    much = _table(request("m.yaml#1", ((50, 60),), limits=Limits(span=1)))
    for table, because in ((late, "future"), (much, "limit")):
        (piece,) = explain(table, plan_table(table, {}), {}, ()).pieces
        (reason,) = piece.reasons
        assert piece.verdict == "held"
        assert isinstance(reason, Owed)
        assert [planned.held.because for planned in reason.calls if planned.held] == [because]


def test_a_call_held_for_the_targets_hours_is_held() -> None:
    table = _table(request("m.yaml#1", ((50, 60),)))
    plan = plan_table(table, {})
    hold = Held("window", "the target's hours are 22:00-06:00")
    plan = replace(plan, calls=tuple(PlannedCall(one.call, hold) for one in plan.calls))
    (piece,) = explain(table, plan, {}, ()).pieces
    assert (piece.verdict, piece.calls[0].held) == ("held", hold)


def test_a_table_that_no_manifest_asks_for_is_told_by_its_ledger_and_its_doubt() -> None:
    lines = ledger(trigger(Range((0, 10), "inclusive")), trigger(Times((20,)), ("red",)))
    table = Table(target(), "a.b", (), lines, (intent(Times((30,))),), 0)
    pieces = explain(table, plan_table(table, {}), {}, ()).pieces
    assert [(p.first, p.last, p.verdict, [line.number for line in p.lines]) for p in pieces] == [
        (0, 9, "notAsked", [2]),
        (20, 20, "notAsked", [3]),
        (30, 30, "inDoubt", []),
    ]


def test_what_is_in_doubt_where_the_schedule_has_no_instant_is_not_lost() -> None:
    table = replace(_table(request("m.yaml#1", ((0, 5),)), schedule=HOURLY), intents=(intent(Times((7,))),))
    told = explain(table, plan_table(table, {}), {}, ())
    assert [doubt.intent for doubt in told.strays] == list(table.intents)
    assert _at(table, 7).pieces[0].doubts


def test_calls_of_other_tables_that_a_call_upstream_covers_are_not_this_ones() -> None:
    table = _table(request("m.yaml#1", ((50, 60),)))
    other: Call = replace(call(Range((50, 60), "inclusive")), table="c.d")
    above = PlannedCall(replace(call(Range((0, 90), "inclusive")), table="up.stream", covers=(other,)), None)
    (piece,) = explain(table, plan_table(table, {}), {}, (above,)).pieces
    assert (piece.verdict, piece.upstream) == ("called", ())
