"""GitLab's client against a local GitLab: which approvals are for what was merged, who wrote, what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.errors import ForgeFailure
from reconciler.review.forge import Forge, PullRequest, Review
from reconciler.review.rest import Refusal
from tests.forges.gitlab import BOT, TOKEN, Commit, GitLab
from tests.forges.serving import Reply, limited
from tests.review.asking import Clock, client

A, B, C = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture(params=[True, False], ids=["dated approvals", "approvals in notes"])
def forge(request: pytest.FixtureRequest) -> Iterator[GitLab]:
    with GitLab(page_size=2, dates_approvals=bool(request.param)) as server:
        yield server


@pytest.fixture
def asked(forge: GitLab) -> Iterator[Forge]:
    with client(forge) as one:
        yield one


def heads(reviews: tuple[Review, ...]) -> dict[str, str | None]:
    assert {review.says for review in reviews} <= {"approved"}
    return {review.person.login: review.head for review in reviews}


def test_the_merge_requests_of_a_commit_are_told_with_their_branches(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, commits=[A])
    forge.merge_request(8, commits=[A], state="opened", target="release")
    forge.merge_request(9, commits=[A], state="closed")
    forge.merge_request(10, commits=[A], state="locked")
    forge.merge_request(11, commits=[A], project=99)
    url = "https://gitlab.test/acme/warehouse/data/-/merge_requests"
    assert asked.pull_requests(A) == (
        PullRequest(7, "!7", f"{url}/7", "merged", "main", lasting=True, approvable=False),
        PullRequest(8, "!8", f"{url}/8", "open", "release", lasting=False),
        PullRequest(9, "!9", f"{url}/9", "closed", "main", lasting=True),
        PullRequest(10, "!10", f"{url}/10", "open", "main", lasting=True),
    )
    assert forge.paths()[0] == "/projects/acme%2Fwarehouse%2Fdata"
    asked.pull_requests(A)
    assert forge.paths().count("/projects/acme%2Fwarehouse%2Fdata") == 1


def test_a_commit_that_is_not_pushed_is_said_to_be_missing(asked: Forge) -> None:
    with pytest.raises(ForgeFailure, match="commit aaaaaaaaaaaa is not on GitLab") as caught:
        asked.pull_requests(A)
    assert not isinstance(caught.value, Refusal)


def test_an_approval_is_for_the_version_that_stood_when_it_was_given(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, commits=[A])
    forge.approve(7, "lee")
    forge.push(7, B)
    forge.approve(7, "kim")
    reviewed = asked.reviewed(7)
    assert reviewed.head == B
    assert heads(reviewed.reviews) == {"lee": A, "kim": B}


def test_an_approval_that_was_taken_back_is_gone_and_one_given_again_is_new(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, commits=[A])
    forge.approve(7, "lee")
    forge.approve(7, "kim")
    forge.unapprove(7, "kim")
    forge.unapprove(7, "lee")
    forge.push(7, B)
    forge.approve(7, "lee")
    assert heads(asked.reviewed(7).reviews) == {"lee": B}


def test_a_push_back_to_an_older_head_does_not_revive_the_approval_of_another(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, commits=[A])
    forge.push(7, B)
    forge.approve(7, "lee")
    forge.push(7, A)
    reviewed = asked.reviewed(7)
    assert reviewed.head == A
    assert heads(reviewed.reviews) == {"lee": B}


def test_an_approval_in_the_instant_of_a_push_is_for_what_stood_before(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, commits=[A])
    forge.approve(7, "lee")
    when = forge._requests[7].approvals["lee"]
    forge._requests[7].versions.append({"id": 9999, "head_commit_sha": B, "created_at": when})
    assert heads(asked.reviewed(7).reviews) == {"lee": A}
    forge._requests[7].versions[0]["created_at"] = when
    assert heads(asked.reviewed(7).reviews) == {"lee": None}


def test_what_a_person_writes_is_no_approval() -> None:
    with GitLab(dates_approvals=False) as forge, client(forge) as asked:
        forge.merge_request(7, commits=[A])
        forge.approve(7, "lee")
        forge.push(7, B)
        forge.note(7, "lee", "approved this merge request")
        assert heads(asked.reviewed(7).reviews) == {"lee": A}
        forge.unapprove(7, "lee")
        forge._requests[7].approvals["lee"] = "listed, though the notes say otherwise"
        assert heads(asked.reviewed(7).reviews) == {"lee": None}
        forge._requests[7].notes.clear()
        assert heads(asked.reviewed(7).reviews) == {"lee": None}


def test_a_renamed_account_is_still_one_person(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, commits=[A])
    forge.approve(7, "lee")
    before = asked.reviewed(7).reviews[0].person
    forge.rename("lee", "leonor")
    after = asked.reviewed(7).reviews[0]
    assert (after.person.id, after.person.login, after.head) == (before.id, "leonor", A)


@pytest.mark.parametrize(
    "username",
    [
        "project_8_bot",
        "project_8_bot2",
        BOT,
        "group_109_bot_4ffca233d8298ea1",
        "service_account_group_345_6018816a18",
        "ghost",
    ],
)
def test_the_accounts_of_tokens_are_bots(forge: GitLab, asked: Forge, username: str) -> None:
    forge.merge_request(7, author=username, commits=[A])
    forge.approve(7, username)
    forge.approve(7, "lee")
    reviewed = asked.reviewed(7)
    assert reviewed.author is not None
    assert reviewed.author.bot
    assert [review.person.bot for review in reviewed.reviews] == [True, False]


def test_an_account_that_gitlab_calls_a_bot_is_one_whatever_its_name(forge: GitLab, asked: Forge) -> None:
    forge.person("robin", bot=True)
    forge.merge_request(7, commits=[A])
    forge.approve(7, "robin")
    assert asked.reviewed(7).reviews[0].person.bot
    forge.fault(Reply(404, {"message": "404 User Not Found"}), where="/users/")
    assert not asked.reviewed(7).reviews[0].person.bot


def test_writers_are_told_as_far_as_commits_tell_of_accounts(forge: GitLab, asked: Forge) -> None:
    lee = forge.person("lee", name="Lee Ham", email="Lee@example.org")
    kim = forge.person("kim", name="Kim Possible")
    forge.merge_request(
        7,
        commits=[
            Commit(A, "L. Ham", "lee@EXAMPLE.org"),
            Commit(B, "kim possible", "elsewhere@example.org"),
            Commit(C, "Pat", "77-pat.x@users.noreply.gitlab.com"),
        ],
    )
    for who in ("lee", "kim", "sam"):
        forge.approve(7, who)
    reviewed = asked.reviewed(7)
    assert {person.id for person in reviewed.writers} == {str(lee), str(kim), "77"}
    assert reviewed.strangers == ()


def test_all_pages_are_read(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, commits=[Commit(f"{number:040x}", f"Writer {number}") for number in range(5)])
    for number in range(5):
        forge.push(7, f"{10 + number:040x}")
        forge.approve(7, f"reviewer{number}")
    reviewed = asked.reviewed(7)
    assert heads(reviewed.reviews) == {f"reviewer{number}": f"{10 + number:040x}" for number in range(5)}
    assert sum(path.endswith("/commits") for path in forge.paths()) > 1


def test_a_merge_request_without_approvals_has_no_reviews(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, author=None, commits=[A])
    reviewed = asked.reviewed(7)
    assert (reviewed.author, reviewed.reviews) == (None, ())
    assert not any(path.endswith("/versions") for path in forge.paths())


def test_members_of_a_group_are_told_by_id_and_a_hidden_group_says_what_to_grant(forge: GitLab, asked: Forge) -> None:
    forge.group("acme/data/platform", "lee", "kim", "sam")
    forge.token("seeing", groups=True)
    with client(forge, "seeing") as seeing:
        assert seeing.members("acme/data/platform") == {str(forge.person(who)) for who in ("lee", "kim", "sam")}
    assert "/groups/acme%2Fdata%2Fplatform/members/all" in forge.paths()
    with pytest.raises(ForgeFailure, match="no group @acme/data/platform on GitLab, or the token may not") as caught:
        asked.members("acme/data/platform")
    assert isinstance(caught.value, Refusal)
    assert "read_api" in caught.value.hint


@pytest.mark.parametrize("team", ["", "8", "../user", "acme/..", "acme//x", "acme x", "acme/"])
def test_a_group_that_is_no_group_is_not_asked_for(forge: GitLab, asked: Forge, team: str) -> None:
    with pytest.raises(ForgeFailure, match="not written as"):
        asked.members(team)
    assert forge.asked == []


def test_comments_are_written_found_again_and_changed(forge: GitLab, asked: Forge) -> None:
    forge.merge_request(7, commits=[A])
    forge.approve(7, "lee")
    forge.note(7, "mallory", "<!-- marker --> of mine")
    url = asked.create_comment(7, "<!-- marker --> the plan")
    comments = asked.comments(7)
    assert [(one.body, one.mine) for one in comments] == [
        ("<!-- marker --> of mine", False),
        ("<!-- marker --> the plan", True),
    ]
    assert asked.update_comment(7, comments[1].id, "changed") == url
    assert url == f"https://gitlab.test/acme/warehouse/data/-/merge_requests/7#note_{comments[1].id}"
    assert forge.bodies(7)[-1] == "changed"


def test_a_token_that_may_only_read_is_refused_for_good(forge: GitLab) -> None:
    forge.token("reader", writes=False)
    forge.merge_request(7, commits=[A])
    words = "HTTP 403, The request requires higher privileges"
    with client(forge, "reader") as asked, pytest.raises(ForgeFailure, match=words) as caught:
        asked.create_comment(7, "x")
    assert isinstance(caught.value, Refusal)
    assert "scope api" in caught.value.hint
    assert forge.bodies(7) == []


def test_a_jobs_token_has_its_header_and_reads_no_approvals(forge: GitLab) -> None:
    forge.token("glcbt-1", who="dana", job=True)
    forge.merge_request(7, commits=[A])
    forge.note(7, "dana", "one")
    with client(forge, "glcbt-1", source="environment variable CI_JOB_TOKEN") as asked:
        with pytest.raises(ForgeFailure, match="HTTP 401") as caught:
            asked.reviewed(7)
        assert isinstance(caught.value, Refusal)
        assert "CI_JOB_TOKEN may not do this" in caught.value.hint
        with pytest.raises(ForgeFailure) as caught:
            asked.comments(7)
        assert isinstance(caught.value, Refusal)
    assert forge.asked[0].headers["job-token"] == "glcbt-1"
    assert "private-token" not in forge.asked[0].headers


def test_a_project_may_be_named_by_its_number(forge: GitLab) -> None:
    forge.merge_request(7, commits=[A])
    name, forge.project = forge.project, "8"
    with client(forge) as asked:
        forge.project = name
        assert [one.number for one in asked.pull_requests(A)] == [7]
    assert forge.paths()[0] == "/projects/8"
    assert forge.asked[0].headers["private-token"] == TOKEN


def test_a_wait_that_gitlab_asks_for_is_waited(forge: GitLab) -> None:
    clock = Clock()
    forge.merge_request(7, commits=[A])
    with client(forge, clock=clock) as asked:
        forge.fault(
            limited(3), Reply(429, b"Retry later", {"ratelimit-remaining": "0", "ratelimit-reset": "1769000010"})
        )
        assert asked.pull_requests(A)
    assert clock.slept == [3.0, 7.0]
