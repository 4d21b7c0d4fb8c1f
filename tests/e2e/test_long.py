"""Long applies with faults: memory stays flat, every call is accounted for, Ctrl-C at any time is orderly.

A normal run makes some hundred calls; LONG_CALLS=10000 makes that many.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from typing import Any

import pytest

from reconciler.scheduler.emulator import parse_faults
from tests.bench.watching import memory_at, watch
from tests.e2e.counting import Counting
from tests.e2e.manifests import at, backfill, between, hours, text_of
from tests.e2e.nursery import Process
from tests.e2e.terminal import ON_A_TERMINAL, screen
from tests.e2e.workplace import PACKAGE, SECRET, Workplace, ended
from tests.figures import Tried

CALLS = int(os.environ.get("LONG_CALLS", "400"))
FAULTS = "lost=0.004,error=0.004,reject=0.004,late=0.004,refuse=0.004"
MEGABYTES = 30
"""How much more memory the end of a long apply may have than its first fifth: far less than a leak would take."""
TABLES_IN_A_FILE = 200
STOPS = 4
EXPECTED = {**hours(1, 2), **hours(4, 4)}


@dataclass(frozen=True, slots=True)
class Told:
    """What an apply said: calls that it planned, and what it says became of them."""

    planned: int
    became: dict[str, int]

    @classmethod
    def by(cls, text: str) -> Told:
        totals = re.findall(r"^(?=.*\btriggered)((?:[\d,]+ [a-z ]+(?:, )?)+)\.\r?$", text, re.MULTILINE)
        parts = (part.split(" ", 1) for part in totals[-1].split(", "))
        return cls(planned(text), {word: _number(number) for number, word in parts})

    @property
    def adds_up(self) -> bool:
        return sum(self.became.values()) == self.planned


def planned(text: str) -> int:
    """Return how many calls an apply was to make."""
    return sum(map(_number, re.findall(r"^([\d,]+) calls? to make", text, re.MULTILINE)))


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def declare(place: Workplace, scheduler: Counting, calls: int, batch: int, name: str = "long") -> list[str]:
    """Declare tables with two calls each, and return their names."""
    place.configure(
        scheduler.url, state={"batch": batch}, target={"timeout": "1s", "concurrency": 8, "timeZone": "UTC"}
    )
    tables = [f"c.{name}.T{number}" for number in range(calls // 2)]
    manifests = [backfill(f"{name}-{n}", between(1, 2), at(4), table=table) for n, table in enumerate(tables)]
    for first in range(0, len(manifests), TABLES_IN_A_FILE):
        place.write(f"{name}-{first}.yaml", text_of(*manifests[first : first + TABLES_IN_A_FILE]))
    place.publish()
    return tables


def is_gone(process: Process) -> bool:
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


@dataclass(frozen=True, slots=True)
class State:
    """The hours that ledgers record and that intents name, by table, and how many intents there are."""

    recorded: dict[str, set[str]]
    doubtful: dict[str, set[str]]
    intents: int

    @classmethod
    def of(cls, place: Workplace) -> State:
        recorded: dict[str, set[str]] = {}
        doubtful: dict[str, set[str]] = {}
        intents = 0
        for path, (header, *lines) in state_lines(place):
            for line in lines:
                pending = path.startswith("pending/")
                intents += pending
                found, table = (doubtful, line["tableName"]) if pending else (recorded, header["tableName"])
                hours_of_line = set(line.get("scheduleTimes") or (line["startTime"], line["endTime"]))
                assert pending or not hours_of_line & found.get(table, set()), f"{table} is recorded twice"
                found.setdefault(table, set()).update(hours_of_line)
        return cls(recorded, doubtful, intents)

    def check(self, scheduler: Counting, tables: list[str]) -> None:
        """Nothing ran twice; what is recorded ran, and what ran is recorded or in doubt."""
        for table in tables:
            ran, recorded = scheduler.runs(table), self.recorded.get(table, set())
            assert set(ran.values()) <= {1}, table
            assert recorded <= ran.keys(), table
            assert ran.keys() <= recorded | self.doubtful.get(table, set()), table


def state_lines(place: Workplace) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield path and lines of each state file at the tip: one git process, however many files."""
    if place.tip() is None:
        return
    archive = subprocess.run(
        ["git", "-C", place.remote or place.top, "archive", f"{place.state}^{{tree}}"], capture_output=True, check=False
    )
    assert archive.returncode == 0, archive.stderr
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        for member in files.getmembers():
            file = files.extractfile(member)
            if file is not None:
                yield member.name.split("/.state/", 1)[1], [json.loads(line) for line in file.read().splitlines()]


def finish(place: Workplace, scheduler: Counting, tables: list[str]) -> int:
    """Apply until nothing but doubt is left; returns how many calls are in it."""
    while True:
        last = place.apply()
        assert last.code in (0, 6, 7), last.err
        if not planned(last.out):
            break
        assert Told.by(last.out).adds_up, last.out
    state = State.of(place)
    state.check(scheduler, tables)
    for table in tables:
        assert state.recorded.get(table, set()) | state.doubtful.get(table, set()) == EXPECTED.keys(), table
    return state.intents


@pytest.fixture
def faulty(scheduler: Counting) -> Counting:
    scheduler.decide = parse_faults(FAULTS, seed=7).decide
    return scheduler


@pytest.mark.claim("a long apply, 1 call in 50 faulty: memory flat, every call accounted for")
def test_a_long_apply_keeps_its_memory_flat_and_accounts_for_every_call(
    place: Workplace, faulty: Counting, tried: Tried
) -> None:
    tables = declare(place, faulty, CALLS, batch=max(20, CALLS // 50))
    process = place.start("apply")
    samples = watch(process.pid, place.journal_folder, lambda: is_gone(process))
    done = ended(process)
    told = Told.by(done.out)
    assert (done.code, told.planned, told.adds_up) == (7, CALLS, True), done.out
    state = State.of(place)
    state.check(faulty, tables)
    assert told.became["in doubt"] == state.intents
    assert "Still owed" in done.out
    assert "reconciler resolve" in done.out
    if CALLS >= 1000:  # fewer are made before the first line is due
        assert re.search(r"^making [\d,]+ of [\d,]+ calls, [\d,]+ a (second|minute)", done.err, re.MULTILINE)
    if samples:  # where this machine shows a process's memory
        early, late = memory_at(samples, 0.2), samples[-1].megabytes
        assert late < early + MEGABYTES
        note = f"memory {early:.0f} MB at 20 %, {late:.0f} MB at the end"
        tried(CALLS, note=note)
    finish(place, faulty, tables)


@pytest.mark.claim("Ctrl-C at a random moment of a faulty apply: every call accounted for, nothing twice")
@pytest.mark.parametrize("seed", range(2))
def test_an_apply_that_is_interrupted_at_any_moment_ends_in_order(
    place: Workplace, faulty: Counting, tried: Tried, seed: int
) -> None:
    chance = random.Random(seed)
    tables = declare(place, faulty, 200, batch=10)
    stopped = tries = 0
    for _ in range(STOPS):
        process = place.start("apply")
        begun = frozenset(place.journals())
        while frozenset(place.journals()) <= begun and not is_gone(process):
            time.sleep(0.01)
        time.sleep(0.1 + chance.random() * 2)
        if not is_gone(process):
            process.send_signal(SIGINT)
        done = ended(process)
        assert done.code in (0, 6, 7), done.err
        tries += 1
        if not planned(done.out):
            break  # a fast machine: all is triggered or in doubt
        assert Told.by(done.out).adds_up, done.out
        State.of(place).check(faulty, tables)
        stopped += "Stopping" in done.err
    finish(place, faulty, tables)
    tried(tries)
    assert stopped


def test_ctrl_c_on_a_terminal_ends_in_order_and_leaves_no_bar_behind(
    place: Workplace, faulty: Counting, tmp_path: Path
) -> None:
    tables = declare(place, faulty, 600, batch=10)
    shown = tmp_path / "terminal"
    command = [sys.executable, "-c", ON_A_TERMINAL, sys.executable, "-m", "reconciler", "apply"]
    environ = {**os.environ, **place.env, "PYTHONPATH": os.fspath(PACKAGE), "TERM": "xterm"}
    with (
        shown.open("wb") as out,
        subprocess.Popen(command, cwd=place.top, env=environ, stdin=subprocess.PIPE, stdout=out) as terminal,
    ):
        assert terminal.stdin

        def type_after(what: str, keys: bytes) -> None:
            assert terminal.stdin
            deadline = time.monotonic() + 60
            while what not in shown.read_text("utf-8", "replace"):
                assert time.monotonic() < deadline, f"it never showed {what!r}"
                time.sleep(0.02)
            terminal.stdin.write(keys)
            terminal.stdin.flush()

        type_after("600 calls now?", b"y\n")
        type_after(" of 600 calls", b"\x03")
        code = terminal.wait(60)
    lines = screen(shown.read_bytes().decode())
    told = Told.by("\n".join(lines))
    assert code in (6, 7), lines
    assert (told.planned, told.adds_up) == (600, True), lines
    assert told.became["skipped"] > 0
    assert "Stopping: calls in flight get a moment, then what is known is recorded." in lines
    assert not [line for line in lines if re.search(r"\[[#.]+\]| of 600 calls|\^C", line)], lines
    assert SECRET not in "\n".join(lines)
    State.of(place).check(faulty, tables)
