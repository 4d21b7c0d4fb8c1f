"""Work on many things: on both cores, half of it in a copy of this process, and without the garbage collector."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeVar

T = TypeVar("T")


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
    if _cores() < 2:
        return here(), None
    with tempfile.TemporaryFile() as page:
        child = _copy(there, page)
        try:
            mine = here()
        except BaseException:
            if child is not None:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            raise
        if child is None or os.waitpid(child, 0)[1] != 0:
            return mine, None
        page.seek(0)
        return mine, page.read()


def _cores() -> int:
    if not hasattr(os, "fork"):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _copy(there: Callable[[], bytes], page: BinaryIO) -> int | None:
    """Start the copy, and return its process id; None where none can be started."""
    try:
        with warnings.catch_warnings():
            # Python warns of threads: a copy has none of them. It prints nothing, so it waits for no lock of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
    except OSError:
        return None
    if child:
        return child
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        page.write(there())
        page.flush()
    except BaseException:  # noqa: BLE001  (a copy has nobody to tell; whoever asked does the work itself)
        os._exit(1)
    os._exit(0)
