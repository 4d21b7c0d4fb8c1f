"""The commit that a branch is compared with, and the state files that the branch changed since."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from reconciler.core.text import printable
from reconciler.errors import Problem, UsageFailure
from reconciler.state.checkout import Checkout
from reconciler.state.continuity import Continuity
from reconciler.state.git import Git
from reconciler.state.past import merge_bases
from reconciler.state.snapshot import state_folder

_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def merge_base(checkout: Checkout, ref: str) -> str:
    """Return the newest commit that HEAD and what `ref` names have in common. `ref` may be any name that git knows.

    Raises UsageFailure where it names no commit here, where the two have no history in common, or where a shallow
    clone cannot tell: a commit that is missing there may be the one. What HEAD holds whole is its own merge base.
    """
    git, head = checkout.git, checkout.head()
    base = git.commit_of(ref)
    if base is None or not _OBJECT.fullmatch(base):
        raise _unknown(git, ref)
    if git.is_ancestor(base, head):
        return base
    if git.is_cut(head) or git.is_cut(base):
        raise UsageFailure(
            f"this clone is shallow: it does not have the commit from which HEAD and {printable(ref)} went apart",
            "fetch the history: git fetch --unshallow; in CI let the checkout fetch all of it (fetch-depth: 0)",
        )
    common = merge_bases(git, base, head)
    if not common:
        raise UsageFailure(
            f"HEAD and {printable(ref)} have no history in common", "name the branch that this one started from"
        )
    return common[0]


def _unknown(git: Git, ref: str) -> UsageFailure:
    near = [name for name in git.remotes() if git.commit_of(f"refs/remotes/{name}/{ref}")]
    fetch = (
        "fetch it first (git fetch origin BRANCH; in CI a checkout with fetch-depth: 0), then name it as origin/BRANCH"
    )
    hint = f"did you mean {near[0]}/{printable(ref)}?" if near else fetch
    return UsageFailure(f"{printable(ref) or 'an empty name'} is no commit in this repository", hint)


def state_edits(checkout: Checkout, base: str, branch: str) -> tuple[Problem, ...]:
    """Return an error for each state file that HEAD, the index or the work tree changes since the commit `base`.

    Where the manifests' own branch holds the state, `branch`, commits that the reconciler made there, or has read
    there, are no edits: what counts is what came after them.
    """
    git, head, folder = checkout.git, checkout.head(), state_folder(checkout.prefix)
    since = _newest(git, base, head, branch)
    here = {path: letters for letters, path in checkout.changed_here(folder)}
    committed = git.changes(since, head, folder)
    found = [_edit(checkout, path, since[:12], "this branch changes") for path in committed]
    found += [_uncommitted(checkout, path, here[path]) for path in here if path not in committed]
    return tuple(sorted(found))


def _newest(git: Git, base: str, head: str, branch: str) -> str:
    """Return the newest commit below HEAD whose state is the reconciler's: `base`, or one that this clone has seen."""
    for ref in _seen(git, branch):
        seen = git.commit_of(ref)
        common = next(iter(merge_bases(git, seen, head)), None) if seen else None
        if common and git.is_ancestor(base, common):
            base = common
    return base


def _seen(git: Git, branch: str) -> Iterator[str]:
    for remote in (None, *git.remotes()):
        yield Continuity(git, "", branch, remote).seen


def _edit(checkout: Checkout, path: str, source: str, how: str) -> Problem:
    back = f"git restore --source={source} --staged --worktree -- {shlex.quote(f':/{path}')}"
    return _problem(checkout, path, how, f"take it back: {back}")


def _uncommitted(checkout: Checkout, path: str, letters: str) -> Problem:
    if letters == "??":
        return _problem(checkout, path, "the work tree adds to", "remove the file")
    return _edit(checkout, path, "HEAD", "the work tree or the index changes")


def _problem(checkout: Checkout, path: str, how: str, hint: str) -> Problem:
    inside = path.removeprefix(f"{checkout.prefix}/") if checkout.prefix else path
    return Problem(printable(inside), 0, 0, "", f"{how} state, which the reconciler alone writes", printable(hint))
