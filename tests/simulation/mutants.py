"""Faults of the protocol, written by hand: each one has to be caught by the histories, through the invariant named."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from reconciler.core.call import Call
from reconciler.core.change import Change, Changed, Entry, Overtaken, Snapshot
from reconciler.core.ledger import Intent, windows_of
from reconciler.core.outcome import NotSent, Outcome, Triggered, Unknown
from reconciler.core.planner import Table, TablePlan, plan_table
from reconciler.core.policy import Approval, Approved
from reconciler.core.report import Result, Skipped
from reconciler.core.settlement import Event, JournalReading, Sending, settle
from reconciler.core.window import subtract
from reconciler.errors import Failure
from reconciler.protocol.apply import Applier
from reconciler.protocol.sender import Sender
from tests.protocol.ports import Revision
from tests.simulation.history import Parts
from tests.simulation.world import Odds, Process


class LostOutcome(Applier[Snapshot]):
    """After a lost race, the outcomes of the last batch are forgotten."""

    def _plan_again(self) -> None:
        self._unrecorded = ()
        super()._plan_again()


class BlindRebase(Applier[Snapshot]):
    """After a lost race, the same calls are intended again on the new tip, without planning again."""

    def _plan_again(self) -> None:
        again = deque([*self._batch, *self._queue])
        super()._plan_again()
        self._queue = again


class UnknownTakenForFailure(Applier[Snapshot]):
    """A lost answer counts as a refusal: the intent goes, and the call is owed again."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        return super()._outcomes([self._refused(result) for result in results])

    def _refused(self, result: Result) -> Result:
        lost = isinstance(result.outcome, Unknown)
        return replace(result, outcome=Skipped("lost")) if lost else result


class UnknownTakenForSuccess(Applier[Snapshot]):
    """A lost answer counts as an acceptance."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        lost = [result for result in results if isinstance(result.outcome, Unknown)]
        return super()._outcomes([replace(r, outcome=Triggered(None)) if r in lost else r for r in results])


class TokensNotRecorded(Applier[Snapshot]):
    """The ledger's lines do not bear the rerun tokens of their calls."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        change = super()._outcomes(results)
        return replace(change, entries=tuple(_bare(entry) for entry in change.entries))


def _bare(entry: Entry) -> Entry:
    return replace(entry, trigger=replace(entry.trigger, rerun=()))


class AnyRerunSettles(Applier[Snapshot]):
    """Any later rerun that touches a call in doubt settles it, whatever tokens either bears."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        change = super()._outcomes(results)
        reran = windows_of(entry.trigger.span for entry in change.entries if entry.trigger.rerun)
        touched = [
            intent
            for intent in self._snapshot.intents
            if subtract(intent.call.span.windows, reran) != intent.call.span.windows
        ]
        return change + Change(settled=tuple(touched))


class PendingFileRemoved(Applier[Snapshot]):
    """Recording a batch removes all of the run's intents, those in doubt too."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        mine = tuple(intent for intent in self._snapshot.intents if intent.run == self._run.name)
        change = super()._outcomes(results)
        return change + Change(settled=mine) if results else change


class OutcomesOnlyRemove(Applier[Snapshot]):
    """Recording removes the intents and forgets to write the ledger's lines."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        return replace(super()._outcomes(results), entries=())


class UnknownRetried(Sender):
    """A lost answer is tried again, like a request that never left."""

    def _journaled(self, call: Call) -> Outcome | Skipped:
        outcome = super()._journaled(call)
        return NotSent("again") if isinstance(outcome, Unknown) else outcome


class NotSentTakenForSuccess(Sender):
    """A request that never left counts as accepted."""

    def _journaled(self, call: Call) -> Outcome | Skipped:
        outcome = super()._journaled(call)
        return Triggered(None) if isinstance(outcome, NotSent) else outcome


class NoIntents(Process):
    """Calls are made without an intent."""

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        return super().commit(base, replace(change, intents=()), message)


class TrustedExitCode(Process):
    """A push of which nothing is known counts as landed."""

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        try:
            return super().commit(base, change, message)
        except Failure:
            return Revision(Changed(base, change), "believed")


class ForcedPush(Process):
    """A push overwrites what another run wrote."""

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        landed = super().commit(base, change, message)
        if isinstance(landed, Overtaken):
            self.world.tip = base
            self.world.land(base, change)
            return self.world.tip
        return landed


class JournalAfterTheCall(Process):
    """The journal hears of a call only when its answer is there."""

    def sending(self, call_id: str, at: str) -> None:
        self.step("no line yet")


class FullDiskIgnored(Process):
    """A line that the disk did not take does not keep the call from being made."""

    def sending(self, call_id: str, at: str) -> None:
        try:
            super().sending(call_id, at)
        except OSError:
            self.step("disk full, ignored")


def _settle_sending(intents: Iterable[Intent], journals: Iterable[JournalReading]) -> Change:
    """A call that was being sent when its run died counts as never sent."""
    return settle(intents, [replace(journal, events=_without_sending(journal)) for journal in journals])


def _without_sending(journal: JournalReading) -> dict[str, Event]:
    return {name: event for name, event in journal.events.items() if not isinstance(event.what, Sending)}


def _settle_living(intents: Iterable[Intent], journals: Iterable[JournalReading]) -> Change:
    """A run that is under way counts as dead."""
    return settle(intents, [replace(journal, live=False) for journal in journals])


def _settle_strangers(intents: Iterable[Intent], journals: Iterable[JournalReading]) -> Change:
    """A run without a journal here counts as one that never sent anything."""
    known = tuple(journals)
    here = {journal.run for journal in known}
    kept = tuple(intents)
    strangers = (intent.run for intent in kept if intent.run not in here)
    empty = (JournalReading(run, live=False, begun=True, events={}) for run in strangers)
    return settle(kept, chain(known, empty))


def _settle_without_lines(intents: Iterable[Intent], journals: Iterable[JournalReading]) -> Change:
    """What the journal says was accepted is taken out of doubt, and not recorded."""
    return replace(settle(intents, journals), entries=())


Approvals = dict[str, Approval]


def _forgotten_orphans(table: Table, approvals: Approvals) -> TablePlan:
    """The intents of other runs are not looked at."""
    return plan_table(replace(table, intents=()), approvals)


def _forgotten_tokens(table: Table, approvals: Approvals) -> TablePlan:
    """A rerun whose own answer was lost is owed again."""
    bare = tuple(replace(intent, call=replace(intent.call, rerun=())) for intent in table.intents)
    return plan_table(replace(table, intents=bare), approvals)


def _everything_approved(table: Table, approvals: Approvals) -> TablePlan:
    """Nobody has to approve a rerun."""
    return plan_table(table, {key: Approved(("nobody",)) for key in approvals})


def _doubt_blocks_reruns(table: Table, approvals: Approvals) -> TablePlan:
    """A call in doubt keeps an approved rerun from being made."""
    doubtful = windows_of(intent.call.span for intent in table.intents)
    asked = tuple(replace(r, windows=subtract(r.windows, doubtful)) if r.rerun else r for r in table.requests)
    return plan_table(replace(table, requests=tuple(r for r in asked if r.windows)), approvals)


def _ledger_not_read(table: Table, approvals: Approvals) -> TablePlan:
    """A ledger that cannot be read is taken for an empty one."""
    return plan_table(replace(table, ledger=None), approvals)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault, and the invariant that has to catch it."""

    name: str
    parts: Parts
    caught_by: str


def _applier(kind: type[Applier[Snapshot]], caught_by: str = "never twice") -> Mutant:
    return Mutant(kind.__name__, Parts(applier=kind), caught_by)


def _process(kind: type[Process], caught_by: str = "never twice") -> Mutant:
    return Mutant(kind.__name__, Parts(process=kind), caught_by)


def _settler(function: Callable[..., Change], caught_by: str = "never twice") -> Mutant:
    return Mutant(function.__name__.strip("_"), Parts(settler=function), caught_by)


def _planner(function: Callable[[Table, Approvals], TablePlan], caught_by: str = "never twice") -> Mutant:
    return Mutant(function.__name__.strip("_"), Parts(planner=function), caught_by)


MUTANTS = (
    _applier(LostOutcome, "a known answer is recorded"),
    _applier(BlindRebase),
    _applier(UnknownTakenForFailure),
    _applier(UnknownTakenForSuccess, "triggered means executed"),
    _applier(TokensNotRecorded),
    _applier(AnyRerunSettles, "what ran is known"),
    _applier(PendingFileRemoved),
    _applier(OutcomesOnlyRemove, "a known answer is recorded"),
    Mutant("UnknownRetried", Parts(sender=UnknownRetried), "never twice"),
    Mutant("NotSentTakenForSuccess", Parts(sender=NotSentTakenForSuccess), "triggered means executed"),
    _process(NoIntents),
    _process(TrustedExitCode, "a known answer is recorded"),
    _process(ForcedPush),
    _process(JournalAfterTheCall, "what ran is known"),
    Mutant("FullDiskIgnored", Parts(process=FullDiskIgnored, odds=Odds(full=0.4, crash=0.06)), "what ran is known"),
    _settler(_settle_sending, "what ran is known"),
    _settler(_settle_living),
    _settler(_settle_strangers),
    _settler(_settle_without_lines, "what ran is known"),
    _planner(_forgotten_orphans),
    _planner(_forgotten_tokens),
    _planner(_everything_approved, "approved"),
    _planner(_doubt_blocks_reruns, "none forgotten"),
    _planner(_ledger_not_read),
)
