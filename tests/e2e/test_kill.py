"""`kill -9` at each step of a real apply, with real git and real sockets: nothing twice, nothing forgotten.

A normal run takes a sample of the steps; KILL_STRIDE=1 takes every one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.counting import Counting
from tests.e2e.owed import declare, expected
from tests.e2e.settling import settle_by_hand
from tests.e2e.workplace import PACKAGE, Workplace
from tests.figures import Tried

STRIDE = int(os.environ.get("KILL_STRIDE", "13"))
CHUNKS = 2
TABLES = 3
IN_FLIGHT = 4
"""How many calls a target has under way at once: the default of `concurrency`."""


def apply_until(place: Workplace, step: int, log: Path) -> int:
    """Apply, killed at a step; returns the exit code, negative for a signal."""
    command = [sys.executable, "-m", "tests.e2e.steps", str(step), os.fspath(log), "apply"]
    environ = {**os.environ, **place.env, "PYTHONPATH": os.fspath(PACKAGE)}
    done = subprocess.run(
        command, cwd=place.top, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode


@pytest.mark.claim("killed at a step of an apply: nothing twice, nothing forgotten")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_killed_at_any_step_nothing_runs_twice_and_nothing_is_forgotten(
    place: Workplace, scheduler: Counting, tmp_path: Path, tried: Tried, chunk: int
) -> None:
    declare(place, "first", TABLES)
    assert place.apply().code == 0
    declare(place, "second", TABLES)
    log = tmp_path / "steps"
    assert apply_until(place, 0, log) == 0
    steps = log.read_text().splitlines()
    assert {"before Scheduler post", "after Scheduler post", "before Journal _append", "after Git push"} <= set(steps)
    chosen = range(1 + chunk * STRIDE, len(steps) + 1, CHUNKS * STRIDE)
    for step in chosen:
        tables = declare(place, f"s{step}", TABLES)
        killed = apply_until(place, step, log)
        assert killed == -signal.SIGKILL, steps[step - 1]
        fresh = bool(step // (CHUNKS * STRIDE) % 2)
        survivor = place.clone(f"fresh{step}") if fresh else place
        assert survivor.apply().code in (0, 7), steps[step - 1]
        doubtful = place.pending()
        assert len(doubtful) <= (2 * TABLES if fresh else IN_FLIGHT), steps[step - 1]
        settle_by_hand(survivor, scheduler)
        assert survivor.apply().code == 0, steps[step - 1]
        assert all(scheduler.runs(table) == expected() for table in tables), steps[step - 1]
    assert place.run("state", "verify").code == 0
    tried(len(chosen), of=len(steps))
