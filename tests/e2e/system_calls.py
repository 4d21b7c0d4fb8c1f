"""The system calls by which an apply changes anything, as strace sees them, and an apply that is hit at one of them.

strace counts the calls of each name by themselves, and those of the first thread alone: no git command is traced.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.single_thread import BEGIN
from tests.e2e.workplace import PACKAGE, Ended, Workplace

_WRITES = ("write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "ftruncate", "fallocate", "sendfile")
_NAMES = (
    *("open", "creat", "openat", "mkdir", "mkdirat", "rename", "renameat", "renameat2"),
    *("link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir"),
)
_SENDS = ("connect", "sendto", "sendmsg", "flock")
_STARTS = ("vfork", "fork", "clone", "clone3")
_WAITS = ("wait4", "waitid", "poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait")
_TRACED = ",".join("?" + name for name in (*_WRITES, *_NAMES, *_SENDS, *_STARTS, *_WAITS))
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class SystemCall:
    """A system call: its name, its number among the calls of that name, its line in strace's log."""

    name: str
    number: int
    line: str

    @property
    def waits(self) -> bool:
        """Whether it only waits. How often that takes is chance, so its number is no certain one."""
        return self.name in _WAITS

    @property
    def takes_space(self) -> bool:
        """Whether a full disk may fail it: it changes a file or a folder."""
        on_disk = "<pipe:" not in self.line and "<socket:" not in self.line
        return self.name in {*_WRITES, *_NAMES} and on_disk


def why_not() -> str | None:
    """Say why this machine cannot trace, None where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return f"strace may not trace here: {done.stderr.strip()}" if done.returncode else None


def apply_traced(place: Workplace, log: Path, *inject: str) -> Ended:
    """Apply in one thread under strace; `inject` are faults in its words.

    Output goes to files: a full disk has no room for it either. Progress is not shown: when it is, time decides.
    """
    command = ["strace", "-y", "-qq", "-o", os.fspath(log), "-e", f"trace={_TRACED}"]
    command += [word for fault in inject for word in ("-e", f"inject={fault}")]
    command += [sys.executable, "-m", "tests.e2e.single_thread", "-q", "apply"]
    environ = {**os.environ, **place.env, "PYTHONPATH": os.fspath(PACKAGE)}
    out, err = log.with_suffix(".out"), log.with_suffix(".err")
    with out.open("wb") as outs, err.open("wb") as errs:
        process = subprocess.Popen(
            command, cwd=place.top, env=environ, stdin=subprocess.DEVNULL, stdout=outs, stderr=errs, process_group=0
        )
        try:
            code = process.wait(_LONGEST)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Ended(code, out.read_text("utf-8"), err.read_text("utf-8"))


def calls_of(log: Path) -> list[SystemCall]:
    """Return the calls of a log by which something may have changed, in order, without those of Python's start-up.

    Of waits in a row, of any kind, the first is enough: nothing changes between them.
    """
    counts: Counter[str] = Counter()
    calls, began, before = [], False, ""
    for line in log.read_text("utf-8", "surrogateescape").splitlines():
        found = re.match(r"(\w+)\(", line)
        if found is None:
            continue
        name = found[1]
        counts[name] += 1
        again = name in _WAITS and before in _WAITS
        before = name
        reads = name in {"open", "openat"} and not re.search(r"\bO_(CREAT|TMPFILE)\b", line)
        if began and not again and not reads:
            calls.append(SystemCall(name, counts[name], line))
        began = began or line.startswith(f"fsync({BEGIN})")
    return calls
