"""The world around the protocol, in memory: the state's tip, what the scheduler really ran, what disks still hold."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from reconciler.core.call import Call
from reconciler.core.change import Change, Snapshot, doubt_of
from reconciler.core.ledger import Intent, Ledger
from reconciler.core.outcome import Outcome
from reconciler.core.request import Request
from reconciler.core.settlement import Event, JournalReading, Sending
from tests.protocol.ports import Revision
from tests.simulation.promises import BrokenPromise, Promise
from tests.simulation.stage import Actor

Name = tuple[str, str]
"""A run's name and a call's id: one intent."""

PERSON = "a person"
NOTHING = Revision(None, (), {})


@dataclass(frozen=True, slots=True)
class Odds:
    """How often a thing happens, each out of one: faults, and people who bring in copies of journals.

    `beside` is how often a process makes a table's calls at a step of a push.
    """

    crash: float = 0.0
    mute: float = 0.0
    no_objects: float = 0.0
    unclear: float = 0.0
    full: float = 0.0
    signal: float = 0.0
    closing: float = 0.0
    not_sent: float = 0.0
    refused: float = 0.0
    throttled: float = 0.0
    late: float = 0.0
    lost: float = 0.0
    muddled: float = 0.0
    copies: float = 0.0
    beside: float = 0.3


@dataclass(slots=True, eq=False)
class Journal:
    """A journal's file: the lines on disk, the actor that writes them, whether it was closed in order."""

    writer: Actor
    lines: list[tuple[str, Event]] = field(default_factory=list)
    ended: bool = False

    @property
    def live(self) -> bool:
        return not self.writer.over and not self.ended


@dataclass(slots=True, eq=False)
class Machine:
    """A disk with the journals of runs."""

    journals: dict[str, Journal] = field(default_factory=dict)

    def readings(self) -> tuple[JournalReading, ...]:
        """Return what the journals say, as the product reads them."""
        return tuple(
            JournalReading(run, journal.live, begun=True, events=dict(journal.lines), ended=journal.ended)
            for run, journal in sorted(self.journals.items())
        )


@dataclass(slots=True)
class World:
    """Everything that outlives a process, and what really happened."""

    rng: Random
    odds: Odds = field(default_factory=Odds)
    tip: Revision = NOTHING
    requests: tuple[Request, ...] = ()
    approved: frozenset[str] = frozenset()
    ever_approved: set[str] = field(default_factory=set)
    intended: dict[Name, tuple[int, Call]] = field(default_factory=dict)
    recorded: set[Name] = field(default_factory=set)
    lines: dict[tuple[str, int], list[frozenset[str]]] = field(default_factory=lambda: defaultdict(list))
    ran: dict[tuple[str, int], list[tuple[int, frozenset[str]]]] = field(default_factory=lambda: defaultdict(list))
    made: set[Name] = field(default_factory=set)
    answers: dict[Name, Outcome] = field(default_factory=dict)
    journaled: dict[Name, Outcome | Sending] = field(default_factory=dict)
    writers: dict[str, Actor] = field(default_factory=dict)
    late_calls: list[tuple[str, Call]] = field(default_factory=list)
    late_pushes: list[tuple[Snapshot, Change, str]] = field(default_factory=list)
    commits: int = 0
    only: Promise | None = None
    log: list[str] = field(default_factory=list)

    def chance(self, odds: float) -> bool:
        return odds > 0 and self.rng.random() < odds

    def require(self, holds: object, promise: Promise, detail: object) -> None:
        """Raise BrokenPromise unless `holds`; where the world watches for `only` one promise, for that one alone."""
        if not holds and self.only in {None, promise}:
            raise BrokenPromise(promise, str(detail))

    # the scheduler

    def execute(self, run: str, call: Call) -> None:
        """Run a call in the scheduler, and check at once that no instant runs more often than it may.

        Of an instant each set of tokens runs once, and the one without tokens is intended before all others: it may
        run after a rerun that a reviewer approved while it was in doubt. There is a rerun for each approved token.
        """
        for cover in call.covers:  # what lies downstream runs too
            self.execute(run, cover)
        self.made.add((run, call.id))
        tokens = frozenset(call.rerun)
        self.require(tokens <= self.ever_approved, Promise.APPROVED, f"{call.id} of {run} for {call.rerun}")
        number, _ = self.intended.get((run, call.id), (self.commits, call))
        for start, end in call.span.windows:
            for second in range(start, end):
                before = self.ran[call.table, second]
                before.append((number, tokens))
                if len(before) > 1:
                    self.require(_in_order(before), Promise.NEVER_TWICE, f"{call.table} {second} by {run}: {before}")

    def drift(self) -> None:
        """Let what was under way arrive, now and then: a request that timed out runs, a push that failed lands."""
        if self.late_calls and self.chance(0.1):
            self.arrive()
        if self.late_pushes and self.chance(0.2):
            self.land(*self.late_pushes.pop(0))

    def arrive(self) -> None:
        """Run the call that is under way longest."""
        run, call = self.late_calls.pop(0)
        self.log.append(f"late {call.id} of {run}")
        self.execute(run, call)

    # the state

    def land(self, base: Snapshot, change: Change, by: str) -> bool:
        """Move the state's tip from `base`, if it is there."""
        if base is not self.tip:
            return False
        self.move(Revision.of(base, change, f"c{self.commits + 1}"), change, by)
        return True

    def move(self, new: Revision, change: Change, by: str) -> None:
        """Make `new` the tip, and check all that the commit claims: the lines it adds, the intents it adds or ends."""
        old, self.tip = self.tip, new
        self.commits += 1
        self._check_growth(old, change)
        self._check_together(change)
        for entry in change.entries:
            self._note_line((entry.trigger.run, entry.trigger.id), entry.key[1], entry.trigger.span.windows)
            _, call = self.intended.get((entry.trigger.run, entry.trigger.id), (0, None))
            same = call and (call.table, call.span, call.rerun) == (
                entry.key[1],
                entry.trigger.span,
                entry.trigger.rerun,
            )
            self.require(same, Promise.RECORDED_AS_MADE, f"{entry.trigger} of {call}")
        known = {(intent.run, intent.call.id) for intent in old.intents}
        for intent in change.settled:
            if (intent.run, intent.call.id) in known:
                self._check_settled(intent, by)
        for intent in change.intents:
            for part in intent.parts:
                self._check_owed(part)
                self.intended.setdefault((part.run, part.call.id), (self.commits, part.call))

    def doubtful(self, table: str, second: int, but: str = "") -> list[frozenset[str]]:
        """Return the tokens of each intent over a second, `but` those of one run."""
        return [
            frozenset(part.call.rerun)
            for intent in self.tip.intents
            for part in intent.parts
            if part.call.table == table and intent.run != but
            if any(start <= second < end for start, end in part.call.span.windows)
        ]

    def _check_together(self, change: Change) -> None:
        """The line of a call and those of what it covers come in one commit, or none of them does."""
        names = {(entry.trigger.run, entry.trigger.id) for entry in change.entries}
        for run, call_id in sorted(names):
            _, call = self.intended.get((run, call_id), (0, None))
            covers = {(run, cover.id) for cover in call.covers} if call else set()
            self.require(covers <= names, Promise.TOGETHER, f"{call_id} of {run} without all of {covers}")
        for entry in change.entries:
            by = entry.trigger.covered_by
            self.require(not by or (entry.trigger.run, by.id) in names, Promise.TOGETHER, f"{entry} without {by}")
            if by:
                self.log.append(f"covered {entry.trigger.id} by {by.id} of {entry.trigger.run}")

    def _check_growth(self, old: Revision, change: Change) -> None:
        for key, ledger in old.ledgers.items():
            grown = self.tip.ledgers.get(key) or Ledger(*key, (), "")
            longer = grown is ledger or grown.triggers[: len(ledger.triggers)] == ledger.triggers
            self.require(longer, Promise.GROWS, f"{key} lost lines")
        kept = {(intent.run, intent.call.id) for intent in (*self.tip.intents, *change.settled)}
        for intent in old.intents:
            self.require((intent.run, intent.call.id) in kept, Promise.GROWS, f"intent {intent.call.id} is gone")

    def _note_line(self, name: Name, table: str, windows: tuple[tuple[int, int], ...]) -> None:
        self.require(name in self.made, Promise.EXECUTED, f"{name[1]} of {name[0]}")
        self.require(name not in self.recorded, Promise.RECORDED_ONCE, f"{name[1]} of {name[0]}")
        self.recorded.add(name)
        tokens = frozenset(self.intended[name][1].rerun) if name in self.intended else frozenset()
        for start, end in windows:
            for second in range(start, end):
                self.lines[table, second].append(tokens)

    def _check_settled(self, intent: Intent, by: str) -> None:
        """An intent ends with a line, by an approved rerun over it, or because its call did not run and never will."""
        run, name = intent.run, (intent.run, intent.call.id)
        if name in self.recorded or not doubt_of(self.tip, intent):
            return
        under_way = any((late, call.id) == name for late, call in self.late_calls)
        self.require(name not in self.made and not under_way, Promise.DOUBT_STAYS, f"{name[1]} of {run} by {by}")
        writer = self.writers.get(run)
        self.require(by == run or writer is None or writer.over, Promise.LIVING, f"{name[1]} of {run} by {by}")

    def _check_owed(self, intent: Intent) -> None:
        """Every second of a new intent is owed: by nobody triggered or in doubt, or for a token of which that is so."""
        call = intent.call
        for start, end in call.span.windows:
            for second in range(start, end):
                done = self.lines.get((call.table, second), [])
                doubt = self.doubtful(call.table, second, intent.run)
                doubt = [tokens for tokens in doubt if not any(tokens < line for line in done)]
                if (done or doubt) and not any(_owes(token, (*done, *doubt)) for token in call.rerun):
                    again = any(set(call.rerun) <= line for line in done)
                    promise = Promise.DONE_NOT_SENT if again else Promise.DOUBT_NOT_SENT
                    self.require(False, promise, f"{call.id} {call.table} {second} {call.rerun}: {done} {doubt}")


def _in_order(runs: list[tuple[int, frozenset[str]]]) -> bool:
    tokens = [some for _, some in runs]
    plain = [number for number, some in runs if not some]
    first = all(number < other for number in plain for other, some in runs if some)
    return first and len(set(tokens)) == len(tokens) and len(tokens) <= 1 + len(frozenset().union(*tokens))


def _owes(token: str, known: tuple[frozenset[str], ...]) -> bool:
    return not any(token in tokens for tokens in known)
