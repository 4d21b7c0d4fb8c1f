"""The manifests as a command finds them, and the planner that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from reconciler.cache import Cache
from reconciler.commands.clock import wall_clock
from reconciler.commands.plan_tables import CHUNK, plan_tables
from reconciler.commands.settled import Settled
from reconciler.core.change import Change, Key, Snapshot, doubt_of, keys_of
from reconciler.core.coalesce import Planned, with_downstream
from reconciler.core.config import Config
from reconciler.core.dependencies import hold_dependents, upstreams
from reconciler.core.ledger import Doubt, Intent
from reconciler.core.needs import Table, open_reruns
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import TablePlan, plan_table
from reconciler.core.policy import Approval
from reconciler.core.progress import SILENT, Progress
from reconciler.core.request import STANDARD, Declared, Request
from reconciler.core.settlement import JournalReading, settle
from reconciler.core.sharding import Shard, Share, homes
from reconciler.errors import InvalidInput, Problem, UsageFailure
from reconciler.manifests.files import MANY
from reconciler.manifests.root import config_of, read_root
from reconciler.manifests.worktree import read_worktree
from reconciler.parallel import uncollected
from reconciler.review.approvals import Reviews, approvals
from reconciler.state.checkout import Checkout


@dataclass(frozen=True, slots=True)
class Scope:
    """Which tables a command looks at: a glob over table names, a target's name, one shard's; None for all."""

    table: str | None = None
    target: str | None = None
    share: Share | None = None

    def __contains__(self, key: Key) -> bool:
        target, table = key
        named = self.target in (None, target) and (self.table is None or fnmatchcase(table, self.table))
        return named and (self.share is None or key in self.share)


@dataclass(frozen=True)
class Manifests:
    """The valid manifests and config of a root, the files they are in, and the warnings about them."""

    config: Config
    declared: Declared
    warnings: tuple[Problem, ...]
    files: tuple[str, ...]

    def tables(self, scope: Scope) -> Mapping[Key, tuple[Request, ...]]:
        """Return the requests per table in scope. Raises UsageFailure where the scope names what does not exist."""
        targets = self.config.targets
        if scope.target is not None and scope.target not in targets:
            raise UsageFailure(f"no target is named {scope.target}", f"the config has: {', '.join(sorted(targets))}")
        chosen = self.asked(scope)
        if scope.table is not None and not chosen and not self.asked(replace(scope, share=None)):
            names = sorted({request.table for request in self.declared.requests})
            raise UsageFailure(
                f"no declared table matches {scope.table}",
                f"declared are {', '.join(names[:10])}{' and more' if len(names) > 10 else ''}",
            )
        return chosen

    def share(self, shard: Shard) -> Share:
        """Return the tables that are one shard's."""
        return Share(shard, homes(self.declared, self.config.targets))

    def asked(self, scope: Scope) -> Mapping[Key, tuple[Request, ...]]:
        """Return the requests per table in scope, none where the scope names what does not exist."""
        if scope == Scope():
            return self._by_table
        return {key: requests for key, requests in self._by_table.items() if key in scope}

    @cached_property
    def _by_table(self) -> dict[Key, tuple[Request, ...]]:
        tables: dict[Key, list[Request]] = {}
        for request in self.declared.requests:
            tables.setdefault((request.target, request.table), []).append(request)
        return {key: tuple(tables[key]) for key in sorted(tables)}

    def needed(self, scope: Scope) -> Mapping[Key, tuple[Request, ...]]:
        """Return the requests per table in scope, and of the tables that these wait for."""
        if scope == Scope():
            return self._by_table
        every = self._by_table
        depends_on = {key: rules.depends_on for key, rules in self.declared.rules.items() if rules.depends_on}
        above = upstreams((key for key in every if key in scope), depends_on) if depends_on else frozenset()
        return {key: requests for key, requests in every.items() if key in scope or key in above}


def read_manifests(
    files: Mapping[str, bytes],
    found: Sequence[Problem] = (),
    progress: Progress = SILENT,
    cache: Cache | None = None,
    *,
    whole: bool = True,
) -> Manifests:
    """Read a root's files. Raises InvalidInput with every problem where any is an error.

    `whole` is False where other versions of the same manifests are wanted too: then the cache forgets none.
    """
    reading = read_root(files, found, progress, cache)
    if cache is not None:
        cache.save(whole=whole)
    problems = tuple(sorted((*found, *reading.problems)))
    if reading.config is None or reading.declared is None or any(p.severity == "error" for p in problems):
        raise InvalidInput("the manifests are not valid", "", problems)
    return Manifests(reading.config, reading.declared, problems, tuple(files))


def work_tree_manifests(root: Path, progress: Progress = SILENT, checkout: Checkout | None = None) -> Manifests:
    """Read the manifests as they lie in the work tree. Raises InvalidInput with every problem.

    With a checkout, what they say is kept in its repository, and not read again.
    """
    files, problems = read_worktree(root, progress)
    return read_manifests(files, problems, progress, manifest_cache(checkout, files) if checkout else None)


def work_tree_config(root: Path, progress: Progress = SILENT) -> Config:
    """Read the config as it lies in the work tree, whatever the manifests say. Raises InvalidInput."""
    files, _ = read_worktree(root, progress)
    config, problems = config_of(files)
    if config is None:
        raise InvalidInput("the config is not valid", "", problems)
    return config


def manifest_cache(checkout: Checkout, files: Sized, *, believed: bool = True) -> Cache | None:
    """Return what is kept of a root's manifests in its repository; None where there are so few that none is needed."""
    if len(files) < MANY:
        return None
    return Cache.of_root(checkout.git.common_dir, checkout.prefix, "manifests", believed=believed)


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans from a snapshot. Manifests, clocks and the tables that are `blocked` are fixed for a command's life.

    With a `memo`, tables of which nothing has changed since are not planned again: for who plans many times.
    """

    manifests: Manifests
    scope: Scope
    now: Mapping[str, int]
    blocked: frozenset[Key]
    reviews: Reviews
    settled: Settled
    progress: Progress = SILENT
    memo: dict[Key, Planned] | None = None

    @classmethod
    def of(
        cls,
        manifests: Manifests,
        scope: Scope,
        blocked: frozenset[Key],
        reviews: Reviews,
        settled: Settled,
        progress: Progress = SILENT,
    ) -> Planner:
        return cls(manifests, scope, wall_clocks(manifests.config), blocked, reviews, settled, progress)

    def with_manifests(self, manifests: Manifests, blocked: frozenset[Key], reviews: Reviews) -> Planner:
        """Return a planner of other manifests in the same scope, at the same moment."""
        mine, theirs = self.manifests.config.targets, manifests.config.targets
        same = {name for name in mine.keys() & theirs.keys() if mine[name].time_zone == theirs[name].time_zone}
        now = {**wall_clocks(manifests.config), **{name: self.now[name] for name in same}}
        return replace(self, manifests=manifests, now=now, blocked=blocked, reviews=reviews)

    def plan(self, snapshot: Snapshot) -> Plan:
        """Return the plan of every table in scope that is not blocked. Raises InvalidInput for damaged ledgers."""
        intents: dict[Key, list[Intent]] = {}
        for intent in snapshot.intents:
            for part in intent.parts:
                intents.setdefault(part.key, []).append(part)
        declared = self.manifests.declared
        needed = {key: some for key, some in self.manifests.needed(self.scope).items() if key not in self.blocked}
        planned: dict[Key, Planned] = {}
        plans: dict[Key, TablePlan] = {}
        with self.progress.counting("planning", len(needed), "table") as count, uncollected():
            every = list(needed)
            for some in (every[at : at + CHUNK] for at in range(0, len(every), CHUNK)):
                tables = [self.table(snapshot, key, needed[key], tuple(intents.pop(key, ()))) for key in some]
                for key, one in zip(some, plan_tables(tables, self._plan_table, self.settled), strict=True):
                    plans[key] = one.plan
                    if declared.lineage:  # without, what a plan was made of is forgotten: it may be much
                        planned[key] = one
                    count.done += 1
        self.settled.save(len(needed))
        plans = self._held(plans)
        if declared.lineage:
            plans = self._held(with_downstream(planned, plans, declared, self.scope.__contains__))
        mine = (plan for key, plan in plans.items() if key in self.scope)
        orphans = (intent for key, some in intents.items() if key in self.scope for intent in some)
        return make_plan(snapshot.commit, mine, [doubt for intent in orphans for doubt in self.doubt(snapshot, intent)])

    def _held(self, plans: Mapping[Key, TablePlan]) -> dict[Key, TablePlan]:
        return hold_dependents(plans, self.blocked, self.scope.__contains__)

    def _plan_table(self, table: Table) -> Planned:
        key, found = (table.target.name, table.name), self.approvals_of(table)
        known = self.memo.get(key) if self.memo is not None else None
        if known and (known.table, known.approvals) == (table, found):
            return known
        planned = Planned(table, found, plan_table(table, found))
        self.settled.keep(table, planned.plan)
        if self.memo is not None:
            self.memo[key] = planned
        return planned

    def table(self, snapshot: Snapshot, key: Key, requests: tuple[Request, ...], intents: tuple[Intent, ...]) -> Table:
        """Return all that is known of a table on a target of the config. Raises InvalidInput for a damaged ledger."""
        target, rules = self.manifests.config.targets[key[0]], self.manifests.declared.rules.get(key, STANDARD)
        return Table(target, key[1], requests, snapshot.ledger(key), intents, self.now[key[0]], rules)

    def approvals_of(self, table: Table) -> dict[str, Approval]:
        """Return, for the reruns of a table that somebody has to approve now, whether they are approved."""
        return approvals(open_reruns(table), self.manifests.config.approvals, self.reviews, self.progress)

    def settle(self, snapshot: Snapshot, journals: Iterable[JournalReading]) -> Change:
        """Return what journals of dead runs prove, of all tables whose ledger can be trusted, in scope or not."""
        return settle((intent for intent in snapshot.intents if self.blocked.isdisjoint(keys_of(intent))), journals)

    def doubt(self, snapshot: Snapshot, intent: Intent) -> tuple[Doubt, ...]:
        """Return what is still in doubt of an intent: all of it where the ledger cannot be trusted."""
        if not self.blocked.isdisjoint(keys_of(intent)):
            return (Doubt(intent, intent.call.span.windows),)
        return doubt_of(snapshot, intent)


def wall_clocks(config: Config) -> dict[str, int]:
    """Return the second that each target's wall clock shows now."""
    return {name: wall_clock(target.time_zone) for name, target in config.targets.items()}
