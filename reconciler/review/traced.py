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
from reconciler.errors import CommitUnknown, ForgeFailure, ForgeUnreachable
from reconciler.review.forge import Forge, PullRequest, Reviewed
from reconciler.review.judgement import Approvers, judge

_ANEW = "give it a new token in a new pull request, and have that approved"
_CHANGED = (
    "is not what was approved: its windows, table, target or scheduler were changed since, if only for a while, or "
    "lines around it removed"
)
_UNCLEAR = (
    "came by an approved pull request, but git cannot tell what that added: it was merged by hand, its last commit "
    "cannot be fetched, or the manifests were not valid then"
)


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
class Change:
    """What changed between two commits: `whole` is what of `after` was written anew, every line of it.

    `before` is None where it was not valid: then nothing but what was written whole is known to be new.
    """

    before: Declared | None
    after: Declared
    whole: Declared

    def windows(self, request: Request, rerun: Rerun) -> Windows:
        """Return the windows that were asked for anew, with the same token, of the same table on the same target."""
        before = self.before
        added = subtract(self.after.windows(request, rerun), before.windows(request, rerun)) if before else EMPTY
        return union((*added, *self.whole.windows(request, rerun)))


@dataclass(frozen=True, slots=True)
class Brought:
    """What a pull request offered, which is what was reviewed, and what landed on the main line by it."""

    offered: Change
    landed: Change


class History(Protocol):
    """What git knows of the manifests' past."""

    def origins(self, place: Place, token: str) -> tuple[Origin, ...]:
        """Return the commits that last changed the lines of a request, each once.

        Raises ForgeFailure where history ends before it tells: in a shallow clone.
        """

    def brought(self, origin: Origin, reviewed: Reviewed, token: str) -> Brought | None:
        """Return what came by a pull request, of the reruns with a token in the file of `origin`.

        None where git cannot tell that the commit of `origin` brought just that.
        """

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
        self._pulls: dict[str, tuple[int, ...]] = {}

    def pulls(self, key: str) -> tuple[int, ...]:
        """Return the numbers of the pull requests by which the request with this key was approved."""
        return self._pulls.get(key, ())

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
        pulls: set[int] = set()
        approved, unclear = EMPTY, False
        for origin in origins:
            if origin.commit is None or origin.older:
                continue
            found = trace.commit(origin.commit, origin.tip)
            if isinstance(found, Waiting):
                return found
            names.update(found.by)
            pulls.add(found.number)
            brought = self._history.brought(origin, found.reviewed, rerun.token)
            unclear |= brought is None
            approved = union((*approved, *(self._approved(origin, brought, request, rerun) if brought else EMPTY)))
        if subtract(request.windows, approved):
            return Waiting(f"{_UNCLEAR if unclear else _CHANGED}; {_ANEW}")
        self._pulls[request.key] = tuple(sorted(pulls))
        return Approved(tuple(sorted(names, key=str.casefold)))

    def _approved(self, origin: Origin, brought: Brought, request: Request, rerun: Rerun) -> Windows:
        """Return the windows that an approved pull request offered, that landed, and that stood there ever since.

        What the manifests gave up is not approved any more: to ask for it again is to widen.
        """
        was = brought.offered.after.targets.get(request.target)
        if was is None or _scheduler(was) != _scheduler(self._targets[request.target]):
            return EMPTY
        kept = intersect(brought.offered.windows(request, rerun), brought.landed.windows(request, rerun))
        for later in self._history.since(origin, request.place):
            kept = intersect(kept, later.windows(request, rerun))
        return kept


def _scheduler(target: Target) -> tuple[str, str]:
    return target.url, target.tenant


@dataclass(frozen=True, slots=True)
class _Approved:
    """A commit came by an approved pull request: its number, who approved, and what."""

    number: int
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
        unknown: CommitUnknown | None = None
        brought: tuple[PullRequest, ...] = ()
        try:
            brought = forge.pull_requests(commit)
        except CommitUnknown as failure:
            unknown = failure
        answers = [self._pull(forge, pull) for pull in brought if pull.state == "merged" and pull.lasting]
        approved = [answer for answer in answers if isinstance(answer, _Approved)]
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
        if isinstance(found, _Approved):
            return Waiting(f"is approved by {listing(found.by)}, and waits for {pull.name} to be merged: {pull.url}")
        return Waiting(f"{found.message}; then {pull.name} has to be merged")

    def _unmerged(self, commit: str, brought: Iterable[PullRequest]) -> Waiting:
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
            return _Approved(pull.number, tuple(person.login for person in judgement.approved), reviewed)
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
