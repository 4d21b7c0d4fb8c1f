"""All that is known of a table's time: requests, ledger lines, doubts and planned calls, each over its seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.call import Call, Span, Times
from reconciler.core.change import Key
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
    """Yield all that is known of a table, with the seconds over which it holds: points side by side are not joined.

    `carried` are planned calls, of any table, whose `covers` name this one.
    """
    for request in sorted(table.requests, key=lambda request: request.key):
        yield request, request.windows
    for position, trigger in enumerate(table.ledger.triggers if table.ledger else ()):
        yield Line(position + 2, trigger), _windows(trigger.span)  # the file's first line is its header
    for doubt in plan.all_doubts:
        yield doubt, doubt.windows
    for planned in plan.calls:
        yield planned, _windows(planned.call.span)
    for upstream in upstream_of((table.target.name, table.name), carried):
        yield upstream, _windows(upstream.instead.span)


def upstream_of(key: Key, carried: Iterable[PlannedCall]) -> Iterator[Upstream]:
    """Yield the calls for a table that are not made, because planned calls for tables upstream cover them."""
    for planned in carried:
        for call in planned.call.covers:
            if (call.target, call.table) == key:
                yield Upstream(planned, call)


def _windows(span: Span) -> Windows:
    """Return the windows of a span, a point for a point: one on the schedule and one beside it are two things."""
    return tuple((time, time + 1) for time in span.times) if isinstance(span, Times) else span.windows
