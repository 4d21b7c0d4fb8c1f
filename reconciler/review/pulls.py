"""Who approved a commit: the pull requests that brought it, and their reviews. Each is asked for once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from reconciler.core.config import ForgeApprovals
from reconciler.core.policy import Waiting
from reconciler.core.text import listing, printable
from reconciler.errors import CommitUnknown, ForgeUnreachable
from reconciler.review.forge import Forge, PullRequest, Reviewed
from reconciler.review.judgement import Approvers, judge

ANEW = "give it a new token in a new pull request, and have that approved"
"""The way out that is always open."""


@dataclass(frozen=True, slots=True)
class ApprovedPull:
    """A commit came by an approved pull request: its number, who approved, and what."""

    number: int
    by: tuple[str, ...]
    reviewed: Reviewed


class Pulls:
    """Who approved a commit? Each is asked for once, over a connection of its own.

    Where the forge cannot be reached, it is not asked again.
    """

    def __init__(self, policy: ForgeApprovals, forge: Callable[[ForgeApprovals], Forge]) -> None:
        self._policy = policy
        self._open = forge
        self._trouble: ForgeUnreachable | None = None
        self._teams: dict[str, frozenset[str]] = {}
        self._reviewed: dict[int, Reviewed] = {}
        self._commits: dict[str, ApprovedPull | Waiting] = {}

    def commit(self, commit: str, tip: str | None) -> ApprovedPull | Waiting:
        """Return who approved the pull request that brought a commit, or what that lacks. Raises ForgeFailure.

        `tip` is what the commit merged: the head of a pull request, where the commit only tries out its merge.
        """
        if self._trouble:
            raise self._trouble
        try:
            if commit not in self._commits:
                with self._open(self._policy) as forge:
                    self._commits[commit] = self._ask(forge, commit, tip)
        except ForgeUnreachable as failure:
            self._trouble = failure
            raise
        return self._commits[commit]

    def _ask(self, forge: Forge, commit: str, tip: str | None) -> ApprovedPull | Waiting:
        unknown: CommitUnknown | None = None
        brought: tuple[PullRequest, ...] = ()
        try:
            brought = forge.pull_requests(commit)
        except CommitUnknown as failure:
            unknown = failure
        answers = [self._pull(forge, pull) for pull in brought if pull.state == "merged" and pull.lasting]
        approved = [answer for answer in answers if isinstance(answer, ApprovedPull)]
        found = next(iter((*approved, *answers)), None)
        waiting = found or self._open_one(forge, brought or (forge.pull_requests(tip) if tip else ()))
        if waiting is None and unknown is not None:
            raise unknown
        return waiting or self._unmerged(commit, brought)

    def _open_one(self, forge: Forge, brought: Iterable[PullRequest]) -> Waiting | None:
        """Return what an open pull request lacks, None where there is none: it has to be merged in any case."""
        pull = next((pull for pull in brought if pull.state == "open"), None)
        if pull is None:
            return None
        found = self._pull(forge, pull)
        if isinstance(found, ApprovedPull):
            return Waiting(f"is approved by {listing(found.by)}, and waits for {pull.name} to be merged: {pull.url}")
        return Waiting(f"{found.message}; then {pull.name} has to be merged")

    def _unmerged(self, commit: str, brought: Iterable[PullRequest]) -> Waiting:
        elsewhere = next((pull for pull in brought if pull.state == "merged"), None)
        into = f": {elsewhere.name} went into {printable(elsewhere.base)}" if elsewhere else ""
        return Waiting(
            f"waits: commit {commit[:12]}, which last changed a line of it, came by no pull request merged into the "
            f"default branch that is known{into}; {ANEW} by {self._who}"
        )

    def _pull(self, forge: Forge, pull: PullRequest) -> ApprovedPull | Waiting:
        if pull.number not in self._reviewed:
            self._reviewed[pull.number] = forge.reviewed(pull.number)
        reviewed = self._reviewed[pull.number]
        judgement = judge(reviewed, Approvers(self._policy.approvers, partial(self._members, forge)))
        missing = self._policy.minimum - len(judgement.approved)
        if missing <= 0:
            return ApprovedPull(pull.number, tuple(person.login for person in judgement.approved), reviewed)
        because = f" ({'; '.join(judgement.because)})" if judgement.because else ""
        too_late = "" if pull.approvable else f"; it is merged, so nobody can approve it any more: {ANEW}"
        return Waiting(
            f"needs {missing} more approving review{'s' if missing > 1 else ''} of {pull.name} by {self._who}"
            f"{because}: {pull.url}{too_late}"
        )

    def _members(self, forge: Forge, team: str) -> frozenset[str]:
        if team not in self._teams:
            self._teams[team] = forge.members(team)
        return self._teams[team]

    @property
    def _who(self) -> str:
        return listing(self._policy.approvers, "or")
