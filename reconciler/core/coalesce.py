"""Calls that need not be made, because a call for a table upstream runs the same instances anyway."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.call import Call, Range, Times
from reconciler.core.change import Key
from reconciler.core.dependencies import upstreams
from reconciler.core.lineage import Lineage
from reconciler.core.needs import Table
from reconciler.core.planner import Carried, PlannedCall, TablePlan, plan_downstream
from reconciler.core.policy import Approval
from reconciler.core.request import Declared, Dependency
from reconciler.core.window import EMPTY, Windows, intersect, union


@dataclass(frozen=True, slots=True)
class Planned:
    """A table, the approvals of its reruns, and its plan."""

    table: Table
    approvals: Mapping[str, Approval]
    plan: TablePlan


def with_downstream(
    planned: Mapping[Key, Planned],
    held: Mapping[Key, TablePlan],
    declared: Declared,
    in_scope: Callable[[Key], bool],
) -> dict[Key, TablePlan]:
    """Return the plans with the declared tables that each one's calls run as well, and coalesced where a target says.

    `held` are the plans with dependents held. A call is dropped where one upstream, to be made now, is known to trigger
    the same schedule times; that one covers it then. What depends on the table downstream waits for the table upstream
    too. Only tables in scope take part, for of others no call is made now; and none that waits for another, for it has
    to run after that.
    """
    plans = dict(held)
    tables = {(request.target, request.table) for request in declared.requests}
    for target, lineage in declared.lineage.items():
        below = lineage.among(table for name, table in tables if name == target)
        mine = {key[1]: key for key in plans if key[0] == target}
        for table, key in mine.items():
            plans[key] = replace(plans[key], downstream=below.get(table, ()))
        order = [mine[table] for table in lineage.order(mine) if in_scope(mine[table])]
        if any(plans[key].target.coalesce for key in order):
            _coalesce(order, planned, plans, Ways(lineage, _schedules(target, declared)))
    return plans


def _schedules(target: str, declared: Declared) -> dict[str, str]:
    return {
        table: rules.schedule.text
        for (name, table), rules in declared.rules.items()
        if rules.schedule and name == target
    }


class Ways:
    """Which tables a call reaches downstream, and with which of its instants.

    A declared table in between that has another schedule does not pass on what it does not have: ways through it do not
    count. Of a table whose schedule nobody knows, the lineage is believed.
    """

    def __init__(self, lineage: Lineage, schedules: Mapping[str, str]) -> None:
        self._lineage = lineage
        self._schedules = schedules
        self._found: dict[tuple[str, str | None], frozenset[str]] = {}

    def lead(self, upstream: str, downstream: str) -> bool:
        """Say whether each instant that both tables have runs downstream when it runs upstream."""
        key = (upstream, self._schedules.get(downstream))
        if key not in self._found:
            self._found[key] = self._reached(upstream, {key[1], self._schedules.get(upstream)})
        return downstream in self._found[key]

    def _reached(self, upstream: str, passing: Container[str | None]) -> frozenset[str]:
        found: set[str] = set()
        ahead = [upstream]
        while ahead:
            for below in self._lineage.direct.get(ahead.pop(), ()):
                if below not in found:
                    found.add(below)
                    if below not in self._schedules or self._schedules[below] in passing:
                        ahead.append(below)
        return frozenset(found)


def _coalesce(order: Sequence[Key], planned: Mapping[Key, Planned], plans: dict[Key, TablePlan], ways: Ways) -> None:
    """Let each table's calls be covered by those of the tables before it; `order` has upstreams first."""
    waits = _waits(order, plans)
    carriers: list[Key] = []
    covering: dict[Key, list[Key]] = {}
    for key in order:
        waiting = any(one.held and one.held.because == "dependency" for one in plans[key].calls)
        above = [each for each in carriers if waits[key] <= {each} and ways.lead(each[1], key[1]) and not waiting]
        carried = [one for upstream in above for one in _carried(plans[upstream], plans[key])]
        if carried:
            mine = planned[key]
            plan, covers = plan_downstream(mine.table, mine.approvals, mine.plan, carried)
            plans[key] = replace(plan, downstream=plans[key].downstream)
            by_call = {one.call.id: calls for one, calls in covers}
            covering[key] = [upstream for upstream in above if _cover(plans, upstream, by_call)]
        if not waits[key] and not waiting and plans[key].calls:
            carriers.append(key)
    _wait_for_covering(plans, covering)


def _waits(order: Iterable[Key], plans: Mapping[Key, TablePlan]) -> dict[Key, frozenset[Key]]:
    """Return the tables that each one waits for, however indirectly, and that are not known to be done."""
    depends_on = {key: plan.depends_on for key, plan in plans.items()}
    return {
        key: frozenset(above for above in upstreams((key,), depends_on) if above not in plans or plans[above].calls)
        for key in order
    }


def _wait_for_covering(plans: dict[Key, TablePlan], covering: Mapping[Key, Sequence[Key]]) -> None:
    """Let what depends on a covered table wait for the tables whose calls cover it.

    That makes no circle: such a table waits for none that owes a call, and the covered one did.
    """
    for key, plan in plans.items():
        more = [Dependency(one.manifest, upstream) for one in plan.depends_on for upstream in covering.get(one.key, ())]
        if more:
            plans[key] = replace(plan, depends_on=(*plan.depends_on, *more))


def _cover(plans: dict[Key, TablePlan], upstream: Key, by_call: Mapping[str, tuple[Call, ...]]) -> bool:
    """Write on the calls of a table what they cover; say whether any covers something."""
    plan = plans[upstream]
    calls = tuple(
        PlannedCall(replace(one.call, covers=one.call.covers + by_call[one.call.id]), one.held)
        if one.call.id in by_call
        else one
        for one in plan.calls
    )
    plans[upstream] = replace(plan, calls=calls)
    return any(one.call.id in by_call for one in calls)


def _carried(upstream: TablePlan, downstream: TablePlan) -> Iterator[Carried]:
    """Yield the calls of a table that are made now, with the instants that they are known to run of one downstream."""
    if not downstream.calls:
        return
    points = union(w for one in downstream.calls if isinstance(one.call.span, Times) for w in one.call.span.windows)
    for planned in upstream.calls:
        if planned.due:
            known = _instants(planned.call, upstream, downstream)
            if downstream.rules.schedule is None:
                known = intersect(known, points)
            if known:
                yield Carried(planned.call, known)


def _instants(call: Call, upstream: TablePlan, downstream: TablePlan) -> Windows:
    """Return seconds that hold the instants of a call, and none of the other schedule's beside them.

    Of a range without a schedule nobody knows which instants it has.
    """
    schedule = upstream.rules.schedule
    match call.span:
        case Times():
            return call.span.windows
        case Range() if schedule is None:
            return EMPTY
        case Range() if downstream.rules.schedule and schedule.text == downstream.rules.schedule.text:
            return call.span.windows
        case Range():
            return union((second, second + 1) for second in schedule.seconds(schedule.numbered(call.span.windows)))
