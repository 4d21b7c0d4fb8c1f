"""The sheet that Markdown is made of: a plan, and what a reviewer should see beside it."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.commands.state import Gathered
from reconciler.commands.tables import Tables
from reconciler.core.change import Changed
from reconciler.core.ledger import Trigger
from reconciler.render.sheet import Sheet


def sheet_of(found: Gathered, guards: tuple[str, ...] = (), base: str | None = None) -> Sheet:
    """Return the sheet of what was gathered. `guards` and `base` are those of a comparison with another branch."""
    requests = found.planner.manifests.declared.requests
    return Sheet(
        plan=found.plan,
        requests={request.key: request for request in requests},
        before=_before(found),
        problems=found.problems,
        guards=guards,
        base=base,
        live=found.live,
        pulls={request.key: found.planner.reviews.pulls(request.key) for request in requests if request.rerun},
        standings={one.key: one for one in Tables.of(found).planned() if one.plan.calls},
    )


def _before(found: Gathered) -> Mapping[str, tuple[Trigger, ...]]:
    """Return by call, for reruns, what the ledger has of their windows."""
    state = Changed(found.snapshot, found.settlement)
    calls = [planned.call for _, planned in found.plan.calls if planned.call.rerun]
    ledgers = {(call.target, call.table): state.ledger((call.target, call.table)) for call in calls}
    return {
        call.id: ledger.over(call.span.windows)
        for call in calls
        if (ledger := ledgers[call.target, call.table]) is not None
    }
