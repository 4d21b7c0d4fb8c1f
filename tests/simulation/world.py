"""The world around the protocol, in memory: what the scheduler really ran, what each machine's disk still holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from reconciler.core.call import Call
from reconciler.core.change import Change, Changed, Key, Overtaken, Snapshot
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.request import Request
from reconciler.core.settlement import Event, JournalReading, Sending
from reconciler.errors import Failure
from tests.protocol.ports import Empty, Revision
from tests.simulation.stage import Actor, Crash


class BrokenPromise(AssertionError):
    """An invariant does not hold. Its name says which."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant


@dataclass(frozen=True, slots=True)
class Odds:
    """How often a thing goes wrong, each out of one; a world without faults has none."""

    crash: float = 0.0
    mute: float = 0.0
    unclear: float = 0.0
    full: float = 0.0
    signal: float = 0.0
    not_sent: float = 0.0
    rejected: float = 0.0
    throttled: float = 0.0
    lost: float = 0.0
    late: float = 0.0


@dataclass(slots=True)
class Machine:
    """A disk with journals: per run the lines that were synced, and the actor that writes them."""

    lines: dict[str, dict[str, Event]] = field(default_factory=dict)
    writers: dict[str, Actor] = field(default_factory=dict)

    def readings(self) -> tuple[JournalReading, ...]:
        return tuple(
            JournalReading(run, live=not self.writers[run].over, begun=True, events=dict(events))
            for run, events in sorted(self.lines.items())
        )


@dataclass(slots=True)
class World:
    """Everything that outlives a process, and what really happened."""

    rng: Random
    odds: Odds = field(default_factory=Odds)
    tip: Snapshot = field(default_factory=Empty)
    requests: tuple[Request, ...] = ()
    approved: frozenset[str] = frozenset()
    ever_approved: set[str] = field(default_factory=set)
    ran: dict[tuple[str, int], list[frozenset[str]]] = field(default_factory=lambda: defaultdict(list))
    made: set[tuple[str, str]] = field(default_factory=set)
    late_calls: list[tuple[str, Call]] = field(default_factory=list)
    late_pushes: list[tuple[Snapshot, Change]] = field(default_factory=list)
    commits: int = 0
    log: list[str] = field(default_factory=list)

    def chance(self, odds: float) -> bool:
        return odds > 0 and self.rng.random() < odds

    def execute(self, run: str, call: Call, *, late: bool = False) -> None:
        """Run a call in the scheduler, and check at once that no instant runs more often than it may.

        Each set of tokens runs once, and the empty one first: but a call that arrives late may come after a rerun
        that a reviewer approved while it was in doubt.
        """
        self.made.add((run, call.id))
        tokens = frozenset(call.rerun)
        for start, end in call.span.windows:
            for second in range(start, end):
                self._execute_second(call.table, second, tokens, run, late)

    def _execute_second(self, table: str, second: int, tokens: frozenset[str], run: str, late: bool) -> None:
        before = self.ran[table, second]
        if tokens in before or (not tokens and before and not late):
            raise BrokenPromise("never twice", f"{table} {second} with {sorted(tokens)} after {before} by {run}")
        if not tokens <= self.ever_approved:
            raise BrokenPromise("approved", f"{table} {second} ran with {sorted(tokens)}, never approved")
        before.append(tokens)

    def land(self, base: Snapshot, change: Change) -> bool:
        """Move the state's tip from `base`, if it is there; check that what is recorded as triggered was made."""
        if base is not self.tip:
            return False
        for entry in change.entries:
            if (entry.trigger.run, entry.trigger.id) not in self.made:
                raise BrokenPromise("triggered means executed", f"{entry.trigger.id} of {entry.trigger.run}")
        self.commits += 1
        self.tip = Revision(Changed(self.tip, change), f"c{self.commits}")
        return True

    def drift(self) -> None:
        """Let what was under way arrive, now and then: a request that timed out runs, a push that failed lands."""
        if self.late_calls and self.chance(0.1):
            self.arrive()
        if self.late_pushes and self.chance(0.2):
            self.land(*self.late_pushes.pop(0))

    def arrive(self) -> None:
        run, call = self.late_calls.pop(0)
        self.log.append(f"late {call.id} of {run}")
        self.execute(run, call, late=True)


@dataclass(slots=True)
class Process:
    """One process on one machine: its ports, each with steps at which it may die or others may act."""

    world: World
    actor: Actor
    machine: Machine
    run: str
    signalled: bool = False
    time: int = 0
    mutant: frozenset[str] = frozenset()

    def step(self, name: str) -> None:
        self.actor.pause()
        self.world.log.append(f"{self.run} {name}")
        if self.world.chance(self.world.odds.crash):
            self.world.log.append(f"{self.run} crashes")
            raise Crash

    # the state

    def read(self) -> Snapshot:
        self.step("read")
        if self.world.chance(self.world.odds.mute):
            raise Failure("the remote is mute")
        return self.world.tip

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        if not change:
            return base
        self.step(f"push {message.splitlines()[0]}")
        if self.world.chance(self.world.odds.unclear):
            fate = self.world.rng.choice(("landed", "lost", "late"))
            if fate == "landed":
                self.world.land(base, change)
            elif fate == "late":
                self.world.late_pushes.append((base, change))
            raise Failure(f"unclear push ({fate})")
        if not self.world.land(base, change):
            return Overtaken()
        landed = self.world.tip
        self.step("pushed")
        return landed

    # the journal

    def begin(self) -> None:
        self.machine.lines[self.run] = {}
        self.machine.writers[self.run] = self.actor

    def sending(self, call_id: str, at: str) -> None:
        self._write(call_id, Event(at, Sending()))

    def outcome(self, call_id: str, outcome: Outcome, at: str) -> None:
        self._write(call_id, Event(at, outcome))

    def _write(self, call_id: str, event: Event) -> None:
        self.step(f"journal {call_id} {type(event.what).__name__}")
        if self.world.chance(self.world.odds.full):
            raise OSError(28, "No space left on device")
        self.machine.lines[self.run][call_id] = event
        self.step("journaled")

    # the scheduler

    def post(self, call: Call) -> Outcome:
        world, odds = self.world, self.world.odds
        self.step(f"post {call.id} {call.span.windows} {call.rerun}")
        refusals: tuple[tuple[float, Outcome], ...] = (
            (odds.not_sent, NotSent("refused")),
            (odds.rejected, Rejected("no", target_wide=world.rng.random() < 0.3)),
            (odds.throttled, Rejected("slow down", retry_after=0.0)),
        )
        for likely, refusal in refusals:
            if world.chance(likely):
                return refusal
        if world.chance(odds.late):
            world.late_calls.append((self.run, call))
            return Unknown("timed out")
        if world.chance(odds.lost / 2):
            return Unknown("the connection broke before it ran")
        world.execute(self.run, call)
        self.step("executed")
        return Unknown("the answer was lost") if world.chance(odds.lost) else Triggered("trace")

    # the clock

    def utc(self) -> str:
        self.time += self.world.rng.randint(-3, 5)  # clocks jump
        return f"t{self.time}"

    def monotonic(self) -> float:
        return 0.0

    def wait(self, seconds: float) -> bool:
        self.signalled = self.signalled or self.world.chance(self.world.odds.signal)
        return self.signalled

    def jitter(self) -> float:
        return 0.5


def key_of_call(call: Call) -> Key:
    """Return the ledger that a call belongs to."""
    return call.target, call.table


Script = Callable[[Actor], None]
