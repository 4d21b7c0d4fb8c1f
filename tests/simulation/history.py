"""One history: epochs of edits, appliers at once, crashes and resolutions, then a clean apply and the reckoning."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from reconciler.core.change import Change, Changed, Entry, Snapshot, key_of
from reconciler.core.ledger import doubts
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import Table, TablePlan, plan_table
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.report import Report
from reconciler.core.request import Request
from reconciler.core.settlement import settle
from reconciler.core.window import Windows, subtract, union
from reconciler.errors import Failure
from reconciler.protocol.apply import Applier, Run
from reconciler.protocol.sender import Sender
from tests.core import worlds
from tests.simulation.stage import Actor, play
from tests.simulation.world import BrokenPromise, Machine, Odds, Process, Script, World

TABLES = ("a.b", "c.d")
TOKENS = ("red", "blue")
EPOCHS = 5

FAULTS = Odds(
    crash=0.015, mute=0.02, unclear=0.05, full=0.01, signal=0.002, not_sent=0.05, rejected=0.05, throttled=0.03,
    lost=0.1, late=0.05,
)  # fmt: skip


class InlineExecutor(Executor):
    """Runs each job where it is submitted: order is the stage's matter."""

    def __init__(self, _workers: int) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@dataclass(frozen=True)
class Parts:
    """The protocol's parts, each of which a mutant may replace."""

    applier: type[Applier[Snapshot]] = Applier
    sender: type[Sender] = Sender
    settler: Callable[..., Change] = settle
    planner: Callable[[Table, dict[str, Approval]], TablePlan] = plan_table
    process: type[Process] = Process
    odds: Odds = FAULTS


class History:
    """A history and its world; the same seed and parts, the same history."""

    def __init__(self, seed: int, parts: Parts | None = None) -> None:
        self.rng = Random(seed)
        self.parts = parts or Parts()
        self.world = World(self.rng)
        self.machines = [Machine(), Machine()]
        self.runs = 0

    def play(self) -> None:
        """Play all of it. Raises BrokenPromise where an invariant does not hold."""
        for _ in range(EPOCHS):
            self.edit()
            self.world.odds = self.parts.odds if self.rng.random() < 0.85 else Odds()
            scripts = [self.applier() for _ in range(self.rng.choice((1, 1, 2, 3)))]
            if self.rng.random() < 0.3:
                scripts.append(self.editor)
            play(scripts, self.rng, self.world.drift)
            if self.rng.random() < 0.3:
                self.resolve()
        self.reckon()

    # what people do

    def edit(self) -> None:
        """Add, drop and approve requests, as pull requests would."""
        kept = [request for request in self.world.requests if self.rng.random() > 0.06]
        for _ in range(self.rng.randint(1, 3)):
            kept.append(self._request(len(kept)))
        self.world.requests = tuple(replace(request, key=f"m#{n}") for n, request in enumerate(kept))
        declared = {request.rerun.token for request in kept if request.rerun}
        approved = {token for token in declared if token in self.world.approved or self.rng.random() < 0.5}
        self.world.approved = frozenset(approved)
        self.world.ever_approved |= approved

    def _request(self, number: int) -> Request:
        start = self.rng.randint(0, 20)
        window = (start, start + self.rng.choice((1, 1, 2, 5, 9)))
        token = self.rng.choice((None, None, *TOKENS))
        return replace(worlds.request(f"m#{number}", (window,), token), table=self.rng.choice(TABLES))

    def editor(self, actor: Actor) -> None:
        """Edit the manifests while appliers run: those keep what they have read."""
        for _ in range(self.rng.randint(1, 20)):
            actor.pause()
        self.edit()

    def resolve(self) -> None:
        """Settle doubt by hand, truthfully: what was under way is waited for, and every run is over."""
        while self.world.late_calls:
            self.world.arrive()
        chosen = [intent for intent in self.world.tip.intents if self.rng.random() < 0.6]
        triggered = [intent for intent in chosen if (intent.run, intent.call.id) in self.world.made]
        entries = tuple(Entry(key_of(intent), intent.triggered(None, intent.since)) for intent in triggered)
        if chosen:
            self.world.land(self.world.tip, Change(entries, tuple(chosen)))

    # what processes do

    def applier(self, machine: Machine | None = None) -> Script:
        """Return a process that applies: on a machine with a past, or on a fresh one."""
        self.runs += 1
        name = f"run{self.runs:02d}"
        where = machine or self.rng.choice((*self.machines, Machine()))
        batch = self.rng.randint(1, 3)
        return lambda actor: self._apply(self.parts.process(self.world, actor, where, name), batch)

    def _apply(self, process: Process, batch: int) -> None:
        requests, approved = self.world.requests, self.world.approved

        def plan(snapshot: Snapshot) -> Plan:
            return self.plan(snapshot, requests, approved)

        def settled(snapshot: Snapshot) -> Change:
            return self.parts.settler(snapshot.intents, process.machine.readings())

        process.begin()
        target = replace(worlds.target(), points_per_call=2)
        run = Run(process.run, "somebody", "commit", batch, None)
        with self.parts.sender(
            {"prod": target}, {"prod": process}, process, process, lambda _: None, InlineExecutor
        ) as sender:
            try:
                snapshot = process.read()
                settlement = settled(snapshot)
                applier = self.parts.applier(run, process, plan, settled, sender, process)
                report = applier.execute(snapshot, settlement, plan(Changed(snapshot, settlement)))
            except Failure:
                return
        self._check_report(report)

    def plan(self, snapshot: Snapshot, requests: tuple[Request, ...], approved: frozenset[str]) -> Plan:
        """Plan all tables, as the commands do."""
        approvals: dict[str, Approval] = {
            request.key: Approved(("dana",)) if request.rerun.token in approved else Waiting("ask")
            for request in requests
            if request.rerun
        }
        target = replace(worlds.target(), points_per_call=2)
        plans = []
        for name in TABLES:
            mine = tuple(request for request in requests if request.table == name)
            intents = tuple(intent for intent in snapshot.intents if intent.call.table == name)
            table = Table(target, name, mine, snapshot.ledger(("prod", name)), intents, 10**9)
            plans.append(self.parts.planner(table, approvals))
        return make_plan(snapshot.commit, plans)

    def _check_report(self, report: Report) -> None:
        """A known answer is recorded, unless the report says that it is not."""
        if report.unrecorded:
            return
        for result in report.results:
            if result.label != "triggered":
                continue
            ledger = self.world.tip.ledger((result.call.target, result.call.table))
            lines = ledger.triggers if ledger else ()
            if not any((line.run, line.id) == (report.run, result.call.id) for line in lines):
                raise BrokenPromise("a known answer is recorded", f"{result.call.id} of {report.run}")

    # what must be true in the end

    def reckon(self) -> None:
        """After faults end, one clean apply on each machine leaves everything recorded, held or in doubt."""
        while self.world.late_calls:
            self.world.arrive()
        while self.world.late_pushes:
            self.world.land(*self.world.late_pushes.pop(0))
        self.world.odds = Odds()
        for machine in (*self.machines, Machine()):
            play([self.applier(machine)], self.rng, lambda: None)
            self._check_journals(machine)
        for name in TABLES:
            self._check_table(name)

    def _check_journals(self, machine: Machine) -> None:
        """Where the journal is there, only calls that were under way stay in doubt."""
        for intent in self.world.tip.intents:
            events = machine.lines.get(intent.run)
            if events is not None and intent.call.id not in events:
                raise BrokenPromise("in doubt only what was in flight", f"{intent.call.id} of {intent.run}")

    def _check_table(self, name: str) -> None:
        ledger = self.world.tip.ledger(("prod", name))
        mine = [intent for intent in self.world.tip.intents if intent.call.table == name]
        doubtful = union(window for doubt in doubts(ledger, mine) for window in doubt.windows)
        covered = ledger.covered if ledger else ()
        self._check_known(name, union((*covered, *doubtful)))
        for request in self.world.requests:
            if request.table != name:
                continue
            left = request.windows
            if request.rerun is None:
                left = subtract(subtract(left, covered), doubtful)
            elif request.rerun.token in self.world.approved:
                bearing = union(
                    window
                    for intent in mine
                    if request.rerun.token in intent.call.rerun
                    for window in intent.call.span.windows
                )
                left = subtract(subtract(left, ledger.bearing.get(request.rerun.token, ()) if ledger else ()), bearing)
            else:
                left = ()
            if left:
                raise BrokenPromise("none forgotten", f"{name} {left} of {request}")

    def _check_known(self, name: str, known: Windows) -> None:
        for (table, second), times in self.world.ran.items():
            if table == name and times and not any(start <= second < end for start, end in known):
                raise BrokenPromise("what ran is known", f"{name} {second} ran {times}")


def run_history(seed: int, parts: Parts | None = None) -> History:
    """Play the history of a seed. A broken promise names the seed and shows the way there."""
    history = History(seed, parts)
    try:
        history.play()
    except BrokenPromise as broken:
        broken.add_note(f"replay with: python -m tests.simulation {seed}")
        broken.add_note("\n".join(history.world.log[-60:]))
        raise
    return history
