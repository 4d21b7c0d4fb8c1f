"""When a call may start: how many a second, how long after its table's last one, and in which hours."""

from __future__ import annotations

import threading
from collections.abc import Callable

from reconciler.core.change import Key
from reconciler.core.config import Target
from reconciler.core.policy import hours_of
from reconciler.core.report import Skipped
from reconciler.core.wallclock import render
from reconciler.protocol.ports import Clock

_GLANCE = 1.0
"""Seconds after which a table that pauses looks whether there is still something to wait for."""


class Pace:
    """Spaces calls evenly: at most `per_second`, None for no limit."""

    def __init__(self, per_second: float | None, clock: Clock) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Wait until the next call may start."""
        if not self._gap:
            return
        with self._lock:
            start = max(self._next, self._clock.monotonic())
            self._next = start + self._gap
        self._clock.wait(start - self._clock.monotonic())


class Pause:
    """Keeps `seconds` between the end of a table's call and the start of its next one."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._over: dict[Key, float] = {}

    def begin(self, key: Key) -> None:
        """Remember that a call of a table has just ended. Only one of a table's calls is ever under way."""
        if self._seconds:
            self._over[key] = self._clock.monotonic() + self._seconds

    def wait(self, key: Key, in_vain: Callable[[], object]) -> None:
        """Wait until the table's next call may start; not to the end where the run stops, or it is `in_vain`."""
        over = self._over.get(key, 0.0) if self._seconds else 0.0
        while (left := over - self._clock.monotonic()) > 0:
            if self._clock.wait(min(left, _GLANCE)) or in_vain():
                return


class Hours:
    """Says when a target takes no calls. Once that is so, it stays so for the run.

    A run that went on when the hours begin again would make a table's later calls without the one that came too late.
    """

    def __init__(self, target: Target, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._closed: Skipped | None = None

    @property
    def closed(self) -> Skipped | None:
        """What a call that would start now is told, None where it may."""
        target = self._target
        if self._closed is None and target.window is not None:
            now = self._clock.wall(target.time_zone)
            if now not in target.window:
                message = f"{hours_of(target, target.window)}; it is {render(now)[11:16]} there: apply again then"
                self._closed = Skipped(message, "window")
        return self._closed
