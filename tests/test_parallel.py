"""Both cores: what the copy does is what would be done here, or is left to the caller."""

from __future__ import annotations

import os
import signal
import time

import pytest

from reconciler import parallel
from reconciler.parallel import side_by_side


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_cores", lambda: 2)


def test_both_halves_are_done_and_the_copy_is_another_process() -> None:
    here, there = side_by_side(os.getpid, lambda: b"%d" % os.getpid())
    assert there is not None
    assert here == os.getpid() != int(there)


def test_much_more_than_a_pipe_holds_comes_back() -> None:
    assert side_by_side(lambda: time.sleep(0.01), lambda: b"x" * 10_000_000)[1] == b"x" * 10_000_000


def _raise() -> bytes:
    raise ValueError


def _die() -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b"never"


def _wait() -> bytes:
    time.sleep(60)
    return b"late"


@pytest.mark.parametrize("there", [_raise, _die])
def test_what_the_copy_cannot_do_is_left_to_the_caller(there: object) -> None:
    assert side_by_side(lambda: 1, there) == (1, None)  # type: ignore[arg-type]


def test_the_copy_ends_with_an_error_here() -> None:
    began = time.monotonic()
    with pytest.raises(ValueError):  # noqa: PT011  (any: it is ours)
        side_by_side(_raise, _wait)
    assert time.monotonic() - began < 30
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_on_one_core_nothing_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_cores", lambda: 1)
    assert side_by_side(lambda: 1, _die) == (1, None)


def test_where_nobody_waits_for_children_it_works_alike() -> None:
    """An ignored SIGCHLD is inherited by whoever is started: then no status of a child is ever known."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert side_by_side(lambda: 1, lambda: b"2") == (1, b"2")
        assert side_by_side(lambda: 1, _die) == (1, None)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_copy_that_hangs_is_ended_and_its_work_left_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_PATIENCE", 0.2)
    assert side_by_side(lambda: 1, _wait) == (1, None)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
