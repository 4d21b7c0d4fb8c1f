"""`--base REF`: what a branch adds over its merge base with REF, which guards it lowers, which state it edits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.commands.console import Console
from reconciler.commands.forges import open_reviews
from reconciler.commands.gather import Manifests, Planner, manifest_cache, read_manifests
from reconciler.commands.state import Gathered, blocked_tables
from reconciler.core.call import describe
from reconciler.core.change import Changed
from reconciler.core.comparison import Dropped, Side, added, no_longer_asked, once_triggered
from reconciler.core.config import Config, State
from reconciler.core.fewest import Terms, fewest
from reconciler.core.guards import Guard, config_guards, lineage_guards, manifest_guards
from reconciler.core.plan import Plan
from reconciler.core.request import Declared
from reconciler.core.text import count, printable
from reconciler.errors import Failure, InvalidInput, Problem
from reconciler.manifests.root import CONFIG, read_root
from reconciler.review.approvals import Reviews
from reconciler.state.base import merge_base, state_edits
from reconciler.state.checkout import Checkout

_SHOWN = 5
_NOTHING = Side({}, Plan(None, ()))


@dataclass(frozen=True, slots=True)
class Base:
    """What a branch is compared with: the merge base of HEAD and what `ref` names.

    Its `config` and `manifests` are None where that commit has none; where they cannot be read, `problem` says so.
    """

    ref: str
    commit: str
    config: Config | None = None
    manifests: Manifests | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a branch does beside its calls: the guards that it lowers, the state files that it edits."""

    base: Base
    guards: tuple[Guard, ...]
    edits: tuple[Problem, ...]

    @property
    def told(self) -> tuple[str, ...]:
        """What a reviewer has to see first, a sentence each."""
        return (*_edited(self.edits), *(guard.told for guard in self.guards))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The same as problems with their places: edits are errors, the rest are warnings."""
        return tuple(sorted((*self.findings, *(_problem(guard) for guard in self.guards))))

    @property
    def findings(self) -> tuple[Problem, ...]:
        """The problems without the guards."""
        return (*self.edits, *([self.base.problem] if self.base.problem else []))


def compare(checkout: Checkout, ref: str, config: Config | None, declared: Declared) -> Comparison:
    """Compare the config of the work tree, and what it declares, with those of the merge base.

    The config is None, and nothing declared, where they are not valid. Raises UsageFailure where there is no merge base
    to compare with.
    """
    base = _read_base(checkout, ref, merge_base(checkout, ref))
    state = known.state if (known := base.config or config) else State()
    guards: tuple[Guard, ...] = ()
    if base.config and config:
        before = base.manifests.declared if base.manifests else Declared(0, ())
        guards = (
            *config_guards(base.config, config),
            *manifest_guards(base.config, before.requests, config, declared.requests),
            *lineage_guards(before.lineage, config, declared.lineage),
        )
    return Comparison(base, guards, state_edits(checkout, base.commit, state.branch))


def _read_base(checkout: Checkout, ref: str, commit: str) -> Base:
    try:
        files = checkout.manifests(commit)
        if CONFIG not in files:
            return Base(ref, commit)
        config = read_root({CONFIG: files[CONFIG]}).config
        if config and files.keys() == {CONFIG}:
            return Base(ref, commit, config, Manifests(config, Declared(0, ()), (), (CONFIG,)))
    except Failure as failure:
        return Base(ref, commit, problem=_unreadable(ref, commit, None, failure.message))
    try:
        manifests = read_manifests(files, (), checkout.git.progress, manifest_cache(checkout, files), whole=False)
        return Base(ref, commit, config, manifests)
    except InvalidInput as invalid:
        first = next(problem for problem in invalid.problems if problem.severity == "error")
        where = f"{first.file}: " if first.file else ""
        return Base(ref, commit, config, problem=_unreadable(ref, commit, config, f"{where}{first.message}"))


def _unreadable(ref: str, commit: str, config: Config | None, why: str) -> Problem:
    message = f"the manifests of the merge base with {ref} ({commit[:12]}) cannot be compared with: {why}"
    hint = "a plan shows all that apply would do, not only what this branch adds"
    blind = "" if config else "; whether this branch lowers a guard is not known: read what it does to reconciler.yaml"
    return Problem("", 0, 0, "", message, hint + blind, "warning")


def only_added(found: Gathered, checkout: Checkout, base: Base, console: Console) -> Gathered:
    """Return what was gathered with the plan of what the branch adds; with all of it where the base is not valid."""
    if base.problem:
        return found
    snapshot = Changed(found.snapshot, found.settlement)
    before = _NOTHING
    if base.manifests is not None:
        reviews = open_reviews(checkout, base.commit, base.manifests.config, os.environ)
        before = _side(_base_planner(found, base.manifests, reviews), snapshot)
    owed = len(before.plan.due)
    onto = once_triggered(snapshot, before.plan)
    asked = found.planner.manifests.asked(found.planner.scope)
    rules = found.planner.manifests.declared.rules
    plan = added(snapshot, before, Side(asked, found.planner.plan(onto) if owed else found.plan))
    already = f"; not shown: {count(owed, 'call')} owed there already" if owed else ""
    console.message(f"Only what this branch adds over {printable(base.ref)} ({base.commit[:12]}){already}.")
    # Instances are counted as if all that the base owes were triggered: a number that is true of nothing.
    plan = replace(plan, tables=tuple(replace(table, instances=None) for table in plan.tables))
    dropped = no_longer_asked(before, asked, rules)
    warnings = (_dropped(base.ref, dropped),) if dropped else ()
    return replace(found, plan=plan, problems=tuple(sorted((*found.problems, *warnings))))


def _base_planner(found: Gathered, manifests: Manifests, reviews: Reviews) -> Planner:
    blocked, _ = blocked_tables(found.snapshot, manifests, found.planner.scope)
    return found.planner.with_manifests(manifests, blocked, reviews)


def _side(planner: Planner, snapshot: Changed) -> Side:
    return Side(planner.manifests.asked(planner.scope), planner.plan(snapshot))


def _dropped(ref: str, dropped: Sequence[Dropped]) -> Problem:
    number = sum(table.calls for table in dropped)
    tables = [f"{table.key[1]} on {table.key[0]} {_windows(table)}" for table in dropped[:_SHOWN]]
    tables += [f"and {count(len(dropped) - _SHOWN, 'more table')}"] if len(dropped) > _SHOWN else []
    message = f"{count(number, 'call')} that {ref} still owes {'is' if number == 1 else 'are'} no longer asked for"
    hint = "what is not asked for is never triggered: keep the requests, unless that is what this branch is for"
    return Problem("", 0, 0, "", f"{message}: {'; '.join(tables)}", hint, "warning")


def _windows(table: Dropped) -> str:
    shown = [describe(cut.span) for cut in fewest(table.windows, Terms("inclusive", len(table.windows)))]
    return ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")


def _edited(edits: Sequence[Problem]) -> tuple[str, ...]:
    if not edits:
        return ()
    files = ", ".join(edit.file for edit in edits[:_SHOWN])
    more = f" and {len(edits) - _SHOWN} more" if len(edits) > _SHOWN else ""
    return (f"{files}{more}: state is edited, which the reconciler alone writes; this has to be taken back",)


def _problem(guard: Guard) -> Problem:
    hint = "this guards the triggers: merge it only where that is what is meant"
    return Problem(guard.file, 0, 0, "", guard.sentence, hint, "warning")
