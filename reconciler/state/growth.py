"""The history of the state branch: every line that was ever in a ledger still stands, and no intent just vanished."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.progress import each
from reconciler.core.text import count
from reconciler.errors import Problem
from reconciler.state.git import Git
from reconciler.state.snapshot import GitSnapshot
from reconciler.state.versions import Versions

_FILE = "100644"
_INTENT = re.compile(rb'^\{"id":"([0-9a-f]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One commit's change to one state file, as seen from one of its parents; None for no (plain) file."""

    commit: str
    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Growth:
    """How many commits changed the state's files, where ledgers did not grow, and whether older history is not here."""

    commits: int
    problems: tuple[Problem, ...]
    cut: bool = False


def growth(git: Git, snapshot: GitSnapshot, since: str | None) -> Growth:
    """Compare every version that a ledger had in the history of `snapshot` with the one that it has now.

    A version is sound where the ledger now begins with it. A commit that took lines away which are still missing is an
    error; one whose lines were put back is a warning. `since` is a commit whose history is taken as it is.
    """
    if snapshot.commit is None:
        return Growth(0, ())
    with git.progress.waiting("reading the history of the state"):
        commits, history = _history(git, snapshot.commit, snapshot.folder, since)
        oids = (oid for steps in history.values() for step in steps for oid in (step.old, step.new) if oid)
        sizes = _sizes(git, oids)
    pending = f"{snapshot.folder}/pending/"
    found: list[Problem] = []
    with each(git.progress, "following", history, "state file") as paths:
        for path in paths:
            if path.startswith(pending):
                found += _intents(git, snapshot, {path: history[path]})
            else:
                found += _ledger(git, snapshot, path, history[path], sizes)
    return Growth(commits, tuple(found), cut=since is None and git.is_cut(snapshot.commit))


def _history(git: Git, tip: str, folder: str, since: str | None) -> tuple[int, dict[str, list[Step]]]:
    """Return the number of commits that changed files below `folder`, and per path their changes, newest first."""
    excluded = [f"^{since}"] if since else []
    commits = git.run("rev-list", "--full-history", tip, *excluded, "--", folder)
    diff = ("diff-tree", "--stdin", "-m", "--root", "-r", "-z", "--no-abbrev", "--no-renames")
    out = git.run(*diff, "--", folder, stdin=commits) if commits else b""
    by_path: dict[str, list[Step]] = defaultdict(list)
    for step in _steps(out.split(b"\0")[:-1]):
        by_path[step.path].append(step)
    return commits.count(b"\n"), dict(sorted(by_path.items()))


def _steps(tokens: Iterable[bytes]) -> Iterator[Step]:
    """Read `git diff-tree -z`: a commit's id, then for each file `:mode mode id id letter` and its path."""
    commit = ""
    rest = iter(tokens)
    for token in rest:
        if not token.startswith(b":"):
            commit = token.decode()
            continue
        path = next(rest).decode("utf-8", "surrogateescape")
        old_mode, new_mode, old, new, _ = token.decode().removeprefix(":").split(" ")
        yield Step(commit, path, old if old_mode == _FILE else None, new if new_mode == _FILE else None)


def _sizes(git: Git, oids: Iterable[str]) -> dict[str, int]:
    wanted = list(dict.fromkeys(oids))
    feed = "".join(f"{oid}\n" for oid in wanted).encode()
    out = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=feed).decode() if wanted else ""
    return {oid: int(size) for oid, size in (line.split(" ") for line in out.splitlines()) if size != "missing"}


def _ledger(
    git: Git, snapshot: GitSnapshot, path: str, steps: Sequence[Step], sizes: dict[str, int]
) -> Iterator[Problem]:
    """Yield what is wrong with the history of one ledger."""
    versions = Versions(git, snapshot, path, sizes)
    for step in steps:
        if step.old is None:
            continue
        if versions.stands(step.old):
            if step.new is None or versions.took(step.old, step.new):
                yield _mended(
                    snapshot, step, f"commit {step.commit[:12]} took lines away, and they were put back since"
                )
        elif step.new is not None and versions.put_right(step.old, step.new):
            yield _mended(snapshot, step, f"the file was damaged before commit {step.commit[:12]}, which put it right")
        elif step.new is None or versions.lost(step.old, step.new) is not None:
            yield _lost(snapshot, step, versions)


def vanished_intents(git: Git, snapshot: GitSnapshot, since: str) -> tuple[Problem, ...]:
    """Return the problems of pending files alone, in the history of `snapshot` that `since` has not."""
    if snapshot.commit is None:
        return ()
    _, history = _history(git, snapshot.commit, f"{snapshot.folder}/pending", since)
    return tuple(_intents(git, snapshot, history))


def _intents(git: Git, snapshot: GitSnapshot, history: Mapping[str, Sequence[Step]]) -> Iterator[Problem]:
    """Yield the commits that removed intents of a file without a word: the reconciler's name each one they settle.

    What was put back is there, or was settled later: the last removal counts. Of a merge nothing can be said, since one
    of its parents may be older than what was settled on the other. `history` has the steps of each file, newest first.
    """
    steps = [step for some in history.values() for step in some]
    oids = list(dict.fromkeys(oid for step in steps for oid in (step.old, step.new) if oid))
    ids = dict(zip(oids, map(_ids, git.blobs(oids)), strict=True))
    nothing: frozenset[str] = frozenset()
    removed = [(step, ids[step.old] - (ids[step.new] if step.new else nothing)) for step in steps if step.old]
    shrinking = [(step, gone) for step, gone in removed if gone]
    words = _messages(git, [step.commit for step, _ in shrinking])
    still = {path: snapshot.content(path) or b"" for path in history if snapshot.is_file(path)}
    decisions = {path: set(_ids(still.get(path, b""))) for path in history}
    for step, gone in shrinking:
        decided = decisions[step.path]
        parents, message = words[step.commit]
        if parents > 1:
            continue
        silent = sorted(name for name in gone - decided if name not in message)
        decided |= gone
        if silent:
            yield _vanished(snapshot, step, silent)


def _messages(git: Git, commits: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Return the number of parents and the message of each commit."""
    feed = "".join(f"{commit}\n" for commit in dict.fromkeys(commits)).encode()
    out = git.run("log", "--no-walk", "--stdin", "-z", "--format=%H %P%n%B", stdin=feed) if commits else b""
    found = {}
    for record in out.decode("utf-8", "replace").split("\0"):
        head, _, message = record.partition("\n")
        commit, *parents = head.split() or [""]
        found[commit] = (len(parents), message)
    return found


def _ids(data: bytes) -> frozenset[str]:
    return frozenset(match.decode() for match in _INTENT.findall(data))


def _vanished(snapshot: GitSnapshot, step: Step, names: list[str]) -> Problem:
    return Problem(
        file=snapshot.short(step.path),
        line=0,
        column=1,
        path="",
        message=f"commit {step.commit[:12]} removed {count(len(names), 'intent')} ({', '.join(names[:3])}"
        f"{', …' if len(names) > 3 else ''}) and does not say what became of {'it' if len(names) == 1 else 'them'}",
        hint=f"these calls were in doubt, and may have been made: put the file back with `git checkout "
        f"{step.commit[:12]}~1 -- {step.path}`, and settle them with reconciler resolve\n"
        f"if it was on purpose, take the past as it is: reconciler state verify --since {step.commit[:12]}",
    )


def _lost(snapshot: GitSnapshot, step: Step, versions: Versions) -> Problem:
    line = versions.lost(step.old, step.new) if step.old and step.new else None
    what = "changed or removed this line" if step.new else "removed this file"
    return Problem(
        file=snapshot.short(step.path),
        line=line or 0,
        column=1,
        path="",
        message=f"commit {step.commit[:12]} {what}, and it is not as it was before since",
        hint=f"its lines are calls that were made: see `git show {step.commit[:12]}`, and put the file back as it was "
        f"before, with what came after at its end\nif it was on purpose, take the past as it is: "
        f"reconciler state verify --since {step.commit[:12]}",
    )


def _mended(snapshot: GitSnapshot, step: Step, message: str) -> Problem:
    return Problem(
        file=snapshot.short(step.path),
        line=0,
        column=1,
        path="",
        message=message,
        hint="nothing is missing now; see who may write to the state branch",
        severity="warning",
    )
