"""`new`: a manifest for a table, checked by the loader before it is written."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.placing import check_places, is_there, place
from reconciler.commands.questions import Question, refuse_open
from reconciler.core.text import count, printable
from reconciler.errors import ExitCode, Failure, InvalidInput, UsageFailure
from reconciler.manifests.root import Reading, is_manifest_path, read_root
from reconciler.manifests.worktree import read_worktree
from reconciler.manifests.writing import Draft, manifest_text
from reconciler.render.problems import problems_text

_LONGEST_PART = 60
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_SCHEMA = Path("schemas", "backfill.v1.schema.json")


@dataclass(frozen=True, slots=True)
class NewOptions:
    """The options of `new`; None and () are open. `file` is relative to where the command runs, as `root` is."""

    root: Path
    table: str
    name: str | None = None
    target: str | None = None
    start: str | None = None
    end: str | None = None
    at: tuple[str, ...] = ()
    rerun: str | None = None
    reason: str | None = None
    owner: str | None = None
    file: Path | None = None
    schedule: str | None = None


def questions(options: NewOptions) -> tuple[Question, ...]:
    """Return what is still open: the times, and why it is a rerun."""
    asked = []
    if options.start is None and not options.at:
        asked.append(Question("--start", "the first schedule time, such as 2026-01-20 01:00:00"))
    if options.end is None and not options.at:
        asked.append(Question("--end", "the last schedule time, included"))
    if options.rerun is not None and options.reason is None:
        asked.append(Question("--reason", "why this has to run again; reviewers read it"))
    return tuple(asked)


def answered(options: NewOptions, option: str, text: str) -> NewOptions:
    """Return the options with an answer to the question of that option."""
    match option:
        case "--start":
            return replace(options, start=text)
        case "--end":
            return replace(options, end=text)
        case "--reason":
            return replace(options, reason=text)
        case _:
            raise ValueError(f"{option} is no question")


def run(options: NewOptions, console: Console) -> ExitCode:
    """Write the manifest and say where it is.

    Raises UsageFailure for options that are missing or exclude each other, InvalidInput with the loader's problems
    where the manifest would not be valid among the others, Failure where its file is there already.
    """
    if options.at and (options.start is not None or options.end is not None):
        raise UsageFailure("--at gives single times, --start and --end a range", "leave one of them out")
    refuse_open(questions(options))
    files, unread = read_worktree(options.root, console.progress)
    before = read_root(files, unread, console.progress)
    path = _path(options)
    check_places(options.root, [path])
    if is_there(options.root, path):
        raise Failure(f"{options.root / path} is there already", "add the request to it, or name another with --file")
    data = _text(options, path, before).encode("utf-8", "surrogatepass")
    _check(read_root({**files, path: data}, unread, console.progress), before, options.root, console)
    if not place(options.root, path, data):
        raise Failure(f"{options.root / path} is there already", "somebody wrote it just now: look at it")
    console.result(f"{options.root / path}\n")
    console.message("Next: read it, then `reconciler plan` shows what it would trigger. Commit it for review.")
    return ExitCode.DONE


def _check(after: Reading, before: Reading, root: Path, console: Console) -> None:
    """Refuse what the new file would bring. What was wrong before is told, and does not stand in its way."""
    brought = tuple((Counter(after.problems) - Counter(before.problems)).elements())
    if any(problem.severity == "error" for problem in brought):
        raise InvalidInput("the manifest would not be valid", "", brought)
    console.warning(problems_text(brought, os.fspath(root), console.paint))
    others = sum(problem.severity == "error" for problem in before.problems if problem.file)
    if others:
        console.warning(f"The root has {count(others, 'other problem')}: see `reconciler validate`.")


def _text(options: NewOptions, path: str, before: Reading) -> str:
    taken = {request.manifest for request in before.declared.requests} if before.declared else set()
    draft = Draft(
        name=options.name or _free_name(options.table, taken),
        table=options.table,
        target=options.target,
        owner=options.owner,
        rerun=options.rerun,
        reason=options.reason,
        start=options.start,
        end=options.end,
        at=options.at,
        schedule=options.schedule,
    )
    return manifest_text(draft, _schema(options.root, path))


def _schema(root: Path, path: str) -> str | None:
    """Return the way from a file of the root to the schema in the repository that holds it, None without one."""
    for folder in (root.resolve(), *root.resolve().parents):
        if (folder / _SCHEMA).is_file():
            return Path(os.path.relpath(folder / _SCHEMA, (root.resolve() / path).parent)).as_posix()
        if (folder / ".git").exists():
            return None
    return None


def _path(options: NewOptions) -> str:
    """Return the file's path below the root: as named, or by the table, such as sales/fact_sales.yaml."""
    if options.file is None:
        folder, name = _parts(options.table)
        return f"{folder}/{name}.yaml" if folder else f"{name}.yaml"
    root = os.path.abspath(options.root)
    inside = os.path.relpath(os.path.abspath(options.file), root)
    if inside.startswith("..") or not is_manifest_path(inside):
        raise UsageFailure(
            f"{printable(os.fspath(options.file))} would not be read as a manifest",
            f"name a .yaml file below {options.root}, in no folder that starts with a dot",
        )
    return inside


def _parts(table: str) -> tuple[str, str]:
    """Return the schema's part of a table's name and the table's own, as file names: short, in lower case."""
    parts = [re.sub(r"[^\w$-]", "_", part)[:_LONGEST_PART] for part in table.replace("`", "").lower().split(".")]
    return (parts[-2] if len(parts) > 1 else "", parts[-1])


def _free_name(table: str, taken: set[str]) -> str:
    """Return a name for the manifest that no other has: by the table, then by its schema too, then with a number."""
    folder, name = (_NOT_IN_NAMES.sub("-", part).strip("-") for part in _parts(table))
    name = name or "table"
    names = [name, *([f"{folder}-{name}"] if folder else []), *(f"{name}-{number}" for number in range(2, 10_000))]
    return next((each for each in names if each not in taken), name)
