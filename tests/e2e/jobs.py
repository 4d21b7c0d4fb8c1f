"""Jobs of CI files, run as GitHub's and GitLab's runners do: a fresh clone, then the job's own scripts in bash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.workplace import PACKAGE, git

_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_HASH = re.compile(r"hashFiles\('([^']+)'\) != ''")
_OUTCOME = re.compile(r"steps\.(\w+)\.outcome == 'success'")
_INSTALLS = re.compile(r"python -m venv|\S*pip install")


@dataclass(slots=True)
class Ran:
    """A job that has ended: the code of its first script that failed (0 for none), all that it printed.

    `summary` is what GitHub shows of it; `kept` are the files that the forge keeps of it, by name.
    """

    code: int = 0
    log: str = ""
    summary: str = ""
    kept: dict[str, str] = field(default_factory=dict)

    def add(self, done: subprocess.CompletedProcess[str], *, counts: bool = True) -> None:
        self.log += done.stdout + done.stderr
        self.code = self.code or (done.returncode if counts else 0)


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
        """Run the first job of a workflow file as it is in `commit`, which is checked out as actions/checkout does."""
        clone = self.machine.check_out(remote, commit)
        document = yaml.safe_load((clone / ".github" / "workflows" / workflow).read_text())
        job = next(iter(document["jobs"].values()))
        temp = self.machine.folder / "temp"
        shutil.rmtree(temp, ignore_errors=True)
        temp.mkdir()
        summary = self.machine.folder / "summary.md"
        summary.write_text("")
        given = {"GITHUB_STEP_SUMMARY": os.fspath(summary), "RUNNER_TEMP": os.fspath(temp)}
        base = {**given, **env, **self._filled(job.get("env", {}))}
        ran = Ran()
        done: dict[str, bool] = {"tool": True}
        for step in job["steps"]:
            if not _due(step, clone, ran, done):
                continue
            if "run" in step:
                ended = self.machine.bash(step["run"], clone, {**base, **self._filled(step.get("env", {}))})
                done[step.get("id", "")] = not ended.returncode
                ran.add(ended, counts=not step.get("continue-on-error"))
            elif step["uses"].startswith(("actions/upload-artifact@", "actions/upload-pages-artifact@")):
                path = step["with"]["path"].replace("${{ runner.temp }}", os.fspath(temp))
                ran.kept |= _files([clone / path], clone, temp)
        ran.summary = summary.read_text()
        return ran

    def _filled(self, env: Mapping[str, str]) -> dict[str, str]:
        return {name: _EXPRESSION.sub(lambda found: self.known[found[1]], str(value)) for name, value in env.items()}


def _due(step: Mapping[str, Any], clone: Path, ran: Ran, done: Mapping[str, bool]) -> bool:
    condition = str(step.get("if", ""))
    if not all(done.get(name) for name in _OUTCOME.findall(condition)):
        return False
    hashed = _HASH.search(condition)
    if hashed and not (clone / hashed[1]).exists():
        return False
    if "failure()" in condition:
        return bool(ran.code)
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
        scoped = self.scoped if "environment" in job else {}
        given = {**scoped, **job["variables"], "CI_COMMIT_SHA": commit, **env}
        before = [line for line in job["before_script"] if not _INSTALLS.match(line)]
        ran = Ran()
        ran.add(self.machine.bash("\n".join([*before, *job["script"]]), clone, given))
        if "after_script" in job:  # whose failure fails no job
            ran.log += self.machine.bash("\n".join(job["after_script"]), clone, given).stdout
        ran.kept = _kept(job["artifacts"], clone, ran)
        return ran


def _kept(artifacts: Mapping[str, Any], clone: Path, ran: Ran) -> dict[str, str]:
    """Return the files that a job keeps. Source: GitLab's page on `artifacts`: none of what is in .git."""
    when = artifacts.get("when", "on_success")
    if when != "always" and (when == "on_failure") != bool(ran.code):
        return {}
    paths = [clone / path for path in (*artifacts.get("paths", ()), *artifacts.get("reports", {}).values())]
    return _files(paths, clone)


def _files(paths: Iterable[Path], *bases: Path) -> dict[str, str]:
    """Return the files at some paths and in folders, named from the base that they are below."""
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*.*")))]
    names = [file.relative_to(next(base for base in bases if file.is_relative_to(base))) for file in files]
    return {name.as_posix(): file.read_text() for name, file in zip(names, files, strict=True)}
