"""Faults in what is decided from the state and the journals: settlements and plans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from reconciler.core.change import Change
from reconciler.core.ledger import Intent, windows_of
from reconciler.core.needs import Table
from reconciler.core.planner import TablePlan, plan_table
from reconciler.core.policy import Approval, Approved
from reconciler.core.settlement import Event, JournalReading, Sending, settle
from reconciler.core.window import subtract

Intents = Iterable[Intent]
Journals = Iterable[JournalReading]
Approvals = dict[str, Approval]


def settle_sending(intents: Intents, journals: Journals) -> Change:
    """A call that was being sent when its run died counts as never sent."""
    return settle(intents, [replace(journal, events=_without_sending(journal)) for journal in journals])


def _without_sending(journal: JournalReading) -> dict[str, Event]:
    return {name: event for name, event in journal.events.items() if not isinstance(event.what, Sending)}


def settle_living(intents: Intents, journals: Journals) -> Change:
    """A run that is under way counts as dead."""
    return settle(intents, [replace(journal, live=False) for journal in journals])


def settle_strangers(intents: Intents, journals: Journals) -> Change:
    """A run without a journal here counts as one that never sent anything."""
    known, kept = tuple(journals), tuple(intents)
    here = {journal.run for journal in known}
    strangers = (intent.run for intent in kept if intent.run not in here)
    empty = (JournalReading(run, live=False, begun=True, events={}) for run in strangers)
    return settle(kept, chain(known, empty))


def settle_by_nothing(intents: Intents, journals: Journals) -> Change:
    """A journal without even its first line counts as that of a run that never sent anything."""
    return settle(intents, [replace(journal, begun=True) for journal in journals])


def settle_without_lines(intents: Intents, journals: Journals) -> Change:
    """What the journal says was accepted is taken out of doubt, and not recorded."""
    return replace(settle(intents, journals), entries=())


def settle_never(intents: Intents, journals: Journals) -> Change:
    """What the journals of dead runs say is not looked at."""
    return Change()


def plan_past_orphans(table: Table, approvals: Approvals) -> TablePlan:
    """The intents of other runs are not looked at."""
    return plan_table(replace(table, intents=()), approvals)


def plan_past_tokens_in_doubt(table: Table, approvals: Approvals) -> TablePlan:
    """A rerun whose own answer was lost is owed again."""
    bare = tuple(replace(intent, call=replace(intent.call, rerun=())) for intent in table.intents)
    return plan_table(replace(table, intents=bare), approvals)


def plan_without_reviewers(table: Table, approvals: Approvals) -> TablePlan:
    """Nobody has to approve a rerun."""
    return plan_table(table, {key: Approved(("nobody",)) for key in approvals})


def plan_without_limits(table: Table, approvals: Approvals) -> TablePlan:
    """What the target's clock has not reached is not held."""
    return plan_table(replace(table, now=10**9), approvals)


def plan_no_rerun_over_doubt(table: Table, approvals: Approvals) -> TablePlan:
    """A call in doubt keeps an approved rerun from being made."""
    doubtful = windows_of(intent.call.span for intent in table.intents)
    asked = tuple(replace(r, windows=subtract(r.windows, doubtful)) if r.rerun else r for r in table.requests)
    return plan_table(replace(table, requests=tuple(r for r in asked if r.windows)), approvals)


def plan_without_ledger(table: Table, approvals: Approvals) -> TablePlan:
    """A ledger that cannot be read is taken for an empty one."""
    return plan_table(replace(table, ledger=None), approvals)
