"""What end-to-end tests start from: a scheduler that counts, and a workplace that points at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.counting import Counting
from tests.e2e.nursery import Nursery
from tests.e2e.team import Team
from tests.e2e.workplace import SECRET, Workplace
from tests.forges.github import TOKEN, GitHub


@pytest.fixture(scope="session")
def nursery(guards: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    found = Nursery(tmp_path_factory.mktemp("n"))
    yield found
    found.close()


@pytest.fixture
def scheduler() -> Iterator[Counting]:
    with Counting() as counting:
        yield counting


@pytest.fixture
def place(folder: Path, nursery: Nursery, scheduler: Counting, request: pytest.FixtureRequest) -> Iterator[Workplace]:
    """Yield a workplace with a remote and no manifests; afterwards, look for the secret in all that it stored."""
    request.node.user_properties.append(("also", "a canary secret: in no output, commit or journal"))
    workplace = Workplace.make(folder, nursery, scheduler.url)
    yield workplace
    assert SECRET.encode() not in workplace.everything_stored()


@pytest.fixture
def forge() -> Iterator[GitHub]:
    with GitHub("acme/backfills") as github:
        yield github


@pytest.fixture
def team(folder: Path, nursery: Nursery, scheduler: Counting, forge: GitHub) -> Iterator[Team]:
    """Yield a repository where Lee and Kim approve reruns; afterwards, look for secrets in all that it stored."""
    found = Team.begin(folder, nursery, scheduler.url, forge)
    yield found
    stored = found.place.everything_stored()
    assert TOKEN.encode() not in stored
    assert SECRET.encode() not in stored
