"""Runs the command line in one thread: `python -m tests.e2e.single_thread ARGUMENT…`

strace counts the calls of each thread by itself. So that all calls of a process are counted, and come in the same
order each time, what would run in a thread of its own runs where it is started.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from functools import partialmethod

from reconciler.cli import main
from reconciler.protocol.sender import Sender
from reconciler.scheduler.crew import Crew, Job
from tests.inline import InlineExecutor

BEGIN = 999_999
"""A descriptor that nobody has. A sync of it changes nothing, and shows in strace's log where start-up ends."""


def _do(_: Crew, job: Job) -> bool:
    job()
    return True


if __name__ == "__main__":
    setattr(Sender, "__init__", partialmethod(Sender.__init__, pool=InlineExecutor))  # noqa: B010  (mypy knows no other)
    setattr(Crew, "do", _do)  # noqa: B010
    setattr(threading.Thread, "start", threading.Thread.run)  # noqa: B010
    with suppress(OSError):
        os.fsync(BEGIN)
    sys.argv = ["reconciler", *sys.argv[1:]]
    main()
