"""Which version of a merge request an approval is for: GitLab dates both, and ties neither to the other. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.review.shape import Record

_APPROVED = "approved this merge request"
_TAKEN_BACK = "unapproved this merge request"


def looked_at(versions: Iterable[Record], when: datetime) -> str | None:
    """Return the head that stood just before `when`: that is what an approver had before their eyes.

    A version of that very instant is taken for later: nobody looks at a push and approves it within a millisecond.
    None where every version is later.
    """
    before = [version for version in versions if version.time("created_at") < when]
    if not before:
        return None
    return max(before, key=lambda version: (version.time("created_at"), version.number("id"))).commit("head_commit_sha")


def approvals_in_notes(notes: Iterable[Record]) -> dict[str, datetime]:
    """Return, for each account's id, when it last approved and did not take it back, out of GitLab's own notes.

    For versions of GitLab that do not date approvals. `notes` come oldest first. People's notes count for nothing: only
    GitLab writes those that are marked as the system's.
    """
    found: dict[str, datetime] = {}
    for note in notes:
        author = note.maybe_record("author")
        if author is None or not note.truth("system"):
            continue
        text, who = note.maybe_text("body").strip(), str(author.number("id"))
        if text == _APPROVED:
            found[who] = note.time("created_at")
        elif text == _TAKEN_BACK:
            found.pop(who, None)
    return found
