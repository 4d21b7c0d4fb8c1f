"""Tables that wait for others: what `dependsOn` holds, and the order that it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter

from reconciler.core.change import Key
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.policy import Because, Held
from reconciler.core.request import Dependency
from reconciler.core.text import count


def upstreams(keys: Iterable[Key], depends_on: Mapping[Key, Iterable[Dependency]]) -> frozenset[Key]:
    """Return all tables that `keys` wait for, and those that these wait for, and so on."""
    found: set[Key] = set()
    left = list(keys)
    while left:
        for dependency in depends_on.get(left.pop(), ()):
            if dependency.key not in found:
                found.add(dependency.key)
                left.append(dependency.key)
    return frozenset(found)


def hold_dependents(
    plans: Mapping[Key, TablePlan], blocked: frozenset[Key], in_scope: Callable[[Key], bool]
) -> dict[Key, TablePlan]:
    """Return the plans with the calls held that wait for a table of which something is held, in doubt or not done here.

    `plans` has every table that another one waits for, those out of scope too, but for the `blocked` ones: their state
    cannot be trusted. What waits only for a target's hours waits for these itself.
    """
    held = dict(plans)
    waits = {key: [dependency.key for dependency in plan.depends_on] for key, plan in plans.items()}
    for key in TopologicalSorter(waits).static_order():
        if key not in held:
            continue
        reasons = (_reason(dependency, held, blocked, in_scope) for dependency in held[key].depends_on)
        hold = min((reason for reason in reasons if reason), key=lambda hold: hold.because, default=None)
        if hold:
            held[key] = _with_hold(held[key], hold)
    return held


def _reason(
    dependency: Dependency, plans: Mapping[Key, TablePlan], blocked: frozenset[Key], in_scope: Callable[[Key], bool]
) -> Held | None:
    """Say why what depends on a table has to wait; None where nothing keeps that table's calls from being made."""
    waits = f"waits for {dependency.manifest} ({dependency.key[1]})"
    plan = plans.get(dependency.key)
    if plan is None or dependency.key in blocked:
        return Held("dependency", f"{waits}, whose state cannot be trusted: mend that first")
    if plan.doubts:
        number = count(len(plan.doubts), "call")
        return Held("dependency", f"{waits}, of which {number} {_be(len(plan.doubts))} in doubt: settle that first")
    if not in_scope(dependency.key) and any(_is_due(planned) for planned in plan.calls):
        number = count(sum(map(_is_due, plan.calls)), "call")
        message = f"{waits}, which owes {number} and is not among the tables chosen: apply that first, or choose both"
        return Held("dependency", message)
    kept = [planned.held for planned in plan.calls if planned.held]
    if kept:
        why: Because = "window" if all(hold.because == "window" for hold in kept) else "dependency"
        first = min(kept, key=lambda hold: (hold.because == "window", hold.because))
        number = count(len(kept), "call")
        return Held(why, f"{waits}, of which {number} {_be(len(kept))} held ({first.because}): see there")
    return None


def _is_due(planned: PlannedCall) -> bool:
    return planned.held is None or planned.held.because == "window"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def _with_hold(plan: TablePlan, hold: Held) -> TablePlan:
    calls = tuple(planned if planned.held else PlannedCall(planned.call, hold) for planned in plan.calls)
    return replace(plan, calls=calls)
