"""Jobs of CI files, run as GitHub's and GitLab's runners do: a fresh clone, then the job's own scripts in bash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.workplace import PACKAGE, git

_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_HASH = re.compile(r"hashFiles\('([^']+)'\) != ''")
_INSTALLS = re.compile(r"python -m venv|\S*pip install")


@dataclass(slots=True)
class Ran:
    """A job that has ended: the code of its first script that failed (0 for none), all that it printed.

    `summary` is what GitHub shows of it; `kept` are the files that GitLab keeps of it, by name.
    """

    code: int = 0
    log: str = ""
    summary: str = ""
    kept: dict[str, str] = field(default_factory=dict)

    def add(self, done: subprocess.CompletedProcess[str]) -> None:
        self.log += done.stdout + done.stderr
        self.code = self.code or done.returncode


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs a forge's jobs, and the variables that all of them have."""

    folder: Path
    env: Mapping[str, str]

    def check_out(self, remote: Path, commit: str) -> Path:
        """Return a fresh clone, with a commit checked out on no branch."""
        clone = self.folder / "work"
        shutil.rmtree(clone, ignore_errors=True)
        git(self.folder, "clone", "-q", "--no-checkout", remote.as_uri(), os.fspath(clone))
        git(clone, "checkout", "-q", "--detach", commit)
        return clone

    def bash(self, script: str, clone: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a script; `env` adds variables. The package stands in for what the job would have installed."""
        file = self.folder / "script.sh"
        file.write_text(script)
        path = os.pathsep.join([os.fspath(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.run(
            ["bash", "-e", file],
            cwd=clone,
            env={**os.environ, "PATH": path, "PYTHONPATH": os.fspath(PACKAGE), "CI": "true", **self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@dataclass(frozen=True, slots=True)
class GitHubRunner:
    """Runs workflows of GitHub Actions. `known` are the values of expressions such as `github.token`."""

    machine: Machine
    known: Mapping[str, str]

    def run(self, remote: Path, workflow: str, commit: str, **env: str) -> Ran:
        """Run the only job of a workflow file as it is in `commit`, which is checked out as actions/checkout does."""
        clone = self.machine.check_out(remote, commit)
        document = yaml.safe_load((clone / ".github" / "workflows" / workflow).read_text())
        (job,) = document["jobs"].values()
        summary = self.machine.folder / "summary.md"
        summary.write_text("")
        base = {"GITHUB_STEP_SUMMARY": os.fspath(summary), **env, **self._filled(job.get("env", {}))}
        ran = Ran()
        for step in job["steps"]:
            if "run" in step and _due(step, clone, ran):
                ran.add(self.machine.bash(step["run"], clone, {**base, **self._filled(step.get("env", {}))}))
        ran.summary = summary.read_text()
        return ran

    def _filled(self, env: Mapping[str, str]) -> dict[str, str]:
        return {name: _EXPRESSION.sub(lambda found: self.known[found[1]], str(value)) for name, value in env.items()}


def _due(step: Mapping[str, Any], clone: Path, ran: Ran) -> bool:
    condition = str(step.get("if", ""))
    hashed = _HASH.search(condition)
    if hashed and not (clone / hashed[1]).exists():
        return False
    return not ran.code or "always()" in condition or "!cancelled()" in condition


@dataclass(frozen=True, slots=True)
class GitLabRunner:
    """Runs jobs of GitLab CI. `scoped` are the variables that only the jobs of an environment get."""

    machine: Machine
    scoped: Mapping[str, str]

    def run(self, remote: Path, name: str, commit: str, **env: str) -> Ran:
        """Run a job of the file that `commit` includes: before_script and script in one shell, then after_script."""
        clone = self.machine.check_out(remote, commit)
        (included,) = yaml.safe_load((clone / ".gitlab-ci.yml").read_text())["include"]
        document = yaml.safe_load((clone / included["local"]).read_text())
        job = {**document[document[name]["extends"]], **document[name]}
        given = {**(self.scoped if "environment" in job else {}), **job["variables"], "CI_COMMIT_SHA": commit, **env}
        before = [line for line in job["before_script"] if not _INSTALLS.match(line)]
        ran = Ran()
        ran.add(self.machine.bash("\n".join([*before, *job["script"]]), clone, given))
        if "after_script" in job:  # whose failure fails no job
            ran.log += self.machine.bash("\n".join(job["after_script"]), clone, given).stdout
        ran.kept = _kept(job["artifacts"], clone, ran)
        return ran


def _kept(artifacts: Mapping[str, Any], clone: Path, ran: Ran) -> dict[str, str]:
    """Return the files that a job keeps. Source: GitLab's page on `artifacts`: none of what is in .git."""
    if artifacts["when"] == "on_failure" and not ran.code:
        return {}
    paths = [clone / path for path in (*artifacts.get("paths", ()), *artifacts.get("reports", {}).values())]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*.*")))]
    return {file.relative_to(clone).as_posix(): file.read_text() for file in files}
