"""All that is known of a table's time: requests, ledger lines, doubts and planned calls, each over its seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.call import Call
from reconciler.core.ledger import Doubt, Trigger
from reconciler.core.needs import Table
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.request import Request
from reconciler.core.window import Windows


@dataclass(frozen=True, slots=True)
class Line:
    """A trigger, and the number of its line in the ledger's file."""

    number: int
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class Upstream:
    """A call for a table upstream, and the call for this table that is not made because of it."""

    made: PlannedCall
    instead: Call


Fact = Request | Line | Doubt | PlannedCall | Upstream


def facts_of(table: Table, plan: TablePlan, carried: Sequence[PlannedCall]) -> Iterator[tuple[Fact, Windows]]:
    """Yield all that is known of a table, with the seconds over which it holds.

    `carried` are planned calls, of any table, whose `covers` name this one.
    """
    for request in sorted(table.requests, key=lambda request: request.key):
        yield request, request.windows
    for position, trigger in enumerate(table.ledger.triggers if table.ledger else ()):
        yield Line(position + 2, trigger), trigger.span.windows  # the file's first line is its header
    for doubt in plan.all_doubts:
        yield doubt, doubt.windows
    for planned in plan.calls:
        yield planned, planned.call.span.windows
    for planned in carried:
        for call in planned.call.covers:
            if (call.target, call.table) == (table.target.name, table.name):
                yield Upstream(planned, call), call.span.windows
