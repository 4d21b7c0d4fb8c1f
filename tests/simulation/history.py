"""One history: epochs of edits, appliers at once, crashes and resolutions, then a clean apply and the reckoning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from reconciler.commands.resolve import _provable
from reconciler.core.change import Change, Changed, Snapshot, entries_of
from reconciler.core.config import Limits
from reconciler.core.needs import Table
from reconciler.core.outcome import Unknown
from reconciler.core.plan import Plan, make_plan
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Dependency, Place, Request, Rerun
from reconciler.core.settlement import JournalReading
from reconciler.errors import Failure
from reconciler.protocol.apply import Run
from tests.core import worlds
from tests.simulation import reckoning
from tests.simulation.coalescing import coalesced
from tests.simulation.parts import Parts
from tests.simulation.process import END_OF_TIME, HOURS, Process
from tests.simulation.promises import BrokenPromise
from tests.simulation.stage import Actor, play
from tests.simulation.workers import Workers, Working
from tests.simulation.world import NOTHING, PERSON, Machine, Odds, World

TABLES = ("a.b", "c.d")
TOKENS = ("red", "blue")
EPOCHS = (3, 5)
HORIZON = 30
UPSTREAM = Dependency("a", ("prod", "a.b"))
TARGET = replace(worlds.target(), points_per_call=2, window=HOURS)
LIMITS, PLACE = Limits(), Place("m.yaml", 1, 1)

Asked = tuple[tuple[Request, ...], frozenset[str], int]
"""The requests, which tokens are approved, and what the wall clock shows."""


class History:
    """A history and its world; the same seed and parts, the same history.

    In every other one the second table lies downstream of the first, calls are coalesced, and requests often meet.
    """

    def __init__(self, seed: int, parts: Parts) -> None:
        self.rng = Random(seed)
        self.parts = parts
        self.world = World(self.rng, only=parts.only)
        self.homes = [Machine(), Machine()]
        self.machines = [*self.homes]
        self.here: list[str] = []
        self._last: tuple[Snapshot, Asked, Plan] = (NOTHING, ((), frozenset(), 0), make_plan(None, ()))
        self.depends_on = {"c.d": (UPSTREAM,)} if self.rng.random() < 0.5 else {}
        self.coalesces = seed % 2 == 1
        self.runs = 0
        self.asked = 0

    def play(self) -> None:
        """Play all of it. Raises BrokenPromise where an invariant does not hold."""
        for _ in range(self.rng.randint(*EPOCHS)):
            self.edit()
            self.world.odds = self.parts.odds if self.rng.random() < 0.85 else Odds()
            scripts = [self.applier(self.machine()) for _ in range(self.rng.choice((1, 1, 2, 3)))]
            if self.rng.random() < 0.3:
                scripts.append(self.editor)
            if self.world.chance(self.world.odds.copies):
                scripts.append(self.resolver)
            play(scripts, self.rng, self.world.drift)
            if self.rng.random() < 0.2:
                self.resolve_by_hand()
        self.reckon()

    # what people do

    def edit(self) -> None:
        """Add, drop and approve requests, as pull requests would."""
        kept = [request for request in self.world.requests if self.rng.random() > 0.06]
        kept += [self._request() for _ in range(self.rng.randint(1, 3))]
        self.world.requests = tuple(kept)
        declared = {request.rerun.token for request in kept if request.rerun}
        self.world.approved &= declared
        self.world.approved |= {token for token in sorted(declared) if self.rng.random() < 0.5}
        self.world.ever_approved |= self.world.approved
        self.world.log.append(f"edit: {len(kept)} requests, approved {sorted(self.world.approved)}")

    def _request(self) -> Request:
        start = self.rng.choice((0, 10)) if self.coalesces else self.rng.randint(0, 20)
        windows = ((start, start + self.rng.choice((1, 5) if self.coalesces else (1, 1, 2, 5, 9))),)
        token = self.rng.choice((None, None, *TOKENS))
        rerun = Rerun(token, "because") if token else None
        self.asked += 1
        key, table = f"m.yaml#{self.asked}", self.rng.choice(TABLES)
        return Request(key, "m", "prod", table, windows, rerun, None, None, LIMITS, PLACE)

    def editor(self, actor: Actor) -> None:
        """Edit the manifests while appliers run: those keep what they have read."""
        self._watch(actor)
        self.edit()

    def _watch(self, actor: Actor) -> None:
        for _ in range(self.rng.randint(1, 20)):
            actor.pause()

    def resolve_by_hand(self) -> None:
        """Settle doubt by hand, truthfully: what was under way is waited for, and every run is over."""
        while self.world.late_calls:
            self.world.arrive()
        chosen = [intent for intent in self.world.tip.intents if self.rng.random() < 0.6]
        triggered = [intent for intent in chosen if (intent.run, intent.call.id) in self.world.made]
        entries = tuple(entry for intent in triggered for entry in entries_of(intent, None, intent.since))
        if chosen:
            self.world.log.append(f"resolve {[intent.call.id for intent in chosen]} by hand")
            self.world.land(self.world.tip, Change(entries, tuple(chosen)), PERSON)

    def resolver(self, actor: Actor) -> None:
        """Settle doubt by the copy of a journal, taken and brought in while appliers run."""
        self._watch(actor)
        journals = sorted((run, journal) for machine in self.machines for run, journal in machine.journals.items())
        if not journals:
            return
        run, journal = self.rng.choice(journals)
        # The copy may lack lines at its end, all of them even. A person says that the run has ended only where that
        # is so, of a whole file, or of an empty one, which looks like the journal of a run that did nothing.
        kept = self.rng.choice((len(journal.lines), self.rng.randint(-1, len(journal.lines))))
        over = journal.writer.over and kept in {-1, len(journal.lines)}
        said = dict(journal.lines[: max(kept, 0)])
        copy = JournalReading(run, live=False, begun=kept >= 0, events=said, ended=over)
        self._watch(actor)
        snapshot = self.world.tip
        change = self.parts.settler(tuple(_provable(snapshot.intents, copy)), (copy,))
        if change:
            self.world.log.append(f"resolve {[intent.call.id for intent in change.settled]} by a journal of {run}")
            self.world.land(snapshot, change, PERSON)

    # what processes do

    def machine(self) -> Machine:
        """Return a machine with a past, or a fresh one that nobody applies on again."""
        machine = self.rng.choice((*self.homes, None)) or Machine()
        if machine not in self.machines:
            self.machines.append(machine)
        return machine

    def applier(self, machine: Machine) -> Callable[[Actor], None]:
        """Return a process that applies, once."""
        self.runs += 1
        name, batch = f"run{self.runs:02d}", self.rng.randint(1, 3)
        late = self.world.odds != Odds() and self.rng.random() < 0.15
        now = self.rng.randint(0, HORIZON) if late else END_OF_TIME
        asked = self.rng.random() < 0.2
        self.here += [name] if machine in self.homes else []

        def script(actor: Actor) -> None:
            ahead = 2 * batch if batch > 1 else 1
            process = self.parts.process(self.world, actor, machine, name, self.parts.judge, now, ahead)
            self.apply(process, batch, asked=asked)

        return script

    def apply(self, process: Process, batch: int, *, asked: bool) -> None:
        """Read, plan, let the protocol act, and keep or drop the journal, as the command does."""
        requests, approved = self.world.requests, self.world.approved

        def plan(snapshot: Snapshot) -> Plan:
            process.plan = self.planned(snapshot, (requests, approved, process.now))
            return process.plan

        def settled(snapshot: Snapshot) -> Change:
            return self.parts.settler(snapshot.intents, process.machine.readings())

        process.begin()
        try:
            workers = Workers(process)
            with self.parts.sender(
                {"prod": TARGET}, {"prod": process}, process, process, lambda _: None, lambda _: workers
            ) as sender:
                snapshot = process.read()
                settlement = settled(snapshot)
                first = plan(Changed(snapshot, settlement))
                process.agreed = frozenset(call.id for call in first.ready) if asked else None
                run = Run(process.run, "somebody", "commit", batch, process.agreed)
                working = Working(sender, process)
                applier = self.parts.applier(run, process, plan, settled, working, process)
                report = applier.execute(snapshot, settlement, first)
        except Failure as failure:
            self.world.log.append(f"{process.run} fails: {failure}")
            process.close(keep=True)
            return
        doubtful = any(isinstance(result.outcome, Unknown) for result in report.results)
        process.close(keep=doubtful or report.unrecorded or report.failure is not None)
        self.world.log += [f"{process.run} holds a call: {r.held.because}" for r in report.results if r.held]
        reckoning.check_report(self.world, report)

    def planned(self, snapshot: Snapshot, asked: Asked) -> Plan:
        """Plan all tables, as the commands do. Two that read the same have the same plan: it is made once."""
        base = snapshot.base if isinstance(snapshot, Changed) and not snapshot.change else snapshot
        known, given, plan = self._last
        if base is not known or asked != given:
            plan = self._plan(snapshot, *asked)
            self._last = (base, asked, plan)
        return plan

    def _plan(self, snapshot: Snapshot, requests: tuple[Request, ...], approved: frozenset[str], now: int) -> Plan:
        approvals: dict[str, Approval] = {
            request.key: Approved(("dana",)) if request.rerun.token in approved else Waiting("ask")
            for request in requests
            if request.rerun
        }
        plans = []
        for name in TABLES:
            mine = tuple(request for request in requests if request.table == name)
            parts = (part for intent in snapshot.intents for part in intent.parts)
            intents = tuple(part for part in parts if part.call.table == name)
            table = Table(TARGET, name, mine, snapshot.ledger(("prod", name)), intents, now)
            plans.append(replace(self.parts.planner(table, approvals), depends_on=self.depends_on.get(name, ())))
        return make_plan(snapshot.commit, coalesced(*plans) if self.coalesces else plans)

    def reckon(self) -> None:
        """End all faults, let a clean apply run on each machine, and check that nothing is left open but doubt."""
        while self.world.late_calls:
            self.world.arrive()
        while self.world.late_pushes:
            self.world.land(*self.world.late_pushes.pop(0))
        self.world.odds = Odds()
        for machine in (*self.homes, Machine()):
            play([self.applier(machine)], self.rng, lambda: None)
        reckoning.check_end(self.world, self.here, TABLES)


def run_history(seed: int, parts: Parts | None = None) -> History:
    """Play the history of a seed. A broken promise names the seed and shows the way there."""
    history = History(seed, parts or Parts())
    try:
        history.play()
    except BrokenPromise as broken:
        broken.add_note(f"replay with: python -m tests.simulation {seed}")
        broken.add_note("\n".join(history.world.log[-60:]))
        raise
    return history
