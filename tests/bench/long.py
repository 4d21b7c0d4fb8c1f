"""A long apply on loopback: is memory flat, is the rate steady, is every call accounted for?

python -m tests.bench.long [wide|deep|both] [CALLS] [FAULTS]

`wide` is two calls a table, `deep` 400 calls a table. FAULTS is what `reconciler emulator --faults` takes. A failure
stops its table, so with faults a deep apply skips most calls: without, it makes all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.scheduler.emulator.database import Database
from tests.bench.watching import Sample, memory_at, rate, watch
from tests.e2e.manifests import Document, backfill, between, text_of

FAULTS = "lost=0.004,error=0.004,reject=0.004,late=0.004:2s,refuse=0.004"
_DEEP = 400
_A_FILE = 200
_RECONCILER = (sys.executable, "-m", "reconciler")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the calls are spread: how many a table, and how many a batch."""

    name: str
    calls: int
    batch: int

    def manifest(self, number: int) -> Document:
        table = f"c.{self.name}.T{number}"
        if self.calls == 2:
            points = {"scheduleTimes": ["2026-01-21 00:00:00", "2026-01-22 00:00:00"]}
            return backfill(f"m{number}", between(1, 4), points, table=table)
        return backfill(f"m{number}", {"scheduleTimes": list(_hours(self.calls))}, table=table)


def _hours(number: int) -> Iterator[str]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in range(number):
        yield (start + timedelta(hours=hour)).strftime("%Y-%m-%d %H:%M:%S")


WIDE = Shape("wide", 2, 200)
DEEP = Shape("deep", _DEEP, 20)


@dataclass(frozen=True, slots=True)
class Done:
    """A long apply that has ended."""

    code: int
    seconds: float
    samples: tuple[Sample, ...]
    err: str
    out: str


def build(folder: Path, shape: Shape, calls: int, url: str) -> Path:
    """Make a repository with a bare remote that owes `calls` calls; return its folder."""
    repository = folder / "clone"
    root = repository / "triggers"
    root.mkdir(parents=True)
    (root / "reconciler.yaml").write_text(_config(shape, url), encoding="utf-8")
    numbers = range(calls // shape.calls)
    for first in range(0, len(numbers), _A_FILE):
        text = text_of(*map(shape.manifest, numbers[first : first + _A_FILE]))
        (root / f"tables_{first}.yaml").write_text(text, encoding="utf-8")
    for command in (
        "git init --quiet --bare --initial-branch=main ../remote.git",
        "git init --quiet --initial-branch=main",
        "git remote add origin ../remote.git",
        "git config user.name Bench",
        "git config user.email bench@example.com",
        "git add .",
        "git commit --quiet -m Bench",
        "git push --quiet --set-upstream origin main",
    ):
        subprocess.run(command.split(), cwd=repository, check=True)
    return repository


def _config(shape: Shape, url: str) -> str:
    target: Document = {
        "url": url,
        "tenantId": "tn_bench",
        "auth": {"type": "UID", "valueFrom": {"env": "BENCH_AUTH"}},
        "timeZone": "UTC",
        "concurrency": 8,
        "pointsPerCall": 100 if shape.calls == 2 else 1,
        "timeout": "1s",
    }
    return text_of(
        {
            "apiVersion": "reconciler/v1",
            "kind": "Config",
            "defaultTarget": "bench",
            "targets": {"bench": target},
            "state": {"batch": shape.batch},
        }
    )


@contextmanager
def emulator(folder: Path, faults: str) -> Iterator[str]:
    """Run the emulator as a process of its own; yields its url. What ran is in `scheduler.db` in the folder."""
    command = [*_RECONCILER, "emulator", "--port", "0", "--db", os.fspath(folder / "scheduler.db")]
    command += ["--faults", faults] if faults else []
    with (folder / "emulator.err").open("w+", encoding="utf-8") as err:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err)
        try:
            yield _url(folder / "emulator.err", process)
        finally:
            process.terminate()
            process.wait()


def _url(said: Path, process: subprocess.Popen[bytes]) -> str:
    while process.poll() is None:
        words = [word for word in said.read_text("utf-8").split() if word.startswith("http://")]
        if words:
            return words[0]
        time.sleep(0.05)
    raise RuntimeError(said.read_text("utf-8"))


def apply(repository: Path) -> Done:
    """Apply as a process, and watch it."""
    out, err = repository.parent / "apply.out", repository.parent / "apply.err"
    with out.open("w") as results, err.open("w") as messages:
        begin = time.monotonic()
        process = subprocess.Popen(
            [*_RECONCILER, "apply"],
            cwd=repository,
            stdin=subprocess.DEVNULL,
            stdout=results,
            stderr=messages,
            env={**os.environ, "BENCH_AUTH": "bench"},
        )
        journals = repository / ".git" / "reconciler" / "journal"
        samples = watch(process.pid, journals, lambda: process.poll() is not None)
    seconds = time.monotonic() - begin
    return Done(process.returncode, seconds, samples, err.read_text("utf-8"), out.read_text("utf-8"))


def ran_twice(folder: Path) -> int:
    """Return how many instances the emulator ran more than once."""
    database = Database(folder / "scheduler.db")
    try:
        return sum(row.rerun for row in database.tables())
    finally:
        database.close()


def main(names: str = "both", calls: int = 10_000, faults: str | None = None) -> None:
    """Run the shapes and print a line for each, and the end of what the apply said."""
    for shape in (WIDE, DEEP):
        if names not in (shape.name, "both"):
            continue
        odds = faults if faults is not None else (FAULTS if shape is WIDE else "")
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            with emulator(folder, odds) as url:
                done = apply(build(folder, shape, calls, url))
            print(line(shape, odds, done), f"{ran_twice(folder)} ran twice", flush=True)
            print("\n".join(f"    {text}" for text in [*done.out.splitlines()[-14:], *done.err.splitlines()[-2:]]))


def line(shape: Shape, faults: str, done: Done) -> str:
    """Return the figures of one long apply."""
    samples: Sequence[Sample] = done.samples
    if not samples or not samples[-1].done:
        return f"{shape.name}: no call was made, exit {done.code}"
    memory = " / ".join(f"{memory_at(samples, share):.0f}" for share in (0.1, 0.5, 1))
    return (
        f"{shape.name:<5} batch {shape.batch:>3} {'faulty' if faults else 'clean '} exit {done.code}: "
        f"{samples[-1].done} outcomes in {done.seconds:.0f} s; calls/s first quarter {rate(samples, 0, 0.25):.0f}, "
        f"last {rate(samples, 0.75, 1):.0f}; MB at 10/50/100 %: {memory}, most {max(s.megabytes for s in samples):.0f};"
    )


if __name__ == "__main__":
    names, calls, *faults = [*sys.argv[1:], *("both", "10000")[len(sys.argv) - 1 :]]
    main(names, int(calls), *faults)
