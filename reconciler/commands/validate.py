"""`validate`: every problem of every file, at once."""

from __future__ import annotations

import os
from collections.abc import Sequence, Sized
from pathlib import Path

from reconciler.cache import Cache
from reconciler.commands.comparison import compare
from reconciler.commands.console import Console
from reconciler.commands.gather import manifest_cache
from reconciler.commands.state import open_checkout
from reconciler.core.request import Declared
from reconciler.core.text import count
from reconciler.errors import ExitCode, Failure, Problem, UsageFailure
from reconciler.manifests.files import MANY
from reconciler.manifests.root import Reading, read_root
from reconciler.manifests.worktree import read_worktree
from reconciler.render.problem_reports import problems_gitlab, problems_sarif
from reconciler.render.problems import how_many, problems_github, problems_text, validation_json
from reconciler.state.git import Git

_REPORTS = {"github": problems_github, "sarif": problems_sarif, "gitlab": problems_gitlab}


def run(root: Path, paths: Sequence[Path], output: str, console: Console, base: str | None = None) -> ExitCode:
    """Validate the whole root; with `paths`, report only what is wrong in those files and folders, or in the config.

    With `base`, report too which state files the branch changes since its merge base with that, and which guards.
    """
    files, unread = read_worktree(root, console.progress)
    cache = _cache(root, files)
    reading = read_root(files, unread, console.progress, cache)
    if cache is not None:
        cache.save(whole=True)
    compared = _compared(root, base, reading, console) if base is not None else ()
    problems = _within(root, paths, sorted((*unread, *reading.problems, *compared)))
    errors = any(problem.severity == "error" for problem in problems)
    if output == "json":
        console.result(validation_json(reading.manifests, reading.requests, problems))
    elif output in _REPORTS:
        console.result(_REPORTS[output](problems, _from_top(root)))
    else:
        console.result(problems_text(problems, os.fspath(root), console.paint))
    console.message(_summary(problems, reading.manifests, reading.requests))
    return ExitCode.INVALID if errors else ExitCode.DONE


def _cache(root: Path, files: Sized) -> Cache | None:
    """Return where the repository of a root keeps what its manifests say; None where there is none, or are but few."""
    if len(files) < MANY:
        return None
    try:
        return manifest_cache(open_checkout(root), files)
    except Failure:
        return None


def _compared(root: Path, base: str, reading: Reading, console: Console) -> tuple[Problem, ...]:
    declared = reading.declared or Declared(0, ())
    return compare(open_checkout(root, console.progress), base, reading.config, declared).problems


def _summary(problems: Sequence[Problem], manifests: int, requests: int) -> str:
    within = f"in {count(manifests, 'manifest')}, {count(requests, 'request')}"
    if not problems:
        return f"No problems {within}."
    if not any(problem.severity == "error" for problem in problems):
        return f"{count(len(problems), 'warning')}, no errors {within}."
    return f"{how_many(problems)} {within}; nothing was triggered."


def _within(root: Path, paths: Sequence[Path], problems: Sequence[Problem]) -> tuple[Problem, ...]:
    if not paths:
        return tuple(problems)
    wanted = [_inside(root, path) for path in paths]
    return tuple(
        problem
        for problem in problems
        if problem.file.split("/")[0] in ("", "reconciler.yaml", ".state")
        or any(part in ("", ".") or problem.file == part or problem.file.startswith(f"{part}/") for part in wanted)
    )


def _inside(root: Path, path: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise UsageFailure(f"{path} is not in the root {root}", "name files of the root, or another --root") from None


def _from_top(root: Path) -> str:
    """Return the root as GitHub names it: from the repository's top; as given where there is no repository."""
    try:
        inside = root.resolve().relative_to(Git.find(root).top.resolve())
    except Failure:
        return os.fspath(root)
    return "" if inside == Path() else inside.as_posix()
