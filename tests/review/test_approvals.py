"""Who approved a rerun, and what is missing where nobody did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.config import Approvals, ApprovalsUnset, ForgeApprovals, ManifestApprovals, NoApprovals
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.progress import Count
from reconciler.core.request import Request, Rerun
from reconciler.review.approvals import approvals
from tests.core import worlds
from tests.telling import Told


class _NotAsked:
    """Reviews that no policy but a forge's looks at."""

    def approval(self, request: Request, rerun: Rerun, policy: ForgeApprovals) -> Approval:
        raise AssertionError(f"{request.key} was looked up")

    def pulls(self, key: str) -> tuple[int, ...]:
        return ()


class _Yes:
    def approval(self, request: Request, rerun: Rerun, policy: ForgeApprovals) -> Approval:
        return Approved((rerun.token, *policy.approvers))

    def pulls(self, key: str) -> tuple[int, ...]:
        return ()


def test_with_a_forge_its_reviews_decide_whatever_the_manifest_says() -> None:
    asked = worlds.request("m#1", ((0, 5),), "red")
    policy = ForgeApprovals("github", ("dana",))
    assert approvals([asked], policy, _Yes()) == {"m#1": Approved(("red", "dana"))}


def test_how_many_reruns_were_looked_up_is_told_where_a_forge_is_asked() -> None:
    reruns = [worlds.request(f"m#{number}", ((0, 5),), "red") for number in range(3)]
    plain = worlds.request("m#3", ((0, 5),))
    told = Told()
    approvals([*reruns, plain], ForgeApprovals("github", ("dana",)), _Yes(), told)
    assert told.all == {"looking up rerun": Count(3, done=3)}
    told = Told()
    approvals(reruns, POLICY, _NotAsked(), told)
    assert told.all == {}


def _approval(by: tuple[str, ...], policy: Approvals) -> Approval:
    asked = replace(worlds.request("m#1", ((0, 5),), "red"), rerun=Rerun("red", "because", by))
    return approvals([asked], policy, _NotAsked())["m#1"]


POLICY = ManifestApprovals(("Dana", "lee", "@acme/data"), minimum=1)


def test_a_named_approver_approves_whatever_the_case() -> None:
    assert _approval(("dana",), POLICY) == Approved(("Dana",))


def test_somebody_else_does_not_approve_and_the_message_names_who_may() -> None:
    waiting = _approval(("mallory",), POLICY)
    assert isinstance(waiting, Waiting)
    assert "Dana, lee, @acme/data" in waiting.message
    assert "approvedBy in m.yaml" in waiting.message


def test_the_minimum_counts_distinct_people() -> None:
    two = replace(POLICY, minimum=2)
    waiting = _approval(("dana", "DANA"), two)
    assert isinstance(waiting, Waiting)
    assert "1 more approval," in waiting.message
    assert _approval(("dana", "lee"), two) == Approved(("Dana", "lee"))


def test_with_the_provider_none_the_merge_is_the_approval() -> None:
    assert _approval((), NoApprovals()) == Approved(())


def test_where_the_config_says_nothing_nobody_can_approve() -> None:
    waiting = _approval(("dana",), ApprovalsUnset())
    assert isinstance(waiting, Waiting)
    assert "approvals.reruns" in waiting.message


@pytest.mark.parametrize("policy", [POLICY, NoApprovals(), ApprovalsUnset(), ForgeApprovals("github", ("dana",))])
def test_a_request_that_is_no_rerun_needs_no_approval(policy: Approvals) -> None:
    assert approvals([worlds.request("m#1", ((0, 5),))], policy, _NotAsked()) == {}
