"""Lines on disk before their writers go on: none is lost, syncs are shared, a failure is told to all and for good."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.state.durable_lines import DurableLines


def _opened(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)


def test_a_sync_serves_every_line_that_was_written_before_it(tmp_path: Path) -> None:
    file = _opened(tmp_path / "lines")
    syncs: list[int] = []
    written = threading.Event()

    def sync(descriptor: int) -> None:
        syncs.append(os.fstat(descriptor).st_size)
        assert written.wait(5)
        os.fsync(descriptor)

    lines = DurableLines(file, sync)
    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(lines.append, b"line %d\n" % number) for number in range(8)]
        while os.fstat(file).st_size < 56:
            threading.Event().wait(0.001)
        assert not any(one.done() for one in done)
        written.set()
    assert [one.result() for one in done] == [None] * 8
    assert len(syncs) <= 2
    os.close(file)


def test_a_writer_goes_on_only_when_its_own_line_is_synced(tmp_path: Path) -> None:
    file = _opened(tmp_path / "lines")
    synced = 0

    def sync(descriptor: int) -> None:
        nonlocal synced
        size = os.fstat(descriptor).st_size
        os.fsync(descriptor)
        synced = size

    lines = DurableLines(file, sync)

    def write(number: int) -> bool:
        line = b"%03d\n" % number
        lines.append(line)
        return (tmp_path / "lines").read_bytes().index(line) < synced

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(write, range(400)))
    assert sorted((tmp_path / "lines").read_bytes().split()) == [b"%03d" % number for number in range(400)]
    os.close(file)


def test_a_sync_that_fails_is_told_to_every_writer_and_nothing_is_written_after_it() -> None:
    outlet, inlet = os.pipe()  # which takes lines, and cannot be synced
    lines = DurableLines(inlet)
    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(lines.append, b"line\n") for _ in range(20)]
        assert all(isinstance(one.exception(), OSError) for one in done)
    assert lines.broken
    os.close(inlet)
    with os.fdopen(outlet, "rb") as said:
        assert said.read() in {b"line\n" * number for number in range(1, 5)}


def test_a_full_disk_is_told_to_every_writer() -> None:
    file = os.open("/dev/full", os.O_WRONLY)
    lines = DurableLines(file)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            lines.append(b"line\n")
    os.close(file)
