"""Who is who on GitHub: whose word a review is, and who wrote the commits of a pull request. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from reconciler.errors import ForgeFailure
from reconciler.review.forge import Person, Review
from reconciler.review.shape import Record

_SAYS: dict[str, Literal["approved", "changes requested", "dismissed"]] = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes requested",
    "DISMISSED": "dismissed",
}
_NO_WORD = frozenset({"COMMENTED", "PENDING"})
# The account that commits what people merge or edit in the browser: not a person, and says nothing of who wrote it.
_WEB = "web-flow"
# Who stands for accounts that are gone, where GitHub does not say null.
_GHOST = "ghost"
_REBASED = frozenset({"base_ref_changed", "automatic_base_change_succeeded"})


def person(user: Record) -> Person:
    """Read an account; what is neither a user nor without a kind is no person."""
    kind = user.maybe_text("type")
    return Person(str(user.number("id")), user.text("login"), bot=kind not in ("", "User"))


def account(record: Record, role: str) -> Person | None:
    """Return who is named under a role; None for null, for {}, which GitHub's schema allows too, and for a ghost."""
    user = record.maybe_record(role)
    return None if user is None or user.text("login") == _GHOST else person(user)


def writers(commits: tuple[Record, ...]) -> tuple[Person, ...]:
    """Return the accounts of who wrote or committed any of the commits."""
    found: dict[str, Person] = {}
    for commit in commits:
        author, committer = account(commit, "author"), account(commit, "committer")
        if author is not None:
            found[author.id] = author
        if committer is not None and committer.login != _WEB:
            found[committer.id] = committer
    return tuple(found.values())


def strangers(commits: tuple[Record, ...]) -> tuple[str, ...]:
    """Return, as `name <e-mail>`, who wrote or committed any of the commits and has no account that GitHub knows."""
    return tuple(
        sorted(
            {
                _signature(commit.record("commit").maybe_record(role))
                for commit in commits
                for role in ("author", "committer")
                if account(commit, role) is None
            }
        )
    )


def _signature(written: Record | None) -> str:
    return f"{written.maybe_text('name')} <{written.maybe_text('email')}>" if written else "somebody"


def retargeted(events: tuple[Record, ...]) -> datetime | None:
    """Return when a pull request was last given another base. Source: GitHub's page on issue event types."""
    return max((event.time("created_at") for event in events if event.text("event") in _REBASED), default=None)


def last_words(reviews: tuple[Record, ...], retargeted: datetime | None) -> tuple[Review, ...]:
    """Keep of each account the last review that is more than a comment; they come oldest first.

    A dismissed one stays where it is in the list and stays the last: what its writer said before does not revive.
    """
    last: dict[str, Review] = {}
    for review in reviews:
        person, state = account(review, "user"), review.text("state")
        if person is None or state in _NO_WORD:
            continue
        if state not in _SAYS:
            raise ForgeFailure(f"{review.about} has one of a kind that is not known here", "update the reconciler")
        outdated = retargeted is not None and review.time("submitted_at") <= retargeted
        last[person.id] = Review(person, _SAYS[state], None if outdated else review.maybe_commit("commit_id"))
    return tuple(last.values())
