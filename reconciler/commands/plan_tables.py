"""Many tables to their plans: the settled ones from memory, half of the others on the other core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.commands.settled import Settled
from reconciler.core.coalesce import Planned
from reconciler.core.needs import Table, open_reruns
from reconciler.core.planner import plan_table
from reconciler.parallel import side_by_side

CHUNK = 2000
"""How many tables are in memory at once."""
_WORTH = 300
"""For fewer tables than this a second process is not worth its start."""


def plan_tables(tables: Sequence[Table], plan: Callable[[Table], Planned], settled: Settled) -> Iterator[Planned]:
    """Yield the plans of tables, in their order. `plan` makes that of a table which is not known to be settled.

    The other core finds out only whether tables are settled, of those for which nobody has to be asked about a rerun:
    it hands over what is remembered of them. All others are planned here.
    """
    known = [settled.plan_of(table) for table in tables]
    new = [table for table, found in zip(tables, known, strict=True) if found is None]
    here, there = (new[::2], new[1::2]) if len(new) >= _WORTH else (new, [])
    made: dict[int, Planned] = {}

    def make(some: Iterable[Table]) -> None:
        made.update((id(table), plan(table)) for table in some)

    if there:
        _, page = side_by_side(lambda: make(here), lambda: b"\n".join(_record(table, settled) for table in there))
        records = page.split(b"\n") if page is not None else []
        for table, record in zip(there, records, strict=False):
            if record:
                settled.learn(table, record)
    for table, found in zip(tables, known, strict=True):
        if found is None and id(table) not in made:
            found = settled.plan_of(table)
        yield Planned(table, {}, found) if found else made.get(id(table)) or plan(table)


def _record(table: Table, settled: Settled) -> bytes:
    """Return what is remembered of a settled table, nothing for any other; there is no newline in it."""
    if table.intents or open_reruns(table):
        return b""
    return settled.record(table, plan_table(table, {})) or b""
