"""What commits say of themselves: who wrote them, when, and what for."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.authorship import Commit
from reconciler.state.git import Git

_FIELDS = 5
# Settings of users that add to what git prints, or write it in another encoding, must not.
_COMMAND = ("log", "--no-walk=unsorted", "--no-show-signature", "--no-notes", "--no-color", "--encoding=UTF-8", "-z")


def commits(git: Git, ids: Iterable[str]) -> dict[str, Commit]:
    """Return commits that are here, by their full ids."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    out = git.run(*_COMMAND, "--format=tformat:%H%x00%an%x00%aI%x00%s%x00%b", "--end-of-options", *wanted)
    fields = out.decode("utf-8", "replace").split("\0")
    read = (fields[at : at + _FIELDS] for at in range(0, len(fields) - _FIELDS + 1, _FIELDS))
    return {each[0]: Commit(*each) for each in read}
