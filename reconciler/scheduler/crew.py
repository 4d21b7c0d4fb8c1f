"""Threads that make calls: each makes one at a time, and is there for the next one then."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from time import monotonic

Job = Callable[[], None]
_Inbox = SimpleQueue[Job | None]


class Crew:
    """As many threads as there were ever jobs at once. One that hangs keeps no other job waiting.

    Daemons, since a lookup that hangs cannot be ended. Whoever takes an inbox out of the idle ones, an atomic step,
    is alone in writing to it; so no lock is needed.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: deque[_Inbox] = deque()
        self._threads: list[Thread] = []
        self._over = False

    def do(self, job: Job) -> bool:
        """Start a job, which must not raise; returns at once. False where this machine starts no more threads."""
        try:
            self._idle.pop().put(job)
        except IndexError:
            return self._hire(job)
        return True

    def dismiss(self, seconds: float) -> None:
        """Let all threads end, each once its job is done, and wait for that no longer than `seconds`."""
        self._let_go()
        end = monotonic() + seconds
        for thread in tuple(self._threads):
            thread.join(max(0.0, end - monotonic()))

    def _hire(self, job: Job) -> bool:
        thread = Thread(target=self._work, args=(job,), name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._threads.append(thread)
        return True

    def _work(self, job: Job | None) -> None:
        inbox: _Inbox = SimpleQueue()
        while job is not None:
            job()
            del job  # it holds what it worked on
            self._idle.append(inbox)
            if self._over:
                self._let_go()
            job = inbox.get()

    def _let_go(self) -> None:
        self._over = True
        with suppress(IndexError):
            while True:
                self._idle.pop().put(None)
