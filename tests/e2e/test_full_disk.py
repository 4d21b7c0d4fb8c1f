"""A disk that is full, from the start or between a call and its outcome: it is said, and nothing is lost or doubled."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.scheduler.emulator import Arrival
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between, hours
from tests.e2e.nursery import Nursery
from tests.e2e.settling import settle_by_hand
from tests.e2e.workplace import PACKAGE, Ended, Workplace, checked

SIZE = "4m"
MOUNT = f'mount -t tmpfs -o size={SIZE} small "$1" && git clone -q "$2" "$1/clone" && shift 2 && exec "$@"'
"""Mounts a small disk on a folder, clones a repository onto it, and runs a command that sees both."""


def declare(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)), backfill("orders", at(2, 3), table=ORDERS))


def ran(scheduler: Counting) -> tuple[dict[str, int], dict[str, int]]:
    return scheduler.runs(SALES), scheduler.runs(ORDERS)


ONCE = hours(1, 5), hours(2, 3)


def can_mount(folder: Path) -> bool:
    trial = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", f"size={SIZE}", "small", os.fspath(folder)]
    try:
        return subprocess.run(trial, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


class Disk:
    """A small disk that only the processes of a nursery see; from here, it is reached through one of them."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self._filler = Path(f"/proc/{nursery.pid}/root{folder}/filler")

    def fill(self) -> None:
        """Write until not a byte fits any more."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        self._filler.unlink()


@contextmanager
def on_small_disk(place: Workplace, folder: Path) -> Iterator[tuple[Workplace, Disk]]:
    """Yield a clone on a small disk, and that disk."""
    assert place.remote
    disk, orders = folder / "disk", folder / "orders"
    disk.mkdir()
    orders.mkdir()
    within = ("unshare", "-rm", "sh", "-c", MOUNT, "sh", disk, place.remote)
    nursery = Nursery(orders, *within)
    try:
        small = Workplace(disk / "clone", place.remote, nursery)
        assert small.run("plan").code == 0
        yield small, Disk(disk, nursery)
    finally:
        nursery.close()


@pytest.fixture
def small(place: Workplace, tmp_path: Path) -> Iterator[tuple[Workplace, Disk]]:
    if not can_mount(tmp_path):
        pytest.skip("needs unshare -rm, and tmpfs in it")
    declare(place)
    with on_small_disk(place, tmp_path) as found:
        yield found


def test_with_a_disk_that_is_full_no_call_is_made_until_there_is_room(
    small: tuple[Workplace, Disk], scheduler: Counting
) -> None:
    place, disk = small
    disk.fill()
    full = place.apply()
    assert (full.code, scheduler.calls, place.pending()) == (1, 0, [])
    assert "No space left" in full.err
    assert "that the disk has space" in full.err
    disk.free()
    assert place.apply().code == 0
    assert ran(scheduler) == ONCE


def test_a_disk_that_fills_up_while_a_call_is_made_costs_no_outcome_and_no_second_call(
    small: tuple[Workplace, Disk], scheduler: Counting
) -> None:
    place, disk = small

    def fill(_: Arrival) -> None:
        disk.fill()

    scheduler.decide = fill
    full = place.apply()
    assert full.code == 7
    assert "make room on the disk" in full.err
    scheduler.decide = no_fault
    disk.free()
    after = place.apply()
    assert after.code in {0, 7}
    settle_by_hand(place, scheduler)
    assert place.apply().code == 0
    assert ran(scheduler) == ONCE
    assert place.pending() == []


def apply_with_files_up_to(place: Workplace, size: int) -> Ended:
    """Apply in a process that can write no file longer than `size` bytes, nor can any that it starts."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "apply"],
        cwd=place.top,
        env={**os.environ, "PYTHONPATH": os.fspath(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1", **place.env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    return checked(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("size", [0, 100, 1000, 2000, 2500])
def test_where_files_cannot_grow_no_call_is_made_that_is_not_told_of(
    place: Workplace, scheduler: Counting, size: int
) -> None:
    declare(place)
    short = apply_with_files_up_to(place, size)
    assert short.code in {0, 1, 6, 7}
    assert short.code == 0 or "disk" in short.err
    after = place.apply()
    assert after.code in {0, 7}
    settle_by_hand(place, scheduler)
    assert place.apply().code == 0
    assert ran(scheduler) == ONCE
