"""What becomes of calls: accepted, rejected, never sent, in doubt; and what the next apply does about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.scheduler.emulator import Arrival, Fault
from tests.e2e.counting import ACCEPTED, Answering, Counting, Seen, no_fault
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between, hours
from tests.e2e.workplace import SECRET, Workplace


@contextmanager
def fault(scheduler: Counting, kind: Fault, times: int = 10**9) -> Iterator[None]:
    left = iter(range(times))

    def decide(arrival: Arrival) -> Fault | None:
        return kind if arrival.table == SALES and next(left, None) is not None else None

    scheduler.decide = decide
    yield
    scheduler.decide = no_fault


def test_a_rejected_call_is_owed_again_and_stops_only_its_table(place: Workplace, scheduler: Counting) -> None:
    place.declare("all.yaml", backfill("fact", between(1, 5), at(9)), backfill("orders", at(2), table=ORDERS))
    with fault(scheduler, Fault.REJECT):
        first = place.apply("--format", "json")
    assert first.code == 6
    assert sorted(call["outcome"] for call in first.json["calls"]) == ["rejected", "skipped", "triggered"]
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS), place.pending()) == ({}, hours(2, 2), [])
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS)) == (hours(1, 5) | hours(9, 9), hours(2, 2))


@pytest.mark.parametrize("kind", [Fault.LOST, Fault.RAN_ERROR, Fault.HALF, Fault.ERROR, Fault.REFUSE])
def test_a_lost_answer_is_never_sent_again(place: Workplace, scheduler: Counting, kind: Fault) -> None:
    place.declare("all.yaml", backfill("fact", between(1, 5)), backfill("orders", at(2), table=ORDERS))
    with fault(scheduler, kind):
        first = place.apply()
    assert (first.code, len(place.pending()), scheduler.runs(ORDERS)) == (7, 1, hours(2, 2))
    seen = scheduler.calls
    second = place.apply()
    assert (second.code, scheduler.calls) == (7, seen)
    (intent,) = place.pending()
    assert f"reconciler resolve {intent['id']} --as triggered" in second.out
    assert f"reconciler resolve {intent['id']} --as not-triggered" in second.out


def test_only_the_windows_in_doubt_are_blocked(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(3, 5)))
    with fault(scheduler, Fault.LOST):
        assert place.apply().code == 7
    place.declare("fact.yaml", backfill("fact", between(1, 8)))
    assert place.apply().code == 7
    assert scheduler.runs(SALES) == hours(1, 8)
    assert len(place.pending()) == 1


def test_an_answer_that_is_late_leaves_the_call_in_doubt(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, target={"timeout": "1s"})
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    with fault(scheduler, Fault.LATE):
        assert place.apply().code == 7
    assert place.apply().code == 7
    assert scheduler.runs(SALES) == hours(1, 5)


def test_a_throttled_call_waits_and_tries_again(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    begun = time.monotonic()
    with fault(scheduler, Fault.THROTTLE, times=1):
        assert place.apply().code == 0
    assert (scheduler.calls, scheduler.runs(SALES)) == (2, hours(1, 5))
    assert time.monotonic() - begun > 1


def test_a_refused_credential_stops_the_target(place: Workplace) -> None:
    tables = [backfill(f"t{n}", at(n), table=f"c.d.T{n}") for n in range(6)]
    with Answering(lambda _: (401, b'{"success":false,"code":"401","errorMsg":"who are you"}')) as server:
        place.configure(server.url, target={"concurrency": 1})
        place.declare("all.yaml", *tables)
        refused = place.apply("--format", "json")
        assert (refused.code, len(server.seen)) == (6, 1)
    outcomes = [call["outcome"] for call in refused.json["calls"]]
    assert (outcomes.count("rejected"), outcomes.count("skipped")) == (1, 5)
    assert place.pending() == []


def test_a_scheduler_that_is_not_there_leaves_everything_owed(place: Workplace, scheduler: Counting) -> None:
    place.configure("http://127.0.0.1:1")
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    away = place.apply("--format", "json")
    assert (away.code, away.json["calls"][0]["outcome"], place.pending()) == (6, "notSent", [])
    place.configure(scheduler.url)
    place.publish()
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 5)


def test_a_redirect_is_not_followed(place: Workplace, scheduler: Counting) -> None:
    with Answering(lambda _: (307, b"")) as server:
        place.configure(server.url)
        place.declare("fact.yaml", backfill("fact", between(1, 5)))
        assert place.apply().code == 7
    assert scheduler.calls == 0


def test_a_secret_that_the_server_repeats_is_shown_nowhere(place: Workplace) -> None:
    def repeat(seen: Seen) -> tuple[int, bytes]:
        secret = seen.headers["auth-value"]
        if b"ORDERS" in seen.body:
            return 200, f'{{"success":true,"data":true,"code":"200","errorMsg":null,"traceId":"{secret}"}}'.encode()
        return 400, f'{{"errorMsg":"no {secret}","detailErrorMsg":"{secret}","traceId":"{secret}"}}'.encode()

    with Answering(repeat) as server:
        place.configure(server.url)
        place.declare("all.yaml", backfill("fact", at(1)), backfill("orders", at(2), table=ORDERS))
        failed = place.apply("--format", "json")
        assert (failed.code, len(server.seen)) == (6, 2)
    assert place.run("history", ORDERS).code == 0
    assert SECRET.encode() not in place.everything_stored()


def test_a_call_that_was_triggered_says_its_trace(place: Workplace) -> None:
    with Answering(lambda _: ACCEPTED) as server:
        place.configure(server.url)
        place.declare("fact.yaml", backfill("fact", between(1, 5)))
        done = place.apply("--format", "json")
    assert [call["traceId"] for call in done.json["calls"]] == ["fbb0.188.1"]
    assert place.ledger(SALES)[0]["traceId"] == "fbb0.188.1"
    assert "fbb0.188.1" in place.run("history", SALES, "--at", "2026-01-20 03:00:00").out


def _in_doubt(place: Workplace, scheduler: Counting, kind: Fault) -> str:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    with fault(scheduler, kind):
        assert place.apply().code == 7
    return str(place.pending()[0]["id"])


def test_resolved_as_triggered_is_done(place: Workplace, scheduler: Counting) -> None:
    name = _in_doubt(place, scheduler, Fault.LOST)
    done = place.run("resolve", name[:8], "--as", "triggered", "--reason", "seen in the scheduler")
    assert (done.code, place.pending(), len(place.ledger(SALES))) == (0, [], 1)
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 5)
    assert "seen in the scheduler" in place.everything_stored().decode("utf-8", "replace")


def test_resolved_as_not_triggered_is_sent_once(place: Workplace, scheduler: Counting) -> None:
    name = _in_doubt(place, scheduler, Fault.ERROR)
    assert place.run("resolve", name, "--as", "not-triggered", "--reason", "not there").code == 0
    assert (place.pending(), place.ledger(SALES)) == ([], [])
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 5)


def test_a_resolution_that_says_too_little_changes_nothing(place: Workplace, scheduler: Counting) -> None:
    name = _in_doubt(place, scheduler, Fault.LOST)
    tip = place.tip()
    for arguments in (
        (name,),
        (name, "--as", "triggered"),
        (name, "--as", "triggered", "--reason", " "),
        ("--as", "triggered", "--reason", "x"),
        ("ffffffffffffffff", "--as", "triggered", "--reason", "x"),
    ):
        assert (place.run("resolve", *arguments).code, place.tip()) == (2, tip)
    assert name in place.run("resolve").out


def test_an_approved_rerun_settles_the_doubt_below_it(place: Workplace, scheduler: Counting) -> None:
    _in_doubt(place, scheduler, Fault.LOST)
    place.declare("fact.yaml", backfill("fact", between(1, 5), again("t", between(1, 5), "dana")))
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), place.pending()) == (dict.fromkeys(hours(1, 5), 2), [])
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == dict.fromkeys(hours(1, 5), 2)
    assert place.run("state", "verify").code == 0


def test_a_rerun_whose_own_answer_was_lost_is_not_sent_again(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", again("t", between(1, 5), "dana")))
    with fault(scheduler, Fault.LOST):
        assert place.apply().code == 7
    assert place.apply().code == 7
    assert scheduler.runs(SALES) == hours(1, 5)
