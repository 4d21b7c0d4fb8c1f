"""Calls that need not be made, because a call for a table upstream runs the same instances anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.core.call import Call, Range, Times
from reconciler.core.change import Key
from reconciler.core.lineage import Lineage
from reconciler.core.needs import Table
from reconciler.core.planner import Carried, PlannedCall, TablePlan, plan_downstream
from reconciler.core.policy import Approval
from reconciler.core.request import Dependency
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
    declared: Iterable[Key],
    lineages: Mapping[str, Lineage],
    in_scope: Callable[[Key], bool],
) -> dict[Key, TablePlan]:
    """Return the plans with the `declared` tables that each one's calls run as well, and coalesced where a target says.

    `held` are the plans with dependents held, `lineages` are by target. A call is dropped where one upstream, to be
    made now, is known to trigger the same schedule times; that one covers it then. What depends on the table downstream
    waits for the table upstream too. Only tables in scope take part, for of others no call is made now; and none that
    waits for another, for it has to run after that.
    """
    plans = dict(held)
    names = list(declared)
    for target, lineage in lineages.items():
        below = lineage.among(table for name, table in names if name == target)
        mine = {table: key for key in plans if key[0] == target for table in (key[1],)}
        for table, key in mine.items():
            plans[key] = replace(plans[key], downstream=below.get(table, ()))
        order = [
            mine[table] for table in lineage.order(mine) if in_scope(mine[table]) and not _waits(held[mine[table]])
        ]
        if any(plans[key].target.coalesce for key in order):
            _coalesce(order, planned, plans)
    return plans


def _waits(plan: TablePlan) -> bool:
    return any(one.held and one.held.because == "dependency" for one in plan.calls)


def _coalesce(order: Iterable[Key], planned: Mapping[Key, Planned], plans: dict[Key, TablePlan]) -> None:
    """Let each table's calls be covered by those of the tables before it; `order` has upstreams first."""
    before: list[Key] = []
    carriers: dict[Key, list[Key]] = {}
    for key in order:
        above = [upstream for upstream in before if key[1] in plans[upstream].downstream]
        before.append(key)
        carried = [one for upstream in above for one in _carried(plans[upstream], plans[key])]
        if not carried:
            continue
        downstream = plans[key].downstream
        plan, covers = plan_downstream(planned[key].table, planned[key].approvals, carried)
        plans[key] = replace(plan, downstream=downstream)
        by_call = {one.call.id: calls for one, calls in covers}
        carriers[key] = [upstream for upstream in above if _cover(plans, upstream, by_call)]
    for key, plan in plans.items():
        more = [
            Dependency(one.manifest, upstream)
            for one in plan.depends_on
            for upstream in carriers.get(one.key, ())
            if upstream != key
        ]
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
        if planned.held is None or planned.held.because == "window":
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
        case Range() if schedule == downstream.rules.schedule:
            return call.span.windows
        case Range():
            return union((second, second + 1) for second in schedule.seconds(schedule.numbered(call.span.windows)))
