"""When a call may start: the pause between a table's calls, and a target's hours."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import pytest

from reconciler.core.call import Call
from reconciler.core.config import Hours
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered
from reconciler.protocol.sender import Sender
from tests.core import worlds
from tests.inline import InlineExecutor
from tests.protocol.lines import Line, Lines, call, labels, made, send
from tests.protocol.ports import Clock


def test_a_tables_calls_lie_a_pause_apart_and_so_do_its_retries() -> None:
    clock, starts = Clock(), list[float]()

    def during(_call: Call) -> None:
        starts.append(clock.now)
        clock.now += 7  # the pause begins when a call has ended

    line = Line([Triggered("t"), NotSent("refused"), Rejected("slow down", retry_after=60.0)], during=during)
    results = send(line, [call("a", n) for n in range(3)], clock=clock, pause=30.0, concurrency=1)
    assert set(labels(results)) == {"triggered"}
    assert starts == [0.0, 37.0, 74.0, 141.0, 178.0]


def test_a_pause_lasts_from_one_batch_to_the_next() -> None:
    clock, line = Clock(), Line()
    target = replace(worlds.target(), pause=30.0)
    with Sender({"prod": target}, {"prod": line}, Lines(), clock, lambda _: None, InlineExecutor) as sender:
        made(sender, [call("a", 1), call("b", 1)])
        assert clock.now == 0
        made(sender, [call("a", 2)])
    assert clock.now == 30


def test_a_table_that_pauses_keeps_no_other_from_being_called() -> None:
    """Table b has to be called while a pauses, though there is one slot: else the pause would not end."""
    called = threading.Event()

    @dataclass(slots=True)
    class Waiting(Clock):
        def wait(self, seconds: float) -> bool:
            if seconds > 0 and not called.wait(20):
                raise AssertionError("the other table waits for the pause")
            return Clock.wait(self, seconds)

    def during(call: Call) -> None:
        if call.table == "b":
            called.set()

    line = Line(during=during)
    calls = [call("a", 1), call("a", 2), call("b", 1)]
    assert set(labels(send(line, calls, clock=Waiting(), pause=30.0, concurrency=1))) == {"triggered"}


def test_no_more_calls_are_in_flight_than_the_target_takes_though_tables_pause() -> None:
    flying, most, lock = 0, 0, threading.Lock()

    def during(_call: Call) -> None:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        threading.Event().wait(0.01)
        with lock:
            flying -= 1

    calls = [call(table, n) for n in range(2) for table in "abcdefgh"]
    results = send(Line(during=during), calls, pause=1.0, concurrency=2)
    assert set(labels(results)) == {"triggered"}
    assert most <= 2


def test_a_signal_ends_a_pause_at_once() -> None:
    clock = Clock()

    def during(_call: Call) -> None:
        clock.stopping = True

    line = Line(during=during)
    results = send(line, [call("a", 1), call("a", 2)], clock=clock, pause=3600.0)
    assert labels(results) == ["triggered", "skipped"]
    assert clock.now < 3600


NIGHT = Hours(22 * 3600, 6 * 3600)


def test_a_pause_ends_where_its_call_may_not_be_made_any_more() -> None:
    clock = Clock(midnight=6 * 3600 - 100)
    results = send(Line(), [call("a", 1), call("a", 2)], clock=clock, pause=3600.0, window=NIGHT)
    assert labels(results) == ["triggered", "skipped"]
    assert clock.now == 100


def test_no_call_starts_once_the_targets_hours_are_over() -> None:
    clock = Clock(midnight=6 * 3600 - 100)

    def during(_call: Call) -> None:
        clock.now += 40

    line = Line(during=during)
    results = send(line, [call("a", n) for n in range(5)], clock=clock, window=NIGHT)
    assert labels(results) == ["triggered"] * 3 + ["skipped"] * 2
    assert len(line.posted) == 3
    held = results[-1].held
    assert held is not None
    assert held.because == "window"
    assert held.message == "prod takes calls 22:00-06:00 (UTC); it is 06:00 there: apply again then"


@pytest.mark.parametrize(
    ("answers", "settings"),
    [
        ([], {"pause": 60.0}),
        ([], {"calls_per_second": 1 / 60}),
        ([Triggered("t"), Rejected("slow down", retry_after=60.0)], {}),
        ([Triggered("t"), *[NotSent("refused")] * 3], {}),
    ],
    ids=["pause", "pace", "throttled", "retried"],
)
def test_the_hours_are_looked_at_after_every_wait(answers: list[Outcome], settings: dict[str, float]) -> None:
    starts = list[int]()
    clock = Clock(midnight=6 * 3600 - 2)
    line = Line(answers, during=lambda _call: starts.append(clock.wall("UTC")))
    send(line, [call("a", n) for n in range(3)], None, clock, window=NIGHT, concurrency=1, **settings)
    assert starts
    assert all(start in NIGHT for start in starts)


def test_hours_that_are_over_stay_so_for_the_run_and_are_told_before_a_call_enters_a_batch() -> None:
    clock, line = Clock(midnight=7 * 3600), Line()
    target = replace(worlds.target(), window=NIGHT)
    with Sender({"prod": target}, {"prod": line}, Lines(), clock, lambda _: None, InlineExecutor) as sender:
        for _ in range(2):
            held = sender.stopped(call("a", 1))
            assert held is not None
            assert held.because == "window"
            clock.now += 16 * 3600
    assert line.posted == []


def test_another_targets_hours_do_not_matter() -> None:
    clock, line = Clock(midnight=7 * 3600), Line()
    targets = {"prod": replace(worlds.target(), window=NIGHT), "test": replace(worlds.target(), name="test")}
    schedulers = {"prod": line, "test": line}
    with Sender(targets, schedulers, Lines(), clock, lambda _: None, InlineExecutor) as sender:
        results = made(sender, [call("a", 1), call("a", 1, "test")])
    assert labels(results) == ["skipped", "triggered"]
