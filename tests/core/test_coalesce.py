"""What an upstream's call runs anyway is not called: never one instant forgotten, never one twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Call, Range, Times
from reconciler.core.change import Key
from reconciler.core.coalesce import Planned, with_downstream
from reconciler.core.config import Hours
from reconciler.core.dependencies import hold_dependents
from reconciler.core.lineage import Lineage
from reconciler.core.needs import Table
from reconciler.core.plan import make_plan
from reconciler.core.planner import TablePlan, plan_table
from reconciler.core.policy import Held
from reconciler.core.request import Declared, Dependency, Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.window import Windows
from tests.core import worlds

_HORIZON = 48
_NAMES = ("a", "b", "c")
CHAIN = Lineage({"a": ("b",), "b": ("c",)})
_schedules = st.builds(lambda step: Schedule(f"every {step}", Every(step)), st.sampled_from([1, 2, 3, 4, 6]))


def _table(name: str, windows: Windows, schedule: Schedule | None, done: Windows = ()) -> Table:
    asked = tuple(replace(worlds.request(f"{name}#{at}", (window,)), table=name) for at, window in enumerate(windows))
    lines = tuple(worlds.trigger(Range(window, "inclusive")) for window in done)
    ledger = replace(worlds.ledger(*lines), table=name) if lines else None
    aim = replace(worlds.target(points=3), coalesce=True, lineage="lineage.yaml")
    return Table(aim, name, asked, ledger, (), 10**10, Rules(schedule))


def _everywhere(_: Key) -> bool:
    return True


def _coalesced(
    tables: list[Table], lineage: Lineage = CHAIN, in_scope: Callable[[Key], bool] = _everywhere
) -> dict[Key, TablePlan]:
    planned = {("prod", table.name): Planned(table, {}, plan_table(table, {})) for table in tables}
    held = hold_dependents({key: one.plan for key, one in planned.items()}, frozenset(), in_scope)
    requests = tuple(request for table in tables for request in table.requests)
    rules = {("prod", table.name): table.rules for table in tables}
    declared = Declared(len(tables), requests, rules, {"prod": lineage})
    found = with_downstream(planned, held, declared, in_scope)
    return hold_dependents(found, frozenset(), in_scope)


def _after(table: Table, *names: str) -> Table:
    """Return a table that waits for others."""
    return replace(table, rules=replace(table.rules, depends_on=tuple(Dependency(f"m{n}", ("prod", n)) for n in names)))


def _instants(table: Table, windows: Windows) -> list[int]:
    schedule = table.rules.schedule
    seconds = [second for start, end in windows for second in range(start, end)]
    if schedule is None:
        return seconds
    assert isinstance(schedule.instants, Every)
    return [second for second in seconds if second % schedule.instants.step == 0]


def _owed(table: Table) -> list[int]:
    asked = {second for request in table.requests for second in _instants(table, request.windows)}
    done = table.ledger.covered if table.ledger else ()
    return sorted(second for second in asked if not any(start <= second < end for start, end in done))


def _calls(plans: dict[Key, TablePlan], name: str) -> tuple[list[Call], list[tuple[Call, Call]]]:
    """Return the calls of a table, and the calls for it that others cover, each with the one that does."""
    made = list(plans["prod", name].ready)
    covers = [(call, cover) for plan in plans.values() for call in plan.ready for cover in call.covers]
    return made, [(call, cover) for call, cover in covers if cover.table == name]


@st.composite
def _chains(draw: st.DrawFn) -> list[Table]:
    return [
        _table(name, draw(worlds.windows), draw(st.none() | _schedules), draw(worlds.windows)[:1]) for name in _NAMES
    ]


@settings(max_examples=300, deadline=None)
@given(_chains())
def test_every_owed_instant_is_called_or_covered_once_and_only_by_a_call_that_runs_it(tables: list[Table]) -> None:
    plans = _coalesced(tables)
    by_name = {table.name: table for table in tables}
    for table in tables:
        made, covered = _calls(plans, table.name)
        spans = [call.span.windows for call in (*made, *(cover for _, cover in covered))]
        assert Counter(second for windows in spans for second in _instants(table, windows)) == Counter(_owed(table))
        for call, cover in covered:
            upstream = by_name[call.table]
            assert upstream.name < table.name
            assert set(_instants(table, cover.span.windows)) <= set(_instants(upstream, call.span.windows))


@settings(max_examples=200, deadline=None)
@given(_chains())
def test_no_call_is_made_for_what_a_call_upstream_is_known_to_run(tables: list[Table]) -> None:
    plans = _coalesced(tables)
    by_name = {table.name: table for table in tables}
    for at, table in enumerate(tables):
        if table.rules.schedule is None:
            continue
        for upstream in tables[:at]:
            if upstream.rules.schedule is None or not _passed_on(upstream, table, tables):
                continue
            above = [
                second
                for call in plans["prod", upstream.name].ready
                for second in _instants(by_name[upstream.name], call.span.windows)
            ]
            mine = [s for call in plans["prod", table.name].ready for s in _instants(table, call.span.windows)]
            assert not set(above) & set(mine)


def _passed_on(upstream: Table, table: Table, tables: list[Table]) -> bool:
    """Say whether what both have is had by each table between them too, as far as is known."""
    between = [each.rules.schedule for each in tables if upstream.name < each.name < table.name]
    return all(schedule in {None, upstream.rules.schedule, table.rules.schedule} for schedule in between)


HOURLY = Schedule("hourly", Every(3600))
DAY = ((0, 86_400),)


def test_a_downstream_with_the_same_schedule_is_covered_whole_and_says_by_which_call() -> None:
    plans = _coalesced([_table("a", DAY, HOURLY), _table("b", DAY, HOURLY)])
    (call,) = plans["prod", "a"].ready
    assert [(cover.table, cover.requests, cover.instances) for cover in call.covers] == [("b", ("b#0",), 24)]
    assert isinstance(call.covers[0].span, Times), "a line for the table downstream claims its instants alone"
    assert plans["prod", "b"].calls == ()
    assert plans["prod", "a"].downstream == ("b",)


def test_a_finer_schedule_downstream_keeps_the_instants_that_the_upstream_does_not_have() -> None:
    plans = _coalesced([_table("a", DAY, HOURLY), _table("b", DAY, Schedule("half", Every(1800)))])
    assert sum(call.instances or 0 for call in plans["prod", "b"].ready) == 24


def test_a_table_between_that_has_another_schedule_passes_nothing_on() -> None:
    daily = Schedule("daily", Every(86_400))
    plans = _coalesced([_table("a", DAY, HOURLY), _table("b", DAY, daily), _table("c", DAY, HOURLY)])
    assert {cover.table for call in plans["prod", "a"].ready for cover in call.covers} == {"b"}
    assert sum(call.instances or 0 for call in plans["prod", "c"].ready) == 24


def test_a_table_is_not_covered_while_another_that_it_waits_for_has_calls_to_make() -> None:
    below = _table("b", DAY, HOURLY)
    below = replace(below, rules=replace(below.rules, depends_on=(Dependency("mx", ("prod", "x")),)))
    plans = _coalesced([_table("a", DAY, HOURLY), below, _table("x", DAY, HOURLY)])
    assert plans["prod", "a"].ready[0].covers == ()
    assert len(plans["prod", "b"].ready) == 1


def test_a_table_that_waits_for_another_covers_nothing_and_no_circle_is_made() -> None:
    above = _table("a", DAY, HOURLY)
    above = replace(above, rules=replace(above.rules, depends_on=(Dependency("mx", ("prod", "x")),)))
    between = _table("x", DAY, HOURLY)
    between = replace(between, rules=replace(between.rules, depends_on=(Dependency("mb", ("prod", "b")),)))
    plans = _coalesced([above, _table("b", DAY, HOURLY), between])
    assert plans["prod", "a"].ready[0].covers == ()
    assert len(plans["prod", "b"].ready) == 1


def test_a_table_that_waits_for_what_is_in_doubt_upstream_is_not_covered_by_that_table() -> None:
    doubtful = replace(_table("a", DAY, HOURLY), intents=(worlds.intent(Range((0, 1), "inclusive")),))
    doubtful = replace(doubtful, intents=tuple(replace(i, call=replace(i.call, table="a")) for i in doubtful.intents))
    below = _table("b", DAY, HOURLY)
    below = replace(below, rules=replace(below.rules, depends_on=(Dependency("ma", ("prod", "a")),)))
    plans = _coalesced([doubtful, below])
    assert all(call.covers == () for call in plans["prod", "a"].ready)
    assert [planned.held and planned.held.because for planned in plans["prod", "b"].calls] == ["dependency"]


def test_a_range_without_a_schedule_carries_nothing_for_nobody_knows_its_instants() -> None:
    plans = _coalesced([_table("a", DAY, None), _table("b", DAY, HOURLY)])
    assert plans["prod", "a"].ready[0].covers == ()
    assert len(plans["prod", "b"].ready) == 1


def test_a_table_that_is_held_carries_nothing() -> None:
    ahead = replace(_table("a", DAY, HOURLY), now=0)
    plans = _coalesced([ahead, replace(_table("b", DAY, HOURLY), now=10**6)])
    assert [planned.held and planned.held.because for planned in plans["prod", "a"].calls] == ["future"]
    assert len(plans["prod", "b"].ready) == 1


def test_a_table_that_waits_for_another_is_not_covered_for_it_has_to_run_after_that() -> None:
    other = replace(_table("x", DAY, HOURLY), now=0)
    waits = _table("b", DAY, HOURLY)
    waits = replace(waits, rules=replace(waits.rules, depends_on=(Dependency("mx", ("prod", "x")),)))
    plans = _coalesced([_table("a", DAY, HOURLY), waits, other])
    (planned,) = plans["prod", "b"].calls
    assert planned.held is not None
    assert planned.held.because == "dependency"
    assert plans["prod", "a"].ready[0].covers == ()


def test_what_depends_on_a_covered_table_waits_for_the_call_that_covers_it() -> None:
    after = _table("z", DAY, HOURLY)
    after = replace(after, rules=replace(after.rules, depends_on=(Dependency("mb", ("prod", "b")),)))
    plans = _coalesced([_table("a", DAY, HOURLY), _table("b", DAY, HOURLY), after])
    assert {one.key for one in plans["prod", "z"].depends_on} == {("prod", "a"), ("prod", "b")}


def test_without_coalesce_the_tables_downstream_are_named_and_called() -> None:
    tables = [replace(table, target=worlds.target()) for table in (_table("a", DAY, HOURLY), _table("b", DAY, HOURLY))]
    plans = _coalesced(tables)
    assert plans["prod", "a"].downstream == ("b",)
    assert len(plans["prod", "b"].ready) == 1


def test_a_limit_that_the_table_downstream_exceeds_keeps_its_calls() -> None:
    below = _table("b", DAY, HOURLY)
    asked = tuple(replace(one, limits=replace(one.limits, span=60)) for one in below.requests)
    plans = _coalesced([_table("a", ((0, 3600),), HOURLY), replace(below, requests=asked)])
    (planned,) = plans["prod", "b"].calls
    assert isinstance(planned.held, Held)
    assert planned.call.instances == 24


def test_a_table_outside_of_the_choice_covers_nothing_and_is_not_covered() -> None:
    tables = [_table("a", DAY, HOURLY), _table("b", DAY, HOURLY)]
    for chosen in ("a", "b"):
        plans = _coalesced(tables, in_scope=lambda key, chosen=chosen: key[1] == chosen)  # type: ignore[misc]
        assert all(call.covers == () for plan in plans.values() for call in plan.ready)
        assert [len(plans["prod", name].ready) for name in ("a", "b")] == [1, 1]


NIGHT, NOON = 10**10 // 86_400 * 86_400, 10**10 // 86_400 * 86_400 + 43_200


def test_calls_cover_others_in_closed_hours_too_so_that_a_plan_is_the_same_by_day_and_by_night() -> None:
    tables = [_table("a", DAY, HOURLY), _table("b", DAY, HOURLY), _after(_table("z", DAY, HOURLY), "b")]
    tables = [replace(one, target=replace(one.target, window=Hours(22 * 3600, 6 * 3600))) for one in tables]
    by_day, by_night = (
        make_plan(None, _coalesced([replace(one, now=now) for one in tables]).values()) for now in (NOON, NIGHT)
    )
    assert by_day.ready == ()
    assert by_day.due == by_night.ready
    assert [[cover.table for cover in call.covers] for call in by_day.due] == [["b"], []]
    assert (by_day.digest, by_day.basis) == (by_night.digest, by_night.basis)
    assert [table.depends_on for table in by_day.tables] == [table.depends_on for table in by_night.tables]


def test_a_table_downstream_that_is_in_the_future_is_not_covered() -> None:
    plans = _coalesced([_table("a", DAY, HOURLY), replace(_table("b", DAY, HOURLY), now=0)])
    assert plans["prod", "a"].ready[0].covers == ()
    assert [planned.held and planned.held.because for planned in plans["prod", "b"].calls] == ["future"]


def test_without_a_schedule_downstream_points_are_covered_and_ranges_stay_whole() -> None:
    plans = _coalesced([_table("a", DAY, HOURLY), _table("b", ((0, 20_000), (21_600, 21_601), (30_000, 30_001)), None)])
    ((cover,),) = [call.covers for call in plans["prod", "a"].ready]
    assert cover.span == Times((21_600,))
    assert [call.span for call in plans["prod", "b"].ready] == [Range((0, 20_000), "inclusive"), Times((30_000,))]


_some_tables = st.tuples(
    *(
        st.builds(_table, st.just(name), st.just(DAY), st.just(HOURLY), st.sampled_from([(), (), DAY]))
        for name in _NAMES
    )
)
_pairs = st.lists(st.sampled_from([(0, 1), (0, 2), (1, 2)]), unique=True)


@settings(max_examples=300, deadline=None)
@given(_some_tables, st.permutations(_NAMES), _pairs)
def test_whatever_depends_on_what_there_is_no_circle_and_nothing_is_covered_before_it_may_run(
    tables: tuple[Table, ...], order: list[str], pairs: list[tuple[int, int]]
) -> None:
    """`order` is one that `dependsOn` allows, along the lineage or against it."""
    needs = {name: [order[one] for one, other in pairs if order[other] == name] for name in _NAMES}
    plans = _coalesced([_after(table, *needs[table.name]) for table in tables])
    owing = {table.name for table in tables if _owed(table)}
    for name in _NAMES:
        made, covered = _calls(plans, name)
        above = {one for upstream in needs[name] for one in (upstream, *needs[upstream])}
        assert all(above & owing <= {call.table} for call, _ in covered)
        if made:
            waits = {one.key[1] for one in plans["prod", name].depends_on}
            assert {call.table for upstream in needs[name] for call, _ in _calls(plans, upstream)[1]} <= waits
