"""The history of the state branch: that every line that was ever in a ledger still stands where it stood."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.errors import Problem
from reconciler.state.git import Git
from reconciler.state.snapshot import GitSnapshot, blob_id, same_lines

_FILE = "100644"


@dataclass(frozen=True, slots=True)
class Step:
    """One commit's change to one ledger, as seen from one of its parents; None for no (plain) file."""

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
    commits, steps = _history(git, snapshot.commit, snapshot.folder, since)
    by_path: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        by_path[step.path].append(step)
    sizes = _sizes(git, (oid for step in steps for oid in (step.old, step.new) if oid))
    found = [p for path, some in sorted(by_path.items()) for p in _ledger(git, snapshot, path, some, sizes)]
    return Growth(commits, tuple(found), cut=since is None and _is_cut(git, snapshot.commit))


def _is_cut(git: Git, tip: str) -> bool:
    """Say whether the history of `tip` ends where a shallow clone was cut."""
    shallow = git.common_dir / "shallow"
    ends = shallow.read_text("ascii").split() if shallow.exists() else []
    return bool(ends) and not set(ends).isdisjoint(git.run("rev-list", "--max-parents=0", tip).decode().split())


def _history(git: Git, tip: str, folder: str, since: str | None) -> tuple[int, list[Step]]:
    """Return the number of commits that changed files below `folder`, and their changes to ledgers, newest first."""
    excluded = [f"^{since}"] if since else []
    commits = git.run("rev-list", "--full-history", tip, *excluded, "--", folder or ".")
    out = git.run(
        *("diff-tree", "--stdin", "-m", "--root", "-r", "-z", "--no-abbrev", "--no-renames", "--", folder or "."),
        stdin=commits,
    )
    return commits.count(b"\n"), list(_steps(out.split(b"\0")[:-1], folder))


def _steps(tokens: Iterable[bytes], folder: str) -> Iterator[Step]:
    """Read `git diff-tree -z`: a commit's id, then for each file `:mode mode id id letter` and its path."""
    commit = ""
    rest = iter(tokens)
    for token in rest:
        if not token.startswith(b":"):
            commit = token.decode()
            continue
        path = next(rest).decode("utf-8", "surrogateescape")
        old_mode, new_mode, old, new, _ = token.decode().removeprefix(":").split(" ")
        if not path.startswith(f"{folder}/pending/"):
            yield Step(commit, path, old if old_mode == _FILE else None, new if new_mode == _FILE else None)


def _sizes(git: Git, oids: Iterable[str]) -> dict[str, int]:
    wanted = list(dict.fromkeys(oids))
    feed = "".join(f"{oid}\n" for oid in wanted).encode()
    out = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=feed).decode() if wanted else ""
    return {oid: int(size) for oid, size in (line.split(" ") for line in out.splitlines()) if size != "missing"}


def _ledger(
    git: Git, snapshot: GitSnapshot, path: str, steps: Iterable[Step], sizes: dict[str, int]
) -> Iterator[Problem]:
    """Yield what is wrong with the history of one ledger."""
    now = (snapshot.content(path) if snapshot.is_file(path) else None) or b""
    stands: dict[str, bool] = {}
    for step in steps:
        if step.old is None:
            continue
        if step.old not in stands:
            stands[step.old] = _begins(now, step.old, sizes.get(step.old))
        if stands[step.old]:
            if step.new is None or sizes.get(step.new, 0) < sizes[step.old]:
                yield _mended(snapshot, step)
        elif step.new is None or not _read(git, step.new).startswith(_read(git, step.old)):
            yield _lost(git, snapshot, step)


def _begins(data: bytes, oid: str, size: int | None) -> bool:
    """Say whether `data` begins with the blob `oid`, without reading that: git's id of it is a hash of its bytes."""
    return size is not None and size <= len(data) and blob_id(memoryview(data)[:size], oid) == oid


def _read(git: Git, oid: str) -> bytes:
    return next(git.blobs([oid]))


def _lost(git: Git, snapshot: GitSnapshot, step: Step) -> Problem:
    old = _read(git, step.old) if step.old else b""
    kept = same_lines(old, _read(git, step.new)) if step.new else 0
    what = "changed or removed this line" if step.new else "removed this file"
    return Problem(
        file=snapshot.short(step.path),
        line=kept + 1 if step.new else 0,
        column=1,
        path="",
        message=f"commit {step.commit[:12]} {what}, and it is not as it was before since",
        hint=f"its lines are calls that were made: see `git show {step.commit[:12]}`, and put the file back as it was "
        f"before, with what came after at its end\nif it was on purpose, take the past as it is: "
        f"reconciler state verify --since {step.commit[:12]}",
    )


def _mended(snapshot: GitSnapshot, step: Step) -> Problem:
    return Problem(
        file=snapshot.short(step.path),
        line=0,
        column=1,
        path="",
        message=f"commit {step.commit[:12]} took lines away, and they were put back since",
        hint="nothing is missing now; see who may write to the state branch",
        severity="warning",
    )
