"""What the apply protocol needs of the world: the state's branch, the scheduler, the journal, a clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from reconciler.core.call import Call
from reconciler.core.change import Change, Overtaken, Snapshot
from reconciler.core.outcome import Outcome
from reconciler.core.report import Result, Skipped

S = TypeVar("S", bound=Snapshot)


class StatePort(Protocol[S]):
    """The state, read at its tip and changed by compare-and-swap."""

    def read(self) -> S:
        """Return the state at its tip. Raises Failure where it cannot be read."""

    def commit(self, base: S, change: Change, message: str) -> S | Overtaken:
        """Write `change` on top of `base`, durably. Raises Failure where it is not known to be written."""


class SchedulerPort(Protocol):
    """One target's scheduler."""

    def post(self, call: Call) -> Outcome:
        """Make one POST, no more, and say what became of it. Raises nothing for trouble on the network."""


class JournalPort(Protocol):
    """Durable lines before and after each POST; OSError where the disk does not take one."""

    def sending(self, call_id: str, at: str) -> None: ...

    def outcome(self, call_id: str, outcome: Outcome, at: str) -> None: ...


class Clock(Protocol):
    """Time, and a wait that a signal ends early."""

    def utc(self) -> str:
        """Return the time as `2026-01-20T05:00:00Z`."""

    def wall(self, time_zone: str) -> int:
        """Return the second that the wall clock of a time zone shows now."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def wait(self, seconds: float) -> bool:
        """Wait; True at once when the run is to stop."""

    def jitter(self) -> float:
        """Return a random number from 0 to 1."""


class SenderPort(Protocol):
    """Makes the calls of a batch whose intents are durable, one batch after another."""

    def begin(self, calls: Sequence[Call]) -> None:
        """Begin to make the calls of a batch, and return. The batch before has to have ended."""

    def end(self) -> tuple[Result, ...]:
        """Wait for the batch's calls, and return a result for every one of them, in the order given."""

    def halt(self, reason: str) -> None:
        """Let no further call of this run begin, those of a batch under way included."""

    def stopped(self, call: Call) -> Skipped | None:
        """Say why a call must not be tried any more in this run, None where it may."""
