"""Patience with a remote: a limit ends what waits and what is still to wait, and gives no more time than there was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.state.patience import Patience

NEVER = [sys.executable, "-c", "import time; time.sleep(600)"]


def started(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_without_a_limit_a_process_is_waited_for_and_what_it_printed_is_whole() -> None:
    code = "import sys; sys.stdout.write('x' * 300_000); sys.stderr.write('why')"
    assert Patience().communicate(started(sys.executable, "-c", code), 60) == (b"x" * 300_000, b"why")


def test_a_helper_that_keeps_the_pipes_is_not_waited_for(tmp_path: Path) -> None:
    """As ssh's shared connection is, which outlives the git that started it."""
    kept = tmp_path / "pid"
    process = started("sh", "-c", f"setsid sleep 100 & echo $! > '{kept}'; echo done")
    assert Patience().communicate(process, 60) == (b"done\n", b"")
    os.kill(int(kept.read_text()), signal.SIGKILL)  # it still runs: nobody waited


@pytest.mark.parametrize("timeout", [0.1, 600])
def test_a_process_that_never_ends_is_given_up_at_its_deadline_or_when_patience_ends(timeout: float) -> None:
    patience = Patience()
    if timeout > 1:
        patience.limit(0.2)
    process = started(*NEVER)
    with pytest.raises(subprocess.TimeoutExpired):
        patience.communicate(process, timeout)
    process.kill()
    process.wait()
    assert patience.over == (timeout > 1)


def test_once_patience_is_over_nothing_sleeps_and_a_later_limit_gives_no_more_time() -> None:
    patience = Patience()
    patience.limit(0)
    patience.limit(600)
    patience.sleep(600)
    assert patience.over
