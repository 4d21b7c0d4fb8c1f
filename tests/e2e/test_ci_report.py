"""The report that CI leaves after each apply: whatever became of that, and without changing it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.commands.init_files import Report
from tests.e2e.readying import make_ready
from tests.e2e.test_ci_files import Shell, gitlab_jobs, gitlab_script, ready, shell, step

__all__ = ["ready", "shell"]

CREDENTIALS = ("ANYMETRICS_AUTH_VALUE", "RECONCILER_ALLOWED_HOSTS")


def apply_jobs(ready: Mapping[str, Path], variant: str) -> Mapping[str, Any]:
    text = (ready[f"github {variant}"] / ".github" / "workflows" / "backfills-apply.yml").read_text()
    jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return jobs


def report_steps(ready: Mapping[str, Path], variant: str) -> list[dict[str, Any]]:
    """Return the steps from the report on."""
    steps = apply_jobs(ready, variant)["apply"]["steps"]
    names = [each.get("name") for each in steps]
    return list(steps[names.index("Report") :])


@pytest.mark.parametrize("variant", ["triggers", "pages"])
def test_what_makes_the_report_comes_last_fails_no_job_and_has_no_credential(
    ready: Mapping[str, Path], variant: str
) -> None:
    make, upload = report_steps(ready, variant)
    for each in (make, upload):
        assert each["continue-on-error"] is True
        assert each["if"].startswith("${{ always() && ")
    assert make["env"] == {"GITHUB_TOKEN": "${{ github.token }}"}
    job = apply_jobs(ready, variant)["apply"]
    assert not [name for name in CREDENTIALS if name in str({**job, "steps": [make, upload]})]


def test_pages_are_deployed_by_a_job_that_can_do_nothing_else(ready: Mapping[str, Path]) -> None:
    jobs = apply_jobs(ready, "pages")
    publish = jobs["publish"]
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert publish["environment"]["name"] == "github-pages"
    assert publish["continue-on-error"] is True
    assert "!github.event.repository.fork" in publish["if"]
    assert [each["uses"].split("@")[0] for each in publish["steps"]] == ["actions/deploy-pages"]
    assert "pages" not in jobs["apply"]["permissions"]
    assert set(apply_jobs(ready, "triggers")) == set(apply_jobs(ready, "none")) == {"apply"}


@pytest.mark.parametrize(("variant", "name"), [("triggers", "backfills-report"), ("pages", "pages")])
def test_on_gitlab_a_job_without_an_environment_makes_it(ready: Mapping[str, Path], variant: str, name: str) -> None:
    jobs = gitlab_jobs(ready, variant)
    job = jobs[name]
    assert "environment" not in job
    assert job["allow_failure"] is True
    assert job["needs"] == [{"job": "backfills-apply", "artifacts": False}]
    apply_rules = [{**rule, "when": "always"} for rule in jobs["backfills-apply"]["rules"]]
    assert job["rules"] == apply_rules
    assert not [other for other in ("backfills-report", "pages") if other != name and other in jobs]


@pytest.mark.parametrize("variant", ["triggers", "pages", "none"])
def test_who_may_read_pages_is_said_where_they_are_made(ready: Mapping[str, Path], variant: str) -> None:
    for path in (".github/workflows/backfills-apply.yml", ".gitlab/backfills.yml"):
        forge = "github" if path.startswith(".github") else "gitlab"
        text = (ready[f"{forge} {variant}"] / path).read_text()
        assert ("report --out" in text) == (variant != "none")
        assert ("traceIds" in text) == (variant == "pages")


class Reporting:
    """The script that makes the report, with a `reconciler` of a kind."""

    def __init__(self, shell: Shell, script: str, file: str) -> None:
        self._shell, self._script = shell, script
        self.file = shell.folder / file

    def run(self, *, writes: str, code: int) -> int:
        """Run it with a command that leaves a file of this content, and ends with this code."""
        command = self._shell.folder / "bin" / "reconciler"
        # Like the command, it makes the file before it knows whether it can fill it.
        command.write_text(f"#!/bin/bash\nprintf '%s' '{writes}' > \"${{@: -1}}\"\nexit {code}\n")
        command.chmod(0o755)
        status, _ = self._shell.run(self._script, RUNNER_TEMP=os.fspath(self._shell.folder))
        return status


@pytest.fixture(params=["github", "gitlab", "gitlab pages"])
def reporting(ready: Mapping[str, Path], shell: Shell, request: pytest.FixtureRequest) -> Reporting:
    if request.param == "github":
        return Reporting(shell, step(ready, "apply", "Report"), "report/index.html")
    if request.param == "gitlab":
        return Reporting(shell, gitlab_script(ready, "backfills-report"), "report/index.html")
    return Reporting(shell, gitlab_script(ready, "pages", "pages"), "public/index.html")


def test_a_page_that_tells_of_damage_is_published_though_the_command_fails(reporting: Reporting) -> None:
    assert reporting.run(writes="<p>damaged", code=3) == 0
    assert reporting.file.read_text() == "<p>damaged"


def test_an_empty_page_is_not_published(reporting: Reporting) -> None:
    assert reporting.run(writes="", code=1) != 0


def test_a_report_is_published_in_a_folder_that_is_there_already(reporting: Reporting) -> None:
    assert reporting.run(writes="<p>first", code=0) == 0
    assert reporting.run(writes="<p>second", code=0) == 0
    assert reporting.file.read_text() == "<p>second"


@pytest.mark.parametrize(
    ("forge", "path"), [("github", ".github/workflows/backfills-apply.yml"), ("gitlab", ".gitlab/backfills.yml")]
)
@pytest.mark.parametrize(
    ("before", "asked", "told"),
    [
        ("artifact", "pages", True),
        ("none", "artifact", True),
        ("artifact", "none", True),
        ("pages", "pages", False),
        ("artifact", None, False),
    ],
)
def test_jobs_that_are_kept_without_the_report_that_was_asked_for_are_told(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    forge: str,
    path: str,
    before: Report,
    asked: Report | None,
    told: bool,
) -> None:
    make_ready(folder, forge=forge, report=before)
    capsys.readouterr()
    make_ready(folder, forge=forge, report=asked)
    assert (f"{path} is kept as it is, without --report {asked}" in capsys.readouterr().err) == told


@pytest.mark.parametrize("forge", ["github", "gitlab"])
@pytest.mark.parametrize("report", ["artifact", "pages", "none"])
def test_the_next_steps_say_who_will_read_pages(
    folder: Path, capsys: pytest.CaptureFixture[str], forge: str, report: str
) -> None:
    make_ready(folder, forge=forge, report=report)
    assert ("For the report" in capsys.readouterr().err) == (report == "pages")
