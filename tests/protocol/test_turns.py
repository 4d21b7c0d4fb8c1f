"""A table's calls go when those of the tables it depends on were all triggered, in any order of things; or are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Call
from reconciler.core.change import Change, Entry, Snapshot
from reconciler.core.needs import Table
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import plan_table
from reconciler.core.policy import Held
from reconciler.core.report import Report, Result, Skipped
from reconciler.core.request import Dependency
from reconciler.protocol.apply import Applier, Run
from reconciler.protocol.turns import Turns
from tests.core import worlds
from tests.figures import Tried
from tests.protocol.ports import Clock, MemoryState

HOUR = 3600
GOOD = Triggered("trace")
OUTCOMES: tuple[Outcome, ...] = (GOOD, GOOD, GOOD, Rejected("no such table"), NotSent("refused"), Unknown("lost"))

Graph = tuple[tuple[int, ...], ...]
"""Of each table, by its number, the tables that it depends on; and they have lower numbers."""


@dataclass
class Bench:
    """Tables that depend on each other, each with some separate hours asked for; table 2 is `t2` of manifest `m2`."""

    graph: Graph
    calls: Sequence[int]
    answer: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    state: MemoryState = field(default_factory=MemoryState)
    clock: Clock = field(default_factory=Clock)
    plans: list[Plan] = field(default_factory=list)
    batches: list[list[Call]] = field(default_factory=list)
    triggered: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    coming: Sequence[Call] = ()

    def plan(self, snapshot: Snapshot) -> Plan:
        tables = []
        for number, (upstream, calls) in enumerate(zip(self.graph, self.calls, strict=True)):
            name, spans = f"t{number}", [(2 * n * HOUR, (2 * n + 1) * HOUR) for n in range(calls)]
            requests = tuple(replace(worlds.request(f"m{number}#{at}", (at,)), table=name) for at in spans)
            intents = tuple(intent for intent in snapshot.intents if intent.call.table == name)
            table = Table(worlds.target(), name, requests, snapshot.ledger(("prod", name)), intents, now=10**10)
            planned = plan_table(table, {})
            if name in self.held:
                planned = replace(planned, calls=tuple(replace(p, held=self.held[name]) for p in planned.calls))
            needs = tuple(Dependency(f"m{one}", ("prod", f"t{one}")) for one in upstream)
            tables.append(replace(planned, depends_on=needs))
        self.plans.append(make_plan(snapshot.commit, tables))
        return self.plans[-1]

    def begin(self, calls: Sequence[Call]) -> None:
        """Take a batch, for which all has to be there that it depends on."""
        self.batches.append([])
        self.coming = calls
        for call in calls:
            before = [one for one in self.plans[-1].ready if one.table in self.upstream(call.table)]
            assert all(one.id in self.triggered for one in before)

    def halt(self, reason: str) -> None:
        raise AssertionError(reason)

    def end(self) -> tuple[Result, ...]:
        """Make the batch; a failure stops its table, as the sender has it."""
        calls = self.coming
        return tuple(Result(call, self.stopped(call) or self._post(call), "now") for call in calls)

    def _post(self, call: Call) -> Outcome:
        self.batches[-1].append(call)
        outcome = self.answer.get(_name(call), GOOD)
        if isinstance(outcome, Triggered):
            self.triggered.add(call.id)
        else:
            self.failed.add(call.table)
        return outcome

    def stopped(self, call: Call) -> Skipped | None:
        return Skipped("an earlier call for this table failed: it did") if call.table in self.failed else None

    def upstream(self, table: str) -> frozenset[str]:
        """Return the tables that must be done before a table, however indirectly."""
        direct = {f"t{one}" for one in self.graph[int(table[1:])]}
        return frozenset(direct).union(*(self.upstream(one) for one in direct))

    def apply(self, batch: int = 2, agreed: frozenset[str] | None = None) -> Report:
        snapshot = self.state.read()
        plan = self.plan(snapshot)
        run = Run("mine", "dana", "abc", batch, agreed)
        applier = Applier(run, self.state, self.plan, lambda _: Change(), self, self.clock)
        return applier.execute(snapshot, Change(), plan)

    def another_run_triggers(self, *names: tuple[str, int]) -> None:
        """Let another run make calls just before our next commit."""

        def first(_change: Change) -> None:
            self.state.before_commit = lambda _change: None
            calls = [call for call in self.plans[-1].ready if _name(call) in names]
            self.triggered |= {call.id for call in calls}
            entries = tuple(Entry(("prod", call.table), worlds.trigger(call.span)) for call in calls)
            self.state.write(Change(entries=entries))

        self.state.before_commit = first

    def order(self) -> list[str]:
        return [call.table for batch in self.batches for call in batch]


def _name(call: Call) -> tuple[str, int]:
    return call.table, call.span.windows[0][0] // HOUR // 2


def _skipped(report: Report) -> dict[str, Skipped]:
    return {r.call.table: r.outcome for r in report.results if isinstance(r.outcome, Skipped)}


def test_a_table_goes_after_those_it_depends_on_and_never_in_one_batch_with_them() -> None:
    bench = Bench(((1, 2), (), ()), (2, 2, 1))
    report = bench.apply(batch=20)
    assert {result.label for result in report.results} == {"triggered"}
    assert [[call.table for call in batch] for batch in bench.batches] == [["t1", "t2", "t1"], ["t0", "t0"]]


def test_tables_without_dependencies_take_turns_meanwhile() -> None:
    bench = Bench(((), (), (0,)), (1, 4, 2))
    bench.apply(batch=2)
    assert bench.order() == ["t0", "t1", "t1", "t1", "t1", "t2", "t2"]


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Rejected("no such table"), "of which a call was rejected: no such table"),
        (NotSent("refused"), "of which a call was not sent: refused"),
        (Unknown("lost"), "of which a call is in doubt: lost"),
    ],
)
def test_what_depends_on_a_table_that_failed_is_held_and_says_so(outcome: Outcome, says: str) -> None:
    bench = Bench(((), (0,), (1,), ()), (2, 1, 1, 1), answer={("t0", 1): outcome})
    report = bench.apply()
    assert bench.order() == ["t0", "t3", "t0"]
    skipped = _skipped(report)
    assert skipped["t1"] == Skipped(f"waits for m0 (t0), {says}", "dependency")
    assert skipped["t2"] == Skipped(f"waits for m1 (t1), which waits for m0 (t0), {says}", "dependency")
    assert not [message for message in bench.state.messages if "t1" in message]  # what is held has no intent


def test_a_table_waits_through_one_that_owes_nothing() -> None:
    bench = Bench(((), (0,), (1,)), (1, 0, 1), answer={("t0", 0): Rejected("no")})
    report = bench.apply()
    assert bench.order() == ["t0"]
    assert _skipped(report)["t2"].because == "dependency"
    assert Bench(((), (0,), (1,)), (1, 0, 1)).apply().results[-1].label == "triggered"


def test_what_is_not_in_the_plan_is_not_waited_for() -> None:
    bench = Bench(((),), (1,))
    plan = bench.plan(bench.state.read())
    alone = replace(plan.tables[0], depends_on=(Dependency("elsewhere", ("prod", "e.f")),))
    assert Turns([alone], plan.ready).next() == (plan.ready[0], None)


def test_a_circle_ends_with_nothing_sent_instead_of_never() -> None:
    bench = Bench(((1,), (0,)), (1, 1))
    report = bench.apply()
    assert bench.batches == []
    assert [result.error for result in report.results] == ["not tried", "not tried"]


def test_an_interrupt_skips_what_waits_too() -> None:
    bench = Bench(((), (0,)), (1, 1), clock=Clock(stopping=True))
    assert [result.error for result in bench.apply().results] == ["the run was interrupted"] * 2


def test_after_a_lost_race_the_new_plan_decides_who_waits_for_whom() -> None:
    bench = Bench(((), (0,)), (1, 1))
    bench.another_run_triggers(("t0", 0))
    assert [result.label for result in bench.apply().results] == ["triggered"]
    assert bench.order() == ["t1"]


def test_what_was_refused_before_a_lost_race_still_holds_its_dependents_after_it() -> None:
    bench = Bench(((), (0,), ()), (1, 1, 3), answer={("t0", 0): Rejected("no")})
    end = bench.end

    def then_race() -> tuple[Result, ...]:
        if len(bench.batches) == 1:
            bench.another_run_triggers(("t2", 2))
        return end()

    bench.end = then_race  # type: ignore[method-assign]
    report = bench.apply(batch=2)
    assert "t1" not in bench.order()
    assert _skipped(report)["t1"] == Skipped("waits for m0 (t0), of which a call was rejected: no", "dependency")


def test_what_nobody_agreed_to_holds_what_depends_on_it() -> None:
    bench = Bench(((), (0,)), (1, 1))
    first = bench.plan(bench.state.read())

    def another(_change: Change) -> None:
        bench.state.before_commit = lambda _change: None
        bench.calls = (2, 1)
        bench.state.write(Change(entries=(Entry(("prod", "e.f"), worlds.trigger(first.ready[0].span)),)))

    bench.state.before_commit = another
    report = bench.apply(agreed=frozenset(call.id for call in first.ready))
    assert report.stale
    assert bench.order() == ["t0"]
    assert "nobody agreed" in _skipped(report)["t1"].reason


def test_what_a_new_plan_holds_is_told_of_as_held() -> None:
    bench = Bench(((), (0,)), (1, 1))

    def another(_change: Change) -> None:
        bench.state.before_commit = lambda _change: None
        bench.held = {"t1": Held("dependency", "waits for m0 (t0), which is in doubt")}
        bench.state.write(Change(entries=(Entry(("prod", "e.f"), worlds.trigger(bench.plans[-1].ready[0].span)),)))

    bench.state.before_commit = another
    report = bench.apply(agreed=frozenset(call.id for call in bench.plan(bench.state.read()).ready))
    assert _skipped(report) == {"t1": Skipped("waits for m0 (t0), which is in doubt", "dependency")}
    assert not report.stale


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(1, 6))
    below = [draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set() for number in range(size)]
    names = draw(st.permutations(range(size)))  # so that a table comes before those that it depends on, too
    renamed = {names[number]: tuple(sorted(names[one] for one in below[number])) for number in range(size)}
    return tuple(renamed[number] for number in range(size))


calls_of = st.lists(st.integers(0, 3), min_size=6, max_size=6).map(tuple)
answers = st.dictionaries(
    st.tuples(st.sampled_from([f"t{n}" for n in range(6)]), st.integers(0, 2)), st.sampled_from(OUTCOMES), max_size=5
)
races = st.lists(st.tuples(st.sampled_from([f"t{n}" for n in range(6)]), st.integers(0, 2)), max_size=4)


@dataclass(frozen=True, slots=True)
class Case:
    """Tables that depend on each other, how many calls each owes, what is answered, what another run makes first."""

    graph: Graph
    calls: tuple[int, ...]
    answer: dict[tuple[str, int], Outcome]
    race: list[tuple[str, int]]
    batch: int


def _check(case: Case) -> None:
    """Check that each call has one result, and is held just where what it waits for failed.

    That what a call waits for was triggered before it is checked where the calls are sent.
    """
    bench = Bench(case.graph, case.calls, answer=case.answer)
    if case.race:
        bench.another_run_triggers(*case.race)
    report = bench.apply(batch=case.batch)
    results = {result.call.id for result in report.results}
    assert len(results) == len(report.results)
    assert {call.id for call in bench.plans[0].ready} <= results | bench.triggered
    failed = {result.call.table for result in report.results if not isinstance(result.outcome, Triggered)}
    for result in report.results:
        assert result.error != "not tried"
        waits = bool(bench.upstream(result.call.table) & failed)
        assert (result.held is not None) == waits
        assert not waits or isinstance(result.outcome, Skipped)


@pytest.mark.claim("tables that depend on each other, with failures and races: each call after all that it waits for")
def test_whatever_fails_a_call_is_made_after_all_it_waits_for_or_held(tried: Tried) -> None:
    cases = 0

    @settings(max_examples=500)
    @given(st.builds(Case, graphs(), calls_of, answers, races, st.integers(1, 5)))
    def check(case: Case) -> None:
        nonlocal cases
        cases += 1
        _check(replace(case, calls=case.calls[: len(case.graph)]))

    check()
    tried(cases)
