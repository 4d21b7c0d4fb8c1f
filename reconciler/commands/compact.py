"""`state compact`: fold the old lines of ledgers into what they cover; git keeps the lines, plans stay as they are."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.gather import Scope, work_tree_config
from reconciler.commands.identity import new_run, who
from reconciler.commands.state import open_branch, open_checkout
from reconciler.core.change import Key
from reconciler.core.text import count, printable
from reconciler.core.wallclock import parse
from reconciler.errors import ExitCode, Problem, Stale, UsageFailure
from reconciler.protocol.audit import compose
from reconciler.render.problems import problems_text
from reconciler.state.branch import StateBranch
from reconciler.state.compaction import Folded, Kept, newest, next_batch, since
from reconciler.state.git import Git
from reconciler.state.snapshot import GitSnapshot

KEEP = 100
"""How many lines of each ledger stay where nothing else is said."""
_MOST_RACES = 20
_MOST_LINES = 200
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}:[0-9]{2})Z)?")


@dataclass(frozen=True, slots=True)
class CompactOptions:
    """The options of `state compact`: `keep` newest lines stay, or else those that were triggered since `before`."""

    root: Path
    keep: int | None
    before: str | None
    scope: Scope
    dry_run: bool


def run(options: CompactOptions, console: Console) -> ExitCode:
    """Fold what is old, in as many commits as it takes. Raises InvalidInput where the state as a whole is not sound."""
    kept = _kept(options)
    checkout = open_checkout(options.root, console.progress)
    state = open_branch(checkout, work_tree_config(options.root, console.progress), console)
    work = _Compaction(options, console, checkout.git, state, kept)
    snapshot = state.read()
    if snapshot.commit is None:
        console.result("There is no state yet.\n")
        return ExitCode.DONE
    work.run(snapshot)
    console.warning(problems_text(sorted(work.problems), os.fspath(options.root), console.paint.off()))
    console.result(work.text())
    return ExitCode.INVALID if work.problems else ExitCode.DONE


def _kept(options: CompactOptions) -> Kept:
    if options.before is None:
        return newest(KEEP if options.keep is None else options.keep)
    if options.keep is not None:
        raise UsageFailure("--keep and --before exclude each other", "say how many lines stay, or since when")
    match = _MOMENT.fullmatch(options.before)
    try:
        day, time = (match[1], match[2] or "00:00:00") if match else ("", "")
        parse(f"{day} {time}")
    except ValueError as error:
        why = str(error) if match else "is no time"
        raise UsageFailure(
            f"--before {options.before!r} {why}", "write it in UTC, like 2026-01-20 or 2026-01-20T05:00:00Z"
        ) from None
    return since(f"{day}T{time}Z")


@dataclass(slots=True)
class _Compaction:
    """One compaction: what it has done so far."""

    options: CompactOptions
    console: Console
    git: Git
    state: StateBranch
    kept: Kept
    problems: list[Problem] = field(default_factory=list)
    ledgers: int = 0
    lines: int = 0
    before: int = 0
    after: int = 0
    small: int = 0
    commit: str | None = None
    name: str = field(default_factory=new_run)

    def run(self, snapshot: GitSnapshot) -> None:
        """Fold batch by batch. Where another run changed the state first, the batch is made again on its tip."""
        keys = self._keys(snapshot)
        races = 0
        with self.console.progress.counting("compacting", len(keys), "ledger") as counted:
            while keys:
                batch = next_batch(snapshot, keys, self.kept)
                landed = self._write(snapshot, batch.folded)
                if landed is None:
                    races += 1
                    if races > _MOST_RACES:
                        raise Stale("other runs kept changing the state", "wait until they are done, then try again")
                    snapshot = self.state.read()
                    keys = [key for key in keys if key in snapshot.ledger_names]
                    continue
                snapshot = landed
                counted.done = counted.total - len(batch.rest)
                self._count(batch.folded)
                self.small += batch.small
                self.problems += [damage.problem for damage in batch.damage]
                keys = list(batch.rest)
        if self.commit:
            self.state.keep_mark(self.commit)

    def _keys(self, snapshot: GitSnapshot) -> list[Key]:
        """Return the ledgers in scope that can be trusted; what is wrong with others is told."""
        scope = self.options.scope
        keys = sorted(key for key in snapshot.ledger_names if key in scope)
        if not keys and (scope.table or scope.target):
            which = " ".join(
                filter(
                    None,
                    (
                        f"of the table {scope.table}" if scope.table else "",
                        scope.target and f"on the target {scope.target}",
                    ),
                )
            )
            raise UsageFailure(f"there is no ledger {which}", "see reconciler status for those that there are")
        damaged = snapshot.damaged(keys)
        self.problems += [damage.problem for damage in damaged.values()]
        return [key for key in keys if key not in damaged]

    def _write(self, snapshot: GitSnapshot, folded: Sequence[Folded]) -> GitSnapshot | None:
        """Commit a batch; None where another run changed the state first."""
        if not folded or self.options.dry_run:
            return snapshot
        files = {self.state.path_of(each.key): each.written for each in folded}
        landed = self.state.commit_files(snapshot, files, self._message(folded))
        if not isinstance(landed, GitSnapshot):
            return None
        self.commit = landed.commit
        return landed

    def _message(self, folded: Sequence[Folded]) -> str:
        lines = [_line(each) for each in folded[:_MOST_LINES]]
        more = len(folded) - _MOST_LINES
        lines += [f"and {more:,} more: see the ledgers"] if more > 0 else []
        done = f"{count(sum(each.lines for each in folded), 'line')} of {count(len(folded), 'ledger')}"
        trailers = (("Folded", done), ("Run", self.name), ("By", who(self.git, os.environ)))
        return compose(f"Compact {done}", lines, trailers)

    def _count(self, folded: Sequence[Folded]) -> None:
        self.ledgers += len(folded)
        self.lines += sum(each.lines for each in folded)
        self.before += sum(each.before for each in folded)
        self.after += sum(each.after for each in folded)
        if self.console.verbose:
            self.console.message("\n".join(map(_line, folded)))

    def text(self) -> str:
        """Say what was done, and what it is good for."""
        lines = []
        if self.ledgers:
            would = "would be folded" if self.options.dry_run else "folded into windows"
            lines.append(
                f"{count(self.lines, 'line')} of {count(self.ledgers, 'ledger')} {would}: "
                f"{_size(self.before)} become {_size(self.after)}."
            )
            lines.append(
                f"A shallow clone, and a plan that has nothing cached, reads {_size(self.before - self.after)} less. "
                "Git keeps the lines in the branch's history, so a whole clone gets no smaller."
            )
        else:
            lines.append("Nothing to fold.")
        if self.small:
            lines.append(
                f"{count(self.small, 'ledger')} left as {'it is' if self.small == 1 else 'they are'}: "
                "folding would save less than a fifth."
            )
        if self.commit:
            lines.append(
                f"Every plan is the same as before: {self.commit[:12]} on {self.state.where} (run {self.name})."
            )
        elif self.options.dry_run and self.ledgers:
            lines.append("A dry run: nothing was changed.")
        return "\n".join(lines) + "\n"


def _line(folded: Folded) -> str:
    target, table = folded.key
    what = f"{count(folded.lines, 'line')}, {_size(folded.before)} become {_size(folded.after)}"
    return f"folded     {printable(target)} {printable(table)}: {what}, whole in {folded.detail}"


def _size(number: int) -> str:
    """Return a number of bytes in the unit that reads best."""
    for unit, size in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"
