"""One process on one machine: its ports, each with steps at which it may die, or others may act."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.core.call import Call
from reconciler.core.change import Change, Overtaken, Snapshot, remaining
from reconciler.core.config import Hours
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.plan import Plan
from reconciler.core.settlement import Event, Sending
from reconciler.errors import Failure
from reconciler.scheduler.answer import judge
from tests.simulation.answers import ACCEPTED, MUDDLED, REFUSED, THROTTLED, Answer
from tests.simulation.promises import Promise
from tests.simulation.stage import Actor, Crash
from tests.simulation.world import Journal, Machine, World

Judge = Callable[[int, Mapping[str, str], bytes], Outcome]
END_OF_TIME = 10**9
HOURS = Hours(0, 43_200)


@dataclass(slots=True)
class Process:
    """The ports of one run. `now` is what its wall clock shows when it plans, `plan` its latest plan.

    `agreed` are the calls that a person saw, if asked; `closed` is set once the target's hours are over. `ahead` is how
    many intents of its own may be without an answer; `jobs` is what its threads still have to do.
    """

    world: World
    actor: Actor
    machine: Machine
    run: str
    judge: Judge = judge
    now: int = END_OF_TIME
    ahead: int = 1
    agreed: frozenset[str] | None = None
    time: int = 0
    signalled: bool = False
    closed: bool = False
    plan: Plan | None = None
    disk_full: bool = False
    target_stopped: bool = False
    failed: dict[str, str] = field(default_factory=dict)
    jobs: deque[Callable[[], None]] = field(default_factory=deque)
    working: bool = False

    def step(self, name: str) -> None:
        """Let others act, and other threads of this process; then go on, or die here."""
        self.actor.pause()
        while self.jobs and not self.working and self.world.chance(self.world.odds.beside):
            self.work()
        self.world.log.append(f"{self.run} {name}")
        if self.world.chance(self.world.odds.crash):
            self.world.log.append(f"{self.run} crashes")
            raise Crash

    def work(self) -> None:
        """Do one of the jobs: the calls of a table, one after another."""
        self.working = True
        self.jobs.popleft()()
        self.working = False

    # the state

    def read(self) -> Snapshot:
        self.step("reads")
        if self.world.chance(self.world.odds.mute):
            raise Failure("the remote is mute")
        return self.world.tip

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        """Push, or fail: before anything left the disk, or so that nobody knows what became of the push."""
        if not change:
            return base
        self._check_ahead(base, change)
        self.step(f"pushes: {message.partition(chr(10))[0]}")
        if self.world.chance(self.world.odds.no_objects):
            raise Failure("git cannot write objects: no space left on device")
        if self.world.chance(self.world.odds.unclear):
            raise Failure(f"unclear push ({self._unclear(base, change)})")
        if not self.world.land(base, change, self.run):
            return Overtaken()
        landed = self.world.tip
        self.step("has pushed")
        return landed

    def _check_ahead(self, base: Snapshot, change: Change) -> None:
        """Check that intents are not written far ahead of the calls: what dies with its disk leaves them in doubt."""
        if change.intents:
            known = [intent for intent in base.intents if intent.run == self.run]
            open_ = remaining((*known, *change.intents), change.settled)
            unanswered = [i.call.id for i in open_ if not self._has_answer(i.call.id)]
            self.world.require(len(unanswered) <= self.ahead, Promise.AHEAD, f"{self.run}: {unanswered}")

    def _has_answer(self, call_id: str) -> bool:
        return not isinstance(self.world.journaled.get((self.run, call_id), Sending()), Sending)

    def _unclear(self, base: Snapshot, change: Change) -> str:
        fate = self.world.rng.choice(("landed", "lost", "late"))
        if fate == "landed":
            self.world.land(base, change, self.run)
        elif fate == "late":
            self.world.late_pushes.append((base, change, self.run))
        return fate

    # the journal

    def begin(self) -> None:
        """Open the journal."""
        self.world.writers[self.run] = self.actor
        self.machine.journals[self.run] = Journal(self.actor)

    def sending(self, call_id: str, at: str) -> None:
        self._write(call_id, Event(at, Sending()))

    def outcome(self, call_id: str, outcome: Outcome, at: str) -> None:
        honest = outcome is self.world.answers.get((self.run, call_id))
        self.world.require(honest, Promise.HONEST_JOURNAL, f"{outcome} of {call_id}")
        self._write(call_id, Event(at, outcome))

    def _write(self, call_id: str, event: Event) -> None:
        """Write a line. A disk that is full may keep the line that it says it did not take, and takes no other."""
        self.step(f"journals {call_id} {type(event.what).__name__}")
        fails = self.disk_full or self.world.chance(self.world.odds.full)
        if not fails or (not self.disk_full and self.world.chance(0.5)):
            self.machine.journals[self.run].lines.append((call_id, event))
            self.world.journaled[self.run, call_id] = event.what
        if fails:
            self.disk_full = True
            raise OSError(28, "No space left on device")
        self.step("has journaled")

    def close(self, *, keep: bool) -> None:
        """End the journal in order: it goes, or says that it is whole where it still can."""
        if keep:
            self.machine.journals[self.run].ended = not self.disk_full
        else:
            del self.machine.journals[self.run]

    # the scheduler

    def post(self, call: Call) -> Outcome:
        self.step(f"posts {call.id} {call.span.windows} {call.rerun}")
        self._check(call)
        outcome = self._answer(call)
        self.world.answers[self.run, call.id] = outcome
        match outcome:
            case Rejected(target_wide=True):
                self.target_stopped = True
            case Rejected() | NotSent() | Unknown():
                self.failed[call.table] = call.id
            case Triggered():
                self.failed.pop(call.table, None)
        self.world.log.append(f"{self.run} hears {outcome}")
        return outcome

    def _check(self, call: Call) -> None:
        """Check what has to be so when a request leaves."""
        world, name, require = self.world, (self.run, call.id), self.world.require
        _, intended = world.intended.get(name, (0, None))
        require(intended is not None, Promise.DURABLE, name)
        require(intended in {None, call}, Promise.AS_PLANNED, f"{call} instead of {intended}")
        require(isinstance(world.journaled.get(name), Sending), Promise.JOURNALED, name)
        require(self.agreed is None or call.id in self.agreed, Promise.AGREED, name)
        require(call.span.windows[-1][1] - 1 <= self.now, Promise.HELD, f"{name} at {self.now}")
        require(not isinstance(world.answers.get(name), Triggered | Unknown), Promise.DOUBT_NOT_SENT, name)
        require(self.failed.get(call.table, call.id) == call.id, Promise.TABLE_STOPS, name)
        require(not self.target_stopped, Promise.TARGET_STOPS, name)
        require(not self.signalled, Promise.INTERRUPT, name)
        require(not self.closed, Promise.HOURS, name)
        require(not (before := self._owed_before(call)), Promise.UPSTREAM_FIRST, f"{name} before {before}")

    def _owed_before(self, call: Call) -> list[str]:
        """Return the calls of the plan that `call` waits for, and that were not accepted."""
        tables = {table.table: table for table in self.plan.tables} if self.plan else {}
        upstream = [tables[needed.key[1]] for needed in tables[call.table].depends_on] if tables else []
        owed = [one.id for table in upstream for one in table.ready]
        return [one for one in owed if not isinstance(self.world.answers.get((self.run, one)), Triggered)]

    def _answer(self, call: Call) -> Outcome:
        """Let one of all things happen that may, and say what a client would say of it."""
        odds, rng = self.world.odds, self.world.rng
        if self.world.chance(odds.not_sent):
            return NotSent("nobody listens")
        for likely, answers in ((odds.refused, REFUSED), (odds.throttled, THROTTLED)):
            if self.world.chance(likely):
                return self._judged(rng.choice(answers))
        if self.world.chance(odds.late):
            self.world.late_calls.append((self.run, call))
            return Unknown("no answer in time")
        unclear = self.world.chance(odds.lost + odds.muddled)
        if not unclear or rng.random() < 0.7:
            self.world.execute(self.run, call)
            self.step("has executed")
        if not unclear:
            return self._judged(ACCEPTED)
        if rng.random() * (odds.lost + odds.muddled) < odds.lost:
            return Unknown("the connection broke")
        return self._judged(rng.choice(MUDDLED))

    def _judged(self, answer: Answer) -> Outcome:
        self.world.log.append(f"{self.run} is answered {answer.status} {answer.body!r}")
        return self.judge(answer.status, answer.headers, answer.body)

    # the clock

    def utc(self) -> str:
        self.time += int(self.world.rng.random() * 9) - 3  # clocks jump
        return f"t{self.time}"

    def wall(self, time_zone: str) -> int:
        self.closed = self.closed or self.world.chance(self.world.odds.closing)
        return HOURS.closes if self.closed else HOURS.opens

    def monotonic(self) -> float:
        return 0.0

    def wait(self, seconds: float) -> bool:
        self.signalled = self.signalled or self.world.chance(self.world.odds.signal)
        return self.signalled

    def jitter(self) -> float:
        return 0.5
