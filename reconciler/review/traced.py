"""Approvals by review: each line of a rerun is traced to the merge that brought it, its pull request, its reviewers.

Lines alone do not say it all: what is removed around them, or changed far above them, changes what they mean. So what
is approved are the windows that approved pull requests added, and the lines say which these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.core.config import ForgeApprovals, Target
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.progress import SILENT, Progress
from reconciler.core.request import Place, Request, Rerun
from reconciler.core.window import EMPTY, Windows, intersect, subtract, union
from reconciler.errors import ForgeFailure
from reconciler.review.forge import Forge, Reviewed
from reconciler.review.pulls import ANEW, Pulls

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
        """Return what the file of a request said after each later commit that changed it, on side lines too."""


class ReviewedReruns:
    """Says of reruns whether reviews approve them. What the forge said is remembered for as long as this lives."""

    def __init__(
        self,
        forge: Callable[[ForgeApprovals], Forge],
        history: History,
        targets: Mapping[str, Target],
        progress: Progress = SILENT,
    ) -> None:
        """`forge` opens the forge, when it is needed. Where it raises ForgeFailure, every rerun waits."""
        self._open = forge
        self._asked: Pulls | None = None
        self._history = history
        self._targets = targets
        self._progress = progress
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
                with self._progress.waiting(f"looking up who approved rerun {rerun.token}"):
                    found = self._ask(request, rerun, policy)
            except ForgeFailure as failure:
                found = Waiting(f"waits, because approvals cannot be looked up: {failure.message}; {failure.hint}")
            self._said[request.key] = Waiting(f"{named} {found.message}") if isinstance(found, Waiting) else found
        return self._said[request.key]

    def _ask(self, request: Request, rerun: Rerun, policy: ForgeApprovals) -> Approval:
        origins = self._history.origins(request.place, rerun.token)
        if any(origin.commit is None for origin in origins):
            return Waiting("is not committed yet: it needs a pull request that an approver approves")
        self._asked = asked = self._asked or Pulls(policy, self._open)
        names: set[str] = set()
        pulls: set[int] = set()
        approved, unclear = EMPTY, False
        for origin in origins:
            if origin.commit is None or origin.older:
                continue
            found = asked.commit(origin.commit, origin.tip)
            if isinstance(found, Waiting):
                return found
            names.update(found.by)
            pulls.add(found.number)
            brought = self._history.brought(origin, found.reviewed, rerun.token)
            unclear |= brought is None
            approved = union((*approved, *(self._approved(origin, brought, request, rerun) if brought else EMPTY)))
        if subtract(request.windows, approved):
            return Waiting(f"{_UNCLEAR if unclear else _CHANGED}; {ANEW}")
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
