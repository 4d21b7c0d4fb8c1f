"""What git knows of a commit's past: parents, common ancestors, later changes of files, their names and contents."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.state.git import Git


def parents(git: Git, commit: str) -> tuple[str, ...]:
    """Return the parents of a commit that is here, first the one that it was made on."""
    return tuple(git.run("rev-list", "--parents", "--max-count=1", commit).decode().split()[1:])


def merge_bases(git: Git, one: str, other: str) -> tuple[str, ...]:
    """Return the newest commits that two commits have in common, as git orders them; none where there is none."""
    found = git.ask("merge-base", "--all", one, other)
    return tuple(found.text.split()) if found.status == 0 else ()


def later(git: Git, old: str, new: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the commits between two that changed any of the paths, on side lines too, newest first."""
    out = git.run("rev-list", "--ancestry-path", "--full-history", new, f"^{old}", "--", *paths)
    return tuple(out.decode().split())


def names_since(git: Git, old: str, new: str, path: str) -> frozenset[str]:
    """Return what a file was called between two commits, where it was renamed."""
    options = ("--follow", "--first-parent", "--format=", "--name-only", "-z")
    out = git.run("log", *options, new, f"^{old}", "--", path)
    names = (name.strip(b"\n") for name in out.split(b"\0"))
    return frozenset(name.decode("utf-8", "surrogateescape") for name in names if name)


def file(git: Git, commit: str, path: str) -> bytes:
    """Return the content of a file of a commit, nothing where there is none."""
    answer = git.ask("cat-file", "blob", f"{commit}:{path}")
    return answer.out if answer.status == 0 else b""
