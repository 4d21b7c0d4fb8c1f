"""Which manifests count: those of HEAD, as its upstream has them; and the clones that CI makes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.counting import Counting
from tests.e2e.manifests import SALES, at, backfill, between, hours
from tests.e2e.nursery import Nursery
from tests.e2e.workplace import Workplace


@pytest.fixture
def ready(place: Workplace) -> Workplace:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    return place


def edit(place: Workplace) -> None:
    place.write("fact.yaml", (place.base / "fact.yaml").read_text().replace("05:00:00", "06:00:00"))


@pytest.mark.parametrize("how", ["changed", "staged", "untracked", "deleted", "staged and put back"])
def test_uncommitted_manifests_stop_apply(ready: Workplace, scheduler: Counting, how: str) -> None:
    if how == "untracked":
        ready.write("new/other.yaml", "")
    elif how == "deleted":
        (ready.base / "fact.yaml").unlink()
    else:
        before = (ready.base / "fact.yaml").read_text()
        edit(ready)
        if how.startswith("staged"):
            ready.git("add", "--all")
        if how.endswith("put back"):
            ready.write("fact.yaml", before)
    stale = ready.apply()
    assert (stale.code, scheduler.calls) == (8, 0)
    assert "not committed" in stale.err
    assert "other.yaml" in stale.err if how == "untracked" else "fact.yaml" in stale.err


def test_other_uncommitted_files_stop_nothing(ready: Workplace) -> None:
    (ready.top / "notes.txt").write_text("mine")
    ready.write("README.md", "mine")
    assert ready.apply().code == 0


def test_commits_that_are_not_pushed_stop_apply(ready: Workplace, scheduler: Counting) -> None:
    edit(ready)
    ready.commit()
    stale = ready.apply()
    assert (stale.code, scheduler.calls) == (8, 0)
    assert "git push origin HEAD:main" in stale.err


def test_a_branch_that_is_not_pushed_stops_apply(ready: Workplace, scheduler: Counting) -> None:
    ready.git("checkout", "-q", "-b", "feature")
    stale = ready.apply()
    assert (stale.code, scheduler.calls) == (8, 0)
    assert "feature is not on origin" in stale.err


def test_a_checkout_behind_its_upstream_stops_apply_only_where_manifests_differ(
    ready: Workplace, scheduler: Counting
) -> None:
    other = ready.clone("other")
    (other.top / "notes.txt").write_text("no manifest")
    other.publish()
    assert ready.apply().code == 0
    other.declare("fact.yaml", backfill("fact", between(1, 6)))
    stale = ready.apply()
    assert (stale.code, scheduler.runs(SALES)) == (8, hours(1, 5))
    assert "git pull" in stale.err


def test_a_job_that_is_run_again_does_not_apply_old_manifests(ready: Workplace, scheduler: Counting) -> None:
    old = ready.git("rev-parse", "HEAD").strip()
    ready.declare("fact.yaml", backfill("fact", at(7)))
    ready.git("checkout", "-q", old)
    assert ready.apply("--branch", "main").code == 8
    assert scheduler.calls == 0


def test_on_a_detached_head_the_branch_is_what_the_option_or_ci_says(ready: Workplace, scheduler: Counting) -> None:
    ready.git("checkout", "-q", "--detach")
    nothing = ready.apply()
    assert (nothing.code, scheduler.calls) == (2, 0)
    assert "--branch" in nothing.err
    assert ready.run("plan").code == 0
    assert ready.apply("--branch", "no such").code == 2
    assert ready.apply("--branch", "--force").code == 2
    assert ready.apply(GITHUB_REF="refs/pull/7/merge").code == 2
    assert ready.apply(GITHUB_REF="refs/heads/main").code == 0
    assert ready.apply("--branch", "main").code == 0
    assert scheduler.runs(SALES) == hours(1, 5)


def test_a_shallow_clone_plans_makes_the_branch_and_applies(ready: Workplace, scheduler: Counting) -> None:
    shallow = ready.clone("shallow", "--depth", "1")
    assert "1 call to make" in shallow.run("plan").out
    assert shallow.apply().code == 0
    ready.declare("fact.yaml", backfill("fact", between(1, 8)))
    again = ready.clone("again", "--depth", "1")
    assert again.apply().code == 0
    assert "Nothing to do" in again.apply().out
    assert scheduler.runs(SALES) == hours(1, 8)
    assert len(ready.ledger(SALES)) == 2


def test_a_shallow_detached_checkout_of_one_ref_applies_as_ci_does(ready: Workplace, scheduler: Counting) -> None:
    assert ready.remote
    ready.git("init", "-q", os.fspath(ready.top.parent / "ci"))
    ci = Workplace(ready.top.parent / "ci", ready.remote, ready.nursery)
    ci.git("remote", "add", "origin", ready.remote.as_uri())
    ci.git("fetch", "-q", "--depth=1", "origin", ready.git("rev-parse", "HEAD").strip())
    ci.git("checkout", "-q", "--detach", "FETCH_HEAD")
    assert ci.apply(GITHUB_REF="refs/heads/main").code == 0
    assert ci.apply(GITHUB_REF="refs/heads/main").code == 0
    assert scheduler.runs(SALES) == hours(1, 5)


def test_without_a_remote_state_is_on_a_local_branch(folder: Path, nursery: Nursery, scheduler: Counting) -> None:
    place = Workplace.make(folder, nursery, scheduler.url, remote=False)
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    assert len(place.ledger(SALES)) == 1
    assert "Nothing to do" in place.apply().out
    assert place.git("status", "--porcelain") == ""


@pytest.mark.parametrize("root", ["", "data/déjà vu/triggers"])
def test_the_root_may_be_the_repository_or_deep_inside(
    folder: Path, nursery: Nursery, scheduler: Counting, root: str
) -> None:
    place = Workplace.make(folder, nursery, scheduler.url, root=root)
    place.declare("sales/fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 5)
    assert set(place.state_files()) == {f"prod/{SALES}.jsonl"}


def test_two_roots_in_one_repository_share_the_state_branch_and_nothing_else(
    place: Workplace, scheduler: Counting
) -> None:
    second = Workplace(place.top, place.remote, place.nursery, "more")
    second.configure(scheduler.url)
    second.declare("fact.yaml", backfill("fact", at(9)))
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert (place.apply().code, second.apply().code) == (0, 0)
    assert (len(place.ledger(SALES)), len(second.ledger(SALES))) == (1, 1)
    assert scheduler.runs(SALES) == hours(1, 5) | hours(9, 9)


def test_state_that_was_not_pushed_has_to_be_before_the_next_apply(ready: Workplace, scheduler: Counting) -> None:
    assert ready.apply("--no-push").code == 0
    assert ready.tip() is None
    assert "Nothing to do" in ready.apply("--no-push").out
    stale = ready.apply()
    assert stale.code == 8
    assert f"git push origin {ready.state}" in stale.err
    ready.git("push", "-q", "origin", ready.state)
    assert ready.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 5)
