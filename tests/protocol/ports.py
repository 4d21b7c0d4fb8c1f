"""In-memory ports: a state with compare-and-swap, a scheduler that counts, a clock that jumps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.call import Call
from reconciler.core.change import Change, Changed, Key, Overtaken, Snapshot
from reconciler.core.ledger import Intent, Ledger
from reconciler.core.outcome import Outcome, Triggered
from reconciler.core.report import Result, Skipped


@dataclass(frozen=True, slots=True)
class Empty:
    """The state before anything was written."""

    commit: str | None = None
    intents: tuple[Intent, ...] = ()

    def ledger(self, key: Key) -> Ledger | None:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Revision:
    """A state in memory, whole: however many changes led to it, reading it takes the same time."""

    commit: str | None
    intents: tuple[Intent, ...]
    ledgers: Mapping[Key, Ledger]

    @staticmethod
    def of(base: Snapshot, change: Change, commit: str) -> Revision:
        """Return what `change` makes of `base`."""
        changed = Changed(base, change)
        ledgers = dict(base.ledgers) if isinstance(base, Revision) else {}
        for key in {entry.key for entry in change.entries}:
            ledger = changed.ledger(key)
            assert ledger is not None
            ledgers[key] = ledger
        return Revision(commit, changed.intents, ledgers)

    def ledger(self, key: Key) -> Ledger | None:
        return self.ledgers.get(key)


@dataclass(slots=True)
class MemoryState:
    """The state port in memory. `before_commit` may let another run in first, or fail."""

    tip: Snapshot = field(default_factory=Empty)
    messages: list[str] = field(default_factory=list)
    before_commit: Callable[[Change], None] = lambda _change: None

    def read(self) -> Snapshot:
        return self.tip

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        if not change:
            return base
        self.before_commit(change)
        if base is not self.tip:
            return Overtaken()
        self.write(change, message)
        return self.tip

    def write(self, change: Change, message: str = "another run") -> None:
        self.messages.append(message)
        self.tip = Revision.of(self.tip, change, f"c{len(self.messages)}")


@dataclass(slots=True)
class Clock:
    """A clock that never waits; `stopping` is what a signal sets. Wall clocks showed `midnight` when it was started."""

    stopping: bool = False
    waited: list[float] = field(default_factory=list)
    now: float = 0.0
    midnight: int = 0

    def utc(self) -> str:
        return "2026-01-20T05:00:00Z"

    def wall(self, time_zone: str) -> int:
        return self.midnight + int(self.now)

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        if seconds > 0:
            self.waited.append(seconds)
            self.now += seconds
        return self.stopping

    def jitter(self) -> float:
        return 0.5


@dataclass(slots=True)
class CountingSender:
    """Answers every call by a rule, and remembers what it was asked to send.

    Of a batch `early` calls are made as it begins, the others once it is waited for.
    """

    answer: Callable[[Call], Outcome] = lambda _call: Triggered("trace")
    sent: list[Call] = field(default_factory=list)
    refuses: Callable[[Call], str | None] = lambda _call: None
    batches: list[Sequence[Call]] = field(default_factory=list)
    early: int = 0
    results: tuple[Result, ...] = ()
    halted: str | None = None

    def begin(self, calls: Sequence[Call]) -> None:
        self.batches.append(calls)
        self.results = tuple(map(self._made, calls[: self.early]))

    def end(self) -> tuple[Result, ...]:
        self.results += tuple(map(self._made, self.batches[-1][len(self.results) :]))
        return self.results

    def _made(self, call: Call) -> Result:
        skipped = self.stopped(call)
        if skipped:
            return Result(call, skipped, "2026-01-20T05:00:00Z")
        self.sent.append(call)
        return Result(call, self.answer(call), "2026-01-20T05:00:00Z")

    def halt(self, reason: str) -> None:
        self.halted = reason

    def stopped(self, call: Call) -> Skipped | None:
        reason = self.halted or self.refuses(call)
        return Skipped(reason) if reason else None
