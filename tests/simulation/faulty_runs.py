"""Faults in what a run does: in the applier, and in the sender that makes its calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.core.call import Call, Range, Times
from reconciler.core.change import Change, Entry, Snapshot
from reconciler.core.ledger import Intent, windows_of
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.report import Result, Skipped
from reconciler.core.window import subtract
from reconciler.protocol.apply import Applier
from reconciler.protocol.sender import Sender
from reconciler.protocol.turns import Turns


class LostOutcome(Applier[Snapshot]):
    """After a lost race, the outcomes of the last batch are forgotten."""

    def _plan_again(self) -> None:
        self._unrecorded = ()
        super()._plan_again()


class InterruptForgets(Applier[Snapshot]):
    """An interrupted run ends without recording its last batch."""

    def _step(self) -> bool:
        if self._clock.wait(0):
            self._finish()
            self._unrecorded = ()
            return False
        return super()._step()


class BegunBeforeLanded(Applier[Snapshot]):
    """The calls of a batch begin while the push of their intents is still under way."""

    def _intents(self, batch: Sequence[Call]) -> Iterator[Intent]:
        self._finish()
        super()._begin(tuple(batch))
        yield from super()._intents(batch)

    def _begin(self, batch: tuple[Call, ...]) -> None:
        pass


class StrictIgnored(Applier[Snapshot]):
    """Single calls are intended ahead, too."""

    def _looks_ahead(self) -> bool:
        return not self._clock.wait(0)


class BlindRebase(Applier[Snapshot]):
    """After a lost race, the same calls are intended again on the new tip, without planning again."""

    def _plan_again(self) -> None:
        again = (*self._batch, *self._turns)
        super()._plan_again()
        self._turns = Turns(self._plan.tables, again)


class AgreementForgotten(Applier[Snapshot]):
    """After a lost race, everything that is owed then is made, whatever a person had agreed to."""

    def _plan_again(self) -> None:
        self._run = replace(self._run, agreed=None)
        super()._plan_again()


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


class RefusedKept(Applier[Snapshot]):
    """The intents of refused calls stay."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        return super()._outcomes([result for result in results if not isinstance(result.outcome, Rejected)])


class TokensNotRecorded(Applier[Snapshot]):
    """The ledger's lines do not bear the rerun tokens of their calls."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        change = super()._outcomes(results)
        return replace(change, entries=tuple(_bare(entry) for entry in change.entries))


def _bare(entry: Entry) -> Entry:
    return replace(entry, trigger=replace(entry.trigger, rerun=()))


class LineNotLookedFor(Applier[Snapshot]):
    """A call whose line is there already, by a copy of the run's journal, gets a second one."""

    def _is_recorded(self, intent: Intent) -> bool:
        return False


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


class DependentsGoOn(Applier[Snapshot]):
    """A table whose call failed counts as done for those that depend on it."""

    def _keep(self, result: Result) -> None:
        self._results.append(result)
        self._turns.note(replace(result, outcome=Triggered(None)))


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


class OutcomeBeforeTheAnswer(Sender):
    """The journal says that a call was accepted while nobody has answered yet."""

    def _journaled(self, call: Call) -> Outcome | Skipped:
        self._journal.outcome(call.id, Triggered(None), self._clock.utc())
        return super()._journaled(call)


class CallsWidened(Sender):
    """What is sent is a second longer than what was planned."""

    def _send_table(self, calls: Sequence[Call]) -> list[Result]:
        return super()._send_table([_widened(call) for call in calls])


def _widened(call: Call) -> Call:
    span = call.span
    if isinstance(span, Range):
        start, end = span.window
        wide = replace(call, span=Range((start, end + 1), span.range_end))
    else:
        wide = replace(call, span=Times((*span.times, span.times[-1] + 1)))
    object.__setattr__(wide, "id", call.id)
    return wide


class TableGoesOn(Sender):
    """A failure does not keep the table's later calls from being made."""

    def _note(self, call: Call, outcome: Outcome | Skipped) -> None:
        super()._note(call, outcome)
        self._stopped_tables.clear()


class TargetGoesOn(Sender):
    """A refused credential stops its table alone."""

    def _note(self, call: Call, outcome: Outcome | Skipped) -> None:
        super()._note(call, outcome)
        self._stopped_targets.clear()
        if isinstance(outcome, Rejected):
            self._stopped_tables[call.target, call.table] = "refused"


class HoursIgnored(Sender):
    """Calls start outside of the target's hours."""

    def stopped(self, call: Call) -> Skipped | None:
        stopped = super().stopped(call)
        return None if stopped and stopped.because == "window" else stopped


class SignalIgnored(Sender):
    """Calls of a batch are made although the run was interrupted."""

    def _pace(self, call: Call) -> Skipped | None:
        super()._pace(call)
        return None
