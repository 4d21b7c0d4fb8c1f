"""The port to a forge, GitHub or GitLab: which pull requests brought a commit, who approved them, and their comments.

The words are GitHub's; a pull request is a merge request where the forge is GitLab.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, Self


@dataclass(frozen=True, slots=True)
class Person:
    """An account. `id` stays what it is when the account is renamed; `login` is what people call it."""

    id: str
    login: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """The last word of one person on a pull request that is more than a comment.

    `head` is the commit that was looked at, None where the forge cannot tell any more.
    """

    person: Person
    says: Literal["approved", "changes requested", "dismissed"]
    head: str | None


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request. `name` is what people call it (`#12`, `!12`), `base` the branch that it is for.

    `lasting` is True where that branch is the one whose manifests count: the repository's default branch. `approvable`
    is False where nobody can approve it any more.
    """

    number: int
    name: str
    url: str
    state: Literal["open", "merged", "closed"]
    base: str
    lasting: bool
    approvable: bool = True


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was reviewed of a pull request, and how.

    `head` is its last commit (of a merged one: the one that was merged) and `merged` the commit that merged it, or what
    it was squashed or rebased to, None where the forge does not say; `author` is who opened it (None: the account is
    gone), `writers` everybody who wrote or committed one of its commits, as far as the forge knows their accounts;
    `strangers`, as `name <e-mail>`, those of whom it could know one and does not: any reviewer may be one of them.
    `squash` is what it was squashed to where that was merged then, as GitLab can. `ref` is where the forge keeps
    `head`, also when it is in no branch.
    """

    head: str
    merged: str | None
    author: Person | None
    writers: tuple[Person, ...]
    reviews: tuple[Review, ...]
    strangers: tuple[str, ...] = ()
    squash: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request. `mine` is True where the account that we act as wrote it."""

    id: str
    body: str
    mine: bool


class Forge(Protocol):
    """A forge, for one repository. Every method raises ForgeFailure where there is no usable answer."""

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        """Return the pull requests that hold a commit; where it was merged, those that brought it."""

    def reviewed(self, number: int) -> Reviewed:
        """Return who made and who approved a pull request. Raises ForgeFailure where not all of it can be seen."""

    def members(self, team: str) -> frozenset[str]:
        """Return the ids of the members of a team, on GitLab a group, named without the `@`: `acme/data-platform`."""

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return the comments on a pull request, oldest first."""

    def create_comment(self, number: int, body: str) -> str:
        """Write a comment and return its URL."""

    def update_comment(self, number: int, comment: str, body: str) -> str:
        """Replace the text of a comment and return its URL."""

    def close(self) -> None:
        """End all connections. A forge is a context manager too."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
