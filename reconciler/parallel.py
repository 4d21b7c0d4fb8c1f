"""Work on many things: on both cores, half of it in a copy of this process, and without the garbage collector."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NoReturn, TypeVar

T = TypeVar("T")

_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})
_WHOLE = b"\0whole\0"
"""What ends the page of a copy that came to its end."""
_PATIENCE = 60.0
"""Seconds that a copy may take longer at least, where other work holds it up."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away: what is read stays, and looking through it again and again finds nothing."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if not gc.get_freeze_count():
                gc.freeze()  # and back: what is new counts as old, and is not looked through at once
                gc.unfreeze()
            gc.enable()


def side_by_side(here: Callable[[], T], there: Callable[[], bytes]) -> tuple[T, bytes | None]:
    """Run `here` in this process and `there` in a copy of it, at the same time. Returns what both gave.

    None stands for what the copy could not do, for whatever reason: there is one core, no memory, no room, it raised,
    it was killed. The caller then does that work itself, and sees the trouble at first hand. `there` must not print,
    and nothing that it changes in memory is seen here. Raises what `here` raises.
    """
    try:
        file = tempfile.TemporaryFile() if _cores() > 1 else None  # noqa: SIM115  (closed below)
    except OSError:
        file = None
    if file is None:
        return here(), None
    with file as page:
        child = _copy(there, page)
        if child is None:
            return here(), None
        try:
            began = time.monotonic()
            mine = here()
            _wait(child, max(_PATIENCE, 10 * (time.monotonic() - began)))
        finally:
            _end(child)
        page.seek(0)
        found = page.read()
        return mine, found.removesuffix(_WHOLE) if found.endswith(_WHOLE) else None


def _cores() -> int:
    if not hasattr(os, "fork"):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _copy(there: Callable[[], bytes], page: BinaryIO) -> int | None:
    """Start the copy, and return its process id; None where none can be started."""
    # No signal until the copy has handlers of its own: it must not unwind what its parent was about to do.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        with warnings.catch_warnings():
            # Python warns of threads: a copy has none of them. It prints nothing, so it waits for no lock of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            child: int | None = os.fork()
    except OSError:
        child = None
    else:
        if not child:
            _be_the_copy(there, page)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return child


def _be_the_copy(there: Callable[[], bytes], page: BinaryIO) -> NoReturn:
    try:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        page.write(there())
        page.write(_WHOLE)
        page.flush()
    finally:
        os._exit(0)  # a copy has nobody to tell: what it wrote says whether it came to its end


def _wait(child: int, patience: float) -> None:
    """Wait for a copy to end, no longer than `patience` seconds."""
    end = time.monotonic() + patience
    pause = 0.001
    while _lives(child) and time.monotonic() < end:
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def _end(child: int) -> None:
    """End a copy that lives still."""
    if _lives(child):
        os.kill(child, signal.SIGKILL)
        _wait(child, _PATIENCE)


def _lives(child: int) -> bool:
    """Say whether a copy has not ended yet. One that has is forgotten by the system."""
    try:
        return os.waitpid(child, os.WNOHANG) == (0, 0)
    except ChildProcessError:  # it was waited for, or nobody waits here: SIGCHLD may be ignored
        return False
