"""The tables of a root as commands show them: those that manifests ask for, and those that only the state knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.commands.gather import Scope
from reconciler.commands.state import Gathered
from reconciler.core.change import Changed, Key, keys_of
from reconciler.core.config import Target
from reconciler.core.ledger import Intent
from reconciler.core.needs import Table
from reconciler.core.planner import PlannedCall, TablePlan, plan_table
from reconciler.core.request import Request
from reconciler.core.timeline import Standing
from reconciler.errors import InvalidInput, Problem


@dataclass(frozen=True, slots=True)
class Tables:
    """What was gathered, table by table; nothing is planned again, but for tables that no manifest asks for."""

    found: Gathered
    state: Changed
    asked: Mapping[Key, tuple[Request, ...]]
    plans: Mapping[Key, TablePlan]
    intents: Mapping[Key, tuple[Intent, ...]]
    carried: Mapping[Key, tuple[PlannedCall, ...]]

    @classmethod
    def of(cls, found: Gathered) -> Tables:
        intents: dict[Key, list[Intent]] = defaultdict(list)
        state = Changed(found.snapshot, found.settlement)
        for intent in state.intents:
            for part in intent.parts:
                intents[part.key].append(part)
        carried: dict[Key, dict[str, PlannedCall]] = defaultdict(dict)
        for _, planned in found.plan.calls:
            for call in planned.call.covers:
                carried[call.target, call.table][planned.call.id] = planned
        return cls(
            found,
            state,
            found.planner.manifests.asked(Scope()),
            {(plan.target.name, plan.table): plan for plan in found.plan.tables},
            {key: tuple(some) for key, some in intents.items()},
            {key: tuple(some.values()) for key, some in carried.items()},
        )

    @property
    def known(self) -> frozenset[Key]:
        """The tables that manifests or the state name."""
        in_doubt = {key for intent in self.found.snapshot.intents for key in keys_of(intent)}
        return frozenset(self.asked.keys() | self.found.snapshot.ledger_names | in_doubt)

    def planned(self) -> Iterator[Standing]:
        """Return the tables of the plan, in its order."""
        return map(self.standing, self.plans)

    def standing(self, key: Key) -> Standing:
        """Return a table that is known and not blocked. Raises InvalidInput for a damaged ledger."""
        intents = self.intents.get(key, ())
        if key in self.plans:
            table = self.found.planner.table(self.state, key, self.asked[key], intents)
            return Standing(table, self.plans[key], self.carried.get(key, ()))
        target = self.found.planner.manifests.config.targets.get(key[0]) or unknown_target(key[0])
        now = self.found.planner.now.get(key[0], 0)
        table = Table(target, key[1], (), self.state.ledger(key), intents, now)
        return Standing(table, plan_table(table, {}))

    def undeclared(self, scope: Scope) -> tuple[tuple[Standing, ...], tuple[Problem, ...]]:
        """Return the tables in scope that only the state knows, sorted, and what is wrong with the state of others."""
        standings: list[Standing] = []
        problems: list[Problem] = []
        for key in sorted(self.known - self.asked.keys()):
            if key in scope and key not in self.found.planner.blocked:
                try:
                    standings.append(self.standing(key))
                except InvalidInput as damage:
                    problems += damage.problems
        return tuple(standings), tuple(problems)


def unknown_target(name: str) -> Target:
    """Return a target that only the state knows: nothing is ever called there."""
    return Target(name, url="", tenant="", auth=None, time_zone="")
