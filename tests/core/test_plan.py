"""What is agreed to when a plan is: exact bodies and ledgers, at whatever hour."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.call import Call, Times
from reconciler.core.config import Hours
from reconciler.core.plan import make_plan
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.policy import Because, Held, hold_hours
from tests.core import worlds

CALLS = tuple(worlds.call(Times((number,))) for number in (1, 5))
NIGHT = replace(worlds.target(), window=Hours(22 * 3600, 6 * 3600))


def _table(*because: Because | None) -> TablePlan:
    holds = (Held(why, "why") if why else None for why in because)
    planned = tuple(PlannedCall(call, hold) for call, hold in zip(CALLS, holds, strict=True))
    return TablePlan(worlds.target(), "a.b", "head", planned, (), ())


def test_what_waits_for_the_targets_hours_alone_counts_as_agreed() -> None:
    by_night, by_day = make_plan(None, [_table(None, None)]), make_plan(None, [_table("window", "window")])
    assert by_day.due == by_night.due == by_night.ready == CALLS
    assert by_day.ready == ()
    assert (by_day.digest, by_day.basis) == (by_night.digest, by_night.basis)
    assert by_day.summary.held == 2


def test_what_is_held_otherwise_is_no_part_of_what_is_agreed() -> None:
    held = make_plan(None, [_table(None, "approval")])
    assert held.due == CALLS[:1]
    assert held.digest != make_plan(None, [_table(None, "window")]).digest
    assert held.digest == make_plan(None, [_table("window", "limit")]).digest


def test_a_target_takes_calls_in_its_hours_alone() -> None:
    assert hold_hours(worlds.target(), 12 * 3600) is None
    assert hold_hours(NIGHT, 23 * 3600) is None
    held = hold_hours(NIGHT, 86_400 + 6 * 3600)
    assert held == Held("window", "prod takes calls 22:00-06:00 (UTC), and it is not that time there: apply again then")
    assert hold_hours(NIGHT, 12 * 3600) == held


def test_the_ledger_of_a_table_that_a_call_covers_is_part_of_what_is_agreed() -> None:
    below = Call("prod", "c.d", "tn", CALLS[0].span, (), ("below#1",), ())
    above = replace(_table(None, None), calls=(PlannedCall(replace(CALLS[0], covers=(below,)), None),))
    covered = TablePlan(worlds.target(), "c.d", "head", (), (), ())
    plain = replace(above, calls=(PlannedCall(CALLS[0], None),))
    agreed, moved = (make_plan(None, [above, replace(covered, head=head)]) for head in ("head", "other"))
    assert agreed.digest != moved.digest
    assert agreed.basis == moved.basis | {"ledger of c.d on prod": "head"}
    assert moved.basis["ledger of c.d on prod"] == "other"
    without = [make_plan(None, [plain, replace(covered, head=head)]) for head in ("head", "other")]
    assert without[0].digest == without[1].digest != agreed.digest
    assert "ledger of c.d on prod" not in without[0].basis
