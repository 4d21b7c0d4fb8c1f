"""The plan of a whole root: its totals, and the digest that ties what was reviewed to what is applied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.core.call import Call, canonical
from reconciler.core.config import Target
from reconciler.core.ledger import Doubt, Intent
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
        return tuple(call for table in self.tables for call in table.due)

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
            if table.due:
                target = table.target
                found[f"url of the target {target.name}"] = target.url
                found[f"tenantId of the target {target.name}"] = target.tenant
                found[f"rangeEnd of the target {target.name}"] = target.range_end
                found[f"ledger of {table.table} on {target.name}"] = table.head or "none"
        for table in self._covered:
            found[f"ledger of {table.table} on {table.target.name}"] = table.head or "none"
        return found

    @property
    def _covered(self) -> tuple[TablePlan, ...]:
        """The tables that get lines by calls for tables upstream."""
        keys = {(cover.target, cover.table) for call in self.due for cover in call.covers}
        return tuple(table for table in self.tables if (table.target.name, table.table) in keys)

    @property
    def digest(self) -> str:
        """Name what apply would send: exact bodies, where to, with which tokens, on top of which ledgers.

        The hour does not matter: what waits for a target's hours alone is sent once they have come. What calls cover
        is part of it, where they cover anything: lines are written for that.
        """
        tables: list[object] = [
            [
                [table.target.name, table.target.url, table.target.tenant, table.target.range_end],
                [table.table, table.head],
                [[call.span.method, call.body, list(call.rerun)] for call in table.due],
            ]
            for table in self.tables
            if table.due
        ]
        covers = [[call.id, [[c.table, c.span.fields(), list(c.rerun)] for c in call.covers]] for call in self.due]
        if any(some for _, some in covers):
            tables += [["covers", covers], [[table.target.name, table.table, table.head] for table in self._covered]]
        return "sha256:" + hashlib.sha256(canonical(tables).encode()).hexdigest()


def instances_of(calls: Iterable[Call]) -> int | None:
    """Return how many instances calls trigger, None where any of them is not known."""
    numbers = [call.instances for call in calls]
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def make_plan(state: str | None, tables: Iterable[TablePlan], orphans: Iterable[Doubt] = ()) -> Plan:
    """Put table plans into the one order that every reading gives.

    A doubt is told once, of the table that was called: that of a table which that call covers is told in its place
    where nothing else of the call is in doubt.
    """
    ordered = sorted(tables, key=lambda table: (table.target.name, table.table))
    left = tuple(orphans)
    everywhere = (*(doubt for table in ordered for doubt in table.all_doubts), *left)
    return Plan(state, tuple(map(_told_once, ordered)), (*_whole(left), *_in_part(everywhere)))


def _told_once(table: TablePlan) -> TablePlan:
    found = table.all_doubts
    return replace(table, doubts=_whole(found), parts=_parts(found)) if found else table


def _whole(found: Sequence[Doubt]) -> tuple[Doubt, ...]:
    return tuple(doubt for doubt in found if doubt.intent.part_of is None)


def _parts(found: Sequence[Doubt]) -> tuple[Doubt, ...]:
    return tuple(doubt for doubt in found if doubt.intent.part_of is not None)


def _in_part(found: Sequence[Doubt]) -> tuple[Doubt, ...]:
    """Return the calls that are in doubt only for tables that they cover, each once."""
    whole = {doubt.intent for doubt in _whole(found)}
    left: dict[Intent, Doubt] = {}
    for doubt in _parts(found):
        called = doubt.intent.part_of
        if called is not None and called not in whole:
            left.setdefault(called, Doubt(called, doubt.windows))
    return tuple(left.values())
