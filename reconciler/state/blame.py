"""Which commits last changed some lines of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.errors import Failure
from reconciler.state.git import Git

_COMMAND = ("blame", "--porcelain", "--ignore-revs-file=", "--no-textconv")
_HEADER = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64}) [0-9]+ ([0-9]+)(?: [0-9]+)?")


@dataclass(frozen=True, slots=True)
class Blamed:
    """A commit that last changed lines of a file, None for a change that is not committed; `path` is its name there."""

    commit: str | None
    path: str


def blame(git: Git, path: str, first: int, last: int, commit: str | None, *, sides: bool = False) -> tuple[Blamed, ...]:
    """Return the commits of the main line that last changed the lines `first` to `last`, each once.

    The main line is that of first parents: what a merge brought is the merge's. A side line may hold anything, what was
    taken back since, too; with `sides` the commits there are told: who wrote the lines, not who brought them.

    `path` is from the repository's top. Lines are counted from 1, in the file as it is in `commit`, or in the work tree
    where that is None. A file that was renamed is followed. Settings that hide commits from git's blame are not
    obeyed. Raises Failure where git cannot tell.
    """
    line = () if sides else ("--first-parent",)
    answer = git.ask(*_COMMAND, *line, f"-L{first},{last}", *([commit] if commit else []), "--", path)
    if answer.status and commit is None and git.ask("cat-file", "-e", f"HEAD:{path}").status:
        return (Blamed(None, path),)
    if answer.status:
        raise Failure(f"git cannot tell who changed {path}: {answer.words}", "see what `git blame` says of it")
    return _read(answer.text)


def is_new(git: Git, path: str, first: int, last: int, old: str, new: str) -> bool:
    """Say whether the lines `first` to `last` of a file in `new` were all written by commits that `old` has not."""
    answer = git.ask(*_COMMAND, f"-L{first},{last}", new, f"^{old}", "--", path)
    return answer.status == 0 and not any(line == "boundary" for line in answer.text.split("\n"))


def _read(porcelain: str) -> tuple[Blamed, ...]:
    """Read git's porcelain: a header a line, and once for each commit (and file name) what it is."""
    paths: dict[str, str] = {}
    found: dict[Blamed, None] = {}
    commit = ""
    for line in porcelain.split("\n"):
        header = _HEADER.fullmatch(line)
        if header:
            commit = header[1]
        elif line.startswith("filename "):
            paths[commit] = _plain(line.removeprefix("filename "))
        elif line.startswith("\t"):
            found[Blamed(commit if commit.strip("0") else None, paths[commit])] = None
    return tuple(found)


def _plain(name: str) -> str:
    """Take git's quotes off a name. Names with what it writes in other escapes are no manifests': they stay quoted."""
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name
