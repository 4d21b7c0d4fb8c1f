"""Which files make a repository ready, and what is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.commands.templates_text import fill
from reconciler.commands.tool_source import Tool
from reconciler.core.config import EMBEDDED
from reconciler.manifests.root import CONFIG
from reconciler.manifests.schema import schema_text
from reconciler.manifests.writing import flow_list, scalar

Forge = Literal["github", "gitlab"]
Report = Literal["artifact", "pages", "none"]
"""Where the jobs that apply leave the report: with the run, on the forge's Pages, or nowhere."""

STANDARD_ROOT = "triggers"
_STAGES = "# and, where it has `stages:`, the stages test and deploy\n"
_TEAMS = """
    # GITHUB_TOKEN reads no team: give the jobs' steps another token in this variable, see docs/ci.md of the tool.
    tokenFrom: {env: APPROVALS_TOKEN}"""
_PLAN, _APPLY, _RESOLVE = (f".github/workflows/backfills-{name}.yml" for name in ("plan", "apply", "resolve"))
_JOBS = ".gitlab/backfills.yml"
_SCHEMA = "schemas/config.v1.schema.json"


@dataclass(frozen=True, slots=True)
class Setup:
    """All that `init` has to know. `root` and `branch` are plain enough to stand in YAML, patterns and shell lines."""

    forge: Forge
    root: str
    branch: str
    url: str
    tenant: str
    time_zone: str
    approvers: tuple[str, ...]
    tool: Tool
    report: Report = "artifact"

    @property
    def has_team(self) -> bool:
        """Say whether a team is among the approvers: reading it takes a right of its own."""
        return any(name.startswith("@") for name in self.approvers)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of a ready repository, by its path from the top.

    `places` are all paths that it may have, the first that is there counts; () for its own alone. Where somebody else
    wrote it, it should hold all of `needs`; if not, `lines` are to be added; where there are none, it has to make
    room. `report` is where it leaves the report, None for a file that has nothing to do with that.
    """

    path: str
    text: str
    places: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    lines: str = ""
    report: Report | None = None


def wanted_files(setup: Setup) -> tuple[Wanted, ...]:
    """Return the files for a forge: config, schemas, jobs, code owners, and the hook for pre-commit."""
    common = (
        Wanted(f"{setup.root}/{CONFIG}", config_text(setup)),
        Wanted("schemas/backfill.v1.schema.json", schema_text("backfill")),
        Wanted(_SCHEMA, schema_text("config")),
    )
    return (*common, *(_github(setup) if setup.forge == "github" else _gitlab(setup)), _pre_commit(setup))


def report_of(text: str) -> Report:
    """Say where jobs leave the report, by the text of their file."""
    if "uses: actions/deploy-pages@" in text or "\npages:" in text:
        return "pages"
    return "artifact" if " report --out " in text else "none"


def config_text(setup: Setup) -> str:
    """Return the config of the root."""
    values = {"url": scalar(setup.url), "tenant": scalar(setup.tenant), "time-zone": scalar(setup.time_zone)}
    embedded = setup.url == EMBEDDED
    slots = {
        "schema": os.path.relpath(_SCHEMA, setup.root),
        "target": "demo" if embedded else "prod",
        "targets": fill("target-embedded.yml" if embedded else "target-real.yml", values).rstrip("\n"),
        "provider": setup.forge,
        "approvers": flow_list(setup.approvers),
        "token": _TEAMS if setup.forge == "github" and setup.has_team else "",
    }
    return fill("reconciler.yml", slots)


def workflow_text(
    name: str, root: str, branch: str, tool: str, file: str, apply_file: str, report: Report = "artifact"
) -> str:
    """Return a workflow of GitHub's.

    `tool` is the action as `uses:` names it, `file` where the workflow lies, `apply_file` where that of apply does.
    Sources: GitHub's pages "REST API endpoints for issue comments" (on a pull request, the right to write pull requests
    is enough), "Control the concurrency of workflows and jobs" (`queue`) and "Workflow syntax".
    """
    apply = re.escape(apply_file)
    slots = {"root": root, "branch": branch, "tool": tool, "file": file, "apply": apply, "reconciler": _command(root)}
    return fill(f"backfills-{name}.yml", {**slots, **_report_parts(report, slots)})


def _report_parts(report: Report, slots: Mapping[str, str]) -> Mapping[str, str]:
    """Return what the workflow that applies has for the report: of the job, its last steps, and a job after it.

    Sources: GitHub's pages "Using custom workflows with GitHub Pages" (its rights) and "Changing the visibility of your
    GitHub Pages site"; the README of actions/deploy-pages.
    """
    return {
        "outputs": fill("report-outputs.yml", {}) if report == "pages" else "",
        "report": "" if report == "none" else fill(f"report-{report}.yml", slots),
        "publish": fill("report-publish.yml", slots) if report == "pages" else "",
    }


def _command(root: str) -> str:
    return "reconciler" if root == STANDARD_ROOT else f"reconciler --root {root}"


def _github(setup: Setup) -> tuple[Wanted, ...]:
    tool = f"{setup.tool.path}/.github/actions/reconciler@{setup.tool.commit}"
    tool += f" # {setup.tool.version}" if setup.tool.version else ""
    workflows = (
        Wanted(
            path,
            workflow_text(name, setup.root, setup.branch, tool, path, _APPLY, setup.report),
            needs=("reconciler",),
            report=setup.report if name == "apply" else None,
        )
        for name, path in (("plan", _PLAN), ("apply", _APPLY), ("resolve", _RESOLVE))
    )
    # The first of these that is there counts. Source: GitHub's page "About code owners".
    places = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
    return (*workflows, _owners(setup, places[0], places, "/.github/workflows/"))


def _gitlab(setup: Setup) -> tuple[Wanted, ...]:
    slots = {
        "root": setup.root,
        "branch": setup.branch,
        "install": f"backfill-reconciler @ git+{setup.tool.url}@{setup.tool.commit}",
        "reconciler": _command(setup.root),
    }
    # Sources: GitLab's pages "CI/CD YAML syntax reference" (`needs`, `rules`) and "GitLab Pages access control".
    report = "" if setup.report == "none" else fill(f"gitlab-report-{setup.report}.yml", slots)
    include = fill("gitlab-ci.yml", {})
    # The first of these that is there counts. Source: GitLab's issue 219916, from its own code.
    places = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
    return (
        Wanted(
            _JOBS,
            fill("gitlab.yml", {**slots, "report": report}),
            needs=("reconciler",),
            report=setup.report,
        ),
        Wanted(".gitlab-ci.yml", include, needs=(_JOBS,), lines=f"{include}{_STAGES}"),
        _owners(setup, places[2], places, "/.gitlab/", "/.gitlab-ci.yml"),
    )


def _owners(setup: Setup, path: str, places: tuple[str, ...], *others: str) -> Wanted:
    people = " ".join(f"@{name.removeprefix('@')}" for name in setup.approvers)
    # CODEOWNERS itself too, wherever it lies: who may change it may make anybody an owner.
    rules = [f"{pattern} {people}" for pattern in (f"/{setup.root}/", *others, "CODEOWNERS")]
    head = "# What is triggered, what may be called and who approves it: an owner reviews each change.\n"
    lines = "".join(f"{rule}\n" for rule in rules)
    return Wanted(path, head + lines, places, tuple(rules), lines)


def _pre_commit(setup: Setup) -> Wanted:
    other = ""
    if setup.root != STANDARD_ROOT:
        other = f"\n        args: [--root, {setup.root}, validate]\n        files: ^{re.escape(setup.root)}/.*\\.ya?ml$"
    text = fill("pre-commit-config.yml", {"repository": setup.tool.url, "rev": setup.tool.commit, "other-root": other})
    return Wanted(".pre-commit-config.yaml", text, needs=("reconciler-validate",), lines=text)
