"""GitHub's client against a local GitHub: who approved, who wrote, what is refused and why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.errors import ForgeFailure
from reconciler.review.forge import Forge, PullRequest, Review
from reconciler.review.rest import Refusal
from tests.forges.github import TOKEN, Commit, GitHub
from tests.forges.serving import Reply
from tests.review.asking import client

A, B, C = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def forge() -> Iterator[GitHub]:
    with GitHub(page_size=2) as server:
        yield server


@pytest.fixture
def asked(forge: GitHub) -> Iterator[Forge]:
    with client(forge) as one:
        yield one


def says(reviews: tuple[Review, ...]) -> dict[str, tuple[str, str | None]]:
    return {review.person.login: (review.says, review.head) for review in reviews}


def test_the_pull_requests_of_a_commit_are_told_with_their_branches(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A])
    forge.pull_request(8, commits=[A], merged=False, base="release")
    forge.pull_request(9, commits=[A], state="closed")
    assert asked.pull_requests(A) == (
        PullRequest(7, "#7", "https://github.test/acme/data/pull/7", "merged", "main", lasting=True),
        PullRequest(8, "#8", "https://github.test/acme/data/pull/8", "open", "release", lasting=False),
        PullRequest(9, "#9", "https://github.test/acme/data/pull/9", "closed", "main", lasting=True),
    )


def test_a_commit_that_came_without_a_pull_request_has_none(forge: GitHub, asked: Forge) -> None:
    forge.numbers = lambda _: []
    assert asked.pull_requests(A) == ()


def test_a_pull_request_into_another_repository_does_not_count(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A], repository="Acme/DATA")
    forge.pull_request(8, commits=[A], repository="mallory/data")
    assert [one.number for one in asked.pull_requests(A)] == [7]


def test_a_commit_that_is_not_pushed_is_said_to_be_missing(asked: Forge) -> None:
    with pytest.raises(ForgeFailure, match="commit aaaaaaaaaaaa is not on GitHub") as caught:
        asked.pull_requests(A)
    assert "push it" in caught.value.hint
    assert not isinstance(caught.value, Refusal)


@pytest.mark.parametrize("commit", ["main", "a" * 39, "A" * 40, "../../user", "a" * 40 + "\n"])
def test_only_the_full_name_of_a_commit_is_asked_for(forge: GitHub, asked: Forge, commit: str) -> None:
    with pytest.raises(ValueError, match="full name"):
        asked.pull_requests(commit)
    assert forge.asked == []


def test_the_last_word_of_each_person_counts(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A, B])
    forge.review(7, "lee", "APPROVED", commit=A)
    forge.review(7, "kim", "APPROVED", commit=B)
    forge.review(7, "lee", "CHANGES_REQUESTED", commit=B)
    forge.review(7, "kim", "COMMENTED", commit=B)
    forge.review(7, "sam", "CHANGES_REQUESTED", commit=A)
    forge.review(7, "sam", "APPROVED", commit=B)
    forge.review(7, "pat", "PENDING", commit=B)
    reviewed = asked.reviewed(7)
    assert reviewed.head == B
    assert says(reviewed.reviews) == {
        "lee": ("changes requested", B),
        "kim": ("approved", B),
        "sam": ("approved", B),
    }


def test_a_dismissed_review_stays_the_last_word(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A])
    forge.review(7, "lee", "APPROVED", commit=A)
    forge.review(7, "kim", "APPROVED", commit=A)
    forge.review(7, "lee", "APPROVED", commit=A)
    forge.review(7, "lee", "COMMENTED", commit=A)
    forge.dismiss(7, "lee")
    assert says(asked.reviewed(7).reviews) == {"lee": ("dismissed", A), "kim": ("approved", A)}


def test_an_approval_of_an_older_head_or_of_none_says_so(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A, B])
    forge.review(7, "lee", "APPROVED", commit=A)
    forge.review(7, "kim", "APPROVED", commit=None)
    reviewed = asked.reviewed(7)
    assert reviewed.head == B
    assert says(reviewed.reviews) == {"lee": ("approved", A), "kim": ("approved", None)}


def test_a_renamed_account_is_still_one_person(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A])
    forge.review(7, "lee", "APPROVED", commit=A)
    forge.rename("lee", "leonor")
    forge.review(7, "leonor", "CHANGES_REQUESTED", commit=A)
    assert says(asked.reviewed(7).reviews) == {"leonor": ("changes requested", A)}


def test_ghosts_count_for_nothing(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, author=None, commits=[A])
    forge.review(7, None, "APPROVED", commit=A)
    reviewed = asked.reviewed(7)
    assert reviewed.author is None
    assert reviewed.reviews == ()
    forge.pull_request(8, author="ghost", commits=[Commit(A, author="ghost", committer=None)])
    forge.review(8, "ghost", "APPROVED", commit=A)
    reviewed = asked.reviewed(8)
    assert (reviewed.author, reviewed.writers, reviewed.reviews) == (None, (), ())
    assert reviewed.strangers == ("Dana <dana@example.org>",)


@pytest.mark.parametrize("kind", ["Bot", "Mannequin", "Organization"])
def test_what_is_no_person_is_called_a_bot(forge: GitHub, asked: Forge, kind: str) -> None:
    forge.person("helper[bot]", kind=kind)
    forge.pull_request(7, commits=[A])
    forge.review(7, "helper[bot]", "APPROVED", commit=A)
    forge.review(7, "lee", "APPROVED", commit=A)
    assert {review.person.login: review.person.bot for review in asked.reviewed(7).reviews} == {
        "helper[bot]": True,
        "lee": False,
    }


def test_a_word_that_is_not_known_is_no_approval(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A])
    forge.review(7, "lee", "APPROVED_WITH_REMARKS", commit=A)
    with pytest.raises(ForgeFailure, match="the reviews of #7 has one of a kind that is not known"):
        asked.reviewed(7)


def test_writers_are_authors_and_committers_but_not_the_browser(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(
        7,
        author="pat",
        commits=[
            Commit(A, author="dana", committer="web-flow"),
            Commit(B, author="lee", committer="kim"),
            Commit(C, author=None, committer="dana", email="who@example.org"),
        ],
    )
    reviewed = asked.reviewed(7)
    assert reviewed.author is not None
    assert reviewed.author.login == "pat"
    assert {person.login for person in reviewed.writers} == {"dana", "lee", "kim"}
    assert reviewed.strangers == ("Dana <who@example.org>",)


def test_all_pages_are_read(forge: GitHub, asked: Forge) -> None:
    commits = [Commit(f"{number:040x}", author=f"writer{number}") for number in range(5)]
    forge.pull_request(7, commits=commits)
    for number in range(5):
        forge.review(7, f"reviewer{number}", "APPROVED", commit=commits[-1].sha)
    reviewed = asked.reviewed(7)
    assert len(reviewed.writers) == len(reviewed.reviews) == 5
    assert "/repositories/1300192/pulls/7/reviews" in forge.paths()


def test_more_commits_than_github_lists_are_too_many_to_tell_who_wrote_them(forge: GitHub, asked: Forge) -> None:
    forge.page_size = 100
    forge.pull_request(7, commits=[f"{number:040x}" for number in range(250)])
    assert asked.reviewed(7).head == f"{249:040x}"
    forge.pull_request(8, commits=[f"{number:040x}" for number in range(251)])
    with pytest.raises(ForgeFailure, match="251 commits, GitHub lists 250"):
        asked.reviewed(8)


def test_accounts_may_be_empty_objects(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A])
    empty = {"sha": A, "commit": {"author": None, "committer": {}}, "author": {}, "committer": {}}
    forge.fault(Reply(200, [empty]), where="/pulls/7/commits")
    reviewed = asked.reviewed(7)
    assert (reviewed.writers, reviewed.strangers) == ((), ("somebody",))


def test_a_list_of_commits_with_gaps_is_not_believed(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A, B])
    forge.fault(Reply(200, []), where="/pulls/7/commits")
    with pytest.raises(ForgeFailure, match="lists 0 of the 2 commits"):
        asked.reviewed(7)


def test_members_of_a_team_are_told_by_id(forge: GitHub) -> None:
    forge.token("pat", who="dana", teams=True)
    forge.team("acme/data-platform", "lee", "kim", "sam")
    forge.pull_request(7, commits=[A])
    for who in ("lee", "kim", "sam"):
        forge.review(7, who, "APPROVED", commit=A)
    with client(forge, "pat") as asked:
        members = asked.members("Acme/Data-Platform")
        assert members == {review.person.id for review in asked.reviewed(7).reviews}


def test_a_team_that_the_token_may_not_see_says_what_to_grant(forge: GitHub, asked: Forge) -> None:
    forge.team("acme/data-platform", "lee")
    with pytest.raises(
        ForgeFailure, match="no team @acme/data-platform on GitHub, or the token may not see it"
    ) as caught:
        asked.members("acme/data-platform")
    assert isinstance(caught.value, Refusal)
    assert "read:org" in caught.value.hint
    assert "GITHUB_TOKEN reads no team" in caught.value.hint


@pytest.mark.parametrize("team", ["acme", "acme/a/b", "acme/../user", "", "a?/b", "acme/a b"])
def test_a_team_that_is_no_team_is_not_asked_for(forge: GitHub, asked: Forge, team: str) -> None:
    with pytest.raises(ForgeFailure, match="not written as"):
        asked.members(team if team != "acme/../user" else "../user")
    assert forge.asked == []


def test_a_token_that_is_not_valid_and_a_repository_that_is_hidden_are_refused(forge: GitHub, asked: Forge) -> None:
    with client(forge, "unknown", source="environment variable GITHUB_TOKEN") as other:
        with pytest.raises(ForgeFailure, match="HTTP 401, Bad credentials") as caught:
            other.reviewed(7)
        assert isinstance(caught.value, Refusal)
        assert "environment variable GITHUB_TOKEN is not valid" in caught.value.hint
    where = r"refuses pull request #7 of acme/data at 127\.0\.0\.1: HTTP 404, Not Found"
    with pytest.raises(ForgeFailure, match=where) as caught:
        asked.reviewed(7)
    assert isinstance(caught.value, Refusal)
    assert "pull-requests: read" in caught.value.hint


def test_what_is_asked_is_asked_as_github_wants_it(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A])
    asked.reviewed(7)
    headers = forge.asked[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["user-agent"].startswith("backfill-reconciler/")
    assert headers["accept-encoding"] == "identity"
    assert forge.asked[1].query["per_page"] == "100"


def test_a_review_from_before_the_base_was_changed_is_of_nobody_knows_what(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A])
    forge.review(7, "lee", "APPROVED", commit=A)
    forge.retarget(7, "main")
    forge.review(7, "kim", "APPROVED", commit=A)
    assert {review.person.login: review.head for review in asked.reviewed(7).reviews} == {"lee": None, "kim": A}
