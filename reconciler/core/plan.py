"""The plan of a whole root: its totals, and the digest that ties what was reviewed to what is applied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.call import Call, canonical
from reconciler.core.config import Target
from reconciler.core.ledger import Doubt
from reconciler.core.planner import PlannedCall, TablePlan


@dataclass(frozen=True, slots=True)
class Summary:
    """A plan in numbers. `calls`, `tables`, `instances`, `new` and `rerun` count what is ready.

    `instances` is None where a call is a range without a schedule.
    """

    calls: int
    tables: int
    instances: int | None
    new: int
    rerun: int
    held: int
    in_doubt: int
    covered: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What apply would do: every table, sorted by target and name. `state` is the state branch's commit, if any.

    `orphans` are in doubt for tables that no manifest declares any more, or on targets that are not configured.
    """

    state: str | None
    tables: tuple[TablePlan, ...]
    orphans: tuple[Doubt, ...] = ()

    @property
    def calls(self) -> tuple[tuple[Target, PlannedCall], ...]:
        return tuple((table.target, planned) for table in self.tables for planned in table.calls)

    @property
    def ready(self) -> tuple[Call, ...]:
        return tuple(call for table in self.tables for call in table.ready)

    @property
    def due(self) -> tuple[Call, ...]:
        """The calls that are ready, or wait for their target's hours alone: what is agreed to, at whatever hour."""
        return tuple(call for table in self.tables for call in due(table))

    @property
    def held(self) -> tuple[PlannedCall, ...]:
        return tuple(planned for _, planned in self.calls if planned.held is not None)

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        return (*(doubt for table in self.tables for doubt in table.doubts), *self.orphans)

    @property
    def summary(self) -> Summary:
        ready = self.ready
        return Summary(
            calls=len(ready),
            tables=sum(1 for table in self.tables if table.ready),
            instances=instances_of(ready),
            new=sum(1 for call in ready if not call.rerun),
            rerun=sum(1 for call in ready if call.rerun),
            held=len(self.held),
            in_doubt=len(self.doubts),
            covered=sum(len(table.covered) for table in self.tables),
        )

    @property
    def basis(self) -> dict[str, str]:
        """Name what the calls that are due rest on beside their bodies: where they go, and which ledgers they extend.

        Where the digest of a plan changes though its calls do not, one of these has changed.
        """
        found: dict[str, str] = {}
        for table in self.tables:
            if due(table):
                target = table.target
                found[f"url of the target {target.name}"] = target.url
                found[f"tenantId of the target {target.name}"] = target.tenant
                found[f"rangeEnd of the target {target.name}"] = target.range_end
                found[f"ledger of {table.table} on {target.name}"] = table.head or "none"
        return found

    @property
    def digest(self) -> str:
        """Name what apply would send: exact bodies, where to, with which tokens, on top of which ledgers.

        The hour does not matter: what waits for a target's hours alone is sent once they have come.
        """
        tables = [
            [
                [table.target.name, table.target.url, table.target.tenant, table.target.range_end],
                [table.table, table.head],
                [[call.span.method, call.body, list(call.rerun)] for call in due(table)],
            ]
            for table in self.tables
            if due(table)
        ]
        return "sha256:" + hashlib.sha256(canonical(tables).encode()).hexdigest()


def instances_of(calls: Iterable[Call]) -> int | None:
    """Return how many instances calls trigger, None where any of them is not known."""
    numbers = [call.instances for call in calls]
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def due(table: TablePlan) -> tuple[Call, ...]:
    """Return the calls of a table that are ready, or wait for the target's hours alone."""
    waiting = {None, "window"}
    return tuple(planned.call for planned in table.calls if (planned.held and planned.held.because) in waiting)


def make_plan(state: str | None, tables: Iterable[TablePlan], orphans: Iterable[Doubt] = ()) -> Plan:
    """Put table plans into the one order that every reading gives."""
    ordered = sorted(tables, key=lambda table: (table.target.name, table.table))
    return Plan(state, tuple(ordered), tuple(orphans))
