"""`state import`: adopt what was triggered by hand before, so that it is not triggered again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.clock import SystemClock
from reconciler.commands.console import Console
from reconciler.commands.gather import wall_clocks
from reconciler.commands.identity import new_run, who
from reconciler.commands.state import open_branch, open_checkout
from reconciler.core.call import describe
from reconciler.core.change import Change, Key, keys_of
from reconciler.core.config import Config
from reconciler.core.ledger import Doubt
from reconciler.core.past import Adoption, PastCall, adopt
from reconciler.core.progress import Progress
from reconciler.core.spelling import folded, renamed
from reconciler.core.text import count
from reconciler.errors import ExitCode, InvalidInput, Problem, Stale, UsageFailure
from reconciler.manifests import branch
from reconciler.manifests.past import Moment, read_past
from reconciler.manifests.past_rows import Reader, reader_of
from reconciler.manifests.root import CONFIG, Reading, read_root
from reconciler.protocol.audit import compose, import_message
from reconciler.render.past_text import adoption_text
from reconciler.render.problems import problems_text
from reconciler.state.branch import StateBranch
from reconciler.state.checkout import Checkout
from reconciler.state.snapshot import GitSnapshot

_MOST_RACES = 20
_MOST_WARNINGS = 20


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of `state import`. `review` is a branch to be made, instead of a commit on the state's."""

    root: Path
    files: tuple[Path, ...]
    reason: str | None
    review: str | None
    dry_run: bool
    yes: bool


def run(options: ImportOptions, console: Console) -> ExitCode:
    """Show what the files add to the ledgers, and record it. Nothing is written where a line is wrong.

    Targets are those of the commit at HEAD, as an apply has them: what `endTime` means must not hang on an edit.
    """
    readers = _check(options)
    progress = console.progress
    checkout = open_checkout(options.root, progress)
    commit = checkout.head()
    root = read_root(checkout.manifests(commit), progress=progress)
    if root.config is None:
        raise InvalidInput("the config is not valid", "", tuple(p for p in root.problems if p.file == CONFIG))
    calls, problems = _read(readers, root.config, progress)
    undeclared = _undeclared(calls, root)
    shown = undeclared if console.verbose else undeclared[:_MOST_WARNINGS]
    if _refused([*problems, *shown], console):
        return ExitCode.INVALID
    console.warning(problems_text([*problems, *shown], "", console.paint.off()))
    if len(shown) < len(undeclared):
        more = count(len(undeclared) - len(shown), "more table")
        console.warning(f"and {more} that no manifest declares: reconciler -v shows all")
    if root.declared is None and root.manifests:
        console.warning("The manifests have problems (see reconciler validate): tables are not looked up in them.")
    return _Import(options, console, checkout, root.config, calls, commit).run()


def _check(options: ImportOptions) -> dict[Path, Reader]:
    if not options.dry_run and not (options.reason and options.reason.strip()):
        raise UsageFailure(
            "an import needs --reason, unless it is a --dry-run",
            "say how you know: --reason 'curl commands from the wiki'",
        )
    complaint = branch.complaint(options.review) if options.review is not None else None
    if complaint:
        raise UsageFailure(f"--review {options.review!r} {complaint}", "write a name such as adopt-past")
    readers: dict[Path, Reader] = {}
    for path in options.files:
        reader = reader_of(path.name)
        if reader is None:
            raise UsageFailure(
                f"{path} is neither CSV nor JSON Lines", "its name has to end in .csv, .jsonl or .ndjson"
            )
        if not path.name.isprintable():
            raise UsageFailure(f"the name {path.name!r} cannot be shown", "rename the file: ledgers will name it")
        readers[path] = reader
    return readers


def _read(readers: dict[Path, Reader], config: Config, progress: Progress) -> tuple[list[PastCall], list[Problem]]:
    moment = Moment(SystemClock().utc(), wall_clocks(config))
    calls: list[PastCall] = []
    problems: list[Problem] = []
    for path, reader in readers.items():
        reading = read_past(os.fspath(path), path.read_bytes(), reader, config, moment, progress)
        calls += reading.calls
        problems += reading.problems
    return calls, problems


def _undeclared(calls: Iterable[PastCall], root: Reading) -> list[Problem]:
    """Return a warning for each table that no manifest declares: a typing error would be silent otherwise."""
    if root.declared is None and root.manifests:
        return []
    declared = {(request.target, request.table) for request in root.declared.requests} if root.declared else set()
    spelled = {(target, folded(table)): table for target, table in declared}
    first: dict[Key, PastCall] = {}
    for past in calls:
        if past.key not in declared:
            first.setdefault(past.key, past)
    return [_undeclared_problem(past, spelled.get((past.target, folded(past.table)))) for past in first.values()]


def _undeclared_problem(past: PastCall, near: str | None) -> Problem:
    file, line, column = past.place.file, past.place.line, past.place.column
    message = f"no manifest declares {past.table} on {past.target}"
    hint = "check the spelling; its calls are recorded, and count once a manifest declares it"
    if near:
        hint = f"did you mean {near}? Another spelling is another ledger"
    return Problem(file, line, column, "", message, hint, "warning")


def _refused(problems: Sequence[Problem], console: Console) -> bool:
    """Show the problems where any is an error, and say so."""
    errors = sum(1 for problem in problems if problem.severity == "error")
    if errors:
        console.warning(problems_text(problems, "", console.paint.off()))
        console.warning(f"{count(errors, 'error')}; nothing was recorded.")
    return errors > 0


class _Import:
    """One import of calls that were read without an error."""

    def __init__(
        self,
        options: ImportOptions,
        console: Console,
        checkout: Checkout,
        config: Config,
        calls: Sequence[PastCall],
        commit: str,
    ) -> None:
        self.options = options
        self.console = console
        self.config = config
        self.calls = calls
        self.commit = commit
        self.git = checkout.git
        self.state = open_branch(checkout, config, console)
        self.run_name = new_run()
        if options.review == self.state.name:
            raise UsageFailure(
                f"{options.review} is the state branch itself", "name a new one for the review, or leave --review out"
            )

    def run(self) -> ExitCode:
        agreed = False
        for _ in range(_MOST_RACES):
            snapshot = self.state.read()
            adoption = adopt(self.calls, snapshot, self.console.progress)
            problems = [*self._disputes(adoption), *self._renamed(snapshot)]
            if _refused(problems, self.console):
                return ExitCode.INVALID
            if not agreed:
                self._show(adoption, problems)
            if not adoption.fresh or self.options.dry_run:
                return ExitCode.DONE
            if not agreed and not self._ask(adoption):
                self.console.message("Nothing was recorded.")
                return ExitCode.DONE
            agreed = True
            if self._write(snapshot, adoption):
                return ExitCode.DONE
        raise Stale("other runs kept changing the state", "wait until they are done, then import again")

    def _disputes(self, adoption: Adoption) -> list[Problem]:
        return [_dispute(past, doubt) for past, doubt in adoption.disputed]

    def _renamed(self, snapshot: GitSnapshot) -> list[Problem]:
        """Return what looks as if a table had its ledger under another name: a second one would hide that."""
        known = snapshot.ledger_names | {key for intent in snapshot.intents for key in keys_of(intent)}
        fresh = any(past.key not in known for past in self.calls)
        elsewhere = snapshot.ledgers_of_other_roots() if fresh else {}
        return list(renamed(self.calls, known, self.config.targets, elsewhere))

    def _show(self, adoption: Adoption, warnings: Sequence[Problem]) -> None:
        console = self.console
        console.warning(problems_text(warnings, "", console.paint.off()))
        console.result(adoption_text(adoption, self.config.targets, console.paint, verbose=console.verbose))
        if self.options.dry_run and adoption.fresh:
            console.message("A dry run: nothing was recorded.")

    def _ask(self, adoption: Adoption) -> bool:
        if self.options.yes or not self.console.interactive:
            return True
        return self.console.ask(f"Record {count(len(adoption.fresh), 'call')} as triggered?")

    def _write(self, snapshot: GitSnapshot, adoption: Adoption) -> bool:
        """Record what is fresh, or propose it. False where another run changed the state first."""
        change = Change(entries=tuple(past.entry(self.run_name, self.commit) for past in adoption.fresh))
        trailers = [("Run", self.run_name), ("By", who(self.git, os.environ)), ("Reason", self.options.reason or "")]
        message = compose(*import_message([past.call for past in adoption.fresh]), trailers)
        number = count(len(adoption.fresh), "call")
        if self.options.review is not None:
            commit = self.state.propose(snapshot, change, message, self.options.review)
            if commit is None:
                raise UsageFailure(f"the branch {self.options.review} exists already", "name a new one for the review")
            self.console.result(f"{number} proposed: {commit[:12]} on {self.options.review} (run {self.run_name}).\n")
            self.console.result(_landing(self.state, self.options.review, snapshot.commit))
            return True
        landed = self.state.commit(snapshot, change, message)
        if not isinstance(landed, GitSnapshot):
            return False
        self.state.keep_mark(landed.commit)
        tip = (landed.commit or "")[:12]
        self.console.result(f"{number} recorded: {tip} on {self.state.where} (run {self.run_name}).\n")
        return True


def _dispute(past: PastCall, doubt: Doubt) -> Problem:
    place, call = past.place, (doubt.intent.part_of or doubt.intent).call
    message = f"overlaps call {call.id} of run {doubt.intent.run}, in doubt: {describe(doubt.intent.call.span)}"
    hint = (
        f"settle that one first: where it ran, reconciler resolve {call.id} --as triggered --reason '...', and where "
        f"not, --as not-triggered; then import again"
    )
    return Problem(place.file, place.line, place.column, "", message, hint)


def _landing(state: StateBranch, review: str, tip: str | None) -> str:
    """Say how a proposal becomes state; `tip` is the state's commit that it stands on."""
    if state.pushes:
        command = f"git fetch {state.remote} {review} && git push {state.remote} FETCH_HEAD:{state.ref}"
    elif state.git.head_branch() == state.ref:
        command = f"git merge --ff-only {review}"
    else:
        command = f"git push . {review}:{state.ref}"
    request = f"by a pull request into {state.name}, or " if state.pushes and tip else ""
    return (
        "Nothing of it counts as triggered until that lands, so let nobody apply before.\n"
        f"Once it is reviewed, land it {request}with\n"
        f"  {command}\n"
        "That takes a fast-forward only: where the state has moved meanwhile, import again for another review.\n"
    )
