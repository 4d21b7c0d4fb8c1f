"""The apply protocol against in-memory ports: what is durable when, and what a lost race does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from reconciler.core.call import Call, Range
from reconciler.core.change import Change, Changed, Entry, Snapshot
from reconciler.core.ledger import Intent
from reconciler.core.needs import Table
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import plan_table
from reconciler.core.policy import Approval, Approved
from reconciler.core.report import Report, Result
from reconciler.core.request import Request
from reconciler.errors import Failure, Stale
from reconciler.protocol.apply import Applier, Run
from reconciler.protocol.sender import Sender
from tests.core import worlds
from tests.protocol.lines import Line, Lines
from tests.protocol.ports import Clock, CountingSender, MemoryState

HOUR = 3600
KEY = ("prod", "a.b")


@dataclass
class Bench:
    """One table with three separate hours asked for, and everything that an apply needs."""

    requests: tuple[Request, ...] = (
        worlds.request("m#1", ((0, HOUR),)),
        worlds.request("m#2", ((2 * HOUR, 3 * HOUR),)),
        worlds.request("m#3", ((4 * HOUR, 5 * HOUR),)),
    )
    approvals: dict[str, Approval] = field(default_factory=dict)
    state: MemoryState = field(default_factory=MemoryState)
    sender: CountingSender = field(default_factory=CountingSender)
    clock: Clock = field(default_factory=Clock)
    settled: Change = field(default_factory=Change)

    def plan(self, snapshot: Snapshot) -> Plan:
        table = Table(worlds.target(), "a.b", self.requests, snapshot.ledger(KEY), snapshot.intents, now=10**10)
        return make_plan(snapshot.commit, [plan_table(table, self.approvals)])

    def apply(self, batch: int = 2, *, agreed: bool = False, name: str = "mine") -> Report:
        snapshot = self.state.read()
        plan = self.plan(Changed(snapshot, self.settled))
        ids = frozenset(call.agreement for call in plan.due) if agreed else None
        run = Run(name, "dana", "abc", batch, ids)
        applier = Applier(run, self.state, self.plan, lambda _: self.settled, self.sender, self.clock)
        return applier.execute(snapshot, self.settled, plan)

    def executions(self) -> Counter[int]:
        return Counter(window[0] for call in self.sender.sent for window in call.span.windows)

    def other_run_does_first(self, *numbers: int) -> None:
        """Let another run trigger some of the calls just before our first commit."""
        theirs = [self.plan(self.state.read()).ready[number] for number in numbers]

        def first(_change: Change) -> None:
            self.state.before_commit = lambda _change: None
            entries = tuple(Entry(KEY, worlds.trigger(call.span)) for call in theirs)
            self.state.write(Change(entries=entries))

        self.state.before_commit = first

    def labels(self, report: Report) -> list[str]:
        return [result.label for result in report.results]


@pytest.mark.parametrize("early", [0, 9])
def test_every_call_is_intended_before_it_is_sent_and_recorded_after(early: int) -> None:
    bench = Bench(sender=CountingSender(early=early))
    seen: list[bool] = []

    def answer(call: object) -> Outcome:
        seen.append(call in [intent.call for intent in bench.state.tip.intents])
        return Triggered("trace")

    bench.sender.answer = answer
    report = bench.apply()
    assert seen == [True, True, True]
    assert bench.labels(report) == ["triggered"] * 3
    assert bench.state.tip.intents == ()
    assert report.commit == bench.state.tip.commit
    assert bench.apply().results == ()


def test_outcomes_share_a_commit_with_the_next_batchs_intents() -> None:
    bench = Bench()
    bench.apply(batch=1)
    subjects = [message.split("\n")[0] for message in bench.state.messages]
    assert subjects == [
        "Intend 1 call: a.b on prod",
        "Record 1 triggered; intend 1 call: a.b on prod",
        "Record 1 triggered; intend 1 call: a.b on prod",
        "Record 1 triggered: a.b on prod",
    ]


def test_a_lost_answer_stays_pending_and_is_never_sent_again() -> None:
    bench = Bench()
    bench.sender.answer = lambda _call: Unknown("no answer")
    first = bench.apply()
    assert set(bench.labels(first)) == {"unknown"}
    assert len(bench.state.tip.intents) == 3
    bench.sender.answer = lambda _call: Triggered(None)
    assert bench.apply(name="second").results == ()
    assert set(bench.executions().values()) == {1}


@pytest.mark.parametrize("refusal", [Rejected("no"), NotSent("no")])
def test_a_refused_call_is_owed_again_in_the_next_apply_only(refusal: Outcome) -> None:
    bench = Bench()
    bench.sender.answer = lambda _call: refusal
    bench.apply()
    assert bench.state.tip.intents == ()
    assert len(bench.sender.sent) == 3
    bench.sender.answer = lambda _call: Triggered(None)
    assert bench.labels(bench.apply(name="second")) == ["triggered"] * 3


def test_a_lost_race_plans_again_and_sends_only_what_is_still_owed() -> None:
    bench = Bench()
    bench.other_run_does_first(0, 1)
    report = bench.apply()
    assert [window[0] for call in bench.sender.sent for window in call.span.windows] == [4 * HOUR]
    assert bench.labels(report) == ["triggered"]
    assert not report.stale


def test_a_race_lost_after_calls_records_their_outcomes_first() -> None:
    bench = Bench()
    sent_first = bench.sender.answer

    def answer(call: object) -> Outcome:
        bench.other_run_does_first(0)
        bench.sender.answer = sent_first
        return Triggered("trace")

    bench.sender.answer = answer
    report = bench.apply(batch=1)
    assert bench.labels(report)[0] == "triggered"
    ledger = bench.state.tip.ledger(KEY)
    assert ledger is not None
    assert {trigger.trace_id for trigger in ledger.triggers} >= {"trace"}
    assert max(bench.executions().values()) == 1
    assert not report.unrecorded


def test_what_nobody_agreed_to_is_not_sent_after_a_lost_race() -> None:
    bench = Bench()

    def first(_change: Change) -> None:
        bench.state.before_commit = lambda _change: None
        half = worlds.trigger(Range((0, HOUR // 2), "inclusive"))
        bench.state.write(Change(entries=(Entry(KEY, half),)))

    bench.state.before_commit = first
    report = bench.apply(agreed=True)
    assert report.stale
    assert bench.executions() == {2 * HOUR: 1, 4 * HOUR: 1}


def test_a_race_that_is_always_lost_ends_as_stale_with_nothing_sent() -> None:
    bench = Bench()
    bench.state.before_commit = lambda _change: bench.state.write(Change())
    with pytest.raises(Stale, match="other runs"):
        bench.apply()
    assert bench.sender.sent == []


def test_no_call_is_made_when_the_intents_cannot_be_written() -> None:
    bench = Bench()

    def fail(_change: Change) -> None:
        raise Failure("the remote does not answer")

    bench.state.before_commit = fail
    with pytest.raises(Failure, match="does not answer"):
        bench.apply()
    assert bench.sender.sent == []


def test_outcomes_that_cannot_be_written_are_reported_and_nothing_more_is_sent() -> None:
    bench = Bench()

    def fail_on_outcomes(change: Change) -> None:
        if change.settled:
            raise Failure("the remote does not answer")

    bench.state.before_commit = fail_on_outcomes
    report = bench.apply(batch=1)
    assert report.unrecorded
    assert report.failure is not None
    assert bench.labels(report) == ["triggered", "skipped", "skipped"]
    assert len(bench.sender.sent) == 1
    assert len(bench.state.tip.intents) == 1


def test_a_batch_is_intended_while_the_one_before_is_under_way() -> None:
    bench = Bench(requests=tuple(worlds.request(f"m#{n}", ((2 * n * HOUR, (2 * n + 1) * HOUR),)) for n in range(6)))
    begun: list[tuple[int, int]] = []
    bench.state.before_commit = lambda _change: begun.append((len(bench.sender.batches), len(bench.sender.sent)))
    assert bench.labels(bench.apply()) == ["triggered"] * 6
    assert begun == [(0, 0), (1, 0), (2, 2), (3, 4), (3, 6)]
    assert [message.split(":")[0] for message in bench.state.messages] == [
        "Intend 2 calls",
        "Intend 2 calls",
        "Record 2 triggered; intend 2 calls",
        "Record 2 triggered",
        "Record 2 triggered",
    ]


def test_calls_are_made_while_the_next_batch_is_pushed() -> None:
    """No call is answered before the next batch's push is under way; the push ends when they are."""
    bench = Bench()
    pushing, answered = threading.Event(), threading.Event()

    def beside(_change: Change) -> None:
        if bench.state.messages:
            bench.state.before_commit = lambda _change: None
            pushing.set()
            assert answered.wait(5)

    def during(_call: Call) -> None:
        assert pushing.wait(5)
        answered.set()

    bench.state.before_commit = beside
    line = Line(during=during)
    with Sender({"prod": worlds.target()}, {"prod": line}, Lines(), bench.clock, lambda _: None) as sender:
        snapshot = bench.state.read()
        run = Run("mine", "dana", "abc", 2, None)
        applier = Applier(run, bench.state, bench.plan, lambda _: Change(), sender, bench.clock)
        report = applier.execute(snapshot, Change(), bench.plan(snapshot))
    assert bench.labels(report) == ["triggered"] * 3


def test_a_batch_of_one_is_intended_when_the_one_before_has_its_outcome() -> None:
    bench = Bench()
    unanswered: list[int] = []
    bench.state.before_commit = lambda _change: unanswered.append(len(bench.sender.batches) - len(bench.sender.sent))
    bench.apply(batch=1)
    assert unanswered == [0] * 4


def test_a_push_that_fails_beside_calls_keeps_their_outcomes_and_lets_no_other_begin() -> None:
    bench = Bench(sender=CountingSender(early=1))

    def fail_second(_change: Change) -> None:
        if bench.sender.batches:
            raise Failure("the remote does not answer")

    bench.state.before_commit = fail_second
    report = bench.apply()
    assert report.unrecorded
    assert report.failure is not None
    assert bench.labels(report) == ["triggered", "skipped", "skipped"]
    assert "nothing more can be recorded" in (report.results[1].error or "")
    assert len(bench.sender.sent) == 1


def test_a_race_lost_beside_calls_waits_for_them_and_records_them_with_what_it_plans_then() -> None:
    bench = Bench()

    def race(_change: Change) -> None:
        if bench.sender.batches:
            bench.state.before_commit = lambda _change: None
            bench.state.write(Change())

    bench.state.before_commit = race
    assert bench.labels(bench.apply()) == ["triggered"] * 3
    subjects = [message.split(":")[0] for message in bench.state.messages]
    assert subjects == ["Intend 2 calls", "another run", "Record 2 triggered; intend 1 call", "Record 1 triggered"]
    assert set(bench.executions().values()) == {1}


def test_an_interrupt_takes_back_what_was_intended_ahead() -> None:
    bench = Bench()
    answer = bench.sender.answer

    def interrupted(call: Call) -> Outcome:
        bench.clock.stopping = True
        bench.sender.refuses = lambda _call: "the run was interrupted"
        return answer(call)

    bench.sender.answer = interrupted
    report = bench.apply()
    assert sorted(bench.labels(report)) == ["skipped", "skipped", "triggered"]
    assert bench.state.tip.intents == ()
    assert len(bench.state.messages) == 3


def test_an_interrupt_sends_nothing_more_and_records_what_was_sent() -> None:
    bench = Bench()

    def answer(_call: object) -> Outcome:
        bench.clock.stopping = True
        return Triggered("trace")

    bench.sender.answer = answer
    report = bench.apply(batch=1)
    assert bench.labels(report) == ["triggered", "skipped", "skipped"]
    assert bench.state.tip.intents == ()


def test_a_stopped_table_gets_no_further_intents() -> None:
    bench = Bench()
    bench.sender.refuses = lambda _call: "stopped" if bench.sender.sent else None
    report = bench.apply(batch=1)
    assert bench.labels(report) == ["triggered", "skipped", "skipped"]
    assert not any("intend" in message for message in bench.state.messages[1:])


def test_an_approved_rerun_over_doubt_removes_the_old_intent() -> None:
    bench = Bench(requests=(worlds.request("m#1", ((0, HOUR),)),))
    bench.sender.answer = lambda _call: Unknown("lost")
    bench.apply()
    bench.requests += (worlds.request("m#again", ((0, HOUR),), "red"),)
    bench.approvals = {"m#again": Approved(("dana",))}
    bench.sender.answer = lambda _call: Triggered("trace")
    report = bench.apply(name="second")
    assert bench.labels(report) == ["triggered"]
    assert bench.state.tip.intents == ()


def test_what_a_journal_settles_is_committed_even_where_nothing_is_owed() -> None:
    bench = Bench(requests=(worlds.request("m#1", ((0, HOUR),)),))
    (call,) = bench.plan(bench.state.read()).ready
    old = Intent(call, "dead", "dana", "2026-01-20T05:00:00Z", "abc")
    bench.state.write(Change(intents=(old,)))
    bench.settled = Change(entries=(Entry(KEY, old.triggered("trace", old.since)),), settled=(old,))
    report = bench.apply()
    assert report.results == ()
    assert bench.state.tip.intents == ()
    assert bench.state.messages[-1].startswith("Settle 1 call of a run that died")


def test_equal_calls_of_two_runs_are_told_apart_by_their_run() -> None:
    bench = Bench(requests=(worlds.request("m#1", ((0, HOUR),)),))
    (call,) = bench.plan(bench.state.read()).ready
    mine = Intent(call, "one", "dana", "now", "abc")
    theirs = replace(mine, run="two")
    bench.state.write(Change(intents=(mine, theirs)))
    bench.state.write(Change(settled=(mine,)))
    assert bench.state.tip.intents == (theirs,)


def test_every_call_that_the_sender_does_not_get_is_told_of() -> None:
    bench = Bench()
    bench.sender.refuses = lambda _call: "stopped" if bench.sender.sent else None
    snapshot = bench.state.read()
    told: list[Result] = []
    run = Run("mine", "dana", "abc", 1, None)
    sender, clock = bench.sender, bench.clock
    applier = Applier(run, bench.state, bench.plan, lambda _: Change(), sender, clock, told.append)
    report = applier.execute(snapshot, Change(), bench.plan(snapshot))
    assert bench.labels(report) == ["triggered", "skipped", "skipped"]
    assert told == list(report.results[1:])


def _always(_: Snapshot) -> bool:
    return True


def _covering(bench: Bench, when: Callable[[Snapshot], bool] = _always) -> None:
    """Let each call of the bench cover one for a table downstream, in states where `when` says so."""
    plan = bench.plan

    def covering(snapshot: Snapshot) -> Plan:
        if not when(snapshot):
            return plan(snapshot)
        (table,) = plan(snapshot).tables
        calls = tuple(replace(planned, call=_with_cover(planned.call)) for planned in table.calls)
        return make_plan(snapshot.commit, [replace(table, calls=calls)])

    bench.plan = covering  # type: ignore[method-assign]


def _with_cover(call: Call) -> Call:
    return replace(call, covers=(Call("prod", "c.d", "tn", call.span, (), ("below#1",), ()),))


BELOW = ("prod", "c.d")


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_what_a_call_covers_is_recorded_in_the_commit_of_its_own_line(batch: int) -> None:
    bench = Bench()
    _covering(bench)
    seen: list[tuple[int, int]] = []

    def both(_change: Change) -> None:
        ledgers = [bench.state.tip.ledger(key) for key in (KEY, BELOW)]
        seen.append((len(ledgers[0].triggers) if ledgers[0] else 0, len(ledgers[1].triggers) if ledgers[1] else 0))

    bench.state.before_commit = both
    report = bench.apply(batch=batch)
    assert bench.labels(report) == ["triggered"] * 3
    assert [call.table for call in bench.sender.sent] == ["a.b"] * 3
    assert all(above == below for above, below in seen)
    above, below = bench.state.tip.ledger(KEY), bench.state.tip.ledger(BELOW)
    assert above is not None
    assert below is not None
    assert [line.covered_by and line.covered_by.id for line in below.triggers] == [line.id for line in above.triggers]
    assert "covers c.d (1 call)" in bench.state.messages[-1]


@pytest.mark.parametrize("outcome", [Rejected("no"), NotSent("no"), Unknown("lost")])
def test_a_call_that_is_not_known_to_be_made_has_no_lines_anywhere(outcome: Outcome) -> None:
    bench = Bench()
    _covering(bench)
    bench.sender.answer = lambda _call: outcome
    bench.apply()
    assert bench.state.tip.ledger(KEY) is bench.state.tip.ledger(BELOW) is None
    kept = [cover.table for intent in bench.state.tip.intents for cover in intent.call.covers]
    assert kept == (["c.d"] * 3 if isinstance(outcome, Unknown) else [])


def test_covered_lines_survive_a_lost_race() -> None:
    bench = Bench()
    _covering(bench)
    bench.other_run_does_first(1)
    bench.apply()
    above, below = bench.state.tip.ledger(KEY), bench.state.tip.ledger(BELOW)
    assert above is not None
    assert below is not None
    assert (len(above.triggers), len(below.triggers)) == (3, 2)


def test_a_call_that_covers_more_than_was_agreed_to_is_not_made_after_a_lost_race() -> None:
    bench = Bench()
    _covering(bench, lambda snapshot: snapshot.commit is not None)

    def first(_change: Change) -> None:
        bench.state.before_commit = lambda _change: None
        bench.state.write(Change())

    bench.state.before_commit = first
    report = bench.apply(agreed=True)
    assert report.stale
    assert bench.sender.sent == []


def test_a_rerun_downstream_that_comes_last_ends_the_doubt_of_the_call_that_covers_it() -> None:
    bench = Bench(requests=(worlds.request("m#again", ((0, HOUR),), "red"),))
    bench.approvals = {"m#again": Approved(("dana",))}
    below = worlds.call(Range((0, HOUR), "inclusive"))
    above = Intent(replace(below, table="u.p", covers=(below,)), "dead", "dana", "2026-01-20T05:00:00Z", "abc")
    again = Entry(("prod", "u.p"), worlds.trigger(below.span, ("blue",)))
    bench.state.write(Change(entries=(again,), intents=(above,)))
    assert bench.labels(bench.apply()) == ["triggered"]
    assert bench.state.tip.intents == ()
