"""The clock of a run, which a signal stops."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from zoneinfo import ZoneInfo

from reconciler.core import wallclock

_SLICE = 0.1


class SystemClock:
    """The machine's clock. Waiting ends at once when the run is to stop, and says so."""

    def __init__(self) -> None:
        self._stopping = False

    def utc(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def wall(self, time_zone: str) -> int:
        return wall_clock(time_zone)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))
        return self._stopping

    def jitter(self) -> float:
        return random.random()  # noqa: S311  (spreads retries; no secret)

    def stop(self) -> None:
        """End every wait soon. A plain flag, so that a signal handler can set it wherever the main thread is."""
        self._stopping = True


def wall_clock(time_zone: str) -> int:
    """Return the second that the wall clock of a time zone shows now."""
    return wallclock.parse(datetime.now(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M:%S"))


@contextmanager
def signals(on_first: Callable[[], None], on_second: Callable[[], None]) -> Iterator[None]:
    """Run a block in which SIGINT and SIGTERM call `on_first`, and from the second time on `on_second`."""
    seen = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        (on_first if seen == 1 else on_second)()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
