"""Compare-and-swap of a ref on a remote: what became of a push is asked, never read from git's exit code."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.errors import Failure
from reconciler.state.git import Git

_BACKOFF = (0.0, 0.1, 0.5, 1.0, 2.0, 4.0)


def swap(git: Git, remote: str, ref: str, old: str | None, new: str, sleep: Callable[[float], None]) -> bool:
    """Move a ref of the remote from `old` (None: there is none) to `new`; False where somebody was first.

    Raises Failure where the remote keeps refusing, or does not answer, so that nothing is known.
    """
    words = ""
    for pause in _BACKOFF:
        sleep(pause)
        words = git.push(remote, new, ref)
        tip = ask_tip(git, remote, ref, sleep)
        if tip == new:
            return True
        if tip != old:  # somebody was first, unless they have already built on our commit
            return tip is not None and git.is_ancestor(new, git.fetch(remote, ref))
    name = ref.removeprefix("refs/heads/")
    raise Failure(
        f"{remote} does not take the push to {name}: {words}",
        f"let this account push to {name} (it needs no right to any other branch), then run again",
    )


def ask_tip(git: Git, remote: str, ref: str, sleep: Callable[[float], None]) -> str | None:
    """Return the tip of a ref on a remote, None where there is none. Raises Failure where it keeps silent."""
    for pause in _BACKOFF[1:]:
        try:
            return git.remote_tip(remote, ref)
        except Failure:
            sleep(pause)
    return git.remote_tip(remote, ref)
