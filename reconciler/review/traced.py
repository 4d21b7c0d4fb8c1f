"""Approvals by review: each line of a rerun is traced to the merge that brought it, its pull request, its reviewers.

Lines alone do not say it all: what is removed around them, or changed far above them, changes what they mean. So what
is approved are the windows that approved pull requests added, and the lines say which these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from reconciler.core.config import ForgeApprovals, Target
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Place, Request, Rerun
from reconciler.core.text import listing, printable
from reconciler.core.window import EMPTY, Windows, intersect, subtract, union
from reconciler.errors import ForgeFailure, ForgeUnreachable
from reconciler.review.forge import Forge, PullRequest, Reviewed
from reconciler.review.judgement import Approvers, judge

_ANEW = "give it a new token in a new pull request, and have that approved"


@dataclass(frozen=True, slots=True)
class Origin:
    """The commit of the main line that last changed some lines, None where they are not committed.

    `path` is what their file was called then, from the repository's top. `older` says that no rerun in it had the
    token: the lines are older than the rerun. `tip` is what the commit merged, None where it is no merge.
    """

    commit: str | None
    path: str = ""
    older: bool = False
    tip: str | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What manifests declared at an earlier commit, with the targets of that time."""

    requests: tuple[Request, ...]
    targets: Mapping[str, Target]

    def windows(self, request: Request, rerun: Rerun) -> Windows:
        """Return the windows for which the same token asked, of the same table on the same target."""
        wanted = (rerun.token, request.target, request.table)
        same = (each for each in self.requests if each.rerun)
        return union(
            window
            for each in same
            if each.rerun and (each.rerun.token, each.target, each.table) == wanted
            for window in each.windows
        )


@dataclass(frozen=True, slots=True)
class Brought:
    """What a commit of the main line changed, and what its pull request said in the end: what was reviewed."""

    before: Declared
    after: Declared
    reviewed: Declared


class History(Protocol):
    """What git knows of the manifests' past."""

    def origins(self, place: Place, token: str) -> tuple[Origin, ...]:
        """Return the commits that last changed the lines of a request, each once.

        Raises ForgeFailure where history ends before it tells: in a shallow clone.
        """

    def brought(self, commit: str, reviewed: Reviewed) -> Brought | None:
        """Return what a commit brought by a pull request changed, None where git cannot tell that it did just that."""

    def since(self, origin: Origin, place: Place) -> Iterable[Declared]:
        """Return what the file of a request said after each later commit of the main line that changed it."""


class ReviewedReruns:
    """Says of reruns whether reviews approve them. What the forge said is remembered for as long as this lives."""

    def __init__(
        self, forge: Callable[[ForgeApprovals], Forge], history: History, targets: Mapping[str, Target]
    ) -> None:
        """`forge` opens the forge, when it is needed. Where it raises ForgeFailure, every rerun waits."""
        self._open = forge
        self._trace: _Trace | None = None
        self._history = history
        self._targets = targets
        self._said: dict[str, Approval] = {}

    def approval(self, request: Request, rerun: Rerun, policy: ForgeApprovals) -> Approval:
        """Return whether what `request` asks for now was approved."""
        if request.key not in self._said:
            named = f"rerun {rerun.token} ({request.key})"
            try:
                found = self._ask(request, rerun, policy)
            except ForgeFailure as failure:
                found = Waiting(f"waits, because approvals cannot be looked up: {failure.message}; {failure.hint}")
            self._said[request.key] = Waiting(f"{named} {found.message}") if isinstance(found, Waiting) else found
        return self._said[request.key]

    def _ask(self, request: Request, rerun: Rerun, policy: ForgeApprovals) -> Approval:
        origins = self._history.origins(request.place, rerun.token)
        if any(origin.commit is None for origin in origins):
            return Waiting("is not committed yet: it needs a pull request that an approver approves")
        self._trace = trace = self._trace or _Trace(policy, self._open)
        names: set[str] = set()
        approved = EMPTY
        for origin in origins:
            if origin.commit is None or origin.older:
                continue
            found = trace.commit(origin.commit, origin.tip)
            if isinstance(found, Waiting):
                return found
            names.update(found.by)
            approved = union((*approved, *self._approved(origin, found.reviewed, request, rerun)))
        if subtract(request.windows, approved):
            return Waiting(
                "is not what was approved: its windows, table, target or scheduler were changed since, if only for a "
                f"while, or lines around it removed; {_ANEW}"
            )
        return Approved(tuple(sorted(names, key=str.casefold)))

    def _approved(self, origin: Origin, reviewed: Reviewed, request: Request, rerun: Rerun) -> Windows:
        """Return the windows that an approved pull request added for the request's token, table, target, scheduler.

        What the manifests gave up since is not approved any more: to ask for it again is to widen.
        """
        brought = self._history.brought(origin.commit or "", reviewed)
        was = brought.reviewed.targets.get(request.target) if brought else None
        if brought is None or was is None or _scheduler(was) != _scheduler(self._targets[request.target]):
            return EMPTY
        added = subtract(brought.after.windows(request, rerun), brought.before.windows(request, rerun))
        kept = intersect(added, brought.reviewed.windows(request, rerun))
        for later in self._history.since(origin, request.place):
            kept = intersect(kept, later.windows(request, rerun))
        return kept


def _scheduler(target: Target) -> tuple[str, str]:
    return target.url, target.tenant


@dataclass(frozen=True, slots=True)
class _Approved:
    """A commit came by an approved pull request: who approved, and what."""

    by: tuple[str, ...]
    reviewed: Reviewed


class _Trace:
    """Who approved a commit? Each is asked for once, over a connection of its own.

    Where the forge cannot be reached, it is not asked again.
    """

    def __init__(self, policy: ForgeApprovals, forge: Callable[[ForgeApprovals], Forge]) -> None:
        self._policy = policy
        self._open = forge
        self._trouble: ForgeFailure | None = None
        self._teams: dict[str, frozenset[str]] = {}
        self._reviewed: dict[int, Reviewed] = {}
        self._commits: dict[str, _Approved | Waiting] = {}

    def commit(self, commit: str, tip: str | None) -> _Approved | Waiting:
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

    def _ask(self, forge: Forge, commit: str, tip: str | None) -> _Approved | Waiting:
        brought = self._brought(forge, commit, tip)
        answers = [self._pull(forge, pull) for pull in brought if pull.state == "merged" and pull.lasting]
        approved = [answer for answer in answers if isinstance(answer, _Approved)]
        found = next(iter((*approved, *answers)), None)
        if found is None and tip is not None:
            brought = (*brought, *forge.pull_requests(tip))
        return found or self._unmerged(commit, brought)

    def _brought(self, forge: Forge, commit: str, tip: str | None) -> tuple[PullRequest, ...]:
        """Return the pull requests of a commit; none for a merge that only this clone knows."""
        try:
            return forge.pull_requests(commit)
        except ForgeUnreachable:
            raise
        except ForgeFailure:
            if tip is None:
                raise
            return ()

    def _unmerged(self, commit: str, brought: Iterable[PullRequest]) -> Waiting:
        pending = next((pull for pull in brought if pull.state == "open"), None)
        if pending is not None:
            return Waiting(f"waits for {pending.name} to be approved by {self._who} and merged: {pending.url}")
        elsewhere = next((pull for pull in brought if pull.state == "merged"), None)
        into = f": {elsewhere.name} went into {printable(elsewhere.base)}" if elsewhere else ""
        return Waiting(
            f"waits: commit {commit[:12]}, which last changed a line of it, came by no pull request merged into the "
            f"default branch that is known{into}; {_ANEW} by {self._who}"
        )

    def _pull(self, forge: Forge, pull: PullRequest) -> _Approved | Waiting:
        if pull.number not in self._reviewed:
            self._reviewed[pull.number] = forge.reviewed(pull.number)
        reviewed = self._reviewed[pull.number]
        judgement = judge(reviewed, Approvers(self._policy.approvers, partial(self._members, forge)))
        missing = self._policy.minimum - len(judgement.approved)
        if missing <= 0:
            return _Approved(tuple(person.login for person in judgement.approved), reviewed)
        because = f" ({'; '.join(judgement.because)})" if judgement.because else ""
        too_late = "" if pull.approvable else f"; it is merged, so nobody can approve it any more: {_ANEW}"
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
