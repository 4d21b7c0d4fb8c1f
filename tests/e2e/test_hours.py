"""When calls may start: a target's hours, and the pause between a table's calls."""

from __future__ import annotations

import os
import signal
from threading import Event
from time import monotonic

import pytest

from reconciler.commands.clock import wall_clock
from reconciler.core.config import Hours
from reconciler.scheduler.emulator import Arrival
from tests.e2e.counting import Counting, Gate, no_fault
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between, hours
from tests.e2e.workplace import SECRET_NAME, Workplace, ended

ZONE = "Asia/Shanghai"
ALWAYS = "00:00-24:00"


def _later() -> str:
    """Return an hour of the day that begins two hours from now, where the workplace's target is."""
    now = wall_clock(ZONE)
    return str(Hours((now + 2 * 3600) % 86_400, (now + 3 * 3600) % 86_400))


def test_outside_of_the_hours_nothing_is_called_and_the_night_makes_up_for_it(
    place: Workplace, scheduler: Counting
) -> None:
    place.configure(scheduler.url, target={"window": (window := _later())})
    place.declare("fact.yaml", backfill("fact", between(1, 5)), backfill("orders", at(2), table=ORDERS))
    by_day = place.apply("--format", "json")
    assert (by_day.code, scheduler.calls, place.pending(), place.tip()) == (5, 0, [], None)
    for call in by_day.json["calls"]:
        assert (call["status"], call["held"]["because"], call["outcome"]) == ("held", "window", "skipped")
        assert f"prod takes calls {window} ({ZONE})" in call["held"]["message"]
        assert call["error"] == call["held"]["message"]
    place.configure(scheduler.url, target={"window": ALWAYS})
    place.publish()
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS)) == (hours(1, 5), hours(2, 2))


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_report_says_that_calls_are_held_for_the_hour_and_when_they_go(
    place: Workplace, scheduler: Counting, form: str
) -> None:
    place.configure(scheduler.url, target={"window": (window := _later())})
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    applied = place.apply("--format", form)
    assert (applied.code, scheduler.calls) == (5, 0)
    assert "held" in applied.out
    assert "skipped" not in applied.out
    assert f"prod takes calls {window} ({ZONE})" in applied.out


def test_a_target_without_hours_is_called_beside_one_that_is_closed(place: Workplace, scheduler: Counting) -> None:
    auth = {"type": "UID", "valueFrom": {"env": SECRET_NAME}}
    test = {"url": scheduler.url, "tenantId": "tn_2", "timeZone": ZONE, "auth": auth}
    place.configure(scheduler.url, target={"window": _later()}, targets={"test": test})
    place.declare("all.yaml", backfill("fact", at(1)), backfill("orders", at(2), table=ORDERS, target="test"))
    assert place.apply().code == 5
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS)) == ({}, hours(2, 2))


def test_a_plan_saved_by_day_is_the_plan_that_is_applied_at_night_and_stays_unused_until_then(
    place: Workplace, scheduler: Counting
) -> None:
    """The hours are no part of what was agreed: the test lets night fall by changing them."""
    place.configure(scheduler.url, target={"window": _later()})
    place.declare("fact.yaml", backfill("fact", between(1, 5), at(7)))
    file = os.fspath(place.top.parent / "saved.json")
    assert place.run("plan", "--save", file).code == 0
    for _ in range(2):
        by_day = place.apply(file)
        assert (by_day.code, scheduler.calls) == (5, 0)
    place.configure(scheduler.url, target={"window": ALWAYS})
    place.publish()
    assert place.apply(file).code == 0
    assert (scheduler.runs(SALES), place.apply(file).code) == ({**hours(1, 5), **hours(7, 7)}, 8)


def test_what_changed_since_a_plan_was_saved_by_day_is_told_and_nothing_else(place: Workplace) -> None:
    place.configure("http://127.0.0.1:1", target={"window": _later()})
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    file = os.fspath(place.top.parent / "saved.json")
    assert place.run("plan", "--save", file).code == 0
    place.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    stale = place.apply(file)
    assert stale.code == 8
    assert f"owed now: {ORDERS}" in stale.err
    assert SALES not in stale.err


def test_what_waited_for_closed_hours_was_agreed_to_and_is_made_once_another_run_has_opened_them(
    place: Workplace, scheduler: Counting
) -> None:
    auth = {"type": "UID", "valueFrom": {"env": SECRET_NAME}}
    test = {"url": scheduler.url, "tenantId": "tn_2", "timeZone": ZONE, "auth": auth}
    place.configure(scheduler.url, target={"window": _later()}, targets={"test": test}, state={"batch": 1})
    orders = backfill("orders", at(2), between(4, 5), table=ORDERS, target="test")
    below = backfill("below", at(7), table="c.s.BELOW", target="test", dependsOn=["fact"])
    place.declare("all.yaml", backfill("fact", between(1, 5)), orders, below)
    file = os.fspath(place.top.parent / "saved.json")
    assert place.run("plan", "--save", file).code == 0
    scheduler.decide = (gate := Gate()).decide
    process = place.start("apply", file)
    assert gate.reached.wait(30)
    scheduler.decide = no_fault
    other = place.clone("other")
    other.configure(scheduler.url, target={"window": ALWAYS}, targets={"test": test})
    other.publish()
    assert other.apply("--table", SALES).code == 0
    gate.open()
    done = ended(process)
    assert (done.code, scheduler.runs("c.s.BELOW")) == (8, hours(7, 7)), done.err
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS)) == (hours(1, 5), {**hours(2, 2), **hours(4, 5)})


def test_a_plan_reads_the_same_whenever_it_is_made_outside_of_the_hours(place: Workplace) -> None:
    place.configure("http://127.0.0.1:1", target={"window": _later()})
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    digest = place.run("plan", "--format", "json").json["digest"]
    place.configure("http://127.0.0.1:1", target={"window": ALWAYS})
    place.publish()
    assert place.run("plan", "--format", "json").json["digest"] == digest


def test_a_pause_lies_between_a_tables_calls_and_keeps_no_other_table_waiting(
    place: Workplace, scheduler: Counting
) -> None:
    place.configure(scheduler.url, target={"pause": "1s", "concurrency": 1})
    place.declare("all.yaml", backfill("fact", between(1, 2), between(4, 5)), backfill("orders", at(2), table=ORDERS))
    start = monotonic()
    assert place.apply().code == 0
    assert monotonic() - start >= 1
    assert [body["tableName"] for body in scheduler.bodies()][2:] == [SALES]


def test_an_interrupt_ends_a_pause(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, target={"pause": "1d"})
    place.declare("fact.yaml", backfill("fact", between(1, 2), between(4, 5)))
    answered = Event()

    def decide(_: Arrival) -> None:
        answered.set()

    scheduler.decide = decide
    process = place.start("apply", "--format", "json")
    assert answered.wait(30)
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert [call["outcome"] for call in done.json["calls"]] == ["triggered", "skipped"]
    assert (done.code, scheduler.calls, place.pending()) == (6, 1, [])
