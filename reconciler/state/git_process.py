"""How a git process is started and ended: fixed settings, a scrubbed environment, a session of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

# What a hook's or a wrapper's environment says about *its* repository must not decide which one we write to.
_FOREIGN = re.compile(
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|INDEX_VERSION|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE"
    r"|PREFIX|CEILING_DIRECTORIES|SHALLOW_FILE|GRAFT_FILE|REPLACE_REF_BASE|QUARANTINE_PATH|LITERAL_PATHSPECS"
    r"|GLOB_PATHSPECS|NOGLOB_PATHSPECS|ICASE_PATHSPECS|EXTERNAL_DIFF|DEFAULT_HASH|REFLOG_ACTION)"
)

SETTINGS = (
    *("-c", "core.fsync=all"),
    *("-c", "core.quotePath=false"),
    *("-c", "push.followTags=false"),
    *("-c", "push.recurseSubmodules=no"),
    *("-c", "fetch.recurseSubmodules=no"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
)
"""Fixed settings that win over the user's: durable objects and refs, no hooks' or extensions' side effects on push."""

ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
}


def scrub() -> None:
    """Take out of our environment what would lead git to another repository."""
    for name in [name for name in os.environ if _FOREIGN.fullmatch(name)]:
        del os.environ[name]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back a Ctrl-C while git starts.

    Until it has its session, it is in our process group, and would hear it; and nobody would know of a git that a
    KeyboardInterrupt has cut into. Git inherits that; SIGTERM, by which it ends helpers of its own, must stay free.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def kill(process: subprocess.Popen[bytes] | None) -> None:
    """End a git that still runs, with all of its session."""
    if process is not None and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
