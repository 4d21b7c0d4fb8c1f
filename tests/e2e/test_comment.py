"""`comment` where it cannot write: told as a failure at home, and never a reason for a job of CI to fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.workplace import Ended, Workplace
from tests.forges.gitlab import GitLab

READER = "glpat-that-reads"


@pytest.fixture
def forge() -> Iterator[GitLab]:
    with GitLab() as gitlab:
        gitlab.merge_request(7, commits=["a" * 40], state="opened")
        gitlab.token(READER, writes=False)
        yield gitlab


def comment(place: Workplace, forge: GitLab, **env: str) -> Ended:
    (place.top / "plan.md").write_text("### 1 call\n")
    return place.run("comment", "plan.md", **{**forge.environ, "CI_MERGE_REQUEST_IID": "7", **env})


def test_at_home_it_fails_and_says_which_token_it_takes(place: Workplace, forge: GitLab) -> None:
    done = comment(place, forge, GITLAB_TOKEN="")
    assert done.code == 1
    assert "there is no token: environment variable GITLAB_TOKEN is not set" in done.err


@pytest.mark.parametrize(("token", "why"), [("", "GITLAB_TOKEN is not set"), (READER, "with the scope api")])
def test_a_job_of_gitlab_goes_on_without(place: Workplace, forge: GitLab, token: str, why: str) -> None:
    done = comment(place, forge, GITLAB_TOKEN=token, GITLAB_CI="true")
    assert done.code == 0, done.err
    assert "No comment could be written: " in done.err
    assert why in done.err
    assert done.err.endswith("This job's log has to do.\n")
    assert not forge.bodies(7)


def test_a_job_of_github_puts_it_into_its_summary(place: Workplace, forge: GitLab) -> None:
    summary = place.top.parent / "summary.md"
    done = comment(place, forge, GITLAB_TOKEN="", GITHUB_STEP_SUMMARY=str(summary))
    assert done.code == 0, done.err
    assert summary.read_text() == "<!-- backfill-reconciler: triggers -->\n### 1 call\n\n"


def test_a_text_that_is_no_comment_fails_the_job_too(place: Workplace, forge: GitLab) -> None:
    for text in ("", "x" * 65_537):
        (place.top / "long.md").write_text(text)
        assert place.run("comment", "long.md", **forge.environ, GITLAB_CI="true").code == 3
