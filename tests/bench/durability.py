"""What an apply costs beside its posts: calls per second layer by layer, as ratios to raw httpx in the same run.

python -m tests.bench.durability [CALLS] [ROUNDS] [SECONDS]

Raw httpx is one client with a connection per post, on as many threads as calls are made at once. SECONDS is how long
the server takes to answer. Ratios are medians of rounds, each of which measures all layers one after another.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from reconciler.commands.clock import SystemClock
from reconciler.commands.identity import new_run
from reconciler.core.call import Call, Times
from reconciler.core.change import Change, Key, Snapshot, remaining
from reconciler.core.config import Auth, FromEnv, Target
from reconciler.core.ledger import Intent, Ledger
from reconciler.core.outcome import Outcome
from reconciler.core.plan import Plan
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.report import Report
from reconciler.protocol.apply import Applier, Run
from reconciler.protocol.ports import JournalPort, S, StatePort
from reconciler.protocol.sender import Sender
from reconciler.scheduler.client import Scheduler
from reconciler.scheduler.credential import read_credential
from reconciler.scheduler.wire import Letter, read_origin, write
from reconciler.state.branch import StateBranch
from reconciler.state.git import Git
from reconciler.state.journal import Journal
from tests.bench.answering import answering

_A_TABLE = 4
_AT_ONCE = 8
_AUTH = {"BENCH_AUTH": "bench"}


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
    """One way to apply: what it is called, its batch, and what of it is durable."""

    name: str
    batch: int
    journal: bool
    pushes: bool
    share: float = 1.0
    """Of the calls; where each takes long, fewer tell as much."""


VARIANTS = (
    Variant("apply, nothing durable", 500, journal=False, pushes=False),
    Variant("apply with a journal", 500, journal=True, pushes=False),
    Variant("apply with journal and pushes, batch 500", 500, journal=True, pushes=True),
    Variant("apply with journal and pushes, batch 20", 20, journal=True, pushes=True, share=0.25),
    Variant("apply with journal and pushes, batch 1", 1, journal=True, pushes=True, share=0.02),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second, and the milliseconds of our processor time that each took; git's own are not in it."""

    a_second: float
    milliseconds: float


def timed(calls: int, work: Callable[[], object]) -> Rate:
    """Do some work, in which that many calls are made."""
    cpu, begin = time.process_time(), time.perf_counter()
    work()
    return Rate(calls / (time.perf_counter() - begin), (time.process_time() - cpu) / calls * 1000)


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


def raw(calls: Sequence[Call], target: Target) -> Rate:
    """Post the bodies of calls with httpx and nothing else."""
    origin, credential = read_origin(target.url), read_credential(target, _AUTH)
    letters = [write(call, credential, origin) for call in calls]
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)

    def post(letter: Letter) -> None:
        headers = {name: value for name, value in letter.headers if name not in {"host", "content-length"}}
        if not client.post(letter.url, content=letter.body, headers=headers).json()["success"]:
            raise RuntimeError("not accepted")

    with httpx.Client(limits=limits, trust_env=False) as client, ThreadPoolExecutor(_AT_ONCE) as threads:
        return timed(len(calls), lambda: list(threads.map(post, letters)))


def posted(calls: Sequence[Call], target: Target) -> Rate:
    """Make calls with our client, on threads of a pool."""
    with Scheduler(target, read_credential(target, _AUTH)) as scheduler, ThreadPoolExecutor(_AT_ONCE) as threads:
        return timed(len(calls), lambda: list(threads.map(scheduler.post, calls)))


def applied(variant: Variant, plan: Plan, state: StatePort[S], target: Target, folder: Path) -> Rate:
    """Apply a plan as a variant does."""
    run = Run(new_run(), "bench", "c0ffee", variant.batch, None)
    clock = SystemClock()
    planner: Callable[[Snapshot], Plan] = lambda _: Plan(None, ())  # noqa: E731  (nobody else moves this state)
    settler: Callable[[Snapshot], Change] = lambda _: Change()  # noqa: E731
    credential = read_credential(target, _AUTH)
    with (
        journal_of(variant, folder, run.name) as journal,
        Scheduler(target, credential) as scheduler,
        Sender({target.name: target}, {target.name: scheduler}, journal, clock, lambda _: None) as sender,
    ):
        applier = Applier(run, state, planner, settler, sender, clock)
        snapshot = state.read()
        reports: list[Report] = []
        rate = timed(len(plan.ready), lambda: reports.append(applier.execute(snapshot, Change(), plan)))
    (report,) = reports
    if [result.label for result in report.results] != ["triggered"] * len(plan.ready):
        raise RuntimeError(f"{variant.name}: {report.failure or 'not all was triggered'}")
    return rate


def measured(variant: Variant, calls: int, target: Target) -> Rate:
    """Run a variant once in a scratch folder."""
    plan = plan_of(max(_A_TABLE, int(calls * variant.share)), target)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if variant.pushes:
            state = StateBranch(repository(folder), "", "state", "origin", warn=print)
            return applied(variant, plan, state, target, folder)
        return applied(variant, plan, Forgetful(), target, folder)


def layers(calls: int, target: Target) -> Mapping[str, Callable[[], Rate]]:
    """Return what is measured, by its name: raw httpx first."""
    made = plan_of(calls, target).ready
    applies = {variant.name: partial(measured, variant, calls, target) for variant in VARIANTS}
    return {"raw httpx": partial(raw, made, target), "our client": partial(posted, made, target), **applies}


def main(calls: int = 1000, rounds: int = 5, seconds: float = 0.0) -> None:
    """Measure all layers in turn, some times, and print the medians."""
    with answering(2 * _AT_ONCE, seconds) as url:
        auth = Auth("UID", FromEnv("BENCH_AUTH"))
        target = Target("bench", url, "tn_bench", auth, "UTC", concurrency=_AT_ONCE)
        for measure in layers(40, target).values():
            measure()  # imports and caches: not what is measured
        measures = layers(calls, target)
        turns = [{name: measure() for name, measure in measures.items()} for _ in range(rounds)]
    print(f"{calls} calls, {_AT_ONCE} at once on loopback, {seconds * 1000:g} ms an answer, {rounds} rounds")
    print(f"{'':<44}{'calls/s':>10}{'of raw':>10}{'CPU ms/call':>14}")
    for name in measures:
        rate = statistics.median(turn[name].a_second for turn in turns)
        cpu = statistics.median(turn[name].milliseconds for turn in turns)
        ratio = statistics.median(turn[name].a_second / turn["raw httpx"].a_second for turn in turns)
        print(f"{name:<44}{rate:>10.0f}{ratio:>10.2f}{cpu:>14.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *map(float, sys.argv[3:4]))
