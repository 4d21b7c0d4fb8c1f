"""Records for the tests of state: triggers, intents, repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from reconciler.core.call import Call, Range, Span, Times
from reconciler.core.ledger import Intent, Trigger
from reconciler.core.wallclock import parse
from reconciler.state.git import Git

TARGET = "prod"
TABLE = "c.d.T"
RUN = "20260120T000000Z-0123456789ab"
OTHER_RUN = "20260120T000001Z-0123456789ab"
SINCE = "2026-01-21T00:00:00Z"


def hours(first: int, last: int) -> Range:
    start, end = (parse(f"2026-01-20 {hour:02}:00:00") for hour in (first, last))
    return Range((start, end + 1), "inclusive")


def points(*numbers: int) -> Times:
    return Times(tuple(parse(f"2026-01-20 {hour:02}:00:00") for hour in numbers))


def intent(span: Span, run: str = RUN, table: str = TABLE, rerun: tuple[str, ...] = ()) -> Intent:
    call = Call(TARGET, table, "tn_1", span, rerun, ("a.yaml#1",), ())
    return Intent(call, run, "Tess Ter <tess@example.org> at ci", SINCE, "c0ffee")


def trigger(span: Span, table: str = TABLE) -> Trigger:
    return intent(span, table=table).triggered("fbb0.1", SINCE)


def sh(folder: Path, *arguments: str) -> str:
    """Run git, which has to succeed, and return what it printed, without the last newline."""
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


def repository(folder: Path) -> Git:
    """Make a repository with one commit on main."""
    folder.mkdir(exist_ok=True)
    sh(folder, "init", "-q", "--template=")
    sh(folder, "commit", "-q", "--allow-empty", "-m", "First")
    return Git.find(folder)


def bare_remote(git: Git) -> Path:
    """Make a bare repository beside `git`, its remote `origin`, that has main."""
    remote = git.top.parent / "remote.git"
    sh(git.top, "init", "-q", "--bare", "--template=", os.fspath(remote))
    sh(git.top, "remote", "add", "origin", os.fspath(remote))
    sh(git.top, "push", "-q", "-u", "origin", "main")
    return remote
