"""The gantt chart: its syntax is ours alone, its bars can be seen, and it stays small."""

from __future__ import annotations

import re

from hypothesis import given

from reconciler.core.call import Range, Times
from reconciler.core.needs import Table
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import PlannedCall, TablePlan, plan_table
from reconciler.core.policy import Held
from reconciler.core.timeline import Standing
from reconciler.core.window import Windows
from reconciler.render.chart import chart
from tests.core.worlds import intent, ledger, request, target, trigger
from tests.render import sheets
from tests.render.test_inert import texts

LABEL = r"[\w.·…-]+"
LINES = re.compile(
    r"```mermaid|```|gantt|%%\{init: \{'gantt': \{'leftPadding': \d+\}\}\}%%|    dateFormat YYYY-MM-DD HH:mm:ss"
    r"|    axisFormat [%a-zA-Z :-]+|    tickInterval 1day|    todayMarker off"
    rf"|    section {LABEL}|    (new|rerun {LABEL}|triggered|in doubt)( held)?( \d+ points)?( held)? :"
    r"((active|crit|done), )*"
    r"(milestone, )?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, (0s|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
)


def plan_of(*spans: Range | Times) -> Plan:
    calls = tuple(sheets.planned("a.b", "m.yaml#1", span, rerun=False, held=False) for span in spans)
    return make_plan(None, [TablePlan(sheets.target(), "a.b", None, calls, (), ())])


@given(texts.filter(bool))
def test_no_name_or_token_writes_the_diagram(text: str) -> None:
    drawn = chart(sheets.sheet(text).plan.calls, {})
    assert all(LINES.fullmatch(line) for line in drawn.splitlines())
    assert sum(line.startswith("    section ") for line in drawn.splitlines()) == 1


def test_a_point_is_a_diamond_and_a_short_window_is_a_bar_that_can_be_seen() -> None:
    drawn = chart(plan_of(Range((0, 100 * 3600), "inclusive"), Range((0, 60), "inclusive"), Times((3600,))).calls, {})
    assert ":active, milestone, 1970-01-01 01:00:00, 0s" in drawn
    assert ":active, 1970-01-01 00:00:00, 1970-01-01 01:00:00" in drawn


def test_many_points_of_a_call_are_one_bar_that_says_so() -> None:
    assert "new 24 points :active, 1970-01-01 00:00:00, 1970-01-01 23:00:01" in chart(
        plan_of(Times(tuple(hour * 3600 for hour in range(24)))).calls,
        {},
    )


def test_of_many_bars_forty_are_drawn_and_the_rest_is_counted() -> None:
    drawn = chart(sheets.long_plan(3, 50).calls, {})
    assert len(re.findall(r"^    (new|rerun) .*:", drawn, re.MULTILINE)) == 40
    assert drawn.endswith("… and 110 more bars not drawn.")


def test_the_last_second_of_the_calendar_can_be_drawn() -> None:
    assert "9999-12-31 23:59:59" in chart(plan_of(Range((253402297199, 253402300800), "inclusive")).calls, {})


def test_tables_of_several_targets_are_told_apart() -> None:
    drawn = chart(sheets.long_plan(2, 1, targets=2).calls, {})
    assert "section prod0.c.d.T00000" in drawn
    assert "section prod1.c.d.T00001" in drawn


def test_no_calls_no_chart() -> None:
    assert chart((), {}) == ""


def test_held_calls_and_reruns_have_their_own_colour() -> None:
    held = PlannedCall(sheets.planned("a.b", "m.yaml#1", sheets.RANGE, rerun=True, held=True).call, Held("limit", "x"))
    drawn = chart(make_plan(None, [TablePlan(sheets.target(), "a.b", None, (held,), (), ())]).calls, {})
    assert "rerun a.b held :1970-" in drawn


DAY = 86_400


def _standing(asked: Windows, sent: Windows, unclear: Windows = ()) -> Standing:
    lines = ledger(*(trigger(Range(window, "inclusive")) for window in sent)) if sent else None
    doubts = tuple(intent(Range(window, "inclusive")) for window in unclear)
    table = Table(target(), "a.b", (request("m.yaml#1", asked),), lines, doubts, now=100 * DAY)
    return Standing(table, plan_table(table, {}))


def _drawn(standing: Standing) -> str:
    return chart(make_plan(None, [standing.plan]).calls, {standing.key: standing})


def test_what_was_triggered_beside_the_calls_is_drawn_below_them_and_joined_where_it_touches() -> None:
    drawn = _drawn(_standing(((DAY, 3 * DAY),), ((DAY, DAY + 100), (DAY + 100, 2 * DAY))))
    assert drawn.count("triggered") == 1
    assert (
        "    new :active, 1970-01-03 00:00:00, 1970-01-04 00:00:00\n    triggered :done, 1970-01-02 00:00:00," in drawn
    )


def test_what_may_have_been_triggered_beside_the_calls_is_drawn_too() -> None:
    drawn = _drawn(_standing(((DAY, 3 * DAY),), (), ((DAY, 2 * DAY),)))
    assert "    in doubt :crit, done, 1970-01-02 00:00:00, 1970-01-03 00:00:00" in drawn
    assert all(LINES.fullmatch(line) for line in drawn.splitlines())


def test_what_was_triggered_long_before_does_not_squeeze_the_calls() -> None:
    assert "triggered" not in _drawn(_standing(((50 * DAY, 51 * DAY),), ((DAY, 2 * DAY),)))


def test_the_past_never_takes_room_from_a_call() -> None:
    sent = tuple((DAY + 20 * number, DAY + 20 * number + 10) for number in range(100))
    asked = tuple((2 * DAY + 20 * number, 2 * DAY + 20 * number + 10) for number in range(39))
    drawn = _drawn(_standing(asked, sent))
    assert (drawn.count("new :"), drawn.count("triggered :")) == (39, 1)
    assert "not drawn" not in drawn
