"""The data of the page: what the script reads is what the timeline says, however it is packed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Range, Times
from reconciler.core.facts import Line
from reconciler.core.needs import Table
from reconciler.core.planner import plan_table
from reconciler.core.timeline import URGENCY, Standing
from reconciler.core.wallclock import parse
from reconciler.render.report_columns import Words, columns_of
from reconciler.render.report_data import TABLES, Packing, first_view, unpacked
from tests.core.worlds import World, ledger, request, target, trigger, worlds
from tests.render.report_reading import pieces, spans

DAY = 86_400


def _standing(world: World) -> Standing:
    return Standing(world.table, plan_table(world.table, world.approvals))


@settings(max_examples=150)
@given(worlds())
def test_what_the_script_reads_is_the_timeline(world: World) -> None:
    standing = _standing(world)
    timeline = standing.timeline
    columns = json.loads(json.dumps(columns_of(world.table, timeline, Words(), frozenset())))
    assert pieces(columns["segments"]) == [
        (
            one.window,
            one.last,
            one.number,
            one.instances,
            URGENCY.index(one.status) * 2 + one.again,
            one.facts,
        )
        for one in timeline.segments
    ]
    lines = [fact.trigger for fact in timeline.facts if isinstance(fact, Line)]
    sent = [(str(one.span.method), _sent(one.span)) for one in lines]
    assert spans(columns["lines"]) == sent
    kinds = [len(columns["requests"]["key"]), len(lines), *(len(columns[k]) for k in ("doubts", "calls", "upstream"))]
    assert sum(kinds) == len(timeline.facts)


def _sent(span: Range | Times) -> tuple[int, ...]:
    fields = span.fields()
    if isinstance(span, Times):
        return span.times
    return parse(str(fields["startTime"])), parse(str(fields["endTime"]))


@given(worlds())
def test_the_days_of_the_strip_have_the_instances_of_the_schedule(world: World) -> None:
    columns = columns_of(world.table, _standing(world).timeline, Words(), frozenset())
    days = columns["days"]
    schedule, known = world.table.rules.schedule, world.table.known
    assert isinstance(days, list)
    if schedule is None or known is None:
        assert days == []
    else:
        assert days[0] == known[0]
        assert sum(days[1::2]) * DAY == known[1] - known[0]
        assert sum(many * each for many, each in zip(days[1::2], days[2::2], strict=True)) == schedule.count((known,))


def _table(number: int, triggers: int = 1) -> Standing:
    lines = ledger(*(trigger(Range((at * DAY, at * DAY + 60), "inclusive")) for at in range(triggers)))
    table = Table(target(), f"a.b{number:04}", (request("m.yaml#1", ((0, 60),)),), lines, (), now=1)
    return Standing(table, plan_table(table, {}))


def test_shards_hold_a_bounded_number_of_tables_and_the_index_finds_each() -> None:
    packing = Packing()
    for number in range(TABLES * 2 + 5):
        packing.add(_table(number))
    data = packing.end()
    index = json.loads(unpacked(data.index))
    shards = [json.loads(unpacked(shard)) for shard in data.shards]
    assert [len(shard["tables"]) for shard in shards] == [TABLES, TABLES, 5]
    places = set(zip(index["shard"], index["place"], strict=True))
    assert places == {(name, at) for name, shard in enumerate(shards) for at in range(len(shard["tables"]))}


def test_a_large_table_has_a_shard_to_itself() -> None:
    packing = Packing()
    packing.add(_table(1, triggers=6_000))
    packing.add(_table(2))
    assert len(packing.end().shards) == 2


def test_tables_in_need_come_first_then_by_target_and_name() -> None:
    packing = Packing()
    for number in (3, 1, 2):
        packing.add(_table(number))
    owing = Table(target(), "z.owing", (request("m.yaml#1", ((0, 60),)),), None, (), now=DAY)
    packing.add(Standing(owing, plan_table(owing, {})))
    index = json.loads(unpacked(packing.end().index))
    assert index["name"] == ["z.owing", "a.b0001", "a.b0002", "a.b0003"]
    assert index["counts"][0] == [0, 0, 1, 0, 0]


def test_a_moment_that_is_not_written_as_ours_stays_text() -> None:
    one = trigger(Range((0, 60), "inclusive"))
    packing = Packing()
    lines = ledger(one, replace(one, triggered_at="yesterday\u202e"), one)
    table = Table(target(), "a.b", (), lines, (), now=1)
    packing.add(Standing(table, plan_table(table, {})))
    (columns,) = json.loads(unpacked(packing.end().shards[0]))["tables"]
    assert columns["lines"]["at"] == [parse("2026-01-01 00:00:00"), "yesterday\\u202e", 0]


def test_one_ancient_trigger_does_not_squeeze_the_rest_into_a_corner() -> None:
    recent = Counter(dict.fromkeys(range(20000, 20030), 2))
    assert first_view(recent) == (20_000 * DAY, 20_030 * DAY)
    assert first_view(recent + Counter({16_000: 2})) == (20_000 * DAY, 20_030 * DAY)
    assert first_view(recent + Counter({16_000: 20})) == (16_000 * DAY, 20_030 * DAY)


@given(st.dictionaries(st.integers(0, 4000), st.integers(1, 9), min_size=1))
def test_the_first_view_holds_most_and_always_the_end(days: dict[int, int]) -> None:
    view = first_view(Counter(days))
    assert view is not None
    held = sum(many for day, many in days.items() if view[0] <= day * DAY < view[1])
    assert held * 10 >= sum(days.values()) * 9
    assert view[1] == (max(days) + 1) * DAY
    assert first_view(Counter()) is None
