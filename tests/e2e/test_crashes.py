"""Runs that end in the middle: killed, stopped by a signal, overtaken. No instant runs twice, none is forgotten."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.counting import Counting, Gate, no_fault
from tests.e2e.manifests import SALES, again, at, backfill, between, hours
from tests.e2e.nursery import Process
from tests.e2e.workplace import Workplace, ended


@pytest.fixture
def gate(scheduler: Counting) -> Iterator[Gate]:
    found = Gate()
    scheduler.decide = found.decide
    yield found
    found.open()


def tables(count: int) -> list[dict[str, object]]:
    return [backfill(f"t{n}", at(1, 2), table=f"c.d.T{n}") for n in range(count)]


@pytest.fixture
def slow(place: Workplace, scheduler: Counting) -> Workplace:
    place.configure(scheduler.url, target={"concurrency": 1})
    place.declare("all.yaml", *tables(5))
    return place


def start_and_reach(place: Workplace, gate: Gate) -> Process:
    process = place.start("apply")
    assert gate.reached.wait(30)
    return process


def test_a_killed_run_leaves_in_doubt_what_was_in_flight_and_no_more(
    slow: Workplace, scheduler: Counting, gate: Gate
) -> None:
    process = start_and_reach(slow, gate)
    process.send_signal(signal.SIGKILL)
    assert process.wait()[0] == -signal.SIGKILL
    assert len(slow.pending()) == 5
    gate.open()
    scheduler.decide = no_fault
    after = slow.apply("--format", "json")
    assert after.code == 7
    assert [call["outcome"] for call in after.json["calls"]] == ["triggered"] * 4
    assert len(slow.pending()) == 1
    assert all(scheduler.runs(f"c.d.T{n}") == hours(1, 2) for n in range(5))


def test_without_the_journal_all_that_was_announced_is_in_doubt(
    slow: Workplace, scheduler: Counting, gate: Gate
) -> None:
    process = start_and_reach(slow, gate)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gate.open()
    scheduler.decide = no_fault
    other = slow.clone("other")
    assert other.apply().code == 7
    assert len(slow.pending()) == 5
    journal = os.fspath(slow.journals()[0])
    careful = other.run("resolve", "--journal", journal)
    assert (careful.code, len(slow.pending())) == (7, 5)
    assert "--run-ended" in careful.err
    settled = other.run("resolve", "--journal", journal, "--run-ended")
    assert (settled.code, len(slow.pending())) == (7, 1)
    assert other.apply().code == 7
    assert all(scheduler.runs(f"c.d.T{n}") == hours(1, 2) for n in range(5))


def test_what_this_clones_journal_proves_is_neither_listed_nor_resolved_by_hand(
    slow: Workplace, scheduler: Counting
) -> None:
    gate = Gate()
    scheduler.decide = lambda arrival: gate.decide(arrival) if arrival.number == 2 else None
    process = start_and_reach(slow, gate)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gate.open()
    scheduler.decide = no_fault
    (done, flying) = (json.loads(body)["id"] for body in journal_lines(slow) if json.loads(body)["event"] == "sending")
    listed = slow.run("resolve")
    assert "1 triggered, 3 not triggered" in listed.err
    assert flying in listed.out
    assert done not in listed.out
    refused = slow.run("resolve", done, "--as", "not-triggered", "--reason", "guessed")
    assert refused.code == 1
    assert "proves that it was triggered" in refused.err
    assert slow.run("resolve", flying, "--as", "triggered", "--reason", "looked").code == 0
    assert slow.apply().code == 0
    assert slow.run("state", "verify").code == 0
    assert all(scheduler.runs(f"c.d.T{n}") == hours(1, 2) for n in range(5))


def journal_lines(place: Workplace) -> list[str]:
    return place.journals()[0].read_text().splitlines()[1:]


def test_a_run_that_ends_says_what_others_left_in_doubt_meanwhile(
    slow: Workplace, scheduler: Counting, gate: Gate
) -> None:
    slow.configure(scheduler.url, target={"concurrency": 1}, state={"batch": 1})
    slow.publish()
    survivor, other = start_and_reach(slow, gate), slow.clone("other")
    victim = other.start("apply")
    deadline = time.monotonic() + 30
    while len(slow.pending()) < 2:
        assert time.monotonic() < deadline, "the other run announced nothing"
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    gate.open()
    last = ended(survivor)
    assert last.code == 7
    assert "4 triggered" in last.out
    assert "In doubt besides, of other runs, which may be under way: 1 call." in last.out
    assert len(slow.pending()) == 1


def test_while_a_run_is_alive_nobody_settles_its_calls(slow: Workplace, scheduler: Counting, gate: Gate) -> None:
    process = start_and_reach(slow, gate)
    planned = slow.run("plan")
    assert "that run is under way in this clone" in planned.out
    (first, *_) = slow.pending()
    assert slow.run("resolve", first["id"], "--as", "not-triggered", "--reason", "x").code == 1
    assert slow.run("resolve", "--journal", os.fspath(slow.journals()[0])).code == 1
    assert slow.apply().code == 7
    gate.open()
    assert ended(process).code == 0
    assert slow.pending() == []
    assert all(scheduler.runs(f"c.d.T{n}") == hours(1, 2) for n in range(5))


def test_a_signal_lets_the_call_in_flight_end_and_records_it(slow: Workplace, scheduler: Counting, gate: Gate) -> None:
    process = start_and_reach(slow, gate)
    process.send_signal(signal.SIGTERM)
    process.wait_until_said("Stopping")
    gate.open()
    stopped = ended(process)
    assert (stopped.code, slow.pending()) == (6, [])
    assert "Stopping" in stopped.err
    done = [n for n in range(5) if slow.ledger(f"c.d.T{n}")]
    assert len(done) == 1
    assert slow.apply().code == 0
    assert all(scheduler.runs(f"c.d.T{n}") == hours(1, 2) for n in range(5))


def test_a_second_signal_gives_up_on_answers_and_keeps_the_doubt(
    slow: Workplace, scheduler: Counting, gate: Gate
) -> None:
    process = start_and_reach(slow, gate)
    process.send_signal(signal.SIGINT)
    process.wait_until_said("Stopping")
    process.send_signal(signal.SIGTERM)
    stopped = ended(process)
    gate.open()
    assert (stopped.code, len(slow.pending())) == (7, 1)
    scheduler.decide = no_fault
    assert slow.apply().code == 7
    assert all(scheduler.runs(f"c.d.T{n}") == hours(1, 2) for n in range(5))


def test_a_run_killed_after_its_answers_records_them_next_time(
    place: Workplace, scheduler: Counting, gate: Gate
) -> None:
    """The journal has the first answer, the state branch not yet: the run dies at its second call."""
    place.declare("fact.yaml", backfill("fact", between(1, 2), between(4, 5)))
    scheduler.decide = lambda arrival: gate.decide(arrival) if arrival.number == 2 else None
    process = start_and_reach(place, gate)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gate.open()
    assert (place.ledger(SALES), len(place.pending())) == ([], 2)
    scheduler.decide = no_fault
    assert "1 triggered" in place.run("plan").err
    assert place.apply().code == 7
    assert (len(place.ledger(SALES)), len(place.pending())) == (1, 1)
    assert scheduler.runs(SALES) == hours(1, 2) | hours(4, 5)


def test_two_clones_applying_at_once_trigger_each_instant_once(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, state={"batch": 2})
    place.declare("all.yaml", *tables(6), backfill("fact", again("t", between(1, 5), "dana")))
    clones = [place, place.clone("second"), place.clone("third")]
    runs = [clone.start("apply") for clone in clones]
    codes = [ended(run).code for run in runs]
    assert set(codes) <= {0, 7, 8}
    assert 0 in codes
    assert place.apply().code == 0
    assert place.pending() == []
    assert all(scheduler.runs(f"c.d.T{n}") == hours(1, 2) for n in range(6))
    assert scheduler.runs(SALES) == hours(1, 5)


def test_what_another_run_has_announced_is_not_made_by_this_one(
    slow: Workplace, scheduler: Counting, gate: Gate
) -> None:
    process = start_and_reach(slow, gate)
    other = slow.clone("other").apply()
    assert (other.code, scheduler.calls) == (7, 0)
    gate.open()
    assert ended(process).code == 0
    assert all(scheduler.runs(f"c.d.T{n}") == hours(1, 2) for n in range(5))


def test_where_git_can_no_longer_be_asked_what_the_scheduler_said_is_told_and_kept(
    slow: Workplace, scheduler: Counting, gate: Gate, tmp_path: Path
) -> None:
    """Every git command needs a temporary file: there is none to be had once the folder is gone."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = slow.start("apply", TMPDIR=os.fspath(scratch))
    assert gate.reached.wait(30)
    scratch.rmdir()
    gate.open()
    found = ended(process)
    assert found.code == 7, found.err
    assert "triggered" in found.out
    assert "temporary file" in found.err
    assert slow.apply().code == 0
