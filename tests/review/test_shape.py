"""Whatever JSON a forge answers, the client returns values of the types it promises, or says that it cannot."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import ForgeFailure
from reconciler.review.forge import Forge
from tests.figures import Tried
from tests.forges.github import ACTIONS, GitHub
from tests.forges.gitlab import BOT, GitLab
from tests.forges.serving import Serving
from tests.review.asking import client

A = "a" * 40
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        1 << 64,
        1.5,
        "",
        "x",
        A,
        "\ud800",
        "javascript:alert(1)",
        "2026-13-01",
        [],
        {},
        [[]],
        [{}],
    ]
)
JSON = st.recursive(ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))
CALLS: tuple[Callable[[Forge], object], ...] = (
    lambda forge: forge.pull_requests(A),
    lambda forge: forge.reviewed(7),
    lambda forge: forge.members("acme/team"),
    lambda forge: forge.comments(7),
    lambda forge: forge.create_comment(7, "x"),
    lambda forge: forge.update_comment(7, "1", "x"),
)
COUNT = int(os.environ.get("ODD_ANSWERS", "60"))


def _sites(value: Any) -> Iterator[tuple[Any, Any]]:
    """Return every place in a document: its container, and its key or index."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _sites(value[key])


def spoiled(body: Any, place: int, value: Any) -> Any:
    """Put a value at some place of a document, or for the whole of it."""
    whole = [copy.deepcopy(body)]
    sites = list(_sites(whole))
    container, key = sites[place % len(sites)]
    container[key] = value
    return whole[0]


def _github() -> GitHub:
    forge = GitHub()
    forge.token("all", teams=True)
    forge.team("acme/team", "lee")
    forge.pull_request(7, commits=[A])
    forge.review(7, "lee", "APPROVED", commit=A)
    forge.comment(7, ACTIONS, "x")
    return forge


def _gitlab() -> GitLab:
    forge = GitLab(dates_approvals=False)
    forge.token("all", groups=True)
    forge.group("acme/team", "lee")
    forge.merge_request(7, commits=[A])
    forge.approve(7, "lee")
    forge.note(7, BOT, "x")
    return forge


@pytest.fixture(scope="module", params=[_github, _gitlab])
def forge(request: pytest.FixtureRequest) -> Iterator[Serving]:
    with request.param() as server:
        yield server


@pytest.mark.claim("whatever JSON a forge answers, there is a value or a failure that says so")
def test_odd_answers_are_values_or_failures(forge: Serving, tried: Tried) -> None:
    failed = 0

    @settings(max_examples=COUNT, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(CALLS), st.integers(0, 200), JSON)
    def one(call: Callable[[Forge], object], place: int, value: Any) -> None:
        nonlocal failed
        forge.spoil = lambda body: spoiled(body, place, value)
        with client(forge, "all") as asked:
            try:
                repr(call(asked)).encode()
            except ForgeFailure:
                failed += 1

    one()
    tried(COUNT, note="answers with one odd value")
    assert failed > COUNT // 10


def test_unspoiled_answers_are_values(forge: Serving) -> None:
    forge.spoil = lambda body: body
    with client(forge, "all") as asked:
        for call in CALLS[:5]:
            assert call(asked)
