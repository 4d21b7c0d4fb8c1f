"""`kill -9` at each step of a compaction: no line is lost, no plan changes, and the next one does what is left.

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
from tests.e2e.folds import fold_of, long_past
from tests.e2e.workplace import PACKAGE, Workplace
from tests.figures import Tried

STRIDE = int(os.environ.get("KILL_STRIDE", "13"))
COMPACT = ("state", "compact", "--keep", "3")


def compact_until(place: Workplace, step: int, log: Path) -> int:
    """Compact, killed at a step; returns the exit code, negative for a signal."""
    command = [sys.executable, "-m", "tests.e2e.steps", str(step), os.fspath(log), *COMPACT]
    environ = {**os.environ, **place.env, "PYTHONPATH": os.fspath(PACKAGE)}
    done = subprocess.run(
        command, cwd=place.top, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode


@pytest.mark.claim("killed at a step of a compaction: no line lost, no plan changed")
def test_killed_at_any_step_a_compaction_loses_nothing(
    place: Workplace, scheduler: Counting, tmp_path: Path, tried: Tried
) -> None:
    long_past(place, table="c.d.FIRST")
    log = tmp_path / "steps"
    assert compact_until(place, 0, log) == 0
    steps = log.read_text().splitlines()
    assert {"before Git fast-import", "after Git push"} <= set(steps)
    chosen = range(1, len(steps) + 1, STRIDE)
    for step in chosen:
        table = f"c.d.T{step}"
        long_past(place, table=table)
        told = place.run("history", table, "--format", "csv").out
        assert compact_until(place, step, log) == -signal.SIGKILL, steps[step - 1]
        survivor = place.clone(f"fresh{step}") if step // STRIDE % 2 else place
        assert survivor.run("history", table, "--format", "csv").out == told
        assert survivor.run(*COMPACT).code == 0, steps[step - 1]
        assert fold_of(place, f"prod/{table}.jsonl")["lines"] == 33
        assert place.run("history", table, "--format", "csv").out == told
    verified = place.clone("fresh").run("state", "verify")
    assert (verified.code, "warning" in verified.err) == (0, False)
    tried(len(chosen), of=len(steps))
