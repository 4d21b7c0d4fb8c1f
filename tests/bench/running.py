"""Runs a process and says what it took: seconds of wall clock and of processor, and how much memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_EVERY = 0.005


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, and where. `codes` are the exit codes that are fine, `outside` what is added to the environment."""

    words: tuple[str, ...]
    where: Path
    codes: tuple[int, ...] = (0,)
    outside: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.words,
            cwd=self.where,
            env={**os.environ, **self.outside},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One run: seconds of wall clock; user and system seconds, of the process and all that it waited for; MB.

    `rss` is the most resident memory that any one of these processes had, as the kernel counts it (`ru_maxrss`).
    """

    wall: float
    cpu: float
    rss: float


def run(command: Command) -> Run:
    """Run a command to its end. Raises RuntimeError, with what it said, where its exit code is not a fine one."""
    begin = time.perf_counter()
    process = command.start()
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.codes:
        raise RuntimeError(f"{' '.join(command.words)}: exit {process.returncode}\n{said.decode()[-2000:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@dataclass(frozen=True, slots=True)
class Memory:
    """The most memory at once, in MB: `pss` of all kinds, `anon` without the pages of files that are mapped.

    git maps its packs, so that `pss` grows by whatever part of them it looks at; the system may drop such pages.
    """

    pss: float
    anon: float


def peak(command: Command) -> Memory:
    """Run a command and return the most memory that it and its descendants had at once.

    That is the sum of their proportional set sizes, in which a page that two processes share counts half for each;
    read every few milliseconds. What is not there in two looks one after the other does not count: a child that is just
    being started borrows its parent's memory (vfork), and the system counts that twice. Not for timing: reading it
    takes time from the process.
    """
    process = command.start()
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    pss = anon = 0
    before = (0, 0)
    while process.poll() is None:
        sizes = [_words(f"/proc/{one}/smaps_rollup") for one in family(process.pid)]
        now = tuple(sum(_kilobytes(words, kind) for words in sizes) for kind in ("Pss:", "Pss_Anon:"))
        pss, anon = max(pss, min(before[0], now[0])), max(anon, min(before[1], now[1]))
        before = (now[0], now[1])
        process.stderr.read()
        time.sleep(_EVERY)
    process.stderr.close()
    return Memory(pss / 1024, anon / 1024)


def family(pid: int) -> tuple[int, ...]:
    """Return a process and all its descendants that live."""
    found = [pid]
    for one in found:
        found += _children(one)
    return tuple(found)


def _children(pid: int) -> Iterable[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        return [int(child) for task in threads for child in _words(f"/proc/{pid}/task/{task}/children")]
    except OSError:
        return ()


def _words(path: str) -> Sequence[str]:
    try:
        return Path(path).read_text("utf-8").split()
    except OSError:
        return ()


def _kilobytes(words: Sequence[str], name: str) -> int:
    return int(words[words.index(name) + 1]) if name in words else 0
