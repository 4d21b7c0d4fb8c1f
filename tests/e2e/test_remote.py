"""A remote that refuses, hangs, dies or turns: no call without intents on it, nothing twice, nothing forgotten."""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.scheduler.emulator import Arrival
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between, hours
from tests.e2e.nursery import Process
from tests.e2e.workplace import Ended, Workplace, checked

STATE_PUSH = 'read old new ref || exit 0; [ "$ref" = refs/heads/reconciler-state ] || exit 0; echo >> pushes; '
"""The start of a hook that goes on for pushes to the state branch alone, and counts these."""
DIE = 'kill -9 "$(cut -d" " -f4 /proc/$PPID/stat)" "$PPID"'
"""Kills the server at once: the process that runs the hook, and its parent, which serves the push."""
FOLLOW_UP = {"intents": 1, "outcomes": 2}
"""Which push to the state branch carries what, in a run of one batch."""


@pytest.fixture
def ready(place: Workplace, scheduler: Counting) -> Workplace:
    place.configure(scheduler.url, state={"batch": 1})
    place.declare("fact.yaml", backfill("fact", between(1, 5)), backfill("orders", at(2, 3), table=ORDERS))
    return place


def hook(place: Workplace, name: str, script: str) -> Callable[[], None]:
    """Give the remote a hook; returns what takes it away again."""
    assert place.remote
    path = place.remote / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path.unlink


def all_ran_once(scheduler: Counting) -> bool:
    return (scheduler.runs(SALES), scheduler.runs(ORDERS)) == (hours(1, 5), hours(2, 3))


def all_is_recorded(place: Workplace) -> bool:
    return (len(place.ledger(SALES)), len(place.ledger(ORDERS)), place.pending(), place.journals()) == (1, 1, [], [])


def test_a_remote_that_refuses_the_push_gets_no_call_made(ready: Workplace, scheduler: Counting) -> None:
    allow = hook(ready, "pre-receive", STATE_PUSH + "echo 'GH006: protected branch' >&2; exit 1")
    refused = ready.apply()
    assert (refused.code, scheduler.calls, ready.tip()) == (1, 0, None)
    assert "does not take the push to reconciler-state" in refused.err
    assert "GH006: protected branch" in refused.err
    assert "let this account push to reconciler-state" in refused.err
    allow()
    assert ready.apply().code == 0
    assert all_ran_once(scheduler)


@pytest.mark.parametrize("carries", FOLLOW_UP)
def test_a_remote_that_dies_after_it_took_a_push_is_asked_and_the_run_goes_on(
    place: Workplace, scheduler: Counting, carries: str
) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)), backfill("orders", at(2, 3), table=ORDERS))
    hook(place, "post-receive", STATE_PUSH + f"[ $(wc -l < pushes) -ne {FOLLOW_UP[carries]} ] || {DIE}")
    assert place.apply().code == 0
    assert all_ran_once(scheduler)
    assert all_is_recorded(place)
    assert "Nothing to do" in place.apply().out


def test_a_remote_that_turns_read_only_after_the_first_batch_leaves_its_outcomes_in_the_journal(
    ready: Workplace, scheduler: Counting
) -> None:
    allow = hook(ready, "pre-receive", STATE_PUSH + "[ $(wc -l < pushes) -eq 1 ] || { echo 'read-only' >&2; exit 1; }")
    turned = ready.apply()
    assert (turned.code, scheduler.calls) == (7, 1)
    assert "read-only" in turned.err
    assert (len(ready.pending()), len(ready.journals())) == (1, 1)
    assert ready.clone("other").run("plan", "--exit-code").code == 7
    allow()
    after = ready.apply()
    assert after.code == 0
    assert "1 triggered" in after.err
    assert all_ran_once(scheduler)
    assert (len(ready.ledger(SALES)), ready.pending()) == (1, [])


def place_of_asking(place: Workplace) -> Path:
    return place.top.parent / "asked"


def hang(place: Workplace, service: str) -> Path:
    """Let a service of the remote never answer; returns a file that is there once it was asked."""
    asked, script = place_of_asking(place), place.top.parent / "hang"
    script.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(asked))}\nexec sleep 100\n")
    script.chmod(0o755)
    place.git("config", f"remote.origin.{service}", shlex.quote(str(script)))
    return asked


def stop_once_there(process: Process, file: Path, *numbers: signal.Signals) -> Ended:
    deadline = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < deadline, "it never asked the remote"
        time.sleep(0.02)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.1)
    return checked(*process.wait(timeout=40))


@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGINT)], ids=["one", "two"])
def test_a_signal_ends_a_run_that_waits_for_a_push_which_never_ends(
    ready: Workplace, scheduler: Counting, signals: tuple[signal.Signals, ...]
) -> None:
    asked = hang(ready, "receivepack")
    stopped = stop_once_there(ready.start("apply"), asked, *signals)
    assert (stopped.code, scheduler.calls, ready.tip()) == (1, 0, None)
    assert "stopped" in stopped.err
    ready.git("config", "--unset", "remote.origin.receivepack")
    assert ready.apply().code == 0
    assert all_ran_once(scheduler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_that_waits_for_the_remote_to_say_what_it_has(
    ready: Workplace, scheduler: Counting, number: signal.Signals
) -> None:
    asked = hang(ready, "uploadpack")
    stopped = stop_once_there(ready.start("apply"), asked, number)
    assert (stopped.code, stopped.err.strip(), scheduler.calls) == (1, "Stopped.", 0)
    ready.git("config", "--unset", "remote.origin.uploadpack")
    assert ready.apply().code == 0
    assert all_ran_once(scheduler)


def test_outcomes_that_a_stopped_run_could_not_push_are_recorded_by_the_next(
    ready: Workplace, scheduler: Counting
) -> None:
    """The remote stops answering while the first call is made; then a signal comes."""
    asked = place_of_asking(ready)

    def decide(_: Arrival) -> None:
        hang(ready, "receivepack")

    scheduler.decide = decide
    process = ready.start("apply")
    stopped = stop_once_there(process, asked, signal.SIGTERM, signal.SIGTERM)
    assert (stopped.code, scheduler.calls, len(ready.pending())) == (7, 1, 1)
    ready.git("config", "--unset", "remote.origin.receivepack")
    scheduler.decide = no_fault
    assert ready.apply().code == 0
    assert all_ran_once(scheduler)
    assert ready.pending() == []
