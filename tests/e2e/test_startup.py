"""Starting costs what click costs: a command imports what it uses, and help uses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from reconciler.cli.root import cli
from tests.e2e.manifests import backfill, between
from tests.e2e.workplace import PACKAGE, Workplace
from tests.figures import Tried

_HEAVY = frozenset(
    {
        *("git", "httpx", "yaml", "jsonschema", "jinja2", "croniter", "dateutil", "tzdata", "zoneinfo", "ssl", "http"),
        *("sqlite3", "asyncio", "email", "json", "tempfile", "subprocess", "multiprocessing", "concurrent"),
        *("dataclasses", "pathlib", "traceback", "secrets", "hashlib"),
    }
)
_FORGES = frozenset({"reconciler.review.github", "reconciler.review.gitlab", "reconciler.review.place"})
_SERVER = frozenset({"sqlite3", "jinja2", "reconciler.scheduler.emulator"})
_SLOW = frozenset({"jsonschema", "croniter"})
_UNUSED = {
    "schema": {"git", "httpx", "yaml", "jinja2", *_SLOW},
    "validate": {"git", "httpx", *_SERVER, *_FORGES, *_SLOW},
    "plan": {"httpx", "ssl", *_SERVER, *_FORGES, *_SLOW, "reconciler.commands.pages", "reconciler.render.plan_json"},
    "status": {"httpx", "ssl", *_SERVER, *_FORGES, *_SLOW},
    "history default_catalog.sales.FACT_SALES": {"httpx", "ssl", *_SERVER, *_SLOW},
    "resolve": {"httpx", "ssl", *_SERVER, *_FORGES, *_SLOW},
    "state verify": {"httpx", "ssl", *_SERVER, *_FORGES, *_SLOW},
    "apply --yes": {"httpx", *_SERVER, *_FORGES, *_SLOW},
}


def _imported(folder: str | os.PathLike[str], *arguments: str) -> frozenset[str]:
    """Return the modules that a process imports which runs a command and ends well, and their packages."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "reconciler", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.fspath(PACKAGE), "SCHEDULER_AUTH": "x"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = (line.split("|") for line in done.stderr.splitlines() if line.startswith("import time:"))
    names = {parts[2].strip() for parts in lines if len(parts) == 3}
    assert "reconciler.cli" in names
    return frozenset({*names, *(name.partition(".")[0] for name in names)})


def _commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield before
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*before, name))
        else:
            yield (*before, name)


@pytest.mark.claim("help imports nothing but click and the options")
def test_the_help_of_every_command_imports_nothing_heavy(tried: Tried) -> None:
    commands = list(_commands(cli))
    assert ("state", "import") in commands
    for command in commands:
        imported = _imported(PACKAGE, *command, "--help")
        own = {name for name in imported if name.startswith("reconciler.") and not name.startswith("reconciler.cli")}
        assert imported & _HEAVY == set(), command
        assert own == {"reconciler.commands", "reconciler.commands.terminal"}, command
    tried(len(commands))


@pytest.mark.claim("a command imports nothing that it does not use")
def test_a_command_imports_nothing_heavy_that_it_does_not_use(place: Workplace, tried: Tried) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5), schedule={"every": "1h"}))
    assert place.apply().code == 0
    for command, unused in _UNUSED.items():
        assert _imported(place.top, *command.split()) & unused == set(), command
    tried(len(_UNUSED))
