"""What keeps calls from being made: limits, the future, a forge that cannot be asked."""

from __future__ import annotations

import pytest

from tests.e2e.counting import Counting
from tests.e2e.manifests import ORDERS, SALES, Document, again, at, backfill, between, hours
from tests.e2e.workplace import Workplace

FUTURE: Document = {"scheduleTimes": ["9998-12-31 00:00:00"]}
LONG: Document = {"timeRange": {"startTime": "2020-01-01 00:00:00", "endTime": "2024-01-01 00:00:00"}}
OVER: dict[str, tuple[Document, list[Document], Document]] = {
    "limits.calls": ({"calls": 1}, [between(1, 2), between(4, 5)], {"calls": 2}),
    "limits.span": ({"span": "2h"}, [between(1, 5)], {"span": "4h"}),
    "limits.instances": ({"instances": 1}, [at(1, 3)], {"instances": 2}),
    "limits.future": ({}, [FUTURE], {"future": "allow"}),
}


@pytest.mark.parametrize("knob", OVER)
def test_a_table_over_a_limit_is_held_whole_and_the_message_names_the_knob(
    place: Workplace, scheduler: Counting, knob: str
) -> None:
    limits, requests, raised = OVER[knob]
    place.configure(scheduler.url, limits=limits)
    place.declare("all.yaml", backfill("fact", *requests), backfill("orders", at(2), table=ORDERS))
    held = place.apply("--format", "json")
    assert (held.code, scheduler.runs(SALES), scheduler.runs(ORDERS)) == (5, {}, hours(2, 2))
    calls = {call["tableName"]: call for call in held.json["calls"]}
    because = "future" if knob == "limits.future" else "limit"
    assert (calls[SALES]["outcome"], calls[SALES]["held"]["because"]) == ("skipped", because)
    assert knob in calls[SALES]["held"]["message"]
    place.declare("all.yaml", backfill("fact", *requests, limits=raised))
    assert place.apply().code == 0
    assert set(scheduler.runs(SALES).values()) == {1}


def test_the_default_limits_hold_four_years(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", LONG))
    held = place.apply()
    assert (held.code, scheduler.calls) == (5, 0)
    assert "limits.span of 366d" in held.out


def test_a_rerun_that_no_forge_can_be_asked_about_is_held_and_the_rest_is_made(
    place: Workplace, scheduler: Counting
) -> None:
    place.configure(scheduler.url, approvals={"reruns": {"provider": "github", "approvers": ["dana"]}})
    place.declare("fact.yaml", backfill("fact", at(1), again("late", between(1, 2))))
    applied = place.apply()
    assert (applied.code, scheduler.runs(SALES)) == (5, hours(1, 1))
    assert "approvals cannot be looked up: it is not known where GitHub's API is" in applied.out
    assert "set approvals.reruns.url" in applied.out
