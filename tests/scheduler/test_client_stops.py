"""Stopping: what is in flight ends in time, what has not begun never begins. And the secret is never seen."""

from __future__ import annotations

import json
import logging
import pickle
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Timer

import pytest

from reconciler.core.outcome import NotSent, Outcome, Triggered, Unknown
from reconciler.scheduler.client import Scheduler
from tests.scheduler.calls import CANARY, CREDENTIAL, TARGET, a_call, dead_end
from tests.scheduler.faults import BROKEN
from tests.scheduler.faulty_server import OK, FaultyServer, Peer, drip, envelope, hang, http, reply

pytestmark = pytest.mark.claim("HTTP faults against a server that counts: judged as the table says, sent once")


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_calls_in_flight_end_unknown_within_the_grace_and_no_other_begins() -> None:
    with FaultyServer(hang) as server, Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler:
        with ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(scheduler.post, a_call()) for _ in range(4)]
            wait_until(lambda: server.executed == 4)
            start = time.monotonic()
            scheduler.abort(0.2)
            outcomes = [future.result() for future in waiting]
        assert outcomes == [Unknown("the run was stopped before the answer came")] * 4
        assert 0.15 < time.monotonic() - start < 1.0
        assert scheduler.post(a_call()) == NotSent("the run was stopped before this was sent")
        assert server.executed == 4


def test_an_answer_within_the_grace_still_counts() -> None:
    def late(peer: Peer) -> None:
        if peer.execute():
            peer.wait(0.2)
            peer.send(OK)

    with FaultyServer(late) as server, ThreadPoolExecutor(1) as threads:
        scheduler = Scheduler(replace(TARGET, url=server.url), CREDENTIAL)
        waiting = threads.submit(scheduler.post, a_call())
        wait_until(lambda: server.executed == 1)
        scheduler.abort(5.0)
        assert isinstance(waiting.result(), Triggered)
        scheduler.close()


def test_a_call_that_is_still_connecting_ends_not_sent_at_once() -> None:
    with dead_end() as url, ThreadPoolExecutor(1) as threads:
        scheduler = Scheduler(replace(TARGET, url=url, timeout=0.8), CREDENTIAL)
        waiting = threads.submit(scheduler.post, a_call())
        time.sleep(0.1)
        start = time.monotonic()
        scheduler.abort(30.0)
        assert waiting.result() == NotSent("the run was stopped before this was sent")
        assert time.monotonic() - start < 0.5
        scheduler.close()


def test_not_sent_is_proof_however_close_the_deadline_or_the_end_comes() -> None:
    outcomes: dict[str, Outcome] = {}

    def race(number: int) -> None:
        target = replace(TARGET, url=server.url, timeout=0.0005 * (number % 16))
        with Scheduler(target, CREDENTIAL) as scheduler:
            timer = Timer(0.0005 * (number // 16), scheduler.abort, (0.001,))
            timer.start()
            outcomes[f"t{number}"] = scheduler.post(a_call(table=f"t{number}"))
            timer.join()

    with FaultyServer(reply(OK)) as server:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(race, range(256)))
        time.sleep(0.2)
        executed = [json.loads(seen.body)["tableName"] for seen in server.seen]
    assert len(set(executed)) == len(executed)
    assert {type(outcome) for outcome in outcomes.values()} <= {NotSent, Unknown, Triggered}
    assert not [table for table in executed if isinstance(outcomes[table], NotSent)]
    assert not [t for t, outcome in outcomes.items() if isinstance(outcome, Triggered) and t not in executed]
    assert [outcome for outcome in outcomes.values() if isinstance(outcome, NotSent)]


def test_a_signal_handler_may_abort_the_call_that_its_own_thread_waits_for() -> None:
    with FaultyServer(hang) as server, Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler:
        before = signal.signal(signal.SIGUSR1, lambda *_: scheduler.abort(0.1))
        timer = Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGUSR1))
        timer.start()
        try:
            assert scheduler.post(a_call()) == Unknown("the run was stopped before the answer came")
        finally:
            timer.join()
            signal.signal(signal.SIGUSR1, before)


def test_a_keyboard_interrupt_goes_on_and_ends_the_connection() -> None:
    with FaultyServer(hang) as server, Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer = Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                scheduler.post(a_call())
        finally:
            timer.join()
            signal.signal(signal.SIGINT, before)
        assert server.left.wait(2)
        assert server.executed == 1


def test_closing_ends_what_is_under_way_and_leaves_no_thread() -> None:
    with FaultyServer(drip(bytes([byte]) for byte in OK)) as server:
        scheduler = Scheduler(replace(TARGET, url=server.url), CREDENTIAL)
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(scheduler.post, a_call())
            wait_until(lambda: server.executed == 1)
            scheduler.close()
            assert isinstance(waiting.result(), Unknown)
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "scheduler-call"])


@pytest.mark.parametrize("name", ["a good answer", "an echo", "an echo in a refusal", *BROKEN])
def test_the_secret_is_never_seen(name: str, caplog: pytest.LogCaptureFixture) -> None:
    echo = envelope(data=None, errorMsg=f"bad auth-value {CANARY}", traceId=CANARY)
    scenarios = {
        "a good answer": reply(http(200, envelope(), f"X-Echo: {CANARY}")),
        "an echo": reply(http(200, echo)),
        "an echo in a refusal": reply(http(401, echo)),
        **{broken: scenario for broken, (scenario, _) in BROKEN.items()},
    }
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore").setLevel(logging.NOTSET)
    with FaultyServer(scenarios[name]) as server:
        with Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler:
            outcome: Outcome = scheduler.post(a_call())
            assert CANARY not in f"{outcome!r} {outcome} {scheduler!r} {vars(scheduler)!r}"
            with pytest.raises(TypeError):
                pickle.dumps(scheduler)
        assert all(dict(seen.headers)["auth-value"] == CANARY for seen in server.seen)
    assert CANARY not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith(("httpx", "httpcore"))]
