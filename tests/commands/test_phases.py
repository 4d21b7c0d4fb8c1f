"""Phases: what is shown of nested work, how fast it goes, and a thread that ends with it and takes no signals."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import pytest

from reconciler.commands.phases import Phase, Phases
from reconciler.core.progress import Count, each
from tests.telling import Told


def told(*ticks: Callable[[Phases], None]) -> tuple[Phases, list[str]]:
    """Return phases that are looked at often, and what was done when there were none any more."""
    ended: list[str] = []

    def tick(phases: Phases) -> None:
        for each_tick in ticks:
            each_tick(phases)

    return Phases(tick, 0.001, lambda: ended.append("idle")), ended


def tickers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_the_thread_lives_as_long_as_the_outermost_phase_also_where_an_exception_ends_it() -> None:
    phases, ended = told()

    def work() -> None:
        with phases.counting("planning", 3, "table"):
            with phases.waiting("fetching"):
                assert len(tickers()) == 1
            assert (len(tickers()), ended) == (1, [])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (tickers(), ended) == ([], ["idle"])
    with phases.waiting("pushing"):
        assert len(tickers()) == 1
    assert (tickers(), ended) == ([], ["idle", "idle"])


def test_the_thread_takes_no_signals_so_that_a_ctrl_c_reaches_the_main_thread() -> None:
    """The main thread holds them back while git starts; one that another thread took would get through."""
    blocked: list[set[signal.Signals | int]] = []
    seen = threading.Event()

    def look(_: Phases) -> None:
        blocked.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        seen.set()

    phases, _ = told(look)
    with phases.waiting("fetching"):
        assert seen.wait(10)
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP} <= blocked[0]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_phase_whose_end_was_cut_into_ends_with_the_one_around_it_or_at_the_end_of_the_process() -> None:
    phases, ended = told()
    with phases.waiting("outer"):
        phases.waiting("inner").__enter__()  # its end never comes
    assert (tickers(), ended, phases.shown(time.monotonic())) == ([], ["idle"], None)
    phases.waiting("alone").__enter__()
    phases.close()
    assert (tickers(), phases.shown(time.monotonic())) == ([], None)
    phases.close()


def test_the_innermost_phase_that_lasts_long_enough_is_shown() -> None:
    phases, _ = told()
    with phases.counting("making", 20, "call"):
        outer = time.monotonic()
        time.sleep(0.001)
        with phases.waiting("pushing"):
            recent = phases.shown(time.monotonic())
            older = phases.shown(outer)
            assert recent
            assert older
            assert (recent.doing, older.doing) == ("pushing", "making")
        assert phases.shown(outer - 60) is None


def test_of_no_work_nothing_is_shown() -> None:
    phases, _ = told()
    with phases.counting("making", 0, "call"):
        assert phases.shown(time.monotonic()) is None


def test_what_began_slowly_is_not_slow_for_ever() -> None:
    """Ten seconds for the first, then a hundred a second: half a minute later nobody waits for hours."""
    phase, text = Phase("planning", "table", Count(10_000), begun=0.0), ""
    for second in range(1, 31):
        phase.count.done = 1 if second <= 10 else 100 * (second - 10)
        text = phase.text(float(second))
    assert text == "planning 2,000 of 10,000 tables, 100 a second, about 80 s left"


def test_a_few_slow_ones_are_counted_from_the_beginning() -> None:
    phase, text = Phase("looking up", "rerun", Count(30), begun=0.0), ""
    for second in range(1, 61):
        phase.count.done = second // 20
        text = phase.text(float(second))
    assert text == "looking up 3 of 30 reruns, 3 a minute, about 9 min left"


def test_before_anything_is_done_it_is_said_for_how_long() -> None:
    assert Phase("looking up", "rerun", Count(1), begun=0.0).text(12.0) == "looking up 1 rerun, 12 s"
    assert Phase("fetching main from origin", None, Count(0), begun=0.0).text(7.2) == "fetching main from origin, 7 s"


def test_items_are_counted_as_they_are_done_and_an_exception_ends_the_count() -> None:
    told = Told()

    def divide() -> list[int]:
        with each(told, "dividing", (1, 2, 0, 3), "number") as numbers:
            return [1 // number for number in numbers]

    with pytest.raises(ZeroDivisionError):
        divide()
    assert (told.all, told.open) == ({"dividing number": Count(4, done=2)}, [])
