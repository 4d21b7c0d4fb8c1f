"""The CI files, this repository's and those that `init` writes: audited, and their scripts run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.commands.init_files import workflow_text
from tests.e2e.readying import TOOL, make_ready
from tests.figures import Tried

TOP = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
OWN_ACTION = "./.github/actions/reconciler"
# A local path is the checkout's: on a pull request the one that it changes. zizmor would rather have the default's.
OWN_TOOL = f"{OWN_ACTION} # zizmor: ignore[self-repository] of the checkout: a pull request tries its own"
WORKFLOWS = ("plan", "apply", "resolve")
VARIANTS = {
    "triggers": {},
    "data/back-fills": {"root": "data/back-fills"},
    "pages": {"report": "pages"},
    "none": {"report": "none"},
}

_PIN = re.compile(r"uses: (?P<action>[^@\s]+)@(?P<commit>\S+)(?: # (?P<version>\S+))?")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, guards: None) -> Mapping[str, Path]:
    """Return folders that `init` made ready, for each forge: by root, and by where the report goes."""
    folders = {}
    for forge in ("github", "gitlab"):
        for name, given in VARIANTS.items():
            folder = tmp_path_factory.mktemp(forge)
            make_ready(folder, **given, forge=forge)
            folders[f"{forge} {name}"] = folder
    return folders


def check(*command: str | Path) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.claim("folders whose workflows and actions zizmor, pedantic, has nothing to say of")
def test_an_audit_finds_nothing(ready: Mapping[str, Path], tried: Tried) -> None:
    audited = [TOP / ".github", TOP / ".pre-commit-hooks.yaml"]
    audited += [folder for name, folder in ready.items() if name.startswith("github")]
    check(
        "zizmor", "--offline", "--no-progress", "--persona=pedantic", "--strict-collection", "--collect=all", *audited
    )
    tried(len(audited))


@pytest.mark.claim("CI files that fit the schemas of their forges")
def test_every_file_fits_its_schema(ready: Mapping[str, Path], tried: Tried) -> None:
    workflows = [*TOP.glob(".github/workflows/*.yml")]
    pipelines, hooks = [], []
    for folder in ready.values():
        workflows += folder.glob(".github/workflows/*.yml")
        pipelines += [*folder.glob(".gitlab-ci.yml"), *folder.glob(".gitlab/*.yml")]
        hooks.append(folder / ".pre-commit-config.yaml")
    actions = [*TOP.glob(".github/actions/*/action.yml")]
    assert (len(workflows), len(actions), len(pipelines)) == (4 + 12, 1, 8)
    check("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    check("check-jsonschema", "--builtin-schema", "vendor.github-actions", *actions)
    check("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", *pipelines)
    tried(len(workflows) + len(actions) + len(pipelines))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_this_repository_uses_what_init_writes(name: str) -> None:
    file = f".github/workflows/{name}.yml"
    assert (TOP / file).read_text() == workflow_text(
        name, "triggers", "main", OWN_TOOL, file, ".github/workflows/apply.yml"
    )


def _texts(ready: Mapping[str, Path]) -> Iterator[str]:
    for folder in (TOP, *ready.values()):
        for path in (folder / ".github").rglob("*.yml"):
            yield path.read_text("utf-8")


def test_every_action_is_pinned_by_one_commit_and_says_which_version(ready: Mapping[str, Path]) -> None:
    pins: dict[str, set[tuple[str, str | None]]] = {}
    for text in _texts(ready):
        for match in _PIN.finditer(text):
            pins.setdefault(match["action"], set()).add((match["commit"], match["version"]))
        assert all(f"uses: {OWN_ACTION}" in line or "@" in line for line in text.splitlines() if "uses: " in line)
    assert all(len(found) == 1 for found in pins.values()), pins
    commits = {commit for found in pins.values() for commit, _ in found}
    assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for commit in commits)
    tool = TOOL.split("@")[0] + OWN_ACTION[1:]
    assert all(version for action, found in pins.items() for _, version in found if action != tool)


def test_rights_are_named_a_job_at_a_time_and_no_stranger_gets_a_secret(ready: Mapping[str, Path]) -> None:
    for text in _texts(ready):
        workflow = yaml.safe_load(text)
        if "jobs" not in workflow:
            continue
        assert workflow["permissions"] == {}
        triggers = workflow[True]  # `on` to YAML 1.1
        assert "pull_request_target" not in triggers
        if "pull_request" in triggers:
            assert "secrets." not in text
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"]
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), "a value that is put into a script is run as one"
                if str(step.get("uses", "")).startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False


def step(ready: Mapping[str, Path], name: str, title: str, root: str = "triggers") -> str:
    """Return the script of a workflow's step."""
    text = (ready[f"github {root}"] / ".github" / "workflows" / f"backfills-{name}.yml").read_text()
    job = next(iter(yaml.safe_load(text)["jobs"].values()))
    (found,) = (each for each in job["steps"] if each.get("name") == title)
    script: str = found["run"]
    return script


class Shell:
    """A shell as GitHub's runner starts it, in which `reconciler` and `gh` only write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        (folder / "bin").mkdir()

    def put(self, name: str, answer: str = "", fails_at: str = "") -> None:
        """Make a command that prints an answer, and fails where its first words are `fails_at`."""
        fails = f'case "$*" in {fails_at}*) exit 3;; esac' if fails_at else ""
        file = self.folder / "bin" / name
        log = shlex.quote(os.fspath(self.log))
        file.write_text(
            f'#!/bin/bash\nprintf "%s\\0" "$@" >> {log}; echo >> {log}\necho {shlex.quote(answer)}\n{fails}\n'
        )
        file.chmod(0o755)

    def run(self, script: str, **env: str) -> tuple[int, list[list[str]]]:
        """Return the exit status, and each call's arguments."""
        self.log.write_text("")
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={"PATH": path, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, [call.split("\0") for call in self.log.read_text().split("\0\n") if call]


@pytest.fixture
def shell(folder: Path) -> Shell:
    shell = Shell(folder)
    shell.put("reconciler")
    return shell


def test_the_comment_s_plan_is_written_though_the_first_one_fails(ready: Mapping[str, Path], shell: Shell) -> None:
    shell.put("reconciler", fails_at="plan\\ --base\\ origin/main")
    status, calls = shell.run(step(ready, "plan", "Plan"), BASE="origin/main")
    assert status == 3
    assert calls[-1] == ["plan", "--base", "origin/main", "--format", "markdown", "--out", "plan.md"]


def test_another_root_is_named_in_every_call(ready: Mapping[str, Path], shell: Shell) -> None:
    for name, title in (("plan", "Check the manifests"), ("plan", "Plan"), ("apply", "Apply"), ("apply", "Comment")):
        _, calls = shell.run(step(ready, name, title, "data/back-fills"), BASE="origin/main")
        assert calls
        assert all(call[:2] == ["--root", "data/back-fills"] for call in calls)


def test_apply_takes_the_shell_s_place_so_that_signals_reach_it(ready: Mapping[str, Path]) -> None:
    assert step(ready, "apply", "Apply").startswith("exec reconciler apply ")


def test_what_is_typed_into_the_resolve_form_stays_text(ready: Mapping[str, Path], shell: Shell) -> None:
    reason = "saw \"it\" $(touch x) `touch x` 'run'; touch x\n--as triggered"
    status, calls = shell.run(
        step(ready, "resolve", "Settle by hand"),
        IDS="ca27381c --journal  $(touch${IFS}x)",
        AS="triggered",
        REASON=reason,
    )
    assert status == 0
    given = ["resolve", "--as=triggered", f"--reason={reason}", "--", "ca27381c", "--journal", "$(touch${IFS}x)"]
    assert calls == [given]
    assert not (shell.folder / "x").exists()


def test_every_journal_is_tried_though_one_leaves_doubt(ready: Mapping[str, Path], shell: Shell) -> None:
    journals = shell.folder / "journal"
    journals.mkdir()
    for name in ("a", "b"):
        (journals / f"{name}.jsonl").write_text("")
    shell.put("reconciler", fails_at="resolve\\ --journal\\ *a.jsonl")
    status, calls = shell.run(step(ready, "resolve", "Settle by the journal"), RUNNER_TEMP=os.fspath(shell.folder))
    assert status == 3
    assert [call[2] for call in calls] == [f"{journals}/a.jsonl", f"{journals}/b.jsonl"]


APPLY = ".github/workflows/backfills-apply.yml"


@pytest.mark.parametrize(
    ("run", "answer", "fine"),
    [
        ("123", f"{APPLY} push completed main", True),
        ("123", f"{APPLY}@refs/heads/main workflow_dispatch completed main", True),
        ("123", f"{APPLY} schedule completed main", True),
        ("123", f"{APPLY} push in_progress main", False),
        ("123", f"{APPLY} pull_request completed main", False),
        ("123", ".github/workflows/other.yml push completed main", False),
        ("123", f"x{APPLY} push completed main", False),
        ("123", ".github/workflows/backfills-applyxyml push completed main", False),
        ("12/../3", f"{APPLY} push completed main", False),
        ("", f"{APPLY} push completed main", False),
        ("123", f"{APPLY} push completed topic", False),
        ("123", f"{APPLY} push completed main2", False),
        ("123", f"{APPLY} push completed", False),
    ],
)
def test_a_journal_is_taken_from_an_apply_that_has_ended_alone(
    ready: Mapping[str, Path], shell: Shell, run: str, answer: str, fine: bool
) -> None:
    shell.put("gh", answer)
    status, _ = shell.run(step(ready, "resolve", "Check the run"), RUN=run, GITHUB_REPOSITORY="acme/backfills")
    assert (status == 0) == fine


def gitlab_jobs(ready: Mapping[str, Path], variant: str = "triggers") -> Mapping[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load((ready[f"gitlab {variant}"] / ".gitlab" / "backfills.yml").read_text())
    return jobs


def gitlab_script(ready: Mapping[str, Path], job: str, variant: str = "triggers") -> str:
    (script,) = gitlab_jobs(ready, variant)[job]["script"]
    return str(script)


def test_on_gitlab_too_the_comment_is_made_though_something_fails(ready: Mapping[str, Path], shell: Shell) -> None:
    for job, fails in (("backfills-plan", "validate"), ("backfills-apply", "apply")):
        for file in ("plan.md", "apply.md"):
            (shell.folder / file).write_text("")
        shell.put("reconciler", fails_at=fails)
        status, calls = shell.run(gitlab_script(ready, job), CI_MERGE_REQUEST_DIFF_BASE_SHA="abc")
        assert status == 3
        assert calls[-1] == ["comment", f"{job.removeprefix('backfills-')}.md"]


def test_a_pipeline_of_merged_results_compares_with_what_it_merged_into(
    ready: Mapping[str, Path], shell: Shell
) -> None:
    script = gitlab_script(ready, "backfills-plan")
    for target, base in (("", "both-have"), ("merged-into", "merged-into")):
        bases = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "both-have", "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": target}
        _, calls = shell.run(script, **bases)
        assert [call[call.index("--base") + 1] for call in calls] == [base] * 3
