"""The phases of a command's work, and the thread that looks at them while there are any."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from reconciler.core.progress import Count
from reconciler.core.text import count
from reconciler.render.progress import counting_text, waiting_text

_WINDOW = 10.0
"""Seconds over which the rate is measured: what began slowly, or waits for a push now and then, is not slow."""
_LEAST, _ENOUGH = 2.0, 10
"""How long it has to be, and how much has to be done in it, to tell the rate. All since the beginning does before."""


@dataclass(eq=False, slots=True)
class Phase:
    """Work that goes on since `begun`, in monotonic seconds. `noun` is None where its end is not known."""

    doing: str
    noun: str | None
    count: Count
    begun: float = field(default_factory=time.monotonic)
    _looks: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def shows(self) -> bool:
        """Whether there is anything to be shown: no work is done at once."""
        return self.noun is None or self.count.total > 0

    def text(self, now: float) -> str:
        """Return in one line how far it is."""
        done, total = self.count.done, self.count.total
        if self.noun is None or done < 1:
            what = f"{self.doing} {count(total, self.noun)}" if self.noun else self.doing
            return waiting_text(what, now - self.begun)
        return counting_text(self.doing, done, total, self.noun, self._rate(now, done))

    def _rate(self, now: float, done: int) -> float:
        """Return how much is done in a second, of late."""
        looks = self._looks
        looks.append((now, done))
        while len(looks) > 1 and looks[1][0] <= now - _WINDOW:
            looks.popleft()
        then, before = looks[0]
        if done - before < _ENOUGH or now - then < _LEAST:
            then, before = self.begun, 0
        return (done - before) / (now - then) if now > then else 0.0


class _Ticker(threading.Thread):
    """Calls a function every so many seconds until it is stopped.

    It takes no signals: a Ctrl-C has to reach the main thread, which holds it back while git starts.
    """

    def __init__(self, tick: Callable[[], None], every: float) -> None:
        super().__init__(name="progress")
        self._tick = tick
        self._every = every
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self._every):
            self._tick()

    def begin(self) -> None:
        """Start with all signals held back, which the new thread inherits."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            self.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def stop(self) -> None:
        self._over.set()
        with suppress(RuntimeError):  # a Ctrl-C cut into its start: it ends by itself
            self.join()


class Phases:
    """The phases under way, the innermost last. Looked at by a thread that lives no longer than the outermost one."""

    def __init__(self, tick: Callable[[Phases], None], every: float, idle: Callable[[], None]) -> None:
        """`tick` is called with these every so many seconds, from that thread; `idle` when there are none any more."""
        self._tick = partial(tick, self)
        self._every = every
        self._idle = idle
        self._open: list[Phase] = []
        self._ticker: _Ticker | None = None

    @contextmanager
    def counting(self, doing: str, total: int, noun: str) -> Iterator[Count]:
        """Show work with a known end while the block runs."""
        phase = Phase(doing, noun, Count(total))
        try:
            self._begin(phase)
            yield phase.count
        finally:
            self._end(phase)

    @contextmanager
    def waiting(self, doing: str) -> Iterator[None]:
        """Show work whose end nobody knows while the block runs."""
        phase = Phase(doing, None, Count(0))
        try:
            self._begin(phase)
            yield
        finally:
            self._end(phase)

    def shown(self, begun: float) -> Phase | None:
        """Return the innermost phase that began by then."""
        return next((phase for phase in reversed(self._open) if phase.begun <= begun and phase.shows), None)

    def _begin(self, phase: Phase) -> None:
        self._open.append(phase)
        if self._ticker is None:
            self._ticker = _Ticker(self._tick, self._every)
            self._ticker.begin()

    def _end(self, phase: Phase) -> None:
        """End a phase, and those inside of it whose own end a Ctrl-C has cut into."""
        if phase in self._open:
            del self._open[self._open.index(phase) :]
        if not self._open:
            self.close()

    def close(self) -> None:
        """End the thread, whatever is under way."""
        self._open.clear()
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
            self._idle()
