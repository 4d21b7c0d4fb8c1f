"""Jobs of workflow files, run as GitHub runs them: a fresh clone, then each step's own script in bash."""

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


@dataclass(slots=True)
class Ran:
    """A job that has ended: the code of its first step that failed (0 for none), all that it printed, its summary."""

    code: int = 0
    log: str = ""
    summary: str = ""
    steps: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Runner:
    """A machine of CI. `known` are the values of expressions such as `github.token`, `env` the runner's variables."""

    folder: Path
    remote: Path
    known: Mapping[str, str]
    env: Mapping[str, str]

    def run(self, workflow: str, commit: str, **env: str) -> Ran:
        """Run the only job of a workflow file as it is in `commit`, which is checked out as actions/checkout does."""
        clone = self.folder / "work"
        shutil.rmtree(clone, ignore_errors=True)
        git(self.folder, "clone", "-q", "--no-checkout", self.remote.as_uri(), os.fspath(clone))
        git(clone, "checkout", "-q", "--detach", commit)
        document = yaml.safe_load((clone / ".github" / "workflows" / workflow).read_text())
        (job,) = document["jobs"].values()
        summary = self.folder / "summary.md"
        summary.write_text("")
        base = {**self._base(), "GITHUB_STEP_SUMMARY": os.fspath(summary), **env, **self._filled(job.get("env", {}))}
        ran = Ran()
        for step in job["steps"]:
            if "run" in step and self._due(step, clone, ran):
                done = self._step(step, clone, {**base, **self._filled(step.get("env", {}))})
                ran.log += done.stdout + done.stderr
                ran.code = ran.code or done.returncode
                ran.steps.append(step["name"])
        ran.summary = summary.read_text()
        return ran

    def _base(self) -> dict[str, str]:
        path = os.pathsep.join([os.fspath(Path(sys.executable).parent), os.environ["PATH"]])
        return {**os.environ, **self.env, "PATH": path, "PYTHONPATH": os.fspath(PACKAGE), "CI": "true"}

    def _step(self, step: Mapping[str, Any], clone: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        return subprocess.run(
            ["bash", "-e", script],
            cwd=clone,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _due(self, step: Mapping[str, Any], clone: Path, ran: Ran) -> bool:
        condition = str(step.get("if", ""))
        hashed = _HASH.search(condition)
        if hashed and not (clone / hashed[1]).exists():
            return False
        return not ran.code or "always()" in condition or "!cancelled()" in condition

    def _filled(self, env: Mapping[str, str]) -> dict[str, str]:
        return {name: _EXPRESSION.sub(lambda found: self.known[found[1]], str(value)) for name, value in env.items()}
