"""Making calls: retries, pacing, who stops whom, and the journal's lines around each POST."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.core.call import Call
from reconciler.core.outcome import NotSent, Outcome, Rejected, Unknown
from reconciler.core.report import Result
from reconciler.protocol.sender import Sender
from tests.core import worlds
from tests.protocol.lines import Line, Lines, call, labels, made, send
from tests.protocol.ports import Clock


def test_a_call_that_never_left_is_tried_again() -> None:
    line = Line([NotSent("refused"), NotSent("refused")])
    journal = Lines()
    assert labels(send(line, [call("a", 1)], journal)) == ["triggered"]
    assert [event for event, _ in journal.lines] == ["sending", "outcome"] * 3


def test_a_call_that_never_leaves_is_given_up() -> None:
    line = Line([NotSent("refused")] * 9)
    assert labels(send(line, [call("a", 1)])) == ["notSent"]
    assert len(line.posted) == 4


def test_a_throttled_call_waits_as_told_and_is_tried_again() -> None:
    line, clock = Line([Rejected("slow down", retry_after=7.0)]), Clock()
    assert labels(send(line, [call("a", 1)], clock=clock)) == ["triggered"]
    assert 7.0 in clock.waited


def test_a_throttle_that_asks_for_no_wait_gets_one_all_the_same() -> None:
    line, clock = Line([Rejected("slow down", retry_after=0.0)]), Clock()
    send(line, [call("a", 1)], clock=clock)
    assert clock.waited == [0.5]


@pytest.mark.parametrize("outcome", [Unknown("lost"), Rejected("no")])
def test_a_lost_or_refused_call_is_not_tried_again_and_stops_its_table_only(outcome: Outcome) -> None:
    line = Line([outcome])
    results = send(line, [call("a", 1), call("a", 2), call("b", 1)], concurrency=1)
    assert labels(results) == [results[0].label, "skipped", "triggered"]
    assert len(line.posted) == 2


def test_a_refused_credential_stops_its_target() -> None:
    line = Line([Rejected("who are you", target_wide=True)])
    results = send(line, [call("a", 1), call("b", 1), call("c", 1)], concurrency=1)
    assert labels(results) == ["rejected", "skipped", "skipped"]


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
    results = send(line, [call(table, n) for n in range(3) for table in "ab"], concurrency=2)
    assert set(labels(results)) == {"triggered"}
    assert most == {"a": 1, "b": 1}


def test_calls_are_paced() -> None:
    clock = Clock()
    send(Line(), [call("a", n) for n in range(5)], clock=clock, calls_per_second=2.0, concurrency=1)
    assert clock.now == pytest.approx(2.0)


def test_no_call_is_made_without_its_line_in_the_journal() -> None:
    line = Line()
    results = send(line, [call("a", 1), call("b", 1)], Lines(full_at=0), concurrency=1)
    assert labels(results) == ["skipped", "skipped"]
    assert line.posted == []
    assert "No space left" in (results[0].error or "")


def test_an_answer_that_the_journal_cannot_take_still_counts_and_nothing_follows() -> None:
    line = Line()
    results = send(line, [call("a", 1), call("b", 1)], Lines(full_at=1), concurrency=1)
    assert labels(results) == ["triggered", "skipped"]


def test_a_client_that_breaks_leaves_the_call_in_doubt() -> None:
    def during(_call: Call) -> None:
        raise ZeroDivisionError

    assert labels(send(Line(during=during), [call("a", 1)])) == ["unknown"]


def test_after_an_interrupt_no_call_begins() -> None:
    line = Line()
    assert labels(send(line, [call("a", 1)], clock=Clock(stopping=True))) == ["skipped"]
    assert line.posted == []


class _Slow(Lines):
    """A journal that has the outcome of table `a` on disk only when something else has happened."""

    def __init__(self, until: threading.Event) -> None:
        super().__init__()
        self.until = until

    def outcome(self, call_id: str, outcome: Outcome, at: str) -> None:
        if call_id == call("a", 1).id:
            assert self.until.wait(5)
        super().outcome(call_id, outcome, at)


def test_a_slot_is_free_while_an_outcome_is_brought_to_disk() -> None:
    other = threading.Event()
    line = Line(during=lambda made: other.set() if made.table == "b" else None)
    assert labels(send(line, [call("a", 1), call("b", 1)], _Slow(other), concurrency=1)) == ["triggered"] * 2


def test_whoever_gets_the_slot_of_a_call_with_a_refused_credential_knows_of_it() -> None:
    other = threading.Event()
    line = Line([Rejected("who are you", target_wide=True)])
    target = replace(worlds.target(), concurrency=1)
    told: Callable[[Result], None] = lambda result: other.set() if result.call.table == "b" else None  # noqa: E731
    with Sender({"prod": target}, {"prod": line}, _Slow(other), Clock(), told) as sender:
        assert labels(made(sender, [call("a", 1), call("b", 1)])) == ["rejected", "skipped"]
    assert [one.table for one in line.posted] == ["a"]


def test_after_a_halt_no_call_begins_and_those_under_way_have_their_results() -> None:
    under_way, halted = threading.Event(), threading.Event()

    def during(_call: Call) -> None:
        under_way.set()
        assert halted.wait(5)

    target = replace(worlds.target(), concurrency=1)
    with Sender({"prod": target}, {"prod": Line(during=during)}, Lines(), Clock(), lambda _: None) as sender:
        sender.begin([call("a", 1), call("a", 2), call("b", 1)])
        assert under_way.wait(5)
        sender.halt("the state cannot be written")
        halted.set()
        results = sender.end()
    assert sorted(labels(results)) == ["skipped", "skipped", "triggered"]
