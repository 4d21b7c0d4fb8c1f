"""Reruns traced line by line to commits, pull requests and people, against hand-written fakes of git and the forge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from reconciler.core.config import ForgeApprovals, Target
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Place, Request, Rerun
from reconciler.errors import ForgeFailure, ForgeUnreachable
from reconciler.review.forge import Comment, Person, PullRequest, Review, Reviewed
from reconciler.review.traced import Brought, Change, Declared, Origin, ReviewedReruns
from tests.core import worlds
from tests.telling import Told

DANA, LEE, ERIN = Person("1", "dana"), Person("2", "lee"), Person("3", "erin")
C1, C2, HEAD, MERGED = "1" * 40, "2" * 40, "a" * 40, "b" * 40
POLICY = ForgeApprovals("github", ("dana", "lee"))
TARGETS: Mapping[str, Target] = {"prod": worlds.target()}


def _request(windows: tuple[tuple[int, int], ...] = ((0, 10),), **changes: object) -> Request:
    return replace(worlds.request("m.yaml#1", windows, "red"), **changes)  # type: ignore[arg-type]


NOTHING = Declared((), TARGETS)


def _said(*requests: Request, targets: Mapping[str, Target] = TARGETS) -> Declared:
    return Declared(requests or (_request(),), targets)


def _brought(
    before: Declared = NOTHING,
    after: Declared | None = None,
    reviewed: Declared | None = None,
    whole: Declared = NOTHING,
) -> Brought:
    landed = Change(before, after or _said(), whole)
    return Brought(Change(before, reviewed or after or _said(), whole), landed)


@dataclass
class Git:
    """`blamed` are the commits of the lines; `changes` what commits brought, None for what git cannot tell."""

    blamed: tuple[Origin, ...] = (Origin(C1),)
    changes: dict[str, Brought | None] = field(default_factory=lambda: {C1: _brought()})
    later: tuple[Declared, ...] = ()

    def origins(self, place: Place, token: str) -> tuple[Origin, ...]:
        return self.blamed

    def brought(self, origin: Origin, reviewed: Reviewed, token: str) -> Brought | None:
        return self.changes.get(origin.commit or "")

    def since(self, origin: Origin, place: Place) -> tuple[Declared, ...]:
        return self.later


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


def test_what_is_looked_up_is_told_once_also_where_the_forge_is_down() -> None:
    told, request = Told(), _request()

    def down(_: ForgeApprovals) -> GitHub:
        assert told.open == ["looking up who approved rerun red"]
        raise ForgeFailure("down", "wait")

    assert request.rerun
    reruns = ReviewedReruns(down, Git(), TARGETS, told)
    reruns.approval(request, request.rerun, POLICY)
    assert (list(told.all), told.open) == (["looking up who approved rerun red"], [])
    told.all.clear()
    reruns.approval(request, request.rerun, POLICY)
    assert told.all == {}


def test_every_pull_request_that_changed_a_line_needs_its_own_approval() -> None:
    git = Git((Origin(C1), Origin(C2)), {C2: _brought()})
    forge = GitHub({C1: (_pull(7),), C2: (_pull(8),)}, {7: _reviewed(DANA), 8: _reviewed()})
    assert "1 more approving review of #8 by dana or lee: https://forge/8" in _message(_ask(forge, git))
    forge.reviews[8] = _reviewed(LEE)
    assert _ask(forge, git) == Approved(("dana", "lee"))


def test_what_nobody_can_approve_any_more_needs_a_new_token() -> None:
    merged = replace(_pull(7), approvable=False)
    needed = "needs 1 more approving review of #7 by dana or lee: https://forge/7"
    assert _message(_ask(_forge(pull=merged))).endswith(
        f"{needed}; it is merged, so nobody can approve it any more: give it a new token in a new pull request, and "
        "have that approved"
    )
    assert _message(_ask(_forge())).endswith(needed)
    assert _ask(_forge(LEE, pull=merged)) == Approved(("lee",))


def test_the_minimum_counts_for_each_pull_request() -> None:
    two = replace(POLICY, minimum=2)
    assert "needs 1 more approving review of #7" in _message(_ask(_forge(DANA), policy=two))
    assert _ask(_forge(DANA, LEE), policy=two) == Approved(("dana", "lee"))


def test_a_pull_request_that_is_open_has_to_be_merged() -> None:
    message = _message(_ask(_forge(DANA, pull=_pull(7, "open"))))
    assert "is approved by dana, and waits for #7 to be merged: https://forge/7" in message
    message = _message(_ask(_forge(pull=_pull(7, "open"))))
    assert "needs 1 more approving review of #7 by dana or lee: https://forge/7; then #7 has to be merged" in message


def test_a_commit_without_a_pull_request_needs_a_new_one() -> None:
    message = _message(_ask(GitHub({}, {})))
    assert "commit 111111111111, which last changed a line of it, came by no pull request" in message


def test_a_merge_into_another_branch_does_not_count_and_that_branch_is_named() -> None:
    message = _message(_ask(_forge(DANA, pull=replace(_pull(7, lasting=False), base="release"))))
    assert "no pull request merged into the default branch that is known: #7 went into release" in message


def test_of_a_merge_that_is_only_tried_out_the_open_pull_request_is_named() -> None:
    forge = GitHub({C2: (_pull(7, "open"),)}, {7: _reviewed(DANA)})
    assert "is approved by dana, and waits for #7 to be merged" in _message(_ask(forge, Git((Origin(C1, tip=C2),))))


def test_lines_that_are_not_committed_are_not_looked_up() -> None:
    forge = _forge(DANA)
    assert "is not committed yet" in _message(_ask(forge, Git((Origin(None), Origin(C1)))))
    assert forge.asked == []


def test_removed_lines_cannot_widen_what_was_approved() -> None:
    assert "is not what was approved" in _message(_ask(_forge(DANA), request=_request(((0, 20),))))
    assert _ask(_forge(DANA), request=_request(((2, 5),))) == Approved(("dana",))


def test_another_table_target_or_scheduler_needs_a_new_approval_though_no_line_of_it_changed() -> None:
    assert "is not what was approved" in _message(_ask(_forge(DANA), request=_request(table="other")))
    moved = {name: replace(target, url="https://elsewhere") for name, target in TARGETS.items()}
    assert "is not what was approved" in _message(_ask(_forge(DANA), targets=moved))
    tenant = {name: replace(target, tenant="tn_other") for name, target in TARGETS.items()}
    assert "is not what was approved" in _message(_ask(_forge(DANA), targets=tenant))


def test_the_token_is_part_of_what_was_approved() -> None:
    again = _request(rerun=Rerun("blue", "because"))
    found = _ask(_forge(DANA), request=again)
    assert isinstance(found, Waiting)
    assert "give it a new token in a new pull request" in found.message


def test_lines_that_are_older_than_the_rerun_need_no_approval_of_their_own() -> None:
    forge = _forge(DANA)
    assert _ask(forge, Git((Origin(C2, older=True), Origin(C1)))) == Approved(("dana",))
    assert forge.asked == [C1]


def test_older_lines_alone_are_no_approval() -> None:
    assert "is not what was approved" in _message(_ask(_forge(DANA), Git((Origin(C1, older=True),))))


def test_what_stood_there_before_a_pull_request_was_not_approved_by_it() -> None:
    whole, part = _request(((0, 10),)), _request(((20, 21),), key="m.yaml#2")
    git = Git(changes={C1: _brought(before=_said(whole), after=_said(whole, part))})
    assert "is not what was approved" in _message(_ask(_forge(DANA), git, whole))
    assert _ask(_forge(DANA), git, part) == Approved(("dana",))


def test_what_a_pull_request_wrote_whole_was_seen_whole() -> None:
    git = Git(changes={C1: _brought(before=_said(), whole=_said())})
    assert _ask(_forge(DANA), git) == Approved(("dana",))


def test_what_a_merge_made_of_it_counts_only_where_it_was_reviewed_so() -> None:
    git = Git(changes={C1: _brought(after=_said(_request(((0, 20),))), reviewed=_said(_request(((0, 10),))))})
    assert "is not what was approved" in _message(_ask(_forge(DANA), git, _request(((0, 20),))))
    assert _ask(_forge(DANA), git) == Approved(("dana",))


def test_what_was_given_up_since_is_not_approved_any_more() -> None:
    given_up = Git(later=(_said(), _said(_request(((0, 3),))), _said()))
    assert "is not what was approved" in _message(_ask(_forge(DANA), given_up))
    assert _ask(_forge(DANA), given_up, _request(((0, 2),))) == Approved(("dana",))


def test_several_approved_pull_requests_add_up() -> None:
    first, second = _request(((0, 5),)), _request(((0, 10),))
    changes: dict[str, Brought | None] = {C1: _brought(after=_said(first)), C2: _brought(_said(first), _said(second))}
    forge = GitHub({C1: (_pull(7),), C2: (_pull(8),)}, {7: _reviewed(DANA), 8: _reviewed(LEE)})
    assert _ask(forge, Git((Origin(C1), Origin(C2)), changes)) == Approved(("dana", "lee"))
    assert "is not what was approved" in _message(_ask(forge, Git((Origin(C2),), changes)))


def test_where_git_cannot_tell_what_a_pull_request_brought_nothing_of_it_is_approved() -> None:
    assert "git cannot tell what that added" in _message(_ask(_forge(DANA), Git(changes={C1: None})))


def test_where_it_is_not_known_what_stood_before_only_what_was_written_whole_is_new() -> None:
    for whole, approved in ((NOTHING, False), (_said(), True)):
        change = Change(None, _said(), whole)
        found = _ask(_forge(DANA), Git(changes={C1: Brought(change, change)}))
        assert isinstance(found, Approved) == approved


def test_a_forge_that_cannot_be_reached_is_not_asked_for_every_rerun() -> None:
    asked: list[str] = []

    def down(_: ForgeApprovals) -> GitHub:
        asked.append("again")
        raise ForgeUnreachable("GitHub does not answer", "try again later")

    reruns = ReviewedReruns(down, Git(), TARGETS)
    for key in ("m.yaml#1", "m.yaml#2", "m.yaml#3"):
        request = _request(key=key)
        assert request.rerun is not None
        found = reruns.approval(request, request.rerun, POLICY)
        assert isinstance(found, Waiting)
        assert "GitHub does not answer; try again later" in found.message
    assert asked == ["again"]


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
