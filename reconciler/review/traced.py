"""Approvals by review: each line of a rerun is traced to the commit, the pull request and the people behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from reconciler.core.config import ForgeApprovals, Target
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Place, Request, Rerun
from reconciler.core.text import listing
from reconciler.core.window import subtract, union
from reconciler.errors import ForgeFailure
from reconciler.review.forge import Forge, PullRequest
from reconciler.review.judgement import Approvers, judge

_ANEW = "give it a new token in a new pull request, and have that approved"


@dataclass(frozen=True, slots=True)
class Origin:
    """The commit that last changed some lines, None where they are not committed, and the name of the file there."""

    commit: str | None
    file: str


@dataclass(frozen=True, slots=True)
class Then:
    """What a file declared at an earlier commit, with the targets of that time; nothing where it was not valid."""

    requests: tuple[Request, ...]
    targets: Mapping[str, Target]
    valid: bool = True

    def lacks(self, token: str) -> bool:
        """Say whether it is certain that no rerun of the file had this token."""
        return self.valid and all(each.rerun is None or each.rerun.token != token for each in self.requests)


class History(Protocol):
    """What git knows of the manifests' past. Methods raise Failure where git cannot tell."""

    def origins(self, place: Place) -> tuple[Origin, ...]:
        """Return the commits that last changed the lines of a request, each once.

        Raises ForgeFailure where history ends before it tells: in a shallow clone.
        """

    def then(self, commit: str, file: str) -> Then | None:
        """Return what a file said at a commit, None where the commit is not here."""


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
        """Return whether every line of `request` was approved, as it stands now."""
        if request.key not in self._said:
            named = f"rerun {rerun.token} ({request.key})"
            try:
                found = self._ask(request, rerun, policy)
            except ForgeFailure as failure:
                found = Waiting(f"waits, because approvals cannot be looked up: {failure.message}; {failure.hint}")
            self._said[request.key] = Waiting(f"{named} {found.message}") if isinstance(found, Waiting) else found
        return self._said[request.key]

    def _ask(self, request: Request, rerun: Rerun, policy: ForgeApprovals) -> Approval:
        origins = self._history.origins(request.place)
        commits = [origin.commit for origin in origins if origin.commit]
        if len(commits) < len(origins):
            return Waiting("is not committed yet: it needs a pull request that an approver approves")
        self._trace = trace = self._trace or _Trace(policy, self._open)
        names: set[str] = set()
        versions: list[Then] = []
        for commit, origin in zip(commits, origins, strict=True):
            then = self._history.then(commit, origin.file)
            if then is not None and then.lacks(rerun.token):
                continue  # the line is older than the rerun: what made it part of the rerun is among the others
            found = trace.commit(commit)
            if isinstance(found, Waiting):
                return found
            names.update(found.by)
            versions += [each for each in (then, self._end(found, origin.file)) if each is not None]
        if not any(self._covers(then, request, rerun) for then in versions):
            return Waiting(
                "does not stand in what was approved: what is around its lines was changed, removed or moved since; "
                f"{_ANEW}"
            )
        return Approved(tuple(sorted(names, key=str.casefold)))

    def _end(self, approved: _Approved, file: str) -> Then | None:
        """Return what the file said at the end of an approved pull request.

        After a squash or a rebase that commit is not here; then it is what the pull request was merged as.
        """
        then = self._history.then(approved.head, file)
        return self._history.then(approved.merged, file) if then is None and approved.merged else then

    def _covers(self, then: Then, request: Request, rerun: Rerun) -> bool:
        """Say whether what was approved is what `request` asks for now, or more: its lines alone do not say it all."""
        was = then.targets.get(request.target)
        if was is None or _scheduler(was) != _scheduler(self._targets[request.target]):
            return False
        wanted = (rerun.token, request.target, request.table)
        same = [each for each in then.requests if each.rerun and (each.rerun.token, each.target, each.table) == wanted]
        return not subtract(request.windows, union(window for each in same for window in each.windows))


def _scheduler(target: Target) -> tuple[str, str]:
    return target.url, target.tenant


@dataclass(frozen=True, slots=True)
class _Approved:
    """A commit came by an approved pull request: who approved, its last commit, and what it was merged as."""

    by: tuple[str, ...]
    head: str
    merged: str | None


class _Trace:
    """Who approved a commit? Each is asked for once, over a connection of its own."""

    def __init__(self, policy: ForgeApprovals, forge: Callable[[ForgeApprovals], Forge]) -> None:
        self._policy = policy
        self._open = forge
        self._teams: dict[str, frozenset[str]] = {}
        self._commits: dict[str, _Approved | Waiting] = {}

    def commit(self, commit: str) -> _Approved | Waiting:
        """Return who approved the pull request that brought a commit, or what that lacks. Raises ForgeFailure."""
        if commit not in self._commits:
            with self._open(self._policy) as forge:
                self._commits[commit] = self._ask(forge, commit)
        return self._commits[commit]

    def _ask(self, forge: Forge, commit: str) -> _Approved | Waiting:
        brought = forge.pull_requests(commit)
        answers = [self._pull(forge, pull) for pull in brought if pull.state == "merged" and pull.lasting]
        approved = [answer for answer in answers if isinstance(answer, _Approved)]
        return next(iter((*approved, *answers)), None) or self._unmerged(commit, brought)

    def _unmerged(self, commit: str, brought: Iterable[PullRequest]) -> Waiting:
        pending = next((pull for pull in brought if pull.state == "open"), None)
        if pending is not None:
            return Waiting(f"waits for {pending.name} to be approved by {self._who} and merged: {pending.url}")
        return Waiting(
            f"waits: commit {commit[:12]}, which last changed a line of it, came by no merged pull request that is "
            f"known; {_ANEW} by {self._who}"
        )

    def _pull(self, forge: Forge, pull: PullRequest) -> _Approved | Waiting:
        reviewed = forge.reviewed(pull.number)
        judgement = judge(reviewed, Approvers(self._policy.approvers, partial(self._members, forge)))
        missing = self._policy.minimum - len(judgement.approved)
        if missing <= 0:
            return _Approved(tuple(person.login for person in judgement.approved), reviewed.head, reviewed.merged)
        because = f" ({'; '.join(judgement.because)})" if judgement.because else ""
        return Waiting(
            f"needs {missing} more approving review{'s' if missing > 1 else ''} of {pull.name} by {self._who}"
            f"{because}: {pull.url}"
        )

    def _members(self, forge: Forge, team: str) -> frozenset[str]:
        if team not in self._teams:
            self._teams[team] = forge.members(team)
        return self._teams[team]

    @property
    def _who(self) -> str:
        return listing(self._policy.approvers, "or")
