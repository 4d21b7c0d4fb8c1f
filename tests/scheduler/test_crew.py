"""Threads that make calls: used again, never waited for where one hangs, gone when they are dismissed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from reconciler.scheduler.crew import Crew

NAME = "crew-under-test"


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew(NAME)
    yield crew
    crew.dismiss(5.0)
    assert _alive() == 0


def _alive() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


def _hang(over: threading.Event) -> None:
    over.wait(5)


def _done(crew: Crew) -> int | None:
    """Let a job be done, and return the thread that did it, which has nothing to do again."""
    did: list[int | None] = []
    done = threading.Event()

    def job() -> None:
        did.append(threading.current_thread().ident)
        done.set()

    assert crew.do(job)
    assert done.wait(5)
    time.sleep(0.02)
    return did[0]


def test_a_thread_is_there_for_the_next_job(crew: Crew) -> None:
    assert len({_done(crew) for _ in range(10)}) == 1
    assert _alive() == 1


def test_a_job_that_hangs_keeps_no_other_waiting(crew: Crew) -> None:
    over = threading.Event()
    assert crew.do(partial(_hang, over))
    assert len({_done(crew) for _ in range(5)}) == 1
    assert _alive() == 2
    over.set()


def test_dismissed_threads_end_when_their_job_is_done(crew: Crew) -> None:
    over = threading.Event()
    assert crew.do(partial(_hang, over))
    _done(crew)
    crew.dismiss(0.05)
    assert _alive() == 1
    over.set()
    crew.dismiss(5.0)
    assert _alive() == 0


def test_a_job_after_the_dismissal_is_still_done(crew: Crew) -> None:
    crew.dismiss(1.0)
    assert _done(crew) is not None
    crew.dismiss(5.0)
    assert _alive() == 0
