"""Reruns traced line by line to commits, pull requests and people, against hand-written fakes of git and the forge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from reconciler.core.config import ForgeApprovals, Target
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Place, Request, Rerun
from reconciler.errors import ForgeFailure
from reconciler.review.forge import Comment, Person, PullRequest, Review, Reviewed
from reconciler.review.traced import Origin, ReviewedReruns, Then
from tests.core import worlds

DANA, LEE, ERIN = Person("1", "dana"), Person("2", "lee"), Person("3", "erin")
C1, C2, HEAD, MERGED = "1" * 40, "2" * 40, "a" * 40, "b" * 40
POLICY = ForgeApprovals("github", ("dana", "lee"))
TARGETS: Mapping[str, Target] = {"prod": worlds.target()}


def _request(windows: tuple[tuple[int, int], ...] = ((0, 10),), **changes: object) -> Request:
    return replace(worlds.request("m.yaml#1", windows, "red"), **changes)  # type: ignore[arg-type]


@dataclass
class Git:
    """`blamed` are the commits of the lines; `versions` what the file said at commits, none of which is missing."""

    blamed: tuple[Origin, ...] = (Origin(C1, "m.yaml"),)
    versions: dict[str, Then | None] = field(default_factory=lambda: {C1: Then((_request(),), TARGETS)})

    def origins(self, place: Place) -> tuple[Origin, ...]:
        return self.blamed

    def then(self, commit: str, file: str) -> Then | None:
        return self.versions.get(commit)


@dataclass
class GitHub:
    """Pull requests by commit, and what was reviewed of each."""

    brought: dict[str, tuple[PullRequest, ...]]
    reviews: dict[int, Reviewed]
    asked: list[str] = field(default_factory=list)
    closed: int = 0

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        self.asked.append(commit)
        return self.brought.get(commit, ())

    def reviewed(self, number: int) -> Reviewed:
        return self.reviews[number]

    def members(self, team: str) -> frozenset[str]:
        raise ForgeFailure(f"no team {team}", "")

    def close(self) -> None:
        self.closed += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def comments(self, number: int) -> tuple[Comment, ...]:
        raise NotImplementedError

    def create_comment(self, number: int, body: str) -> str:
        raise NotImplementedError

    def update_comment(self, number: int, comment: str, body: str) -> str:
        raise NotImplementedError


def _pull(number: int, state: str = "merged", *, lasting: bool = True) -> PullRequest:
    return PullRequest(number, f"#{number}", f"https://forge/{number}", state, "main", lasting)  # type: ignore[arg-type]


def _reviewed(*people: Person, head: str = HEAD) -> Reviewed:
    return Reviewed(head, MERGED, ERIN, (ERIN,), tuple(Review(person, "approved", head) for person in people))


def _forge(*people: Person, pull: PullRequest | None = None) -> GitHub:
    return GitHub({C1: (pull or _pull(7),)}, {7: _reviewed(*people)})


def _ask(
    forge: GitHub,
    git: Git | None = None,
    request: Request | None = None,
    policy: ForgeApprovals = POLICY,
    targets: Mapping[str, Target] = TARGETS,
) -> Approval:
    asked = request or _request()
    assert asked.rerun is not None
    return ReviewedReruns(lambda _: forge, git or Git(), targets).approval(asked, asked.rerun, policy)


def _message(approval: Approval) -> str:
    assert isinstance(approval, Waiting)
    assert approval.message.startswith("rerun red (m.yaml#1) ")
    return approval.message


def test_lines_of_an_approved_pull_request_are_approved_by_its_approvers() -> None:
    assert _ask(_forge(LEE, DANA)) == Approved(("dana", "lee"))


def test_every_pull_request_that_changed_a_line_needs_its_own_approval() -> None:
    git = Git((Origin(C1, "m.yaml"), Origin(C2, "m.yaml")), {C2: Then((_request(),), TARGETS)})
    forge = GitHub({C1: (_pull(7),), C2: (_pull(8),)}, {7: _reviewed(DANA), 8: _reviewed()})
    assert "1 more approving review of #8 by dana or lee: https://forge/8" in _message(_ask(forge, git))
    forge.reviews[8] = _reviewed(LEE)
    assert _ask(forge, git) == Approved(("dana", "lee"))


def test_the_minimum_counts_for_each_pull_request() -> None:
    two = replace(POLICY, minimum=2)
    assert "needs 1 more approving review of #7" in _message(_ask(_forge(DANA), policy=two))
    assert _ask(_forge(DANA, LEE), policy=two) == Approved(("dana", "lee"))


def test_a_pull_request_that_is_open_has_to_be_merged() -> None:
    message = _message(_ask(_forge(DANA, pull=_pull(7, "open"))))
    assert "waits for #7 to be approved by dana or lee and merged: https://forge/7" in message


def test_a_commit_without_a_pull_request_needs_a_new_one() -> None:
    message = _message(_ask(GitHub({}, {})))
    assert (
        "commit 111111111111, which last changed a line of it, came by no merged pull request that is known" in message
    )


def test_a_merge_into_another_branch_does_not_count() -> None:
    assert "no merged pull request" in _message(_ask(_forge(DANA, pull=_pull(7, lasting=False))))


def test_lines_that_are_not_committed_are_not_looked_up() -> None:
    forge = _forge(DANA)
    assert "is not committed yet" in _message(_ask(forge, Git((Origin(None, "m.yaml"), Origin(C1, "m.yaml")))))
    assert forge.asked == []


def test_removed_lines_cannot_widen_what_was_approved() -> None:
    wider = _request(((0, 20),))
    assert "does not stand in what was approved" in _message(_ask(_forge(DANA), request=wider))
    narrower = _request(((2, 5),))
    assert _ask(_forge(DANA), request=narrower) == Approved(("dana",))


def test_another_table_target_or_scheduler_needs_a_new_approval_though_no_line_of_it_changed() -> None:
    assert "does not stand" in _message(_ask(_forge(DANA), request=_request(table="other")))
    moved = {name: replace(target, url="https://elsewhere") for name, target in TARGETS.items()}
    assert "does not stand" in _message(_ask(_forge(DANA), targets=moved))
    tenant = {name: replace(target, tenant="tn_other") for name, target in TARGETS.items()}
    assert "does not stand" in _message(_ask(_forge(DANA), targets=tenant))


def test_the_token_is_part_of_what_was_approved() -> None:
    again = _request(rerun=Rerun("blue", "because"))
    found = _ask(_forge(DANA), request=again)
    assert isinstance(found, Waiting)
    assert "give it a new token in a new pull request" in found.message


def test_lines_that_are_older_than_the_rerun_need_no_approval_of_their_own() -> None:
    old = Then((_request(rerun=None), _request(rerun=Rerun("blue", "because"))), TARGETS)
    git = Git((Origin(C2, "m.yaml"), Origin(C1, "m.yaml")), {C1: Then((_request(),), TARGETS), C2: old})
    forge = _forge(DANA)
    assert _ask(forge, git) == Approved(("dana",))
    assert forge.asked == [C1]


def test_a_commit_whose_file_was_not_valid_is_not_taken_for_one_that_is_older() -> None:
    git = Git((Origin(C2, "m.yaml"), Origin(C1, "m.yaml")), {C1: Then((_request(),), TARGETS)})
    for unclear in (None, Then((), {}, valid=False)):
        git.versions[C2] = unclear
        assert "commit 222222222222" in _message(_ask(_forge(DANA), git))


def test_what_is_around_the_lines_may_come_by_a_later_commit_of_the_same_pull_request() -> None:
    versions: dict[str, Then | None] = {
        C1: Then((_request(table="typo"),), TARGETS),
        HEAD: Then((_request(),), TARGETS),
    }
    assert _ask(_forge(DANA), Git(versions=versions)) == Approved(("dana",))


def test_after_a_squash_what_was_merged_stands_for_the_head() -> None:
    versions: dict[str, Then | None] = {C1: Then((), {}, valid=False), MERGED: Then((_request(),), TARGETS)}
    assert _ask(_forge(DANA), Git(versions=versions)) == Approved(("dana",))
    versions[HEAD] = Then((_request(table="typo"),), TARGETS)
    assert "does not stand" in _message(_ask(_forge(DANA), Git(versions=versions)))


def test_a_forge_that_cannot_be_asked_holds_the_rerun_and_says_what_to_do() -> None:
    def closed(_: ForgeApprovals) -> GitHub:
        raise ForgeFailure("there is no token", "set GITHUB_TOKEN")

    request = _request()
    assert request.rerun is not None
    found = ReviewedReruns(closed, Git(), TARGETS).approval(request, request.rerun, POLICY)
    assert "approvals cannot be looked up: there is no token; set GITHUB_TOKEN" in _message(found)


def test_each_commit_is_asked_for_once_however_many_reruns_it_holds() -> None:
    forge = _forge(DANA)
    reruns = ReviewedReruns(lambda _: forge, Git(), TARGETS)
    for key in ("m.yaml#1", "m.yaml#2", "m.yaml#1"):
        request = _request(key=key)
        assert request.rerun is not None
        assert reruns.approval(request, request.rerun, POLICY) == Approved(("dana",))
    assert forge.asked == [C1]
    assert forge.closed == 1
