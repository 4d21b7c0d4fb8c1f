"""The whole story: a repository made by `init`, its own jobs, pull requests and reviews on the stand-in of GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.counting import Counting
from tests.e2e.hub import Hub
from tests.e2e.manifests import SALES, again, backfill, between, hours
from tests.e2e.nursery import Nursery
from tests.e2e.readying import TOOL
from tests.e2e.workplace import SECRET
from tests.forges.github import TOKEN, GitHub


@pytest.fixture
def forge() -> Iterator[GitHub]:
    with GitHub("acme/backfills") as github:
        yield github


@pytest.fixture(params=[False, True], ids=["merged", "squashed"])
def hub(
    folder: Path, nursery: Nursery, scheduler: Counting, forge: GitHub, request: pytest.FixtureRequest
) -> Iterator[Hub]:
    """Yield a repository that `init` made ready for the counting scheduler; Lee approves its reruns."""
    found = Hub.begin(folder, forge, nursery)
    found.squash = request.param
    target = ("--url", scheduler.url, "--tenant", "tn", "--time-zone", "Asia/Shanghai")
    made = found.place.run("init", "--approver", "lee", "--tool", TOOL, *target)
    assert made.code == 0, made.err
    found.push_main("Begin")
    yield found
    stored = found.place.everything_stored()
    assert TOKEN.encode() not in stored
    assert SECRET.encode() not in stored


def test_the_whole_story(hub: Hub, scheduler: Counting) -> None:
    outage = {"name": "outage", **between(1, 5, reason="INC-4211")}
    hub.pull_request(1, "sales.yaml", backfill("sales", outage))
    planned = hub.plan(1)
    assert (planned.code, scheduler.calls) == (0, 0), planned.log
    assert hub.comment(1).splitlines()[1] == "### 1 call for 1 table"

    hub.merge(1)
    applied = hub.apply()
    assert (applied.code, scheduler.runs(SALES)) == (0, hours(1, 5)), applied.log
    assert hub.comment(1).splitlines()[1] == "### 1 triggered"
    state = hub.git("ls-remote", "origin", "refs/heads/reconciler-state").split()[0]
    assert f"https://github.test/acme/backfills/commit/{state}" in hub.comment(1)

    rerun = again("late-files", {"name": "late", **between(3, 4)})
    hub.pull_request(2, "sales.yaml", backfill("sales", outage, rerun))
    planned = hub.plan(2)
    assert planned.code == 0, planned.log
    assert hub.comment(2).splitlines()[1] == "### 1 rerun that needs approval"
    assert "waits for #2 to be approved by lee and merged" in hub.comment(2)

    hub.merge(2)
    held = hub.apply()
    assert (held.code, scheduler.runs(SALES)) == (5, hours(1, 5)), held.log
    assert "needs 1 more approving review of #2 by lee" in hub.comment(2)

    hub.approve(2, "lee")
    rerun_made = hub.apply()
    assert (rerun_made.code, scheduler.runs(SALES)) == (0, {**hours(1, 5), **_twice(3, 4)}), rerun_made.log
    assert hub.comment(2).splitlines()[1] == "### 1 triggered"
    assert hub.place.ledger(SALES)[-1]["approvedBy"] == ["lee"]

    wider = again("late-files", {"name": "late", **between(3, 5)})
    hub.pull_request(3, "sales.yaml", backfill("sales", outage, wider))
    hub.merge(3)
    assert hub.apply().code == 5
    hub.approve(3, "lee")
    assert hub.apply().code == 0
    assert scheduler.runs(SALES) == {**hours(1, 5), **_twice(3, 5)}


def _twice(first: int, last: int) -> dict[str, int]:
    return dict.fromkeys(hours(first, last), 2)
