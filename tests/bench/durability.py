"""What durability costs: calls per second of the real protocol, with and without journal and pushes, as ratios.

python -m tests.bench.durability [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.clock import SystemClock
from reconciler.commands.identity import new_run
from reconciler.core.call import Call, Times
from reconciler.core.change import Change, Key, Snapshot, remaining
from reconciler.core.config import Auth, FromEnv, Target
from reconciler.core.ledger import Intent, Ledger
from reconciler.core.outcome import Outcome
from reconciler.core.plan import Plan
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.protocol.apply import Applier, Run
from reconciler.protocol.ports import JournalPort, S, StatePort
from reconciler.protocol.sender import Sender
from reconciler.scheduler.client import Scheduler
from reconciler.scheduler.credential import read_credential
from reconciler.state.branch import StateBranch
from reconciler.state.git import Git
from reconciler.state.journal import Journal
from tests.bench.long import emulator

_A_TABLE = 4


@dataclass(frozen=True, slots=True)
class Remembered:
    """State in memory: intents only, since nothing is planned twice."""

    commit: str | None = None
    intents: tuple[Intent, ...] = ()

    def ledger(self, key: Key) -> Ledger | None:
        return None


class Forgetful:
    """The state's branch and the journal of a run that would lose all that it knows."""

    def read(self) -> Remembered:
        return Remembered()

    def commit(self, base: Remembered, change: Change, message: str) -> Remembered:
        return Remembered("none", remaining(base.intents, change.settled) + change.intents)

    def sending(self, call_id: str, at: str) -> None: ...

    def outcome(self, call_id: str, outcome: Outcome, at: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run: what it is called, how many calls it makes, its batch, and what of it is durable."""

    name: str
    calls: int
    batch: int
    journal: bool
    pushes: bool


VARIANTS = (
    Variant("bare: nothing is durable", 300, 500, journal=False, pushes=False),
    Variant("with a journal", 300, 500, journal=True, pushes=False),
    Variant("with a journal and pushes, batch 1", 20, 1, journal=True, pushes=True),
    Variant("with a journal and pushes, batch 20", 200, 20, journal=True, pushes=True),
    Variant("with a journal and pushes, batch 500", 500, 500, journal=True, pushes=True),
)


def plan_of(calls: int, target: Target) -> Plan:
    """Return a plan of points, four calls a table."""
    tables = []
    for table in range(calls // _A_TABLE):
        name = f"c.d.T{table}"
        made = (Call(target.name, name, target.tenant, Times((hour * 3600,)), (), ("m#1",), ()) for hour in range(4))
        planned = tuple(PlannedCall(call, None) for call in made)
        tables.append(TablePlan(target, name, None, planned, (), ()))
    return Plan(None, tuple(tables))


@contextmanager
def journal_of(variant: Variant, folder: Path, run: str) -> Iterator[JournalPort]:
    """Yield the journal that a variant has: a real one, or none."""
    if not variant.journal:
        yield Forgetful()
        return
    journal = Journal(folder / "journal", run, SystemClock().utc())
    try:
        yield journal
    finally:
        journal.close(keep=False)


def repository(folder: Path) -> Git:
    """Make a repository with a bare remote and a commit."""
    top = folder / "clone"
    top.mkdir()
    for command in (
        "git init --quiet --bare --initial-branch=main ../remote.git",
        "git init --quiet --initial-branch=main",
        "git remote add origin ../remote.git",
        "git config user.name Bench",
        "git config user.email bench@example.com",
        "git commit --quiet --allow-empty -m Bench",
        "git push --quiet --set-upstream origin main",
    ):
        subprocess.run(command.split(), cwd=top, check=True)
    return Git.find(top)


def applied(variant: Variant, state: StatePort[S], target: Target, folder: Path) -> float:
    """Apply a variant's calls and return how many it made a second."""
    run = Run(new_run(), "bench", "c0ffee", variant.batch, None)
    clock = SystemClock()
    plan = plan_of(variant.calls, target)
    planner: Callable[[Snapshot], Plan] = lambda _: Plan(None, ())  # noqa: E731  (nobody else moves this state)
    settler: Callable[[Snapshot], Change] = lambda _: Change()  # noqa: E731
    credential = read_credential(target, {"BENCH_AUTH": "bench"})
    with (
        journal_of(variant, folder, run.name) as journal,
        Scheduler(target, credential) as scheduler,
        Sender({target.name: target}, {target.name: scheduler}, journal, clock, lambda _: None) as sender,
    ):
        applier = Applier(run, state, planner, settler, sender, clock)
        snapshot = state.read()
        begin = time.perf_counter()
        report = applier.execute(snapshot, Change(), plan)
        seconds = time.perf_counter() - begin
    if [result.label for result in report.results] != ["triggered"] * variant.calls:
        raise RuntimeError(f"{variant.name}: {report.failure or 'not all was triggered'}")
    return variant.calls / seconds


def measured(variant: Variant, target: Target) -> float:
    """Run a variant once in a scratch folder."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if variant.pushes:
            state = StateBranch(repository(folder), "", "state", "origin", warn=print)
            return applied(variant, state, target, folder)
        return applied(variant, Forgetful(), target, folder)


def main(rounds: int = 3) -> None:
    """Measure all variants in turn, some times, and print the medians."""
    with tempfile.TemporaryDirectory() as scratch, emulator(Path(scratch), "") as url:
        auth = Auth("UID", FromEnv("BENCH_AUTH"))
        target = Target("bench", url, "tn_bench", auth, "UTC", concurrency=8)
        measured(VARIANTS[0], target)  # imports and caches: not what is measured
        turns = [[measured(variant, target) for variant in VARIANTS] for _ in range(rounds)]
    rates = [statistics.median(column) for column in zip(*turns, strict=True)]
    print(f"the cost of durability: 8 calls at once on loopback, the remote on this disk, {rounds} rounds")
    print(f"{'':<40}{'calls/s':>10}{'of bare':>10}")
    for variant, rate in zip(VARIANTS, rates, strict=True):
        print(f"{variant.name:<40}{rate:>10.0f}{rate / rates[0]:>10.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
