"""Races for the state branch that were lost: how long to wait before the next try, and when to give up."""

from __future__ import annotations

from reconciler.errors import Stale
from reconciler.protocol.ports import Clock

_ONE_TRY = 0.2
_LONGEST_PAUSE = 8.0
_PATIENCE = 300.0
"""Seconds of nothing but lost races after which a run gives up. Of eight appliers at once one wins some races a second,
so that each has a hundred tries in that time."""
_PATIENCE_WITH_OUTCOMES = 900.0
"""The same for a run that knows of calls what git does not know yet."""


class Races:
    """The races that a run lost one after another; one that is won ends the row."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost = 0
        self._since = self._tried = 0.0

    def won(self) -> None:
        self._lost = 0

    def lost(self, *, with_outcomes: bool) -> None:
        """Wait a random while, up to twice as long after each race, so that those who race get out of each other's way.

        What is doubled is the time that the last try took: a far remote needs longer pauses than one on this disk.
        Raises Stale where that has gone on for too long: by time, not by number, for where many run at once each loses
        many races while the others come on.
        """
        now = self._clock.monotonic()
        if not self._lost:
            self._since = now
        seconds = now - self._since
        if seconds > (_PATIENCE_WITH_OUTCOMES if with_outcomes else _PATIENCE):
            raise Stale(
                f"other runs changed the state {self._lost} times in {seconds:.0f} s while this one tried to",
                "wait until they are done, then run apply again",
            )
        one_try = max(_ONE_TRY, now - self._tried) if self._lost else _ONE_TRY
        self._clock.wait(self._clock.jitter() * min(_LONGEST_PAUSE, one_try * 2.0 ** min(self._lost, 10)))
        self._tried = self._clock.monotonic()
        self._lost += 1
