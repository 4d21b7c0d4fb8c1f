"""`kill -9`, and a full disk, at each write-like system call of a real apply, with real git and real sockets.

Nothing twice, nothing forgotten. The calls are those of our process; those of the git commands that it runs are not
hit. A normal run takes a sample of the calls; SYSCALL_STRIDE=1 takes every one.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from tests.e2e.counting import Counting
from tests.e2e.nursery import Nursery
from tests.e2e.owed import declare, expected
from tests.e2e.settling import settle_by_hand
from tests.e2e.system_calls import SystemCall, apply_traced, calls_of, why_not
from tests.e2e.workplace import SECRET, Ended, Workplace
from tests.figures import Tried

STRIDE = int(os.environ.get("SYSCALL_STRIDE", "197"))
CHUNKS = 8 if STRIDE == 1 else 1
TABLES = 2
BATCH = 2
SITUATIONS = ("at first", "with a ledger")

_WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(_WHY_NOT is not None, reason=str(_WHY_NOT))


@dataclass(frozen=True, slots=True)
class Case:
    """An apply that is hit at one of its calls, in a repository that never saw one or that has a ledger already.

    `inject` is the fault, in strace's words. `fresh`: another clone recovers, which has not the journal.
    """

    situation: str
    call: SystemCall
    inject: str
    fresh: bool


@dataclass(slots=True)
class Bench:
    """Makes a new workplace for each case, as a copy of one for its situation; all have one scheduler that counts."""

    folder: Path
    nursery: Nursery
    scheduler: Counting
    made: int = 0
    hits: int = 0

    def place(self, situation: str) -> tuple[Workplace, list[str]]:
        """Return a workplace, and the tables that it owes: two calls each, in two batches."""
        model = self.folder / situation
        if not model.exists():
            self._make(model, situation)
        self.made += 1
        folder = self.folder / str(self.made)
        shutil.copytree(model, folder, symlinks=True)
        place = Workplace(folder / "clone", folder / "remote.git", self.nursery)
        place.git("remote", "set-url", "origin", os.fspath(folder / "remote.git"))
        return place, declare(place, f"new-{self.made}", TABLES)

    def _make(self, folder: Path, situation: str) -> None:
        folder.mkdir()
        place = Workplace.make(folder, self.nursery, self.scheduler.url)
        place.configure(self.scheduler.url, state={"batch": BATCH})
        if situation == "with a ledger":
            declare(place, "old", TABLES)
            assert place.apply().code == 0

    def calls(self, situation: str) -> list[SystemCall]:
        """Return the system calls of an apply that nothing hits."""
        place, tables = self.place(situation)
        log = place.top.parent / "strace"
        done = apply_traced(place, log)
        assert done.code == 0, done.err
        assert all(self.scheduler.runs(table) == expected() for table in tables)
        return calls_of(log)

    def try_case(self, case: Case, ended_well: Callable[[Ended], bool]) -> str:
        """Apply, hit as the case says, then recover. Return what is wrong in the end, "" where nothing is."""
        place, tables = self.place(case.situation)
        log = place.top.parent / "strace"
        hit = apply_traced(place, log, case.inject)
        was_hit = hit.code == -signal.SIGKILL or "(INJECTED)" in log.read_text("utf-8", "surrogateescape")
        self.hits += was_hit
        assert SECRET not in hit.out + hit.err
        survivor = place.clone("fresh") if case.fresh else place
        recovered = survivor.apply()
        doubtful = place.pending()
        settle_by_hand(survivor, self.scheduler)
        last = survivor.apply()
        ran = {table: self.scheduler.runs(table) for table in tables}
        wrong = [] if ended_well(hit) else [f"it ended with {hit.code}: {hit.err}"]
        if not was_hit and not case.call.waits:  # how often it waits is not the same each time
            wrong.append("it never came to that call")
        if recovered.code not in (0, 7):
            wrong.append(f"the next apply ended with {recovered.code}: {recovered.err}")
        if len(doubtful) > (2 * BATCH if case.fresh else 1):
            wrong.append(f"in doubt, though not under way: {doubtful}")
        if last.code or any(times != expected() for times in ran.values()):
            wrong.append(f"the last apply ended with {last.code}: {last.err}; this ran: {ran}")
        shutil.rmtree(place.top.parent)
        return "; ".join(wrong)

    def note(self, cases: int) -> str:
        """Say how many applies ended before the call at which they were to be hit, where any did."""
        return f"{cases - self.hits} never came to that call" if self.hits < cases else ""

    def try_all(self, cases: Iterable[Case], ended_well: Callable[[Ended], bool]) -> None:
        found = [(case, self.try_case(case, ended_well)) for case in cases]
        wrong = [
            f"{case.situation}, {case.inject}, {case.fresh=}, {case.call.line}: {why}" for case, why in found if why
        ]
        assert not wrong, "\n\n".join(wrong)


@pytest.fixture
def bench(folder: Path, nursery: Nursery, scheduler: Counting) -> Bench:
    return Bench(folder, nursery, scheduler)


@pytest.fixture(scope="module")
def usual(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[SystemCall]]:
    """Return the system calls of an apply that nothing hits, in each situation."""
    with Counting() as scheduler:
        bench = Bench(tmp_path_factory.mktemp("usual"), nursery, scheduler)
        bench.calls("at first")  # this one compiles what it imports, which makes calls of its own
        return {situation: bench.calls(situation) for situation in SITUATIONS}


def cases(usual: dict[str, list[SystemCall]], faults: Callable[[SystemCall], Iterable[str]]) -> list[Case]:
    """Return a case for each fault at each call, recovered by turns in the same clone and in a fresh one."""
    return [
        Case(situation, call, fault, fresh=(number + turn) % 2 == 1)
        for turn, situation in enumerate(SITUATIONS)
        for number, call in enumerate(usual[situation])
        for fault in faults(call)
    ]


def killed(call: SystemCall) -> list[str]:
    return [f"{call.name}:signal=KILL:when={call.number}"]


def full(call: SystemCall) -> list[str]:
    """Return a disk that is full for a moment, and one that stays so.

    Of files opened anew two in a row fail: Python makes a temporary file in another way where the first one does not
    work. Not all later ones, since a full disk lets files be opened for reading.
    """
    if not call.takes_space:
        return []
    lasting = (f"..{call.number + 1}",) if call.name in {"open", "openat"} else ("", "+")
    return [f"{call.name}:error=ENOSPC:when={call.number}{last}" for last in lasting]


def is_told(hit: Ended) -> bool:
    """Say whether an apply ended as it promises to, whatever happens: by itself, with a code that has a meaning."""
    return hit.code in set(ExitCode) and "Traceback" not in hit.err and "this is a bug" not in hit.err


def test_an_apply_in_one_thread_makes_the_same_system_calls_each_time(
    bench: Bench, usual: dict[str, list[SystemCall]]
) -> None:
    once, again = usual["with a ledger"], bench.calls("with a ledger")
    assert [call.name for call in once] == [call.name for call in again]
    assert [call.number for call in once if not call.waits] == [call.number for call in again if not call.waits]
    names = {call.name for call in once}
    assert {"write", "fsync", "openat", "connect", "sendto", "poll"} <= names


@pytest.mark.claim("killed at a write-like system call of an apply: nothing twice, nothing forgotten")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_killed_at_any_system_call_nothing_runs_twice_and_nothing_is_forgotten(
    bench: Bench, usual: dict[str, list[SystemCall]], tried: Tried, chunk: int
) -> None:
    every = cases(usual, killed)
    chosen = every[chunk * STRIDE :: CHUNKS * STRIDE]
    bench.try_all(chosen, lambda hit: hit.code in (-signal.SIGKILL, 0))
    tried(len(chosen), of=len(every), note=bench.note(len(chosen)))


@pytest.mark.claim("a full disk at a write-like system call of an apply: nothing twice, nothing forgotten")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_on_a_full_disk_nothing_runs_twice_and_nothing_is_forgotten(
    bench: Bench, usual: dict[str, list[SystemCall]], tried: Tried, chunk: int
) -> None:
    every = cases(usual, full)
    chosen = every[chunk * STRIDE :: CHUNKS * STRIDE]
    bench.try_all(chosen, is_told)
    tried(len(chosen), of=len(every), note=bench.note(len(chosen)))
