"""Which reruns are approved, by whom, and what is missing where one is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, assert_never

from reconciler.core.config import Approvals, ApprovalsUnset, ForgeApprovals, ManifestApprovals, NoApprovals
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.progress import SILENT, Progress, each
from reconciler.core.request import Request, Rerun


class Reviews(Protocol):
    """What reviews of pull requests say."""

    def approval(self, request: Request, rerun: Rerun, policy: ForgeApprovals) -> Approval:
        """Return whether every line of `request` was approved, as it stands now."""

    def pulls(self, key: str) -> tuple[int, ...]:
        """Return the numbers of the pull requests by which the request with this key was approved."""


def approvals(
    requests: Iterable[Request], policy: Approvals, reviews: Reviews, progress: Progress = SILENT
) -> dict[str, Approval]:
    """Return, for the key of every request that is a rerun, whether it is approved.

    `reviews` is only asked where the policy says that reviews approve; that may take long.
    """
    reruns = [(request, request.rerun) for request in requests if request.rerun]
    slow = progress if isinstance(policy, ForgeApprovals) else SILENT
    with each(slow, "looking up", reruns, "rerun") as some:
        return {request.key: _approval(request, rerun, policy, reviews) for request, rerun in some}


def _approval(request: Request, rerun: Rerun, policy: Approvals, reviews: Reviews) -> Approval:
    match policy:
        case NoApprovals():
            return Approved(())
        case ManifestApprovals():
            return _by_manifest(request, rerun, policy)
        case ForgeApprovals():
            return reviews.approval(request, rerun, policy)
        case ApprovalsUnset():
            return Waiting(
                f"rerun {rerun.token} ({request.key}) cannot be approved: the config does not say by whom; "
                "set approvals.reruns in reconciler.yaml"
            )
        case other:
            assert_never(other)


def _by_manifest(request: Request, rerun: Rerun, policy: ManifestApprovals) -> Approval:
    """Count the distinct people in `approvedBy` who may approve; names are compared without regard to case."""
    known = {name.casefold(): name for name in policy.approvers}
    by = sorted({known[name.casefold()] for name in rerun.approved_by if name.casefold() in known})
    if len(by) >= policy.minimum:
        return Approved(tuple(by))
    missing = policy.minimum - len(by)
    others = ", ".join(name for name in policy.approvers if name not in by)
    return Waiting(
        f"rerun {rerun.token} ({request.key}) needs {missing} more approval{'s' if missing > 1 else ''}, "
        f"from {others}: add the name to approvedBy in {request.place.file}"
    )
