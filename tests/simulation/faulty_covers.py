"""Faults in what a call does for those that it covers: in recording them, in their doubt, and in how that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.change import Change, Snapshot
from reconciler.core.ledger import doubts
from reconciler.core.needs import Table
from reconciler.core.planner import TablePlan, plan_table
from reconciler.core.report import Result
from reconciler.core.settlement import settle
from reconciler.protocol.apply import Applier
from tests.simulation.faulty_decisions import Approvals, Intents, Journals


class CoversNotRecorded(Applier[Snapshot]):
    """A run writes the line of its call, and none of what it covers."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        change = super()._outcomes(results)
        return replace(change, entries=change.made)


class RerunUpstreamSettles(Applier[Snapshot]):
    """A call is in doubt no longer once reruns have settled it for its own table, whatever it covers."""

    def _outcomes(self, results: Sequence[Result]) -> Change:
        change = super()._outcomes(results)
        reran = {entry.key for entry in change.entries if entry.trigger.rerun}
        older = [intent for intent in self._snapshot.intents if intent.key in reran]
        lines = {key: [entry.trigger for entry in change.entries if entry.key == key] for key in reran}
        settled = []
        for intent in older:
            ledger = self._snapshot.ledger(intent.key)
            grown = replace(ledger, triggers=(*ledger.triggers, *lines[intent.key])) if ledger else None
            settled += [] if grown is None or doubts(grown, (intent,)) else [intent]
        return change + Change(settled=tuple(settled))


def settle_without_covers(intents: Intents, journals: Journals) -> Change:
    """What the journal says was accepted is recorded, but not what it covers."""
    change = settle(intents, journals)
    return replace(change, entries=change.made)


def plan_past_covers_in_doubt(table: Table, approvals: Approvals) -> TablePlan:
    """What a call in doubt covers counts as owed."""
    own = tuple(intent for intent in table.intents if intent.part_of is None)
    return plan_table(replace(table, intents=own), approvals)
