"""Who runs this, for pending files and commit messages."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler.core.text import printable
from reconciler.state.git import Git


def new_run() -> str:
    """Return a run's name: sorts by time, and no two are equal."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"


def who(git: Git, environ: Mapping[str, str]) -> str:
    """Return git's identity and where this runs: the CI job where there is one, the host's name otherwise."""
    person = git.identity() or environ.get("GITHUB_ACTOR") or environ.get("GITLAB_USER_LOGIN") or "somebody"
    return printable(f"{person} at {_job(environ) or socket.gethostname()}")[:300]


def commit_url(commit: str, environ: Mapping[str, str]) -> str | None:
    """Return where a commit of this repository can be looked at, None where CI does not say."""
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    if server and repository:
        return f"{server}/{repository}/commit/{commit}"
    project = environ.get("CI_PROJECT_URL")
    return f"{project}/-/commit/{commit}" if project else None


def _job(environ: Mapping[str, str]) -> str | None:
    if environ.get("GITHUB_RUN_ID"):
        server, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
        return f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return environ.get("CI_JOB_URL") or environ.get("BUILD_URL") or environ.get("BUILDKITE_BUILD_URL")
