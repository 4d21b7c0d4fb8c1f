"""The faults by hand, one at a time: each has to be caught by the histories, through the promise named."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.simulation import faulty_covers as covers
from tests.simulation import faulty_decisions as decisions
from tests.simulation import faulty_ports as ports
from tests.simulation import faulty_runs as runs
from tests.simulation.parts import FAULTS, Parts
from tests.simulation.promises import Promise
from tests.simulation.world import Odds


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault, and the promise that it breaks; `doubles` where it makes the scheduler run an instant again, too."""

    name: str
    parts: Parts
    breaks: Promise
    doubles: bool = False

    @property
    def control(self) -> Parts:
        """The protocol without the fault, under the same odds."""
        return Parts(odds=self.parts.odds)

    def watched_for(self, promise: Promise) -> Mutant:
        """Return the same fault in a world that sees no other broken promise than this one."""
        return replace(self, parts=replace(self.parts, only=promise), breaks=promise)


def _more(odds: Odds = FAULTS, **often: float) -> Odds:
    """Return odds that suit a fault: what brings it out happens often."""
    return replace(odds, **often)


_RUNS = (
    Mutant("LostOutcome", Parts(applier=runs.LostOutcome), Promise.KNOWN_RECORDED),
    Mutant(
        "InterruptForgets",
        Parts(applier=runs.InterruptForgets, odds=_more(signal=0.05)),
        Promise.KNOWN_RECORDED,
    ),
    Mutant("BegunBeforeLanded", Parts(applier=runs.BegunBeforeLanded), Promise.DURABLE, doubles=True),
    Mutant("StrictIgnored", Parts(applier=runs.StrictIgnored), Promise.AHEAD),
    Mutant("BlindRebase", Parts(applier=runs.BlindRebase), Promise.DOUBT_NOT_SENT, doubles=True),
    Mutant("AgreementForgotten", Parts(applier=runs.AgreementForgotten), Promise.AGREED),
    Mutant("UnknownTakenForFailure", Parts(applier=runs.UnknownTakenForFailure), Promise.DOUBT_STAYS, doubles=True),
    Mutant("UnknownTakenForSuccess", Parts(applier=runs.UnknownTakenForSuccess), Promise.EXECUTED),
    Mutant("RefusedKept", Parts(applier=runs.RefusedKept), Promise.REFUSED_OWED),
    Mutant("TokensNotRecorded", Parts(applier=runs.TokensNotRecorded), Promise.RECORDED_AS_MADE, doubles=True),
    Mutant("LineNotLookedFor", Parts(applier=runs.LineNotLookedFor, odds=_more(copies=1)), Promise.RECORDED_ONCE),
    Mutant("AnyRerunSettles", Parts(applier=runs.AnyRerunSettles), Promise.DOUBT_STAYS, doubles=True),
    Mutant("PendingFileRemoved", Parts(applier=runs.PendingFileRemoved), Promise.DOUBT_STAYS, doubles=True),
    Mutant("OutcomesOnlyRemove", Parts(applier=runs.OutcomesOnlyRemove), Promise.DOUBT_STAYS, doubles=True),
    Mutant("DependentsGoOn", Parts(applier=runs.DependentsGoOn), Promise.UPSTREAM_FIRST),
    Mutant("UnknownRetried", Parts(sender=runs.UnknownRetried), Promise.DOUBT_NOT_SENT, doubles=True),
    Mutant("NotSentTakenForSuccess", Parts(sender=runs.NotSentTakenForSuccess), Promise.EXECUTED),
    Mutant("OutcomeBeforeTheAnswer", Parts(sender=runs.OutcomeBeforeTheAnswer), Promise.HONEST_JOURNAL),
    Mutant("CallsWidened", Parts(sender=runs.CallsWidened), Promise.AS_PLANNED, doubles=True),
    Mutant("TableGoesOn", Parts(sender=runs.TableGoesOn), Promise.TABLE_STOPS),
    Mutant("TargetGoesOn", Parts(sender=runs.TargetGoesOn, odds=_more(refused=0.3)), Promise.TARGET_STOPS),
    Mutant("HoursIgnored", Parts(sender=runs.HoursIgnored, odds=_more(closing=0.05)), Promise.HOURS),
    Mutant("SignalIgnored", Parts(sender=runs.SignalIgnored, odds=_more(signal=0.05)), Promise.INTERRUPT),
)

_PORTS = (
    Mutant("NoIntents", Parts(process=ports.NoIntents), Promise.DURABLE, doubles=True),
    Mutant("TrustedExitCode", Parts(process=ports.TrustedExitCode), Promise.DURABLE, doubles=True),
    Mutant("SentThoughOvertaken", Parts(process=ports.SentThoughOvertaken), Promise.DURABLE, doubles=True),
    Mutant("ForcedPush", Parts(process=ports.ForcedPush), Promise.GROWS, doubles=True),
    Mutant("JournalAfterTheCall", Parts(process=ports.JournalAfterTheCall), Promise.JOURNALED, doubles=True),
    Mutant(
        "FullDiskIgnored",
        Parts(process=ports.FullDiskIgnored, odds=_more(full=0.3, crash=0.06)),
        Promise.JOURNALED,
        doubles=True,
    ),
    Mutant("JournalDropped", Parts(process=ports.JournalDropped), Promise.KNOWN_RECORDED),
    Mutant("fail_all_errors", Parts(judge=ports.fail_all_errors), Promise.DOUBT_STAYS, doubles=True),
    Mutant("refuse_unclear", Parts(judge=ports.refuse_unclear), Promise.DOUBT_STAYS, doubles=True),
    Mutant("accept_any_200", Parts(judge=ports.accept_any_200), Promise.EXECUTED),
)

_DECISIONS = (
    Mutant("settle_sending", Parts(settler=decisions.settle_sending), Promise.DOUBT_STAYS, doubles=True),
    Mutant("settle_living", Parts(settler=decisions.settle_living), Promise.LIVING, doubles=True),
    Mutant("settle_strangers", Parts(settler=decisions.settle_strangers), Promise.DOUBT_STAYS, doubles=True),
    Mutant(
        "settle_by_nothing",
        Parts(settler=decisions.settle_by_nothing, odds=_more(copies=1, crash=0.04)),
        Promise.DOUBT_STAYS,
        doubles=True,
    ),
    Mutant("settle_without_lines", Parts(settler=decisions.settle_without_lines), Promise.DOUBT_STAYS, doubles=True),
    Mutant("settle_never", Parts(settler=decisions.settle_never), Promise.IN_FLIGHT),
    Mutant("plan_past_orphans", Parts(planner=decisions.plan_past_orphans), Promise.DOUBT_NOT_SENT, doubles=True),
    Mutant(
        "plan_past_tokens_in_doubt",
        Parts(planner=decisions.plan_past_tokens_in_doubt),
        Promise.DOUBT_NOT_SENT,
        doubles=True,
    ),
    Mutant("plan_without_reviewers", Parts(planner=decisions.plan_without_reviewers), Promise.APPROVED),
    Mutant("plan_without_limits", Parts(planner=decisions.plan_without_limits), Promise.HELD),
    Mutant("plan_no_rerun_over_doubt", Parts(planner=decisions.plan_no_rerun_over_doubt), Promise.FORGOTTEN),
    Mutant("plan_without_ledger", Parts(planner=decisions.plan_without_ledger), Promise.DONE_NOT_SENT, doubles=True),
)

_COVERS = (
    Mutant("CoversNotRecorded", Parts(applier=covers.CoversNotRecorded), Promise.TOGETHER),
    Mutant(
        "RerunUpstreamSettles",
        Parts(applier=covers.RerunUpstreamSettles, odds=_more(lost=0.4)),
        Promise.DOUBT_STAYS,
        doubles=True,
    ),
    Mutant("settle_without_covers", Parts(settler=covers.settle_without_covers), Promise.TOGETHER),
    Mutant(
        "plan_past_covers_in_doubt",
        Parts(planner=covers.plan_past_covers_in_doubt),
        Promise.DOUBT_NOT_SENT,
        doubles=True,
    ),
)

MUTANTS = (*_RUNS, *_PORTS, *_DECISIONS, *_COVERS)

# Below the promises that are kept at every step lie two about the whole. A world that sees nothing but one of them
# still catches whatever harms it.
NETS = (
    *(mutant.watched_for(Promise.NEVER_TWICE) for mutant in MUTANTS if mutant.doubles),
    *(
        mutant.watched_for(Promise.RAN_KNOWN)
        for mutant in MUTANTS
        if mutant.name in {"OutcomesOnlyRemove", "CallsWidened"}
    ),
)
