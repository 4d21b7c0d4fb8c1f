"""The gantt chart: its syntax is ours alone, its bars can be seen, and it stays small."""

from __future__ import annotations

import re

from hypothesis import given

from reconciler.core.call import Range, Times
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.policy import Held
from reconciler.render.chart import chart
from tests.render import sheets
from tests.render.test_inert import texts

LABEL = r"[\w.·…-]+"
LINES = re.compile(
    r"```mermaid|```|gantt|%%\{init: \{'gantt': \{'leftPadding': \d+\}\}\}%%|    dateFormat YYYY-MM-DD HH:mm:ss"
    r"|    axisFormat [%a-zA-Z :-]+|    tickInterval 1day|    todayMarker off"
    rf"|    section {LABEL}|    (new|rerun {LABEL})( held)?( \d+ points)?( held)? :(active|crit|done), "
    r"(milestone, )?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, (0s|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
)


def plan_of(*spans: Range | Times) -> Plan:
    calls = tuple(sheets.planned("a.b", "m.yaml#1", span, rerun=False, held=False) for span in spans)
    return make_plan(None, [TablePlan(sheets.target(), "a.b", None, calls, (), ())])


@given(texts.filter(bool))
def test_no_name_or_token_writes_the_diagram(text: str) -> None:
    drawn = chart(sheets.sheet(text).plan.calls)
    assert all(LINES.fullmatch(line) for line in drawn.splitlines())
    assert sum(line.startswith("    section ") for line in drawn.splitlines()) == 1


def test_a_point_is_a_diamond_and_a_short_window_is_a_bar_that_can_be_seen() -> None:
    drawn = chart(plan_of(Range((0, 100 * 3600), "inclusive"), Range((0, 60), "inclusive"), Times((3600,))).calls)
    assert ":active, milestone, 1970-01-01 01:00:00, 0s" in drawn
    assert ":active, 1970-01-01 00:00:00, 1970-01-01 01:00:00" in drawn


def test_many_points_of_a_call_are_one_bar_that_says_so() -> None:
    assert "new 24 points :active, 1970-01-01 00:00:00, 1970-01-01 23:00:01" in chart(
        plan_of(Times(tuple(hour * 3600 for hour in range(24)))).calls
    )


def test_of_many_bars_forty_are_drawn_and_the_rest_is_counted() -> None:
    drawn = chart(sheets.long_plan(3, 50).calls)
    assert drawn.count(":active,") + drawn.count(":crit,") + drawn.count(":done,") == 40
    assert drawn.endswith("… and 110 more bars not drawn.")


def test_the_last_second_of_the_calendar_can_be_drawn() -> None:
    assert "9999-12-31 23:59:59" in chart(plan_of(Range((253402297199, 253402300800), "inclusive")).calls)


def test_tables_of_several_targets_are_told_apart() -> None:
    drawn = chart(sheets.long_plan(2, 1, targets=2).calls)
    assert "section prod0.c.d.T00000" in drawn
    assert "section prod1.c.d.T00001" in drawn


def test_no_calls_no_chart() -> None:
    assert chart(()) == ""


def test_held_calls_and_reruns_have_their_own_colour() -> None:
    held = PlannedCall(sheets.planned("a.b", "m.yaml#1", sheets.RANGE, rerun=True, held=True).call, Held("limit", "x"))
    drawn = chart(make_plan(None, [TablePlan(sheets.target(), "a.b", None, (held,), (), ())]).calls)
    assert "rerun a.b held :done," in drawn
