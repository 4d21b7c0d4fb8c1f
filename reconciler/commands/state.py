"""The state as a command finds it: the branch's tip, what this clone's journals settle, what cannot be trusted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.cache import Cache
from reconciler.commands.console import Console
from reconciler.commands.forges import open_reviews
from reconciler.commands.gather import Manifests, Planner, Scope
from reconciler.commands.settled import Settled
from reconciler.core.change import Change, Changed, Key, keys_of
from reconciler.core.config import Config
from reconciler.core.plan import Plan
from reconciler.core.progress import SILENT, Progress
from reconciler.core.settlement import JournalReading
from reconciler.core.spelling import renamed
from reconciler.core.text import count
from reconciler.errors import ExitCode, Problem
from reconciler.manifests.root import is_manifest_path
from reconciler.state.branch import StateBranch
from reconciler.state.checkout import Checkout
from reconciler.state.git import Git
from reconciler.state.journal import read_journals
from reconciler.state.snapshot import GitSnapshot


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that a plan is made of, and the plan.

    `settlement` is what the journals of dead runs prove; the plan counts it as done, and apply records it.
    `problems` are warnings of the manifests, and errors of the state that stop single tables.
    """

    branch: StateBranch
    snapshot: GitSnapshot
    settlement: Change
    planner: Planner
    plan: Plan
    problems: tuple[Problem, ...]
    live: frozenset[str]


def open_checkout(root: Path, progress: Progress = SILENT) -> Checkout:
    """Return the checkout that holds a root. Raises InvalidInput where there is none."""
    return Checkout.of(root, is_manifest_path, progress)


def journal_folder(git: Git) -> Path:
    """Return where the journals of a clone lie."""
    return git.common_dir / "reconciler" / "journal"


def open_branch(
    checkout: Checkout, config: Config, console: Console, *, push: bool = True, believed: bool = False
) -> StateBranch:
    """Return the state branch, on the remote that holds the state.

    What an earlier run has read is `believed` by commands that only look: what writes reads all of it itself.
    """
    cache = Cache.of_root(checkout.git.common_dir, checkout.prefix, "ledgers", believed=believed)
    remote = checkout.remote()
    return StateBranch(
        checkout.git, checkout.prefix, config.state.branch, remote, push=push, cache=cache, warn=console.warning
    )


def gather(
    checkout: Checkout,
    manifests: Manifests,
    scope: Scope,
    console: Console,
    *,
    push: bool = True,
    commit: str | None = None,
) -> Gathered:
    """Read state and journals, and plan. Raises InvalidInput where the state as a whole cannot be trusted.

    `commit` is the one that the manifests are from, None for those of the work tree: then nothing is written, and what
    an earlier run has read is believed.
    """
    manifests.tables(scope)  # a scope that names nothing is refused before git is asked
    journals = tuple(read_journals(journal_folder(checkout.git)))
    state = open_branch(checkout, manifests.config, console, push=push, believed=commit is None)
    with console.progress.waiting("reading the state and planning"):
        snapshot = state.read()
        blocked, problems = blocked_tables(snapshot, manifests, scope)
        reviews = open_reviews(checkout, commit, manifests.config, os.environ)
        cache = Cache.of_root(checkout.git.common_dir, checkout.prefix, "settled", believed=commit is None)
        settled = Settled(cache)
        planner = Planner.of(manifests, scope, blocked, reviews, settled, console.progress)
        settlement = planner.settle(snapshot, journals)
        return Gathered(
            branch=state,
            snapshot=snapshot,
            settlement=settlement,
            planner=planner,
            plan=planner.plan(Changed(snapshot, settlement)),
            problems=tuple(sorted((*manifests.warnings, *problems))),
            live=live_runs(journals),
        )


def blocked_tables(
    snapshot: GitSnapshot, manifests: Manifests, scope: Scope
) -> tuple[frozenset[Key], tuple[Problem, ...]]:
    """Return the tables whose state cannot be trusted, or lies under another name, and the problems that say so."""
    damage = _damage(snapshot, manifests, scope)
    names = _misnamed(snapshot, manifests)
    blocked = frozenset(damage) | {key for key, problem in names if problem.severity == "error"}
    mine = (problem for key, problem in damage.items() if key in scope or key in manifests.needed(scope))
    return blocked, (*mine, *(problem for key, problem in names if key in scope))


def tell_settlement(settlement: Change, console: Console) -> None:
    """Say what the journals of runs that died here settle."""
    settled = len(settlement.settled)
    if settled:
        triggered = len(settlement.made)
        runs = ", ".join(sorted({intent.run for intent in settlement.settled}))
        console.message(
            f"The journal of run {runs} settles what it left behind: {triggered} triggered, "
            f"{settled - triggered} not triggered and owed again. Apply records that."
        )


def tell_blocked(found: Gathered, console: Console) -> None:
    """Say how many tables the problems of their state stop, so that a short plan is not taken for a whole one."""
    number = len(found.planner.blocked)
    if number:
        console.warning(f"{count(number, 'table')} not planned, because of the problems above.")


def code_of(found: Gathered, exit_code: bool) -> ExitCode:
    """Return the exit code of a command that only looks: 3 for broken state, and what is open where that is asked."""
    broken = any(problem.severity == "error" for problem in found.problems)
    code = ExitCode.INVALID if broken else ExitCode.DONE
    return max(code, _open(found.plan)) if exit_code else code


def _open(plan: Plan) -> ExitCode:
    if plan.doubts:
        return ExitCode.IN_DOUBT
    if plan.held:
        return ExitCode.HELD
    return ExitCode.PENDING if plan.ready else ExitCode.DONE


def live_runs(journals: tuple[JournalReading, ...]) -> frozenset[str]:
    """Return the runs that are under way in this clone."""
    return frozenset(journal.run for journal in journals if journal.live)


def _damage(snapshot: GitSnapshot, manifests: Manifests, scope: Scope) -> Mapping[Key, Problem]:
    """Return the tables needed for a scope whose ledger cannot be trusted: damage stops these, not the others."""
    in_doubt = {key for intent in snapshot.intents for key in keys_of(intent)}
    damaged = snapshot.damaged(sorted({*manifests.needed(scope), *in_doubt}))
    return {key: damage.problem for key, damage in damaged.items()}


def _misnamed(snapshot: GitSnapshot, manifests: Manifests) -> list[tuple[Key, Problem]]:
    requests = manifests.declared.requests
    known = snapshot.ledger_names | {key for intent in snapshot.intents for key in keys_of(intent)}
    fresh = any((request.target, request.table) not in known for request in requests)
    elsewhere = snapshot.ledgers_of_other_roots() if fresh else {}
    problems = tuple(renamed(requests, known, manifests.config.targets, elsewhere))
    if not problems:
        return []
    places = {(request.place.file, request.place.line): (request.target, request.table) for request in requests}
    return [(places[problem.file, problem.line], problem) for problem in problems]
