"""Tables that owe nothing and have nothing in doubt: once found so, they are not planned again until something changes.

Most tables of a large root are settled. What says so is kept by everything that it was found from: the ledger, the
requests and the schedule's instants. The hour does not matter to a table that owes nothing, nor do approvals.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from reconciler.cache import Cache, key_of
from reconciler.core.ledger import Lines
from reconciler.core.needs import Table
from reconciler.core.planner import Instances, TablePlan
from reconciler.core.schedule import Schedule


class Settled:
    """What is known of settled tables."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._schedules: dict[int, tuple[Schedule, bytes]] = {}

    def plan_of(self, table: Table) -> TablePlan | None:
        """Return the plan of a table that is known to be settled, None where it has to be planned."""
        key = self._key(table)
        record = self.cache.get(key) if key else None
        if record is None or table.ledger is None:
            return None
        covered, instances, idle = json.loads(record)
        return TablePlan(
            target=table.target,
            table=table.name,
            head=table.ledger.head,
            calls=(),
            doubts=(),
            covered=tuple(covered),
            depends_on=table.rules.depends_on,
            instances=Instances(*instances) if instances else None,
            rules=table.rules,
            idle=tuple(idle),
        )

    def keep(self, table: Table, plan: TablePlan) -> None:
        """Remember a table that turned out to be settled; of any other nothing is kept."""
        record = self.record(table, plan)
        if record is not None:
            self.learn(table, record)

    def record(self, table: Table, plan: TablePlan) -> bytes | None:
        """Return what is to be remembered of a table, None where it is not settled."""
        if plan.calls or plan.all_doubts or not self._key(table):
            return None
        counted = plan.instances
        instances = [counted.asked, counted.triggered, counted.in_doubt] if counted else None
        return json.dumps([plan.covered, instances, plan.idle], ensure_ascii=False, separators=(",", ":")).encode()

    def learn(self, table: Table, record: bytes) -> None:
        """Remember what `record` says of a table."""
        key = self._key(table)
        if key is not None:
            self.cache.put(key, record)

    def save(self, tables: int) -> None:
        """Write what is new to the cache's file. `tables` says how many there are: what is of none of them goes."""
        self.cache.save(whole=len(self.cache) > 2 * tables)

    def _key(self, table: Table) -> bytes | None:
        """Return what a table is found by, None where something is in doubt, or its ledger is not just what git has."""
        lines = table.ledger.triggers if table.ledger else None
        if table.intents or table.ledger is None or not isinstance(lines, Lines) or lines.name is None:
            return None
        asked = [(one.key, one.windows, one.rerun.token if one.rerun else None) for one in table.requests]
        said = repr((table.target.name, table.name, lines.name, asked)).encode("utf-8", "surrogatepass")
        return key_of(said, self._digest(table.rules.schedule))

    def _digest(self, schedule: Schedule | None) -> bytes:
        """Return what names the instants of a schedule. Many tables share one."""
        if schedule is None:
            return b""
        known = self._schedules.get(id(schedule))
        if known is None:
            digest = blake2b(repr(schedule).encode(), digest_size=16).digest()
            known = self._schedules[id(schedule)] = (schedule, digest)  # held, so that no other gets its identity
        return known[1]
