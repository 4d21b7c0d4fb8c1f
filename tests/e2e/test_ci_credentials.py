"""How a job's token reaches git: by the steps that have it, and by nothing that stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from tests.e2e.counting import Counting
from tests.e2e.git_server import GitServer
from tests.e2e.manifests import SALES, backfill, between, hours
from tests.e2e.workplace import Workplace, git

TOKEN = "ghs_4f2d0a9b7c"
WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"


@pytest.fixture
def server(place: Workplace) -> Iterator[GitServer]:
    """Yield a server of the workplace's remote, which is the clone's origin from now on."""
    assert place.remote
    git(place.remote, "config", "http.receivepack", "true")
    place.declare("sales.yaml", backfill("sales", between(1, 3)))
    server = GitServer(place.remote.parent, TOKEN)
    place.git("remote", "set-url", "origin", f"{server.url}/{place.remote.name}")
    yield server
    server.close()


def job_env(name: str, server: GitServer) -> dict[str, str]:
    """Return the environment that a workflow gives to all steps of its job."""
    (job,) = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())["jobs"].values()
    return {key: value.replace("${{ github.server_url }}", server.url) for key, value in job["env"].items()}


@pytest.mark.parametrize("name", ["plan", "apply", "resolve"])
def test_a_step_with_the_token_reads_and_writes_the_state_branch(
    place: Workplace, scheduler: Counting, server: GitServer, name: str
) -> None:
    env = {**job_env(name, server), "GITHUB_TOKEN": TOKEN}
    assert place.run("plan", **env).code == 0
    assert place.apply(**env).code == 0
    assert place.tip()
    assert scheduler.runs(SALES) == hours(1, 3)
    assert place.run("resolve", **env).code == 0
    assert TOKEN.encode() not in place.everything_stored()
    assert not [
        path for path in (place.top / ".git").rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()
    ]


def test_a_step_without_it_is_refused_and_does_not_wait_for_anybody(place: Workplace, server: GitServer) -> None:
    done = place.run("plan", **job_env("plan", server))
    assert done.code == 1
    assert "the remote origin does not answer" in done.err
    assert server.refused
    assert not server.served


def test_the_token_goes_to_no_other_server(place: Workplace, server: GitServer) -> None:
    env = {**job_env("plan", server), "GITHUB_TOKEN": TOKEN}
    env["GIT_CONFIG_KEY_0"] = "credential.https://github.com.helper"
    assert place.run("plan", **env).code == 1
    assert not server.served


def test_on_gitlab_git_takes_the_job_s_token(place: Workplace) -> None:
    assert place.remote
    template = files("reconciler.commands").joinpath("templates", "gitlab.yml").read_text("utf-8")
    template = template.replace("@@report@@", "")
    exports = yaml.safe_load(template)[".backfills"]["before_script"][:2]
    server = GitServer(place.remote.parent, TOKEN, "gitlab-ci-token")
    script = "\n".join([*exports, f"git ls-remote {server.url}/{place.remote.name}"])
    env = {**os.environ, "CI_SERVER_URL": server.url, "CI_JOB_TOKEN": TOKEN}
    done = subprocess.run(["bash", "-ec", script], env=env, capture_output=True, text=True, check=False)
    server.close()
    assert done.returncode == 0, done.stderr
    assert "refs/heads/main" in done.stdout
