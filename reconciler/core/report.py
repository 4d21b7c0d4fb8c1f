"""What an apply did: a result for every call that was ready."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.call import Call
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.plan import Plan
from reconciler.core.planner import PlannedCall
from reconciler.core.policy import Because, Held
from reconciler.errors import Failure


@dataclass(frozen=True, slots=True)
class Skipped:
    """A call that this run did not try to make, and why; where it has an intent, that is removed.

    `because` is set where it is held from now on: it waits for another table, or for the target's hours.
    """

    reason: str
    because: Because | None = None


WORDS = {
    "triggered": "triggered",
    "rejected": "rejected",
    "notSent": "not sent",
    "unknown": "in doubt",
    "skipped": "skipped",
}
"""The words of JSON documents, and what people read instead."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a planned call, and when that was known (UTC)."""

    call: Call
    outcome: Outcome | Skipped
    at: str

    @property
    def label(self) -> str:
        """The word that JSON documents use."""
        match self.outcome:
            case Triggered():
                return "triggered"
            case Rejected():
                return "rejected"
            case NotSent():
                return "notSent"
            case Unknown():
                return "unknown"
            case Skipped():
                return "skipped"

    @property
    def held(self) -> Held | None:
        """Why the run held the call, None where it did not."""
        match self.outcome:
            case Skipped(reason, because) if because is not None:
                return Held(because, reason)
            case _:
                return None

    @property
    def word(self) -> str:
        """The words that people read."""
        return "held" if self.held else WORDS[self.label]

    @property
    def error(self) -> str | None:
        """Why the call was not accepted, None where it was."""
        match self.outcome:
            case Triggered():
                return None
            case Rejected(error) | NotSent(error) | Unknown(error) | Skipped(error):
                return error

    @property
    def trace_id(self) -> str | None:
        match self.outcome:
            case Triggered(trace_id) | Rejected(_, trace_id):
                return trace_id
            case NotSent() | Unknown() | Skipped():
                return None


@dataclass(frozen=True, slots=True)
class Report:
    """What an apply did. `results` has every call that was ready, in the order made; `commit` is the state's last one.

    `unrecorded` where outcomes are in the journal only, `failure` what ended the run early, `stale` where another
    run changed what is owed into something that nobody agreed to.
    """

    run: str
    commit: str | None
    results: tuple[Result, ...]
    unrecorded: bool = False
    failure: Failure | None = None
    stale: bool = False

    @property
    def tried(self) -> tuple[Result, ...]:
        """The results but for those of calls that the run held."""
        return tuple(result for result in self.results if result.held is None)


def still_held(plan: Plan, report: Report) -> tuple[PlannedCall, ...]:
    """Return what is held when a run of `plan` has ended: by the plan, and not made after all, or by the run."""
    ended = {result.call.id for result in report.results}
    before = (planned for planned in plan.held if planned.call.id not in ended)
    return (*before, *(PlannedCall(result.call, result.held) for result in report.results if result.held))
