"""A stage on which actors take turns: one runs at a time, and a seed decides who goes next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random


class Crash(BaseException):
    """The process of an actor is gone: nothing of it runs any more, not even an exception handler that means well."""


class Actor:
    """A process. Its script runs on a thread of its own, which waits at every step for its turn."""

    def __init__(self, script: Callable[[Actor], None]) -> None:
        self.over = False
        self.error: BaseException | None = None
        self._script = script
        self._turn = threading.Lock()
        self._back = threading.Lock()
        self._turn.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Let somebody else go on; called by the script."""
        self._back.release()
        self._turn.acquire()

    def go(self) -> None:
        """Run the script to its next pause, or to its end; called by the stage."""
        self._turn.release()
        self._back.acquire()

    def _run(self) -> None:
        self._turn.acquire()
        try:
            self._script(self)
        except Crash:
            pass
        except BaseException as error:  # noqa: BLE001  (told to the stage, on the thread that asks)
            self.error = error
        self.over = True
        self._back.release()


def play(scripts: list[Callable[[Actor], None]], rng: Random, between: Callable[[], None]) -> None:
    """Play all scripts to their end, interleaved as `rng` has it; `between` runs after every step."""
    actors = [Actor(script) for script in scripts]
    while alive := [actor for actor in actors if not actor.over]:
        rng.choice(alive).go()
        between()
    for actor in actors:
        if actor.error is not None:
            raise actor.error
