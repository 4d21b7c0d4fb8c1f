"""Tables that wait for others: what `dependsOn` holds, and the order that it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    causes: dict[Key, _Cause] = {}
    waits = {key: [one.key for one in plan.depends_on] for key, plan in plans.items() if plan.depends_on}
    for key in TopologicalSorter(waits).static_order():
        if key not in held:
            continue
        found = (_cause(needed, _World(held, causes, blocked, in_scope)) for needed in held[key].depends_on)
        cause = min((each for each in found if each), key=lambda each: each.because, default=None)
        if cause:
            causes[key] = cause
            held[key] = _with_hold(held[key], Held(cause.because, cause.message))
    return held


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why a table has to wait: the table that it needs, and the one, that or further up, that `why` is said of."""

    because: Because
    needed: Dependency
    root: Dependency
    why: str

    @property
    def message(self) -> str:
        between = "" if self.root == self.needed else f", which waits for {_named(self.root)}"
        return f"waits for {_named(self.needed)}{between}, {self.why}"


@dataclass(frozen=True, slots=True)
class _World:
    """What decides whether a table has to wait; `causes` are those of the tables that do."""

    plans: Mapping[Key, TablePlan]
    causes: Mapping[Key, _Cause]
    blocked: frozenset[Key]
    in_scope: Callable[[Key], bool]


def _cause(needed: Dependency, world: _World) -> _Cause | None:
    """Say why what depends on a table has to wait; None where nothing keeps that table's calls from being made."""
    plan = world.plans.get(needed.key)
    if plan is None or needed.key in world.blocked:
        return _Cause("dependency", needed, needed, "whose state cannot be trusted: mend that first")
    if plan.doubts:
        number = count(len(plan.doubts), "call")
        why = f"of which {number} {_be(len(plan.doubts))} in doubt: settle that first"
        return _Cause("dependency", needed, needed, why)
    if not world.in_scope(needed.key) and plan.due:
        number = count(len(plan.due), "call")
        why = f"which owes {number} and is not among the tables chosen: apply that first, or choose both"
        return _Cause("dependency", needed, needed, why)
    kept = [planned.held for planned in plan.calls if planned.held]
    return _kept(needed, kept, world.causes.get(needed.key)) if kept else None


def _kept(needed: Dependency, kept: Sequence[Held], above: _Cause | None) -> _Cause:
    """Say that calls of the table are held, and why: where it only waits itself, for a table further up."""
    because: Because = "window" if all(hold.because == "window" for hold in kept) else "dependency"
    first = min(kept, key=lambda hold: (hold.because == "window", hold.because == "dependency", hold.because))
    if above and first.because in ("dependency", "window") and first.message == above.message:
        return _Cause(because, needed, above.root, above.why)
    return _Cause(
        because,
        needed,
        needed,
        f"of which {count(len(kept), 'call')} {_be(len(kept))} held ({first.because}): see there",
    )


def _named(needed: Dependency) -> str:
    return f"{needed.manifest} ({needed.key[1]})"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def _with_hold(plan: TablePlan, hold: Held) -> TablePlan:
    calls = tuple(planned if planned.held else PlannedCall(planned.call, hold) for planned in plan.calls)
    return replace(plan, calls=calls)
