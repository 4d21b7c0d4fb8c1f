"""`make bench`: what whole commands cost on a generated root, as medians and as ratios within this run.

python -m tests.bench.measure [MANIFESTS] [ROUNDS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_CONFIG = """\
apiVersion: reconciler/v1
kind: Config
defaultTarget: bench
targets:
  bench: {url: embedded, tenantId: tn_bench, timeZone: UTC, concurrency: 8}
state: {batch: 500}
"""

_MANIFEST = """\
# yaml-language-server: $schema=backfill.v1.schema.json
apiVersion: reconciler/v1
kind: Backfill
metadata:
  name: table-{number}
  owner: bench
spec:
  tableName: catalog.bench.table_{number}
  requests:
    - name: outage
      reason: "INC-{number}: ingest was down"
      timeRange:
        startTime: 2026-01-20 01:00:00
        endTime: 2026-01-20 05:00:00
    - name: points
      scheduleTimes:
        - 2026-01-21 00:00:00
        - 2026-01-22 00:00:00
        - 2026-01-23 00:00:00
    - name: second
      timeRange:
        startTime: 2026-02-01 00:00:00
        endTime: 2026-02-02 00:00:00
"""

_SCHEDULED = """\
apiVersion: reconciler/v1
kind: Backfill
metadata:
  name: table-{number}
spec:
  tableName: catalog.bench.table_{number}
  schedule: "0 0/15 * * * ?"
  requests:
    - name: outage
      reason: "INC-{number}: ingest was down"
      timeRange:
        startTime: 2026-01-20 00:00:00
        endTime: 2026-01-20 23:59:59
"""
_HALF, _WHOLE = "endTime: 2026-01-20 23:59:59", "endTime: 2026-01-21 23:59:59"

_WATCH = """\
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """The median seconds and the largest peak memory (MB) of a command over some rounds."""

    seconds: float
    megabytes: float


def build(folder: Path, manifests: int, text: str = _MANIFEST) -> Path:
    """Make a repository with a bare remote and `manifests` tables, in folders of a hundred."""
    repository = folder / "repository"
    root = repository / "triggers"
    root.mkdir(parents=True)
    (root / "reconciler.yaml").write_text(_CONFIG, encoding="utf-8")
    for number in range(manifests):
        place = root / f"group_{number // 100:04d}"
        place.mkdir(exist_ok=True)
        (place / f"table_{number}.yaml").write_text(text.format(number=number), encoding="utf-8")
    for command in (
        ["git", "init", "--quiet", "--bare", "--initial-branch=main", "../remote.git"],
        ["git", "init", "--quiet", "--initial-branch=main"],
        ["git", "remote", "add", "origin", "../remote.git"],
        ["git", "add", "."],
        ["git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "commit", "--quiet", "-m", "Bench"],
        ["git", "push", "--quiet", "--set-upstream", "origin", "main"],
    ):
        subprocess.run(command, cwd=repository, check=True)
    return repository


def widen(repository: Path) -> None:
    """Ask for twice as many instances, where each manifest is `_SCHEDULED`."""
    for path in (repository / "triggers").rglob("table_*.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace(_HALF, _WHOLE), encoding="utf-8")
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--all", "-m", "Widen"], cwd=repository, check=True)
    subprocess.run(["git", "push", "--quiet"], cwd=repository, check=True)


def once(command: list[str], where: Path) -> tuple[float, float]:
    """Run a command and return its seconds and its peak memory in MB."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _WATCH, *command], cwd=where, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - start, int(done.stdout) / 1024


def measure(command: list[str], where: Path, rounds: int) -> Measured:
    """Run a command some times."""
    runs = [once(command, where) for _ in range(rounds)]
    return Measured(statistics.median(seconds for seconds, _ in runs), max(megabytes for _, megabytes in runs))


def reading(root: Path, rounds: int) -> float:
    """Return the median seconds of reading the bytes of all manifests in one process."""
    code = "import pathlib,sys;[p.read_bytes() for p in pathlib.Path(sys.argv[1]).rglob('*.yaml')]"
    return measure([sys.executable, "-c", code, str(root)], root, rounds).seconds


def main(manifests: int = 1000, rounds: int = 5) -> None:
    """Measure and print a table."""
    reconciler = [sys.executable, "-m", "reconciler", "-q"]
    report: list[tuple[str, Measured]] = []

    def note(name: str, command: list[str], times: int = rounds) -> None:
        report.append((name, measure([*reconciler, *command], repository, times)))

    with tempfile.TemporaryDirectory() as scratch:
        repository = build(Path(scratch), manifests)
        floor = reading(repository / "triggers", rounds)
        note("--help", ["--help"])
        note("validate", ["validate"])
        note("plan, nothing triggered", ["plan"])
        note(f"apply of {3 * manifests} calls, once", ["apply"], 1)
        note("plan, all triggered", ["plan"])
        note("apply of nothing", ["apply"])
        note("status", ["status"])
    with tempfile.TemporaryDirectory() as scratch:
        repository = build(Path(scratch), manifests, _SCHEDULED)
        once([*reconciler, "apply"], repository)
        widen(repository)
        note("plan, schedules, half triggered", ["plan"])
    print(f"{manifests} manifests, {rounds} rounds; reading their bytes takes {floor:.2f} s")
    print(f"{'command':<32}{'median s':>10}{'x floor':>10}{'peak MB':>10}")
    for name, measured in report:
        print(f"{name:<32}{measured.seconds:>10.2f}{measured.seconds / floor:>10.1f}{measured.megabytes:>10.0f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
