"""`state verify`: read all of the state, and the history of its branch."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.gather import work_tree_config
from reconciler.commands.state import open_branch, open_checkout
from reconciler.core.text import count
from reconciler.errors import ExitCode, UsageFailure
from reconciler.render.problems import json_text, problem_fields, problems_text
from reconciler.state.git import Git
from reconciler.state.growth import Growth, growth
from reconciler.state.verify import Verified, verify_files


def run(root: Path, since: str | None, output: str, console: Console) -> ExitCode:
    """Verify the state at its tip and how it came there. Raises InvalidInput where the branch is gone or rewritten."""
    checkout = open_checkout(root, console.progress)
    state = open_branch(checkout, work_tree_config(root, console.progress), console)
    snapshot = state.read()
    history = growth(checkout.git, snapshot, _commit(checkout.git, since))
    if not history.cut:
        snapshot.shrunk.clear()  # history has told of that, with the commit that did it
    files = verify_files(snapshot, console.progress)
    problems = tuple(sorted((*files.problems, *history.problems)))
    console.warning(problems_text(problems, os.fspath(root), console.paint.off()))
    if output == "json":
        console.result(json_text(_document(snapshot.commit, files, history)))
    else:
        console.result(_text(state.where, snapshot.commit, files, history))
    return ExitCode.INVALID if any(problem.severity == "error" for problem in problems) else ExitCode.DONE


def _commit(git: Git, since: str | None) -> str | None:
    commit = git.commit_of(since) if since else None
    if since and commit is None:
        raise UsageFailure(f"--since {since} names no commit here", "see git log of the state branch")
    return commit


def _text(where: str, commit: str | None, files: Verified, history: Growth) -> str:
    if commit is None:
        return "There is no state yet.\n"
    held = f"{count(files.ledgers, 'ledger')} with {count(files.triggers, 'trigger')}"
    pending = f"{count(len(files.intents), 'intent')} pending"
    lines = [f"{where} at {commit[:12]}: {held}, {pending}, {count(history.commits, 'commit')}."]
    errors = sum(1 for problem in (*files.problems, *history.problems) if problem.severity == "error")
    if errors:
        lines.append(f"{count(errors, 'problem')}: calls could be made again, or be forgotten. Stop applies first.")
    elif files.unread or history.cut:
        lines.append("Every line that this clone has still stands where it stood.")
    else:
        lines.append("Every line that a ledger ever had still stands where it stood.")
    if history.cut:
        lines.append("Older history is not in this clone: verify again after `git fetch --unshallow`.")
    return "\n".join(lines) + "\n"


def _document(commit: str | None, files: Verified, history: Growth) -> dict[str, object]:
    return {
        "version": 1,
        "state": commit,
        "ledgers": files.ledgers,
        "triggers": files.triggers,
        "intents": len(files.intents),
        "commits": history.commits,
        "problems": [problem_fields(problem) for problem in sorted((*files.problems, *history.problems))],
    }
