"""Making calls: retries, pacing, who stops whom, and the journal's lines around each POST."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from reconciler.core.call import Call, Times
from reconciler.core.config import Target
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.report import Result
from reconciler.protocol.sender import Sender
from tests.core import worlds
from tests.protocol.ports import Clock


@dataclass
class Line:
    """A scheduler that gives prepared answers, in order, and triggers everything after that."""

    answers: list[Outcome] = field(default_factory=list)
    posted: list[Call] = field(default_factory=list)
    during: Callable[[Call], None] = lambda _call: None

    def post(self, call: Call) -> Outcome:
        self.posted.append(call)
        self.during(call)
        return self.answers.pop(0) if self.answers else Triggered("trace")


@dataclass
class Lines:
    """A journal in memory; from the line `full_at` on, the disk is full."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    full_at: int = 10**6

    def _write(self, event: str, call_id: str) -> None:
        if len(self.lines) >= self.full_at:
            raise OSError(28, "No space left on device")
        self.lines.append((event, call_id))

    def sending(self, call_id: str, at: str) -> None:
        self._write("sending", call_id)

    def outcome(self, call_id: str, outcome: Outcome, at: str) -> None:
        self._write("outcome", call_id)


def _call(table: str, number: int, target: str = "prod") -> Call:
    return Call(target, table, "tn", Times((number * 3600,)), (), ("m#1",), ())


def _send(
    scheduler: Line, calls: list[Call], journal: Lines | None = None, clock: Clock | None = None, **target: object
) -> tuple[Result, ...]:
    aim: Target = replace(worlds.target(), **target)  # type: ignore[arg-type]
    with Sender({"prod": aim}, {"prod": scheduler}, journal or Lines(), clock or Clock(), lambda _: None) as sender:
        return sender.send(calls)


def _labels(results: tuple[Result, ...]) -> list[str]:
    return [result.label for result in results]


def test_a_call_that_never_left_is_tried_again() -> None:
    line = Line([NotSent("refused"), NotSent("refused")])
    journal = Lines()
    assert _labels(_send(line, [_call("a", 1)], journal)) == ["triggered"]
    assert [event for event, _ in journal.lines] == ["sending", "outcome"] * 3


def test_a_call_that_never_leaves_is_given_up() -> None:
    line = Line([NotSent("refused")] * 9)
    assert _labels(_send(line, [_call("a", 1)])) == ["notSent"]
    assert len(line.posted) == 4


def test_a_throttled_call_waits_as_told_and_is_tried_again() -> None:
    line, clock = Line([Rejected("slow down", retry_after=7.0)]), Clock()
    assert _labels(_send(line, [_call("a", 1)], clock=clock)) == ["triggered"]
    assert 7.0 in clock.waited


def test_a_throttle_that_asks_for_no_wait_gets_one_all_the_same() -> None:
    line, clock = Line([Rejected("slow down", retry_after=0.0)]), Clock()
    _send(line, [_call("a", 1)], clock=clock)
    assert clock.waited == [0.5]


@pytest.mark.parametrize("outcome", [Unknown("lost"), Rejected("no")])
def test_a_lost_or_refused_call_is_not_tried_again_and_stops_its_table_only(outcome: Outcome) -> None:
    line = Line([outcome])
    results = _send(line, [_call("a", 1), _call("a", 2), _call("b", 1)], concurrency=1)
    assert _labels(results) == [results[0].label, "skipped", "triggered"]
    assert len(line.posted) == 2


def test_a_refused_credential_stops_its_target() -> None:
    line = Line([Rejected("who are you", target_wide=True)])
    results = _send(line, [_call("a", 1), _call("b", 1), _call("c", 1)], concurrency=1)
    assert _labels(results) == ["rejected", "skipped", "skipped"]


def test_a_tables_calls_go_one_after_another_and_tables_side_by_side() -> None:
    flying: dict[str, int] = {}
    most: dict[str, int] = {}
    together = threading.Barrier(2, timeout=5)

    def during(call: Call) -> None:
        flying[call.table] = flying.get(call.table, 0) + 1
        most[call.table] = max(most.get(call.table, 0), flying[call.table])
        together.wait()
        flying[call.table] -= 1

    line = Line(during=during)
    results = _send(line, [_call(table, n) for n in range(3) for table in "ab"], concurrency=2)
    assert set(_labels(results)) == {"triggered"}
    assert most == {"a": 1, "b": 1}


def test_calls_are_paced() -> None:
    clock = Clock()
    _send(Line(), [_call("a", n) for n in range(5)], clock=clock, calls_per_second=2.0, concurrency=1)
    assert clock.now == pytest.approx(2.0)


def test_no_call_is_made_without_its_line_in_the_journal() -> None:
    line = Line()
    results = _send(line, [_call("a", 1), _call("b", 1)], Lines(full_at=0), concurrency=1)
    assert _labels(results) == ["skipped", "skipped"]
    assert line.posted == []
    assert "No space left" in (results[0].error or "")


def test_an_answer_that_the_journal_cannot_take_still_counts_and_nothing_follows() -> None:
    line = Line()
    results = _send(line, [_call("a", 1), _call("b", 1)], Lines(full_at=1), concurrency=1)
    assert _labels(results) == ["triggered", "skipped"]


def test_a_client_that_breaks_leaves_the_call_in_doubt() -> None:
    def during(_call: Call) -> None:
        raise ZeroDivisionError

    assert _labels(_send(Line(during=during), [_call("a", 1)])) == ["unknown"]


def test_after_an_interrupt_no_call_begins() -> None:
    line = Line()
    assert _labels(_send(line, [_call("a", 1)], clock=Clock(stopping=True))) == ["skipped"]
    assert line.posted == []
