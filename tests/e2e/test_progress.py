"""Long work shows itself: a bar that leaves no trace on a terminal, a line now and then in a pipe, silent with -q."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.commands import plan, state_import, verify
from reconciler.commands.gather import Scope
from reconciler.core.progress import Count
from reconciler.scheduler.emulator import Arrival
from tests.e2e.counting import Counting
from tests.e2e.listening import Listening
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between, text_of
from tests.e2e.pasts import past, points
from tests.e2e.terminal import ON_A_TERMINAL, screen
from tests.e2e.workplace import PACKAGE, SECRET, Ended, Workplace, checked
from tests.telling import Told

FULL = {"TERM": "xterm"}
QUICK = [sys.executable, "-m", "tests.e2e.quick"]
ASKING, FETCHING, PUSHING = (
    "asking origin for its branches, 1 s",
    "fetching reconciler-state from origin, 1 s",
    "pushing reconciler-state to origin, 1 s",
)
BAR = re.compile(r"\[[#.]+\] ")


def slow(place: Workplace, service: str, seconds: float = 0.7) -> None:
    """Let a service of the remote begin to answer only after a while."""
    script = place.top.parent / f"slow-{service}"
    program = {"uploadpack": "git-upload-pack", "receivepack": "git-receive-pack"}[service]
    script.write_text(f'#!/bin/sh\nsleep {seconds}\nexec {program} "$@"\n')
    script.chmod(0o755)
    place.git("config", f"remote.origin.{service}", shlex.quote(os.fspath(script)))


def run(place: Workplace, *arguments: str) -> Ended:
    """Run the command line in a pipe."""
    done = subprocess.run(
        [*QUICK, *arguments],
        cwd=place.top,
        env={**os.environ, **place.env, "PYTHONPATH": os.fspath(PACKAGE)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return checked(done.returncode, done.stdout, done.stderr)


@dataclass(slots=True)
class Shown:
    """What a command did on a terminal of its own: its exit code, all that it wrote, and what stayed."""

    code: int
    written: str
    lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = [line for line in screen(self.written) if line]

    @property
    def drawn(self) -> list[str]:
        """What was drawn over and over on one line."""
        return re.findall(r"\r\x1b\[2K([^\r\n\x1b]+)", self.written)


def on_a_terminal(
    place: Workplace,
    *arguments: str,
    columns: int = 100,
    after: str = "",
    keys: bytes = b"",
    env: Mapping[str, str] = FULL,
) -> Shown:
    """Run the command line on a terminal; once `after` is on it, type `keys`."""
    shown = place.top.parent / "terminal"
    sized = f"stty cols {columns}; exec {shlex.join([*QUICK, *arguments])}"
    command = [sys.executable, "-c", ON_A_TERMINAL, "sh", "-c", sized]
    environ = {**os.environ, **place.env, "PYTHONPATH": os.fspath(PACKAGE), **env}
    with (
        shown.open("wb") as out,
        subprocess.Popen(command, cwd=place.top, env=environ, stdin=subprocess.PIPE, stdout=out) as terminal,
    ):
        assert terminal.stdin
        if keys:
            deadline = time.monotonic() + 60
            while after not in shown.read_text("utf-8", "replace"):
                assert time.monotonic() < deadline, f"it never showed {after!r}"
                time.sleep(0.01)
            terminal.stdin.write(keys)
            terminal.stdin.flush()
        code = terminal.wait(60)
    text = shown.read_bytes().decode()
    assert SECRET not in text
    assert "Traceback" not in text, text
    return Shown(code, text)


@pytest.fixture
def fetched(place: Workplace) -> Workplace:
    """Return a fresh clone of a repository that has state, from a slow remote."""
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    clone = place.clone("fresh")
    slow(clone, "uploadpack")
    return clone


def test_in_a_pipe_a_slow_fetch_is_told_in_lines_and_standard_output_stays_one_document(fetched: Workplace) -> None:
    done = run(fetched, "plan", "--format", "json")
    assert (done.code, done.json["summary"]["covered"]) == (0, 1)
    lines = done.err.splitlines()
    assert {ASKING, FETCHING} <= set(lines)
    assert "\x1b" not in done.err
    assert "\r" not in done.err


def test_with_q_nothing_is_told(fetched: Workplace) -> None:
    done = run(fetched, "-q", "plan", "--format", "json")
    assert (done.code, done.json["summary"]["covered"], done.err) == (0, 1, "")
    shown = on_a_terminal(fetched, "-q", "plan", "--format", "json")
    assert (shown.code, shown.drawn) == (0, [])


def test_on_a_terminal_a_slow_fetch_is_told_on_one_line_of_which_nothing_stays(fetched: Workplace) -> None:
    shown = on_a_terminal(fetched, "plan")
    assert {ASKING, FETCHING} <= set(shown.drawn)
    assert shown.code == 0
    assert not [line for line in shown.lines if "origin, " in line or BAR.search(line)], shown.lines
    assert "Nothing to do" in "\n".join(shown.lines)


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {**FULL, "CI": "true"}], ids=["a dumb terminal", "CI"])
def test_where_a_line_cannot_be_taken_back_there_are_lines(fetched: Workplace, env: dict[str, str]) -> None:
    shown = on_a_terminal(fetched, "plan", columns=30, env=env)
    assert (shown.code, shown.drawn) == (0, [])
    assert {ASKING[:29], FETCHING[:29]} <= set(shown.lines)
    assert "\x1b[2K" not in shown.written


def test_a_quick_command_shows_nothing(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    done = place.run("plan")
    assert (done.code, done.err) == (0, "")


def many(place: Workplace) -> None:
    for number in range(1500):
        place.write(f"t/{number}.yaml", text_of(backfill(f"t-{number}", at(1, 3), table=f"c.sales.T{number}")))
    place.publish()


@pytest.mark.parametrize("columns", [100, 20])
def test_many_manifests_are_validated_and_planned_behind_a_bar_that_never_wraps(place: Workplace, columns: int) -> None:
    many(place)
    shown = on_a_terminal(place, "plan", "--format", "json", "--out", "plan.json", columns=columns)
    assert shown.code == 0
    assert all(len(line) < columns for line in shown.drawn)
    assert any("validating" in line for line in shown.drawn)
    assert any("planning" in line for line in shown.drawn)
    assert any(BAR.match(line) for line in shown.drawn) == (columns == 100)
    assert any(re.search("validating [0-9,]+ of 1,500 files, ", line) for line in shown.drawn) == (columns > 20)
    assert not [line for line in shown.lines if "planning" in line or "validating" in line], shown.lines


@pytest.mark.parametrize("arguments", [("plan",), ("apply", "--yes")])
def test_a_ctrl_c_in_the_middle_leaves_a_clean_line_and_no_thread(place: Workplace, arguments: tuple[str, ...]) -> None:
    many(place)
    shown = on_a_terminal(place, *arguments, after="validating", keys=b"\x03")
    assert (shown.code, shown.lines) == (1, ["Stopped."])


def test_a_ctrl_c_while_the_remote_is_silent_leaves_a_clean_line(fetched: Workplace) -> None:
    slow(fetched, "uploadpack", 100)
    shown = on_a_terminal(fetched, "plan", after=ASKING, keys=b"\x03")
    assert (shown.code, shown.lines) == (1, ["Stopped."])


def test_an_apply_tells_of_its_pushes_and_of_its_calls(place: Workplace, scheduler: Counting) -> None:
    """On a terminal, and in a pipe a second time."""
    place.configure(scheduler.url, state={"batch": 1})
    place.declare("fact.yaml", backfill("fact", between(1, 5)), backfill("orders", at(2, 3), table=ORDERS))

    def decide(_: Arrival) -> None:
        time.sleep(0.3)

    scheduler.decide = decide
    slow(place, "receivepack", 0.4)
    shown = on_a_terminal(place, "apply", "--yes")
    assert shown.code == 0, shown.lines
    assert PUSHING in shown.drawn
    assert any("making 2 calls, 1 s" in line for line in shown.drawn)
    assert any(re.search("making 1 of 2 calls, .* left$", line) for line in shown.drawn)
    assert not [line for line in shown.lines if BAR.search(line) or "origin, " in line], shown.lines
    assert "2 triggered." in "\n".join(shown.lines)
    place.declare("more.yaml", backfill("more", between(7, 8)), backfill("other", at(9), table=ORDERS))
    done = run(place, "apply", "--format", "json")
    assert (done.code, len(done.json["calls"])) == (0, 2)
    assert PUSHING in done.err.splitlines()
    assert re.search("^making 1 of 2 calls, .* left$", done.err, re.MULTILINE)


def test_whatever_may_take_long_tells_how_far_it_is(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    clone = place.clone("fresh")
    root = clone.base
    told = Told()
    plan.run(plan.PlanOptions(root, "json", None, None, Scope(), exit_code=False), Listening(progress=told))
    counted = {name: count for name, count in told.all.items() if count.total}
    assert counted == {
        "reading file": Count(2, 2),
        "validating file": Count(1, 1),
        "checking ledger": Count(1, 1),
        "planning table": Count(1, 1),
    }
    assert set(told.all) - set(counted) == {
        "reading the state and planning",
        "asking origin for its branches",
        "fetching reconciler-state from origin",
        "comparing the work tree with HEAD",
    }
    told = Told()
    verify.run(root, None, "json", Listening(progress=told))
    assert {"reading the history of the state", "following state file"} <= set(told.all)
    assert told.all["verifying state file"] == Count(1, 1)
    told = Told()
    files = (Path(past(place, points(7), points(8))),)
    state_import.run(
        state_import.ImportOptions(root, files, "why", None, dry_run=False, yes=True), Listening(progress=told)
    )
    assert (told.all["reading line"].done, told.all["comparing table"]) == (2, Count(1, 1))
    assert {"committing the state", "pushing reconciler-state to origin"} <= set(told.all)
    assert len(place.ledger(SALES)) == 3
