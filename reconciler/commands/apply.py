"""`apply`: make the calls that are owed, and commit what became of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.commands import saved_plan
from reconciler.commands.clock import SystemClock, signals
from reconciler.commands.console import Console
from reconciler.commands.gather import Manifests, Scope, manifest_cache, read_manifests
from reconciler.commands.identity import new_run, who
from reconciler.commands.outfile import check_files
from reconciler.commands.results import Results
from reconciler.commands.schedulers import open_schedulers, read_credentials
from reconciler.commands.showing import Showing
from reconciler.commands.state import Gathered, gather, journal_folder, open_checkout
from reconciler.core.change import keys_of
from reconciler.core.config import Target
from reconciler.core.ledger import Doubt
from reconciler.core.outcome import Triggered, Unknown
from reconciler.core.report import Report, still_held
from reconciler.core.sharding import Shard
from reconciler.core.text import count
from reconciler.errors import ExitCode, Failure, Stale, UsageFailure
from reconciler.manifests.worktree import read_worktree
from reconciler.protocol.apply import Applier, Run
from reconciler.protocol.sender import Sender
from reconciler.scheduler.client import Scheduler
from reconciler.state.checkout import Checkout
from reconciler.state.journal import Journal, prune_journals, read_journals

_GRACE = 4.0
"""Seconds that calls in flight get after a signal: CI kills a cancelled job ten seconds after the first one."""
_PATIENCE = 8.0
"""Seconds after a signal until no remote is waited for any more."""
_LAST_PATIENCE = 4.0
"""The same after a second signal: what is known still wants to be recorded."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """The options of `apply`. `branch` stands in for HEAD's on a detached HEAD; of `scope` a shard takes its share."""

    root: Path
    plan_file: Path | None
    yes: bool
    push: bool
    scope: Scope
    branch: str | None
    format: str
    out: Path | None
    shard: Shard | None = None


def run(options: ApplyOptions, console: Console) -> ExitCode:
    """Apply, and say what became of every call. Raises Failure where it stops before any call is made."""
    check_files((options.out,), options.root)
    results = Results(console, options.root, options.format, options.out)
    try:
        return _Apply(options, console, results).run()
    except Failure as failure:
        results.failed(failure)
        raise


class _Apply:
    """One apply: gathers everything that can stop it, shows the plan, then hands over to the protocol."""

    def __init__(self, options: ApplyOptions, console: Console, results: Results) -> None:
        self.options = options
        self.console = console
        self.results = results
        self.saved = saved_plan.load(options.plan_file) if options.plan_file else None
        if self.saved and (options.scope != Scope() or options.shard):
            raise UsageFailure("a saved plan has its tables already", "leave --table, --target and --shard out")
        self.scope = self.saved.scope if self.saved else options.scope
        self._ended = False

    def run(self) -> ExitCode:
        progress = self.console.progress
        checkout = open_checkout(self.options.root, progress)
        branch = checkout.branch(self.options.branch, os.environ)
        commit = checkout.head()
        _check_committed(checkout, self.options.root)
        files = checkout.manifests(commit)
        manifests = read_manifests(files, progress=progress, cache=manifest_cache(checkout, files, believed=False))
        if self.options.shard:
            self.scope = self._share(manifests, self.options.shard)
        targets = _targets(manifests, self.scope)
        credentials = read_credentials(targets, os.environ)
        remote = checkout.remote()
        if remote:
            checkout.check_upstream(commit, branch, remote)
        found = gather(checkout, manifests, self.scope, self.console, push=self.options.push, commit=commit)
        self.results.plan(found)
        if self.saved:
            saved_plan.check(self.saved, found.plan, found.branch)
        if not found.plan.ready and not found.settlement:
            return self._nothing(found)
        if not self._agreed(found):
            self.console.message("Nothing was triggered.")
            return self._nothing(found)
        clock = SystemClock()
        schedulers: dict[str, Scheduler] = {}
        # The report is part of what a signal must not cut short.
        with (
            signals(self._stopper(clock, schedulers, checkout), lambda: _give_up(schedulers, checkout)),
            open_schedulers(targets, credentials, checkout.git, manifests.declared.rules, os.environ) as opened,
        ):
            schedulers.update(opened)
            report = self._execute(checkout, found, commit, schedulers, clock)
            left = _left_in_doubt(found, report)
            self._finish(found, report, left)
            found.branch.keep_mark(report.commit)
            return _code(found, report, left)

    def _share(self, manifests: Manifests, shard: Shard) -> Scope:
        """Return what of the scope is this shard's, and say how much that is."""
        scope = replace(self.scope, share=manifests.share(shard))
        mine, every = len(manifests.asked(scope)), len(manifests.asked(self.scope))
        self.console.message(f"Shard {shard}: {mine} of {count(every, 'table')}.")
        return scope

    def _nothing(self, found: Gathered) -> ExitCode:
        if found.snapshot.paths:
            found.branch.keep_mark(found.snapshot.commit)
        self.results.nothing(found)
        return _code(found, None, found.plan.doubts)

    def _agreed(self, found: Gathered) -> bool:
        if self.options.yes or self.saved or not self.console.interactive or not found.plan.ready:
            return True
        calls = len(found.plan.ready)
        return self.console.ask(f"Make {calls} call{'s' if calls != 1 else ''} now?")

    def _execute(
        self, checkout: Checkout, found: Gathered, commit: str, schedulers: dict[str, Scheduler], clock: SystemClock
    ) -> Report:
        asked = self.console.interactive and not self.options.yes
        run = Run(
            name=new_run(),
            by=who(checkout.git, os.environ),
            commit=commit,
            batch=found.planner.manifests.config.state.batch,
            agreed=frozenset(call.agreement for call in found.plan.due) if asked or self.saved else None,
            trailers=self._trailers(found),
        )
        folder = journal_folder(checkout.git)
        journal = Journal(folder, run.name, clock.utc())
        planner = replace(found.planner, memo={})  # each lost race plans again
        keep = True
        try:
            targets = found.planner.manifests.config.targets
            with self.console.progress.counting("making", len(found.plan.ready), "call") as made:
                show = Showing(self.console, made, self.results.text).show
                with Sender(targets, schedulers, journal, clock, show) as sender:
                    applier = Applier(
                        run,
                        found.branch,
                        planner.plan,
                        lambda snapshot: planner.settle(snapshot, read_journals(folder)),
                        sender,
                        clock,
                        show,
                    )
                    report = applier.execute(found.snapshot, found.settlement, found.plan)
            doubtful = any(isinstance(result.outcome, Unknown) for result in report.results)
            keep = doubtful or report.unrecorded or report.failure is not None
        finally:
            journal.close(keep=keep)
        self._ended = True
        prune_journals(folder, frozenset(intent.run for intent in found.snapshot.intents))
        return report

    def _trailers(self, found: Gathered) -> tuple[tuple[str, str], ...]:
        """Return what commit messages name besides: a shard, and a saved plan.

        A saved plan of which no call is made, for all are held by now, stays good for a later apply.
        """
        if self.options.shard:
            return (("Shard", str(self.options.shard)),)
        return (saved_plan.trailer(self.saved.id),) if self.saved and found.plan.ready else ()

    def _stopper(self, clock: SystemClock, schedulers: dict[str, Scheduler], checkout: Checkout) -> Callable[[], None]:
        def stop() -> None:
            clock.stop()
            _abort(schedulers, _GRACE)
            checkout.git.patience.limit(_PATIENCE)
            if not self._ended:
                self.console.alarm("Stopping: calls in flight get a moment, then what is known is recorded.")

        return stop

    def _finish(self, found: Gathered, report: Report, left: Sequence[Doubt]) -> None:
        self.results.report(found, report, left)
        if not found.branch.pushes and report.results:
            self.console.message(
                f"This record is on the local branch {found.branch.where} alone: push that before anything applies "
                "elsewhere."
            )
        if report.failure:
            self.console.warning(f"error: {report.failure.message}\n    {report.failure.hint}\n")
        if report.stale:
            self.console.warning(
                "Another run changed what is owed; calls that nobody agreed to were not made: plan again.\n"
            )


def _check_committed(checkout: Checkout, root: Path) -> None:
    files, _ = read_worktree(root, checkout.git.progress)
    changed = checkout.uncommitted(files)
    if changed:
        raise Stale(
            f"manifests are not committed: {', '.join(changed[:5])}{' and more' if len(changed) > 5 else ''}",
            "apply works on what was committed and reviewed: commit and push them, or put them back with git restore; "
            "where git ignores one, git add --force it, or move it out of the root",
        )


def _targets(manifests: Manifests, scope: Scope) -> tuple[Target, ...]:
    names = dict.fromkeys(target for target, _ in manifests.tables(scope))
    return tuple(manifests.config.targets[name] for name in names)


def _abort(schedulers: dict[str, Scheduler], grace: float) -> None:
    for scheduler in schedulers.values():
        scheduler.abort(grace)


def _give_up(schedulers: dict[str, Scheduler], checkout: Checkout) -> None:
    _abort(schedulers, 0.0)
    checkout.git.patience.limit(_LAST_PATIENCE)


def _code(found: Gathered, report: Report | None, left: Sequence[Doubt]) -> ExitCode:
    """Return the highest exit code that applies; `left` is what is in doubt in the end."""
    codes = {ExitCode.DONE}
    results = report.results if report else ()
    if any(problem.severity == "error" for problem in found.problems):
        codes.add(ExitCode.INVALID)
    if still_held(found.plan, report) if report else found.plan.held:
        codes.add(ExitCode.HELD)
    if any(not isinstance(result.outcome, Triggered | Unknown) and not result.held for result in results):
        codes.add(ExitCode.NOT_TRIGGERED)
    if left or (report and report.unrecorded) or any(isinstance(result.outcome, Unknown) for result in results):
        codes.add(ExitCode.IN_DOUBT)
    if report and report.failure:
        codes.add(report.failure.code)
    if report and report.stale:
        codes.add(ExitCode.STALE)
    return max(codes)


def _left_in_doubt(found: Gathered, report: Report) -> tuple[Doubt, ...]:
    """Return the doubt that the state holds when the run has ended: its own, what was there before, and other runs'."""
    planner = found.planner
    try:
        after = found.branch.at(report.commit)
        mine = [intent for intent in after.intents if any(key in planner.scope for key in keys_of(intent))]
        return tuple(doubt for intent in mine for doubt in planner.doubt(after, intent))
    except Failure:  # git cannot be asked any more, or the state was damaged meanwhile: the report matters more
        return found.plan.doubts
