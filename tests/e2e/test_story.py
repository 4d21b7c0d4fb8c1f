"""The whole story on GitHub: a repository made by `init`, its own jobs, pull requests and reviews on the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.render.report_text import HELD
from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting
from tests.e2e.hub import Hub, OnGitHub
from tests.e2e.jobs import Ran
from tests.e2e.manifests import ORDERS, SALES, again, backfill, between, hours, twice
from tests.e2e.nursery import Nursery
from tests.e2e.workplace import SECRET
from tests.forges.github import TOKEN, GitHub


@pytest.fixture
def hub(folder: Path, nursery: Nursery, scheduler: Counting) -> Iterator[OnGitHub]:
    """Yield a repository that `init` made ready for the counting scheduler; Lee approves its reruns."""
    with GitHub("acme/backfills") as forge:
        found = OnGitHub(folder, nursery, forge)
        found.begin(scheduler.url, "lee")
        yield found
    stored = found.place.everything_stored()
    assert TOKEN.encode() not in stored
    assert SECRET.encode() not in stored


def is_report(ran: Ran) -> bool:
    """Say whether a job keeps a page of how things stand."""
    return ran.kept["report/index.html"].lower().startswith("<!doctype html>")


def test_the_whole_story(hub: OnGitHub, scheduler: Counting) -> None:
    outage = {"name": "outage", **between(1, 5, reason="INC-4211")}
    hub.pull_request(1, "sales.yaml", backfill("sales", outage))
    planned = hub.plan(1)
    assert (planned.code, scheduler.calls) == (0, 0), planned.log
    assert hub.comment(1).splitlines()[1] == "### 1 call for 1 table"

    hub.merge(1)
    applied = hub.apply()
    assert (applied.code, scheduler.runs(SALES)) == (0, hours(1, 5)), applied.log
    assert hub.comment(1).splitlines()[1] == "### 1 triggered"
    assert f"https://github.test/acme/backfills/commit/{hub.state_commit()}" in hub.comment(1)
    assert is_report(applied)

    rerun = again("late-files", {"name": "late", **between(3, 4)})
    hub.pull_request(2, "sales.yaml", backfill("sales", outage, rerun))
    planned = hub.plan(2)
    assert planned.code == 0, planned.log
    assert hub.comment(2).splitlines()[1] == "### 1 rerun that needs approval"
    assert "needs 1 more approving review of #2 by lee" in hub.comment(2)
    assert "then #2 has to be merged" in hub.comment(2)

    hub.merge(2)
    held = hub.apply()
    assert (held.code, scheduler.runs(SALES)) == (5, hours(1, 5)), held.log
    assert "needs 1 more approving review of #2 by lee" in hub.comment(2)
    assert is_report(held)
    for told in (held.log, hub.comment(2)):
        assert HELD in told

    hub.approve(2, "lee")
    rerun_made = hub.apply()
    assert (rerun_made.code, scheduler.runs(SALES)) == (0, {**hours(1, 5), **twice(3, 4)}), rerun_made.log
    assert hub.comment(2).splitlines()[1] == "### 1 triggered"
    assert hub.place.ledger(SALES)[-1]["approvedBy"] == ["lee"]

    wider = again("late-files", {"name": "late", **between(3, 5)})
    hub.pull_request(3, "sales.yaml", backfill("sales", outage, wider))
    hub.merge(3)
    assert hub.apply().code == 5
    hub.approve(3, "lee")
    assert hub.apply().code == 0
    assert scheduler.runs(SALES) == {**hours(1, 5), **twice(3, 5)}


def test_a_late_approval_is_told_where_it_was_given_and_nothing_told_is_lost(hub: Hub, scheduler: Counting) -> None:
    hub.pull_request(1, "sales.yaml", backfill("sales", between(1, 5)))
    hub.merge(1)
    assert hub.apply().code == 0
    late = again("late-files", {"name": "late", **between(3, 4)})
    hub.pull_request(2, "sales.yaml", backfill("sales", between(1, 5), late))
    hub.squash(2)
    hub.pull_request(3, "orders.yaml", backfill("orders", between(1, 2), table=ORDERS))
    hub.merge(3)
    assert hub.apply().code == 5
    assert hub.comment(3).splitlines()[1] == "### 1 triggered, 1 held"
    hub.approve(2, "lee")
    assert hub.apply().code == 0
    for number in (2, 3):
        assert hub.comment(number).splitlines()[1] == "### 1 triggered"
    assert "<summary>Before</summary>" in hub.comment(3)
    assert "### 1 triggered, 1 held" in hub.comment(3)
    before = hub.comment(3)
    again_ran = hub.apply()
    assert again_ran.code == 0
    assert hub.comment(3) == before
    assert "nothing was called since" in again_ran.log


def test_an_apply_that_leaves_doubt_keeps_its_journal_and_the_report(hub: OnGitHub, scheduler: Counting) -> None:
    scheduler.decide = lambda _arrival: Fault.LOST
    hub.push_main("sales.yaml", backfill("sales", between(1, 5)))
    failed = hub.apply()
    assert failed.code == 7, failed.log
    assert is_report(failed)
    assert [name for name in failed.kept if name.endswith(".jsonl")]


def test_the_report_is_made_for_pages_too_and_before_there_is_any_state(folder: Path, nursery: Nursery) -> None:
    with GitHub("acme/backfills") as forge:
        hub = OnGitHub(folder, nursery, forge)
        hub.begin("http://127.0.0.1:9", "lee", report="pages")
        nothing_yet = hub.apply()
        assert is_report(nothing_yet), nothing_yet.log
