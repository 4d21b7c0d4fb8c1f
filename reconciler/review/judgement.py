"""Whose approving reviews of one pull request count, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.text import printable
from reconciler.errors import ForgeFailure
from reconciler.review.forge import Person, Review, Reviewed


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may approve: logins, and teams whose members are looked up when that decides. Case does not matter.

    `members` returns the ids of a team's members; it raises ForgeFailure where that cannot be seen.
    """

    names: tuple[str, ...]
    members: Callable[[str], frozenset[str]]

    def include(self, person: Person) -> bool:
        """Say whether `person` may approve. Raises ForgeFailure where only a team that cannot be seen could tell."""
        if person.login.casefold() in {name.casefold() for name in self.names if not name.startswith("@")}:
            return True
        return any(person.id in self.members(name.removeprefix("@")) for name in self.names if name.startswith("@"))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The people whose approval counts, and in `because` why others' does not, a sentence each."""

    approved: tuple[Person, ...]
    because: tuple[str, ...]


def judge(reviewed: Reviewed, approvers: Approvers) -> Judgement:
    """Return whose approval of a pull request counts.

    It counts where an approver gave it, a person who neither opened the pull request nor wrote any of it, where it was
    not taken back, and was given on the commit that was merged. Where nobody can tell who wrote some of it, nobody's
    approval counts.
    """
    if reviewed.strangers:
        who = printable(reviewed.strangers[0])
        return Judgement((), (f"no account has the e-mail address of {who}, who wrote part of it: let one add it",))
    approved: dict[str, Person] = {}
    because: list[str] = []
    for review in reviewed.reviews:
        reason = _refusal(review, reviewed, approvers)
        if reason is None:
            approved[review.person.id] = review.person
        else:
            because.append(reason)
    return Judgement(tuple(sorted(approved.values(), key=lambda person: person.login.casefold())), tuple(because))


def _refusal(review: Review, reviewed: Reviewed, approvers: Approvers) -> str | None:
    """Return why a review is no approval that counts, None where it is one."""
    return _said(review, reviewed) or _conflict(review.person, reviewed) or _right(review.person, approvers)


def _said(review: Review, reviewed: Reviewed) -> str | None:
    """Return why a review does not say yes to what was merged."""
    login = review.person.login
    if review.says == "dismissed":
        return f"the review by {login} was dismissed"
    if review.says == "changes requested":
        return f"{login} asked for changes"
    if review.head is None:
        return f"which version {login} approved is not known any more"
    if review.head != reviewed.head:
        return f"{login} approved {review.head[:7]}, but its last commit is {reviewed.head[:7]}"
    return None


def _conflict(person: Person, reviewed: Reviewed) -> str | None:
    """Return why nobody's approval of their own work, nor a machine's, counts."""
    if person.bot:
        return f"{person.login} is a bot"
    if reviewed.author is not None and _same(person, reviewed.author):
        return f"{person.login} opened it"
    if any(_same(person, writer) for writer in reviewed.writers):
        return f"{person.login} wrote part of it"
    return None


def _right(person: Person, approvers: Approvers) -> str | None:
    try:
        return None if approvers.include(person) else f"{person.login} is no approver"
    except ForgeFailure as failure:
        return f"whether {person.login} is an approver cannot be told: {failure.message} ({failure.hint})"


def _same(one: Person, other: Person) -> bool:
    return one.id == other.id or one.login.casefold() == other.login.casefold()
