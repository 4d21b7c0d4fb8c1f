"""The clock of a run, which a signal stops."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType


class SystemClock:
    """The machine's clock. Waiting ends at once when the run is to stop, and says so."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def utc(self) -> str:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        return self._stop.wait(max(0.0, seconds)) if seconds > 0 else self._stop.is_set()

    def jitter(self) -> float:
        return random.random()  # noqa: S311  (spreads retries; no secret)

    def stop(self) -> None:
        self._stop.set()


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
