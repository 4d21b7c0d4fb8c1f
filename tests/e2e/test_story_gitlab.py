"""The whole story on GitLab: a repository made by `init`, its jobs, merge requests and approvals on the stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting
from tests.e2e.hub import JOB_TOKEN, OnGitLab
from tests.e2e.jobs import Ran
from tests.e2e.manifests import SALES, again, backfill, between, hours, text_of, twice
from tests.e2e.nursery import Nursery
from tests.e2e.workplace import SECRET
from tests.forges.gitlab import TOKEN, GitLab

GROUP = "acme/data-platform"
OUTAGE = {"name": "outage", **between(1, 5, reason="INC-4211")}


@pytest.fixture
def hub(folder: Path, nursery: Nursery, scheduler: Counting) -> Iterator[OnGitLab]:
    """Yield a repository that `init` made ready for the counting scheduler; a group approves its reruns."""
    with GitLab("acme/warehouse/data") as forge:
        forge.group(GROUP, "lee")
        forge.token(TOKEN, groups=True)
        found = OnGitLab(folder, nursery, forge)
        found.begin(scheduler.url, f"@{GROUP}")
        yield found
    stored = found.place.everything_stored()
    for secret in (TOKEN, JOB_TOKEN, SECRET):
        assert secret.encode() not in stored


def is_report(ran: Ran) -> bool:
    """Say whether a job succeeded, and keeps a page of how things stand."""
    return not ran.code and ran.kept["report/index.html"].lower().startswith("<!doctype html>")


def test_the_whole_story(hub: OnGitLab, scheduler: Counting) -> None:
    hub.pull_request(1, "sales.yaml", backfill("sales", OUTAGE))
    planned = hub.plan(1)
    assert (planned.code, scheduler.calls) == (0, 0), planned.log
    assert json.loads(planned.kept["gl-code-quality-report.json"]) == []
    assert hub.comment(1).splitlines()[1] == "### 1 call for 1 table"

    hub.merge(1)
    applied = hub.apply()
    assert (applied.code, scheduler.runs(SALES)) == (0, hours(1, 5)), applied.log
    assert hub.comment(1).splitlines()[1] == "### 1 triggered"
    assert f"https://gitlab.test/acme/warehouse/data/-/commit/{hub.state_commit()}" in hub.comment(1)
    assert is_report(hub.report())

    late = {"name": "late", **between(3, 4)}
    hub.pull_request(2, "sales.yaml", backfill("sales", OUTAGE, again("late-files", late)))
    planned = hub.plan(2)
    assert planned.code == 0, planned.log
    assert hub.comment(2).splitlines()[1] == "### 1 rerun that needs approval"
    assert f"needs 1 more approving review of !2 by @{GROUP}" in hub.comment(2)
    assert "then !2 has to be merged" in hub.comment(2)

    hub.approve(2, "lee")
    late["timeRange"] = between(3, 5)["timeRange"]
    hub.push(2, "sales.yaml", backfill("sales", OUTAGE, again("late-files", late)))
    hub.squash(2)
    held = hub.apply()
    assert (held.code, scheduler.runs(SALES)) == (5, hours(1, 5)), held.log
    assert "lee approved" in hub.comment(2)
    assert "but its last commit is" in hub.comment(2)
    assert "nobody can approve it any more: give it a new token" in hub.comment(2)

    hub.pull_request(3, "sales.yaml", backfill("sales", OUTAGE, again("late-files-2", late)))
    hub.approve(3, "lee")
    hub.merge(3)
    rerun = hub.apply()
    assert (rerun.code, scheduler.runs(SALES)) == (0, {**hours(1, 5), **twice(3, 5)}), rerun.log
    assert hub.comment(3).splitlines()[1] == "### 1 triggered"
    assert hub.place.ledger(SALES)[-1]["approvedBy"] == ["lee"]


def test_without_a_token_of_the_project_jobs_do_all_but_comment_and_approve(hub: OnGitLab, scheduler: Counting) -> None:
    hub.tokens = {}
    hub.pull_request(1, "sales.yaml", backfill("sales", OUTAGE, again("late", between(3, 4))))
    hub.approve(1, "lee")
    planned = hub.plan(1)
    assert planned.code == 0, planned.log
    assert "1 call" in planned.log
    hub.merge(1)
    applied = hub.apply()
    assert (applied.code, scheduler.runs(SALES)) == (5, hours(1, 5)), applied.log
    assert "approvals cannot be looked up: there is no token: environment variable GITLAB_TOKEN is not" in applied.log
    for ran in (planned, applied):
        assert "No comment could be written: there is no token" in ran.log
        assert (
            "a project access token of the role Reporter or above with the scope read_api (api to comment)" in ran.log
        )
    assert not hub.bodies(1)

    hub.tokens = {"GITLAB_TOKEN": TOKEN}
    assert hub.apply().code == 0
    assert scheduler.runs(SALES) == {**hours(1, 5), **twice(3, 4)}


def test_an_apply_that_leaves_doubt_keeps_its_journal(hub: OnGitLab, scheduler: Counting) -> None:
    scheduler.decide = lambda _arrival: Fault.LOST
    hub.push_main("sales.yaml", backfill("sales", OUTAGE))
    failed = hub.apply()
    assert failed.code == 7, failed.log
    ((name, journal),) = failed.kept.items()
    assert name.startswith("journal/")
    assert is_report(hub.report())
    (hub.top / "kept.jsonl").write_text(journal)
    settled = hub.place.run("resolve", "--journal", "kept.jsonl", "--run-ended")
    assert settled.code == 7, settled.err  # it proves no more than that the call was sent


def test_a_problem_is_in_the_code_quality_report_and_in_the_comment(hub: OnGitLab) -> None:
    text = text_of(backfill("sales", OUTAGE)).replace('"timeRange"', '"timeRang"')
    hub.pull_request_with(1, "triggers/sales.yaml", text)
    planned = hub.plan(1)
    assert planned.code == 3
    report = json.loads(planned.kept["gl-code-quality-report.json"])
    assert {each["location"]["path"] for each in report} == {"triggers/sales.yaml"}
    assert all({"description", "check_name", "fingerprint", "severity"} <= each.keys() for each in report)
    assert "triggers/sales.yaml:" in hub.comment(1)


def test_a_fork_s_job_plans_against_the_project_s_own_state(hub: OnGitLab, scheduler: Counting) -> None:
    hub.push_main("sales.yaml", backfill("sales", OUTAGE))
    hub.forge.iids = lambda _commit: ()
    applied = hub.apply()
    assert (applied.code, scheduler.runs(SALES)) == (0, hours(1, 5)), applied.log
    assert "No pull request brought this commit." in applied.log

    other = {"name": "other", **between(7, 7)}
    hub.push_main("sales.yaml", backfill("sales", other))
    hub.pull_request(2, "sales.yaml", backfill("sales", OUTAGE, other))
    planned = hub.plan_of_fork(2)
    assert planned.code == 0, planned.log
    assert "Nothing to do" in planned.log
    assert "No comment could be written" in planned.log
    assert not hub.bodies(2)
