"""Runs the command line and kills it, `kill -9`, at one step: `python -m tests.e2e.steps NUMBER LOG ARGUMENT…`

A step is the moment before or after a git command, a line of the journal, or a POST. They are counted over all
threads and written to LOG; number 0 kills nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from reconciler.cli import main
from reconciler.scheduler.client import Scheduler
from reconciler.state.git import Git
from reconciler.state.journal import Journal


class Steps:
    """Counts steps, and ends the process at the chosen one."""

    def __init__(self, at: int, log: Path) -> None:
        self._at = at
        self._log = log.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._count = 0

    def step(self, name: str) -> None:
        with self._lock:
            self._count += 1
            self._log.write(name + "\n")
            self._log.flush()
            if self._count == self._at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: type, method: str) -> None:
        """Make a step before and after each call of a method."""
        original: Callable[..., Any] = getattr(owner, method)

        @wraps(original)
        def stepped(self_: object, *arguments: object, **options: object) -> object:
            name = f"{owner.__name__} {arguments[0] if isinstance(arguments[0], str) else method}"
            self.step(f"before {name}")
            try:
                return original(self_, *arguments, **options)
            finally:
                self.step(f"after {name}")

        setattr(owner, method, stepped)


if __name__ == "__main__":
    steps = Steps(int(sys.argv[1]), Path(sys.argv[2]))
    steps.around(Git, "ask")
    steps.around(Git, "ask_remote")
    steps.around(Journal, "_append")
    steps.around(Scheduler, "post")
    sys.argv = ["reconciler", *sys.argv[3:]]
    main()
