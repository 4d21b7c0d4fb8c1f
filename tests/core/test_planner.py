"""The planner agrees with an oracle that looks at every second on its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Range, Times
from reconciler.core.config import Limits
from reconciler.core.ledger import Trigger, doubts
from reconciler.core.needs import Table, open_reruns
from reconciler.core.planner import TablePlan, plan_table
from reconciler.core.policy import Approved, Waiting
from reconciler.core.request import Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.window import Windows, inside, overlaps, union
from tests.core.worlds import HORIZON, World, intent, ledger, request, schedules, sparse_worlds, target, trigger, worlds
from tests.examples import examples


def _holds(windows: Windows, second: int) -> bool:
    return any(start <= second < end for start, end in windows)


def _plan(world: World) -> TablePlan:
    return plan_table(world.table, world.approvals)


def _oracle(world: World, second: int) -> frozenset[str] | None:
    """Say for one second, by the rules alone, which tokens a trigger of it has to bear; None where none is owed."""
    lines = world.table.ledger.triggers if world.table.ledger else ()
    open_doubts = doubts(world.table.ledger, world.table.intents)
    here = [line for line in lines if _holds(line.span.windows, second)]
    doubtful = [doubt for doubt in open_doubts if _holds(doubt.windows, second)]
    wanted = any(r.rerun is None and _holds(r.windows, second) for r in world.table.requests)
    owed = wanted and not here and not doubtful
    tokens = set()
    for asked in world.table.requests:
        if asked.rerun and _holds(asked.windows, second) and isinstance(world.approvals[asked.key], Approved):
            token = asked.rerun.token
            in_flight = any(
                token in doubt.intent.call.rerun and _holds(doubt.intent.call.span.windows, second)
                for doubt in open_doubts
            )
            if not in_flight and not any(token in line.rerun for line in here):
                tokens.add(token)
    if not owed and not tokens:
        return None
    return frozenset(tokens | {token for doubt in doubtful for token in doubt.intent.call.rerun})


@settings(max_examples=examples(200))
@given(worlds())
def test_approvals_of_reruns_that_are_not_open_change_no_call(world: World) -> None:
    asked = {request.key for request in open_reruns(world.table)}
    fewer = {key: approval for key, approval in world.approvals.items() if key in asked}
    plan, lean = _plan(world), plan_table(world.table, fewer)
    assert [(each.call.id, each.held) for each in lean.calls] == [(each.call.id, each.held) for each in plan.calls]
    assert (lean.doubts, lean.covered) == (plan.doubts, plan.covered)


@settings(max_examples=examples(200))
@given(worlds())
def test_the_calls_trigger_exactly_what_is_owed_each_second_once_with_its_tokens(world: World) -> None:
    triggered = [
        (second, frozenset(call.rerun))
        for call in _plan(world).ready
        for second in world.instants
        if _holds(call.span.windows, second)
    ]
    assert max(Counter(second for second, _ in triggered).values(), default=0) <= 1
    owed = {second: found for second in world.instants if (found := _oracle(world, second)) is not None}
    assert dict(triggered) == owed


@settings(max_examples=400)
@given(worlds())
def test_instances_are_counted_as_an_oracle_that_looks_at_each_counts_them(world: World) -> None:
    plan = _plan(world)
    if world.table.rules.schedule is None:
        assert plan.instances is None
        return
    assert plan.instances is not None
    asked = [second for second in world.instants if any(_holds(r.windows, second) for r in world.table.requests)]
    ledger_windows = world.table.ledger.covered if world.table.ledger else ()
    assert plan.instances.asked == len(asked)
    assert plan.instances.triggered == sum(_holds(ledger_windows, second) for second in asked)
    assert sum(call.instances or 0 for call in plan.ready) == sum(
        _oracle(world, second) is not None for second in world.instants
    )
    assert plan.instances.in_doubt == sum(any(_holds(d.windows, s) for d in plan.doubts) for s in asked)
    for planned in plan.calls:
        assert planned.call.instances == sum(_holds(planned.call.span.windows, second) for second in world.instants)


@given(worlds())
def test_a_tables_calls_go_in_the_order_that_its_manifests_ask_for(world: World) -> None:
    starts = [call.span.windows[0][0] for call in _plan(world).ready]
    assert starts == sorted(starts, reverse=world.table.rules.order == "newestFirst")


@given(worlds(scheduled=False))
def test_no_plan_with_the_same_tokens_has_fewer_calls(world: World) -> None:
    """A call bears one set of tokens; a range holds one run of seconds, a points call as many as the target takes."""
    owed = {second: found for second in range(HORIZON + 2) if (found := _oracle(world, second)) is not None}
    fewest = 0
    for tokens in set(owed.values()):
        mine = sorted(second for second, found in owed.items() if found == tokens)
        starts = [s for s in mine if s - 1 not in mine]
        points = sum(1 for s in starts if s + 1 not in mine)
        fewest += len(starts) - points + -(-points // world.table.target.points_per_call)
    assert len(_plan(world).ready) == fewest


@given(worlds(), st.randoms())
def test_the_order_of_reading_changes_nothing(world: World, random: object) -> None:
    shuffled = list(world.table.requests)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = World(replace(world.table, requests=tuple(shuffled)), world.approvals)
    assert _plan(other) == _plan(world)


@given(worlds(with_doubt=False))
def test_after_an_apply_only_what_is_held_is_left(world: World) -> None:
    before = _plan(world)
    lines = world.table.ledger.triggers if world.table.ledger else ()
    made = tuple(_line(call.id, call.span, call.rerun) for call in before.ready)
    after = plan_table(replace(world.table, ledger=ledger(*lines, *made)), world.approvals)
    assert after.ready == ()
    assert {p.call.id for p in after.calls} == {p.call.id for p in before.calls if p.held}


def _line(name: str, span: Range | Times, rerun: tuple[str, ...]) -> Trigger:
    return replace(trigger(span, rerun), id=name)


@settings(max_examples=examples(400))
@given(worlds() | sparse_worlds())
def test_what_is_no_rerun_never_reaches_over_a_second_that_was_sent_or_is_in_doubt(world: World) -> None:
    plan = _plan(world)
    sent = world.table.ledger.covered if world.table.ledger else ()
    taken = union((*sent, *(window for doubt in plan.doubts for window in doubt.windows)))
    assert not any(overlaps(planned.call.span.windows, taken) for planned in plan.calls if not planned.call.rerun)


def test_a_range_ends_at_its_last_instant_where_the_next_second_was_sent() -> None:
    done = ledger(trigger(Range((13, 19), "inclusive")))
    table = _table(requests=(request("m#1", ((6, 19),)),), ledger=done, rules=Rules(Schedule("every 6", Every(6))))
    assert [call.span for call in plan_table(table, {}).ready] == [Range((6, 13), "inclusive")]


@settings(max_examples=examples(200))
@given(worlds(with_doubt=False) | sparse_worlds(), st.lists(st.none() | schedules, min_size=1, max_size=4))
def test_whatever_becomes_of_the_schedule_no_call_but_a_rerun_holds_a_second_of_an_earlier_line(
    world: World, later: list[Schedule | None]
) -> None:
    table = world.table
    for schedule in (table.rules.schedule, *later):
        table = replace(table, rules=replace(table.rules, schedule=schedule))
        earlier = table.ledger.triggers if table.ledger else ()
        made = plan_table(table, world.approvals).ready
        sent = union(window for line in earlier for window in line.span.windows)
        assert not any(overlaps(call.span.windows, sent) for call in made if not call.rerun)
        lines = (*earlier, *(_line(call.id, call.span, call.rerun) for call in made))
        table = replace(table, ledger=ledger(*lines) if lines else None)


@settings(max_examples=examples(400))
@given(worlds() | sparse_worlds())
def test_no_rerun_leaves_what_is_approved_for_its_tokens_but_for_the_second_after_an_end(world: World) -> None:
    for planned in _plan(world).calls:
        if planned.call.rerun:
            waits = planned.held is not None and planned.held.because == "approval"
            reruns = [
                request
                for request in world.table.requests
                if request.rerun
                and request.rerun.token in planned.call.rerun
                and isinstance(world.approvals[request.key], Waiting) == waits
            ]
            approved = union((start, end + 1) for request in reruns for start, end in request.windows)
            assert inside(planned.call.span.windows, approved)


def test_a_rerun_does_not_reach_over_what_nobody_approved_though_nothing_runs_there() -> None:
    requests = (request("m#1", ((0, 9), (11, 13)), "red"), request("m#2", ((9, 11),), "red"))
    table = _table(requests=requests, rules=Rules(Schedule("every 4", Every(4))), target=target(points=1))
    agreed = plan_table(table, {"m#1": Approved(("dana",)), "m#2": Approved(("dana",))})
    assert [call.span for call in agreed.ready] == [Range((0, 14), "inclusive")]
    partly = plan_table(table, {"m#1": Approved(("dana",)), "m#2": Waiting("ask dana")})
    assert [call.span for call in partly.ready] == [Range((0, 10), "inclusive"), Times((12,))]


@given(worlds(with_doubt=False))
def test_calls_that_were_lost_are_in_doubt_whatever_the_ledger_holds_and_not_owed_again(world: World) -> None:
    before = _plan(world)
    lost = tuple(intent(call.span, call.rerun) for call in before.ready)
    after = plan_table(replace(world.table, intents=lost), world.approvals)
    assert after.ready == ()
    assert len(after.doubts) == len(lost)


@given(worlds())
def test_held_reruns_never_include_what_is_made_or_done(world: World) -> None:
    for planned in _plan(world).calls:
        if planned.held:
            assert planned.held.because == "approval"
            for token in planned.call.rerun:
                done = world.table.ledger.bearing.get(token, ()) if world.table.ledger else ()
                assert not any(_holds(done, s) for s in world.instants if _holds(planned.call.span.windows, s))


HOURS = ((3600, 5 * 3600 + 1),)


def _table(**changes: object) -> Table:
    return replace(Table(target(), "a.b", (), None, (), now=10**10), **changes)  # type: ignore[arg-type]


def test_one_trigger_serves_a_new_request_and_an_approved_rerun_and_bears_the_token() -> None:
    table = _table(requests=(request("m#new", HOURS), request("m#again", HOURS, "red")))
    plan = plan_table(table, {"m#again": Approved(("dana",))})
    (call,) = plan.ready
    assert call.rerun == ("red",)
    assert call.requests == ("m#again", "m#new")
    assert call.approved_by == ("dana",)


def test_an_unapproved_rerun_is_held_beside_the_new_call() -> None:
    table = _table(requests=(request("m#new", HOURS), request("m#again", HOURS, "red")))
    plan = plan_table(table, {"m#again": Waiting("ask dana")})
    assert [(p.call.rerun, p.held and p.held.message) for p in plan.calls] == [((), None), (("red",), "ask dana")]


def test_an_approved_rerun_settles_doubt_and_bears_the_tokens_in_doubt() -> None:
    lost = intent(Range(HOURS[0], "inclusive"), ("red",))
    table = _table(requests=(request("m#again", HOURS, "blue"), request("m#first", HOURS, "red")), intents=(lost,))
    approved = {"m#again": Approved(("dana",)), "m#first": Approved(("dana",))}
    (call,) = plan_table(table, approved).ready
    assert call.rerun == ("blue", "red")
    after = replace(table, ledger=ledger(trigger(call.span, call.rerun)))
    settled = plan_table(after, approved)
    assert settled.ready == ()
    assert settled.doubts == ()


def test_a_line_with_no_more_tokens_than_the_intent_does_not_settle_it() -> None:
    lost = intent(Range(HOURS[0], "inclusive"), ("red",))
    same = ledger(trigger(Range(HOURS[0], "inclusive"), ("red",)))
    other = ledger(trigger(Range(HOURS[0], "inclusive"), ("blue",)))
    more = ledger(trigger(Range(HOURS[0], "inclusive"), ("blue", "red")))
    assert len(doubts(same, (lost,))) == 1
    assert len(doubts(other, (lost,))) == 1
    assert doubts(more, (lost,)) == ()


def _held(limits: Limits, windows: Windows, now: int = 10**10) -> str | None:
    plan = plan_table(_table(requests=(request("m#1", windows, limits=limits),), now=now), {})
    (held,) = {planned.held for planned in plan.calls}
    return f"{held.because}: {held.message}" if held else None


def test_a_range_as_long_as_the_span_limit_is_not_held() -> None:
    assert _held(Limits(span=3600), ((0, 3601),)) is None


def test_a_longer_range_is_held_and_names_the_knob() -> None:
    held = _held(Limits(span=3600), ((0, 3602),))
    assert held is not None
    assert "limits.span" in held
    assert "m.yaml" in held


def test_too_many_calls_hold_the_whole_table() -> None:
    plan = plan_table(_table(requests=(request("m#1", ((0, 10), (20, 30), (40, 50)), limits=Limits(calls=2)),)), {})
    assert len(plan.calls) == 3
    assert all(p.held and p.held.because == "limit" and "limits.calls" in p.held.message for p in plan.calls)


def test_more_points_than_instances_are_allowed_hold_the_table() -> None:
    held = _held(Limits(instances=2), ((0, 1), (2, 3), (4, 5)))
    assert held is not None
    assert "limits.instances" in held


def test_the_future_is_held_and_the_present_second_is_not() -> None:
    assert _held(Limits(), ((0, 101),), now=100) is None
    held = _held(Limits(), ((0, 102),), now=100)
    assert held is not None
    assert held.startswith("future: ")
    assert "limits.future" in held
    assert _held(Limits(future=True), ((0, 102),), now=100) is None


def test_limits_look_only_at_what_is_still_owed() -> None:
    done = ledger(trigger(Range((0, 3602), "inclusive")))
    requests = (request("m#old", ((0, 3602),), limits=Limits(span=10)), request("m#new", ((5000, 5005),)))
    plan = plan_table(_table(requests=requests, ledger=done), {})
    assert [p.held for p in plan.calls] == [None]


def test_the_limits_of_a_rerun_that_waits_let_nothing_through_for_another_with_its_token() -> None:
    hours = tuple((hour * 3600, hour * 3600 + 2) for hour in range(2))
    strict, generous = Limits(calls=1), Limits(calls=100)
    requests = (request("m#a", hours, "red", strict), request("m#b", hours[:1], "red", generous))
    plan = plan_table(_table(requests=requests), {"m#a": Approved(("dana",)), "m#b": Waiting("ask dana")})
    assert plan.ready == ()
    assert {planned.held and planned.held.because for planned in plan.calls} == {"limit"}


def test_a_held_rerun_stays_the_same_call_when_what_lies_beside_it_is_triggered() -> None:
    every_second_but_one = Schedule("test", Every(1), ((2, 3),))
    requests = (request("m#new", ((0, 2),)), request("m#again", ((0, 2),), "red"))
    done = ledger(trigger(Times((2,))))
    table = _table(requests=requests, ledger=done, rules=Rules(every_second_but_one))
    waiting = {"m#again": Waiting("ask dana")}
    before = plan_table(table, waiting)
    made = tuple(trigger(call.span) for call in before.ready)
    after = plan_table(replace(table, ledger=ledger(*done.triggers, *made)), waiting)
    assert [p.call.id for p in after.calls] == [p.call.id for p in before.calls if p.held]
