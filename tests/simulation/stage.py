"""A stage on which actors take turns: one runs at a time, and a seed decides who goes next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random


class Crash(BaseException):
    """The process of an actor is gone: nothing of it runs any more, not even an exception handler that means well."""


class Actor:
    """A process. Its script runs on a thread that waits at every step until it is this actor's turn."""

    def __init__(self, script: Callable[[Actor], None], stage: _Stage) -> None:
        self.over = False
        self.turn = threading.Lock()
        self.turn.acquire()
        self._script = script
        self._stage = stage

    def pause(self) -> None:
        """Let the stage choose who goes on, this actor perhaps; called by the script at every step."""
        following = self._stage.next()
        if following is not self:
            following.turn.release()
            self.turn.acquire()
        if self._stage.error is not None:
            raise Crash

    def run(self) -> None:
        """Wait for the first turn and play the script to its end."""
        self.turn.acquire()
        try:
            self._script(self)
        except Crash:
            pass
        except BaseException as error:  # noqa: BLE001  (told to whoever plays, once all actors are off)
            self._stage.error = self._stage.error or error
        self.over = True
        self._stage.leave(self)


class _Stage:
    """Who is on, and the first error of any: it ends the play. There is no director: actors pass the turn on."""

    def __init__(self, scripts: Sequence[Callable[[Actor], None]], rng: Random, between: Callable[[], None]) -> None:
        self.error: BaseException | None = None
        self.empty = threading.Lock()
        self.empty.acquire()
        self.actors = [Actor(script, self) for script in scripts]
        self._rng = rng
        self._between = between

    def next(self) -> Actor:
        if self.error is None:
            try:
                self._between()
            except BaseException as error:  # noqa: BLE001  (it is no fault of the actor that was on)
                self.error = error
        return self.actors[int(self._rng.random() * len(self.actors))]

    def leave(self, actor: Actor) -> None:
        self.actors.remove(actor)
        if self.actors:
            self.next().turn.release()
        else:
            self.empty.release()


_THREADS = ThreadPoolExecutor(8, "actor")


def play(scripts: Sequence[Callable[[Actor], None]], rng: Random, between: Callable[[], None]) -> None:
    """Play all scripts to their end, interleaved as `rng` has it; `between` runs after every step.

    At most nine scripts: each but the first needs a thread of the pool.
    """
    stage = _Stage(scripts, rng, between)
    here, *others = stage.actors
    for actor in others:
        _THREADS.submit(actor.run)
    stage.next().turn.release()
    here.run()
    stage.empty.acquire()
    if stage.error is not None:
        raise stage.error
