"""A timeline shows every instant as what it is: as an oracle says that looks at each on its own."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Call, Range, Times
from reconciler.core.explain import explain
from reconciler.core.facts import Line, facts_of
from reconciler.core.layers import layers_of
from reconciler.core.needs import Table
from reconciler.core.planner import PlannedCall, plan_table
from reconciler.core.policy import Held
from reconciler.core.request import Request, Rules
from reconciler.core.schedule import Daily, Every, Schedule
from reconciler.core.timeline import Segment, Standing, Status
from reconciler.core.wallclock import LAST, parse
from reconciler.core.window import Windows
from tests.core.worlds import HORIZON, World, ledger, request, target, trigger, worlds

HOUR = 3600
DAY = 24 * HOUR
NOON = parse("2026-01-20 12:00:00")


def _standing(world: World) -> Standing:
    return Standing(world.table, plan_table(world.table, world.approvals))


def _holds(windows: Windows, second: int) -> bool:
    return any(start <= second < end for start, end in windows)


def _oracle(world: World, standing: Standing, second: int) -> Status | None:
    """Say what one second is, by the explanation of it; None where nothing was done or will be."""
    (piece,) = explain(world.table, standing.plan, world.approvals, (), second).pieces
    if piece.doubts:
        return "inDoubt"
    if any(planned.held for planned in piece.calls):
        return "held"
    if piece.calls:
        return "owed"
    if any(line.trigger.rerun for line in piece.lines) or len(piece.lines) > 1:
        return "rerun"
    return "triggered" if piece.lines else None


def _asked(standing: Standing, segment: Segment) -> bool:
    """Say whether a request is among what is known of a piece."""
    facts = standing.timeline.facts
    return any(isinstance(facts[at], Request) for at in segment.facts)


def _over(standing: Standing, second: int) -> list[Segment]:
    """Return the pieces that tell of a second: it is between first and last, and each of their facts holds it."""
    schedule = standing.table.rules.schedule if standing.table.requests else None
    here = [each for each in standing.timeline.segments if each.first <= second <= each.last]
    if schedule is None or schedule.holds(second):
        return [each for each in here if each.number is not None or schedule is None]
    return [each for each in here if each.number is None]


@settings(max_examples=400)
@given(worlds())
def test_every_instant_is_in_one_piece_that_says_what_it_is(world: World) -> None:
    standing = _standing(world)
    for second in world.instants:
        over = _over(standing, second)
        status = _oracle(world, standing, second)
        assert [each.status for each in over] == ([status] if status else [])
        for each in over:
            lines = world.table.ledger.triggers if world.table.ledger else ()
            told = [fact for at in each.facts if isinstance(fact := standing.timeline.facts[at], Line)]
            assert [line.trigger for line in told] == [one for one in lines if _holds(one.span.windows, second)]
            assert _asked(standing, each) == any(_holds(one.windows, second) for one in world.table.requests)
            assert each.again == (each.status in ("owed", "held", "inDoubt") and bool(told))


@settings(max_examples=300)
@given(worlds())
def test_nothing_that_was_sent_is_missing_though_the_schedule_has_no_instant_there(world: World) -> None:
    standing = _standing(world)
    told = {at for segment in standing.timeline.segments for at in segment.facts}
    facts = tuple(facts_of(world.table, standing.plan, ()))
    for at, (fact, windows) in enumerate(facts):
        if isinstance(fact, Line) and windows:
            assert at in told


@settings(max_examples=300)
@given(worlds())
def test_counts_are_those_of_the_schedule(world: World) -> None:
    standing = _standing(world)
    for segment in standing.timeline.segments:
        here = [second for second in world.instants if segment.first <= second <= segment.last]
        if segment.number is not None:
            assert segment.instances == len(here)
            assert segment.number == sum(1 for second in world.instants if second < segment.first)
            assert (here[0], here[-1]) == (segment.first, segment.last)
        assert segment.window[0] == segment.first
        assert segment.window[1] > segment.last


@given(st.integers(1, 7 * DAY), st.integers(0, DAY))
def test_the_days_of_a_schedule_are_counted_one_by_one(step: int, start: int) -> None:
    schedule = Schedule("test", Every(step, start))
    window = (0, 40 * DAY)
    found = [each for days, each in schedule.days(window) for _ in range(days)]
    assert found == [schedule.count(((day * DAY, day * DAY + DAY),)) for day in range(40)]


def _weekdays() -> Schedule:
    first = parse("2026-01-01 00:00:00") // DAY
    days = tuple(day for day in range(first, first + 365) if (day + 3) % 7 < 5)
    return Schedule("weekdays at six", Daily((6 * HOUR,), days))


def _table(schedule: Schedule | None, asked: Windows, sent: Windows) -> Standing:
    lines = ledger(*(trigger(Range(window, "inclusive")) for window in sent)) if sent else None
    requests = (request("m.yaml#1", asked),) if asked else ()
    table = Table(target(), "a.b", requests, lines, (), now=NOON + 10 * DAY, rules=Rules(schedule))
    return Standing(table, plan_table(table, {}))


def test_an_instant_lasts_until_the_next_but_not_over_the_weekend() -> None:
    monday = parse("2026-01-19 00:00:00")
    (week,) = _table(_weekdays(), ((monday, monday + 7 * DAY),), ((monday, monday + 7 * DAY),)).timeline.segments
    assert week.instances == 5
    assert week.window == (monday + 6 * HOUR, monday + 5 * DAY + 6 * HOUR)


def test_what_was_triggered_in_years_that_nobody_asks_for_is_shown_by_the_second() -> None:
    old = (parse("2024-12-31 00:00:00"), parse("2025-01-02 00:00:00"))
    now = (NOON, NOON + DAY)
    standing = _table(_weekdays(), (now,), (old, now))
    found = standing.timeline.segments
    assert [(each.status, _asked(standing, each), each.instances) for each in found] == [
        ("triggered", False, None),
        ("triggered", True, 1),
    ]
    assert found[0].window == old


def test_a_point_beside_the_schedule_is_shown_too() -> None:
    point = (NOON, NOON + 1)
    found = _table(_weekdays(), ((NOON, NOON + DAY),), (point,)).timeline.segments
    assert [(each.status, each.first, each.number is None) for each in found] == [
        ("triggered", NOON, True),
        ("owed", NOON + 18 * HOUR, False),
    ]


def test_a_table_that_no_manifest_asks_for_shows_what_was_sent() -> None:
    standing = _table(None, (), ((NOON, NOON + HOUR),))
    assert [(each.status, _asked(standing, each)) for each in standing.timeline.segments] == [("triggered", False)]


def test_tables_in_need_come_first() -> None:
    owing, done = _table(None, ((0, HORIZON),), ()), _table(None, ((0, HORIZON),), ((0, HORIZON),))
    assert owing.urgency < done.urgency
    assert all(planned.held is None for planned in owing.plan.calls)
    assert isinstance(owing.plan.calls[0].call.span, Range | Times)
    assert not isinstance(owing.plan.calls[0].held, Held)


def test_a_point_beside_the_schedule_is_told_apart_from_the_instant_that_it_touches() -> None:
    beside, both = trigger(Times((HOUR - 1,))), trigger(Times((HOUR - 1, HOUR)))
    rules = Rules(Schedule("hourly", Every(HOUR)))
    asked = (request("m#1", ((HOUR, 2 * HOUR),)),)
    table = Table(target(), "a.b", asked, ledger(beside, both), (), NOON, rules)
    found = Standing(table, plan_table(table, {})).timeline.segments
    assert [(each.first, each.status) for each in found] == [(HOUR - 1, "rerun"), (HOUR, "triggered")]


def test_the_last_instant_of_the_calendar_ends_with_it() -> None:
    day = parse("9999-12-30 00:00:00")
    schedule = Schedule("daily at six", Every(DAY, 6 * HOUR))
    (found,) = _table(schedule, ((day, LAST + 1),), ((day, LAST + 1),)).timeline.segments
    assert found.window[1] == LAST + 1


def test_what_a_call_upstream_covers_counts_as_owed_or_held_with_it() -> None:
    asked = (request("m#1", ((0, 5),)),)
    table = Table(target(), "a.b", asked, None, (), NOON)
    mine = plan_table(table, {})
    (instead,) = mine.ready
    for hold in (None, Held("approval", "ask dana")):
        above = PlannedCall(Call("prod", "a.up", "tn", instead.span, (), (), (), covers=(instead,)), hold)
        standing = Standing(table, replace(mine, calls=()), (above,))
        assert [each.status for each in standing.timeline.segments] == ["held" if hold else "owed"]
        assert [each.status for each in layers_of(standing).layers] == ["held" if hold else "owed"]
        assert standing.urgency == (True, not hold, bool(hold))
        assert [one.instead for one in standing.upstream] == [instead]
