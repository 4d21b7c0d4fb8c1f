"""Comments on GitHub: written, found again, changed, and never taken for ours because of their text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.errors import ForgeFailure
from reconciler.review.forge import Forge
from reconciler.review.rest import Refusal
from tests.forges.github import ACTIONS, GitHub
from tests.forges.serving import Reply
from tests.review.asking import client

A = "a" * 40


@pytest.fixture
def forge() -> Iterator[GitHub]:
    with GitHub(page_size=2) as server:
        yield server


@pytest.fixture
def asked(forge: GitHub) -> Iterator[Forge]:
    with client(forge) as one:
        yield one


def test_comments_are_written_found_again_and_changed(forge: GitHub, asked: Forge) -> None:
    forge.pull_request(7, commits=[A])
    forge.comment(7, "mallory", "<!-- marker --> of mine")
    forge.comment(7, None, "a ghost's")
    url = asked.create_comment(7, "<!-- marker --> the plan")
    assert [(one.body, one.mine) for one in asked.comments(7)] == [
        ("<!-- marker --> of mine", False),
        ("a ghost's", False),
        ("<!-- marker --> the plan", True),
    ]
    mine = asked.comments(7)[-1]
    assert asked.update_comment(7, mine.id, "changed") == url
    assert url.endswith(f"#issuecomment-{mine.id}")
    assert forge.bodies(7)[-1] == "changed"


def test_another_app_or_a_person_of_a_like_name_is_not_us(forge: GitHub, asked: Forge) -> None:
    forge.person("helper[bot]", kind="Bot")
    forge.comment(7, "helper[bot]", "<!-- marker -->")
    forge.comment(7, "github-actions", "<!-- marker -->")
    forge.comment(7, ACTIONS, "<!-- marker -->")
    assert [one.mine for one in asked.comments(7)] == [False, False, True]


def test_without_an_id_only_a_bot_of_our_login_is_us(forge: GitHub, asked: Forge) -> None:
    forge.person("sham[bot]", kind="User")
    forge.comment(7, ACTIONS, "<!-- marker -->")
    forge.comment(7, "sham[bot]", "<!-- marker -->")
    forge.fault(Reply(200, {"data": {"viewer": {"login": ACTIONS, "databaseId": None}}}), where="graphql")
    assert [one.mine for one in asked.comments(7)] == [True, False]
    forge.fault(Reply(200, {"data": {"viewer": {"login": "sham[bot]", "databaseId": None}}}), where="graphql")
    with client(forge) as other:
        assert [one.mine for one in other.comments(7)] == [False, False]


def test_a_persons_token_knows_itself_by_id(forge: GitHub) -> None:
    forge.token("pat", who="dana")
    forge.comment(7, "dana", "one")
    forge.comment(7, "lee", "two")
    forge.rename("dana", "diana")
    forge.token("pat", who="diana")
    with client(forge, "pat") as asked:
        assert [one.mine for one in asked.comments(7)] == [True, False]
    assert forge.paths("POST") == []


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (ACTIONS, "Resource not accessible by integration"),
        ("dana", "Resource not accessible by personal access token"),
    ],
)
def test_a_token_that_may_only_read_is_refused_for_good(forge: GitHub, who: str, said: str) -> None:
    forge.token("reader", who=who, writes=False)
    forge.comment(7, who, "old")
    with client(forge, "reader") as asked:
        mine = asked.comments(7)[0]
        assert mine.mine
        with pytest.raises(ForgeFailure, match=said) as caught:
            asked.create_comment(7, "x")
        assert isinstance(caught.value, Refusal)
        assert "pull-requests: write" in caught.value.hint
        with pytest.raises(ForgeFailure, match=said):
            asked.update_comment(7, mine.id, "x")
    assert forge.bodies(7) == ["old"]


def test_github_itself_has_no_prefix_and_its_graphql_no_api() -> None:
    with GitHub(prefix="") as forge, client(forge) as asked:
        forge.comment(7, ACTIONS, "one")
        assert asked.comments(7)[0].mine
        assert forge.paths("POST") == ["/graphql"]
