"""What a plan says of instances: how many, what the clock does to them, and whether rangeEnd matters."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.needs import Table
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import TablePlan, plan_table
from reconciler.core.request import Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.wallclock import parse
from reconciler.core.window import Windows
from reconciler.manifests.zones import clock_changes
from reconciler.render.paint import PLAIN
from reconciler.render.plan_json import plan_document
from reconciler.render.plan_markdown import plan_markdown
from reconciler.render.plan_text import plan_text
from reconciler.render.sheet import Sheet
from tests.core import worlds

NEW_YORK = clock_changes("America/New_York", 2026, 2026)
HOURLY = Schedule("0 0 * * * ?", Every(3600), *NEW_YORK)


def _table(start: str, end: str, schedule: Schedule | None = HOURLY) -> TablePlan:
    windows: Windows = ((parse(start), parse(end) + 1),)
    target = replace(worlds.target(points=100), time_zone="America/New_York")
    asked = (worlds.request("m.yaml#1", windows),)
    return plan_table(Table(target, "a.b", asked, None, (), 10**11, Rules(schedule)), {})


def _text(*tables: TablePlan) -> str:
    return plan_text(make_plan(None, tables), PLAIN, verbose=False, live=frozenset())


def _markdown(plan: Plan) -> str:
    return plan_markdown(Sheet(plan, {}, {}))


def test_a_call_says_how_many_instances_it_triggers_and_the_plan_sums_them_up() -> None:
    text = _text(_table("2026-01-20 00:00:00", "2026-01-20 05:00:00"))
    assert "a.b  schedule 0 0 * * * ?" in text
    assert "2026-01-20 00:00:00 .. 2026-01-20 05:00:01  6 instances  new" in text
    assert "1 call to make (1 new, 0 rerun) for 1 table, 6 instances" in text


def test_a_range_without_a_schedule_has_no_number_and_leaves_none_for_the_plan() -> None:
    table = _table("2026-01-20 00:00:00", "2026-01-20 05:00:00", None)
    assert "instance" not in _text(table)
    document = plan_document(make_plan(None, [table]), ())
    assert document["summary"]["instances"] is None  # type: ignore[index]
    assert document["calls"][0]["instances"] is None  # type: ignore[index]
    assert "rangeEndMatters" not in document["calls"][0]  # type: ignore[index]


def test_json_counts_instances_and_says_whether_rangeend_matters() -> None:
    document = plan_document(make_plan(None, [_table("2026-01-20 00:00:00", "2026-01-20 05:00:00")]), ())
    assert document["calls"][0]["instances"] == 6  # type: ignore[index]
    assert document["calls"][0]["rangeEndMatters"] is False  # type: ignore[index]
    assert document["summary"]["instances"] == 6  # type: ignore[index]


def test_a_plan_says_whether_the_reading_of_the_end_matters() -> None:
    safe = _table("2026-01-20 00:00:00", "2026-01-20 05:00:00")
    assert "rangeEnd does not matter for ranges with a schedule here: none ends on an instance." in _text(safe)
    every_second = _table("2026-01-20 00:00:00", "2026-01-20 00:01:00", Schedule("* * * * * ?", Every(1)))
    text = _text(every_second)
    assert "61 instances, rangeEnd decides whether the one at 2026-01-20 00:01:00 is among them" in text
    assert "rangeEnd decides on the last instance of 1 range with a schedule." in text


def test_a_time_that_the_clock_skips_is_named_and_not_counted() -> None:
    table = _table("2026-03-08 00:00:00", "2026-03-08 05:00:00")
    note = "no instance at 2026-03-08 02:00:00: the clock of America/New_York is put forward then"
    assert "5 instances" in _text(table)
    assert note in _text(table)
    assert note in _markdown(make_plan(None, [table]))


def test_a_time_that_the_clock_shows_twice_is_named_and_counted_once() -> None:
    table = _table("2026-11-01 00:00:00", "2026-11-01 05:00:00")
    note = "one schedule time for two moments at 2026-11-01 01:00:00: the clock of America/New_York is put back then"
    assert "6 instances" in _text(table)
    assert note in _text(table)
    assert note in _markdown(make_plan(None, [table]))


def test_of_many_such_times_a_few_are_shown() -> None:
    table = _table("2026-03-08 00:00:00", "2026-03-08 05:00:00", Schedule("x", Every(300), *NEW_YORK))
    assert "2026-03-08 02:10:00 and 9 more times up to 2026-03-08 02:55:00" in _text(table)


def test_days_without_a_change_of_the_clock_have_no_note() -> None:
    assert "clock" not in _text(_table("2026-01-20 00:00:00", "2026-01-20 05:00:00"))


def test_markdown_shows_the_schedule_beside_the_table() -> None:
    shown = _markdown(make_plan(None, [_table("2026-01-20 00:00:00", "2026-01-20 05:00:00")]))
    assert "<code>a.b</code>, schedule <code>0 0 * * * ?</code>" in shown
    assert "rangeEnd does not matter for ranges with a schedule here" in shown
