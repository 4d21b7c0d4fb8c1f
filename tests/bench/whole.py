"""Whole commands on generated repositories: wall clock, processor and memory, beside floors in the same run.

python -m tests.bench.whole [--sizes 100,1000,10000] [--deep 1000] [--rounds 5] [--patience 20]
    [--keep DIR] [--json FILE] [--quick]

In each round a command and its floor take turns, so that noise hits both. A command that takes longer than PATIENCE
seconds runs once, and its memory is not sampled. All tables have a hundred ledger lines; those of one more repository,
of DEEP tables, have a thousand. DIR keeps the repositories from one bench to the next. BENCH_PYTHON names a Python that
has the extra `bench`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from tests.bench.figures_file import DEFAULT, Part, figure, record
from tests.bench.posts import serving
from tests.bench.running import Command, Run, peak, run

TOP = Path(__file__).parents[2]
PEERS = Path(os.environ.get("BENCH_PYTHON", TOP / ".venv-bench/bin/python")).absolute()
_RECONCILER = (sys.executable, "-c", "from reconciler.cli import main; main()", "-q")
_CLICK = "import click\n@click.command()\ndef main(): pass\nmain()"
OUTSIDE = {"PYTHONPATH": os.fspath(TOP), "BENCH_AUTH": "bench"}
_LINES, _CALLS, _THREADS = 100, 1000, 8

DEEP = ("plan, cold", "plan, nothing changed")

R = TypeVar("R")
Floors = Mapping[str, Command]


@dataclass(frozen=True, slots=True)
class Step:
    """A command to measure, the name of its floor, and what is done before and after each run, not measured."""

    name: str
    command: Command
    floor: str
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def measured(self, way: Callable[[Command], R]) -> R:
        self.before()
        try:
            return way(self.command)
        finally:
            self.after()


class Edits:
    """One edit of a manifest at a time, each of another one, taken back in between."""

    def __init__(self, clone: Path) -> None:
        self._clone = clone
        self._files = sorted(clone.glob("triggers/*/*/*.yaml"))
        self._at = count()
        self._whole: tuple[Path, bytes] | None = None

    def make(self) -> None:
        at = next(self._at)
        path = self._files[at * 37 % len(self._files)]
        data = path.read_bytes()
        self._whole = path, data
        path.write_bytes(data.replace(b"the table was made anew", b"the table was made anew, edit %d" % at))

    def take_back(self) -> None:
        if self._whole:
            self._whole[0].write_bytes(self._whole[1])
        subprocess.run(["git", "status", "--porcelain"], cwd=self._clone, check=True, stdout=subprocess.DEVNULL)


def reconciler(where: Path, *words: str) -> Command:
    """Return the command line, as a user runs it."""
    return Command((*_RECONCILER, *words), where, outside=OUTSIDE)


def floors(clone: Path) -> Floors:
    """Return what commands are compared with."""
    script = os.fspath(Path(__file__).with_name("floor.py"))
    bench = {what: Command((os.fspath(PEERS), script, what, "."), clone) for what in ("plan", "yaml", "bytes")}
    return {
        "python": Command((sys.executable, "-c", "pass"), clone),
        "click": Command((sys.executable, "-c", _CLICK), clone),
        **bench,
    }


def steps(folder: Path, scratch: Path) -> Iterator[Step]:
    """Yield what is measured on one repository."""
    clone, settled = folder / "clone", folder / "settled"
    edits = Edits(clone)

    def forget() -> None:
        shutil.rmtree(clone / ".git/reconciler/cache", ignore_errors=True)

    yield Step("--help", reconciler(clone, "--help"), "click")
    yield Step("validate", reconciler(clone, "validate"), "yaml", forget)
    yield Step("plan, cold", reconciler(clone, "plan"), "plan", forget)
    yield Step("plan, nothing changed", reconciler(clone, "plan"), "plan")
    yield Step("plan, one manifest changed", reconciler(clone, "plan"), "plan", edits.make, edits.take_back)
    yield Step("apply of nothing", reconciler(settled, "apply"), "plan")
    yield Step("status", reconciler(clone, "status"), "plan")
    yield Step("report", reconciler(clone, "report", "--out", os.fspath(scratch / "report.html")), "plan")


def applies(folder: Path, scratch: Path, url: str, batches: Mapping[str, Path]) -> Iterator[Step]:
    """Yield applies of many calls, each in a fresh copy of a repository, and the plan before it."""
    copy = scratch / "copy"

    def afresh(source: Path) -> Callable[[], None]:
        return lambda: (shutil.copytree(source, copy, symlinks=True), None)[1]

    def forget() -> None:
        shutil.rmtree(copy)

    for name, source in batches.items():
        yield Step(f"apply, {name}", reconciler(copy / "clone", "apply"), "posts", afresh(source), forget)
    first = next(iter(batches.values()))
    yield Step("plan of the same", reconciler(copy / "clone", "plan"), "posts", afresh(first), forget)


def measure(some: Sequence[Step], against: Floors, rounds: int, patience: float) -> Part:
    """Run all steps and their floors, some rounds, and return their figures."""
    runs: dict[str, list[Run]] = {name: [] for name in (*(step.name for step in some), *against)}
    for number in range(rounds):
        for name in ("python", "bytes"):
            if name in against:
                runs[name].append(run(against[name]))
        for step in some:
            if not number or runs[step.name][0].wall <= patience:
                runs[step.name].append(step.measured(run))
                runs[step.floor].append(run(against[step.floor]))
    memory = {step.name: step.measured(peak) for step in some if runs[step.name][0].wall <= patience}
    memory |= {name: peak(command) for name, command in against.items()}
    found = {step.name: figure(runs[step.name], step.floor, memory.get(step.name)) for step in some}
    return {**found, **{f"floor: {name}": figure(runs[name], "", memory[name]) for name in against if runs[name]}}


def generate(folder: Path, *words: str) -> Path:
    """Make a repository in a process of its own, so that this one stays small."""
    command = [sys.executable, "-m", "tests.bench.repository", os.fspath(folder), *words]
    subprocess.run(command, check=True, env={**os.environ, **OUTSIDE})
    return folder


def of_size(tables: int, keep: Path, rounds: int, patience: float) -> Part:
    """Measure commands on a repository of so many tables, with a hundred ledger lines each."""
    folder = generate(keep / f"tables-{tables}", str(tables), str(tables * _LINES))
    with tempfile.TemporaryDirectory() as scratch:
        return measure(tuple(steps(folder, Path(scratch))), floors(folder / "clone"), rounds, patience)


def of_depth(tables: int, keep: Path, rounds: int, patience: float) -> Part:
    """Measure plans where each table has a thousand ledger lines: what a line costs, beside what a table does."""
    folder = generate(keep / f"deep-{tables}", str(tables), str(tables * _LINES * 10))
    some = [step for step in steps(folder, folder) if step.name in DEEP]
    against = floors(folder / "clone")
    return measure(some, {name: against[name] for name in ("plan", "bytes")}, rounds, patience)


def of_apply(rounds: int, patience: float) -> Part:
    """Measure an apply of a thousand calls, of as many tables, and raw httpx with as many posts and threads."""
    with serving() as url, tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        words = (str(_CALLS), str(_CALLS * 10), str(_CALLS), url)
        batches = {f"batch {size}": generate(place / f"batch-{size}", *words, size) for size in ("500", "20")}
        send = (sys.executable, "-m", "tests.bench.posts", "send", url, str(_CALLS), str(_THREADS))
        against = {"posts": Command(send, TOP, outside=OUTSIDE)}
        return measure(tuple(applies(place, place, url, batches)), against, rounds, patience)


def main() -> None:
    """Measure, and put the figures into the file."""
    parser = ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sizes", default="100,1000,10000")
    parser.add_argument("--deep", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patience", type=float, default=20.0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path, default=DEFAULT)
    asked = parser.parse_args()
    if asked.quick:
        asked.sizes, asked.rounds, asked.deep = "1000", 3, 0
    with tempfile.TemporaryDirectory() as scratch:
        for size in map(int, filter(None, asked.sizes.split(","))):
            part = of_size(size, asked.keep or Path(scratch), asked.rounds, asked.patience)
            record(asked.json, {f"tables {size}": part})
            tell(f"{size:,} manifests, {size * _LINES:,} ledger lines", part)
        if asked.deep:
            part = of_depth(asked.deep, asked.keep or Path(scratch), asked.rounds, asked.patience)
            record(asked.json, {f"deep {asked.deep}": part})
            tell(f"{asked.deep:,} manifests, {asked.deep * _LINES * 10:,} ledger lines", part)
    part = of_apply(asked.rounds, asked.patience)
    record(asked.json, {"apply": part})
    tell(f"apply of {_CALLS:,} calls of as many tables, {_THREADS} at once", part)


def tell(title: str, part: Part) -> None:
    """Print figures as they come."""
    print(f"{title}\n{'':<30}{'wall s':>9}{'cpu s':>9}{'x floor':>9}{'cpu x':>9}{'MB':>7}{'runs':>6}")
    for name, one in part.items():
        floor = part.get(f"floor: {one.get('floor')}")
        ratios = [f"{float(one[key]) / float(floor[key]):.2f}" if floor else "" for key in ("wall", "cpu")]
        megabytes = float(one.get("pss", one["rss"]))
        print(
            f"{name:<30}{one['wall']:>9.3f}{one['cpu']:>9.3f}{ratios[0]:>9}{ratios[1]:>9}{megabytes:>7.0f}"
            f"{one['runs']:>6}",
            flush=True,
        )


if __name__ == "__main__":
    main()
