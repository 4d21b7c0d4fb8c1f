"""What `apply --shard` gains: 1 and 8 appliers, real processes in clones of one remote, a scheduler far away.

python -m tests.bench.shards [--calls N] [--shards N] [--batch N …] [--latency SECONDS] [--seconds N] [--json FILE]

The scheduler is a server on loopback that answers each call after 200 ms, and counts what ran. All appliers, the remote
and the scheduler share this machine; with a longer latency their processors matter less. Rates are of whole
processes: from the start of the first to the end of the last. Beside them: the rate between the first call and the
last; how many calls the largest shard had, of all; pushes that landed and pushes that lost a race; the CPU seconds of
the appliers and of their git processes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.manifests import Document, backfill, text_of

SECRET_NAME = "BENCH_AUTH"
_A_TABLE = 2
_PUBLISH = (
    "git init --quiet --bare --initial-branch=main ../remote.git",
    "git init --quiet --initial-branch=main",
    "git remote add origin ../remote.git",
    "git add .",
    "git -c user.name=Bench -c user.email=bench@example.com commit --quiet -m Bench",
    "git push --quiet --set-upstream origin main",
)
_ANSWER = b'{"data":true,"success":true,"code":"200","errorMsg":null,"detailErrorMsg":null,"traceId":"shards.1"}'
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"


@dataclass(slots=True)
class Distant:
    """A scheduler that answers after `latency` seconds, in a thread of this process: thousands of calls may wait."""

    latency: float
    ran: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    url: str = ""

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            body = json.loads(await reader.readexactly(int(fields[b"content-length"])))
            self.ran.update((body["tableName"], instant) for instant in body["scheduleTimes"])
            await asyncio.sleep(self.latency)
            self.times.append(time.monotonic())
            writer.write(_HEAD % len(_ANSWER) + _ANSWER)
            await writer.drain()
        writer.close()

    async def _serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=512)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stop.wait()
        server.close()


@contextmanager
def distant(latency: float) -> Iterator[Distant]:
    """Run a scheduler that is far away."""
    scheduler, ready, stop = Distant(latency), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(scheduler._serve(ready, stop)), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield scheduler
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@dataclass(frozen=True, slots=True)
class Case:
    """One apply of everything, by some shards at once. After `seconds` what still runs is ended."""

    shards: int
    batch: int
    calls: int
    latency: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Gain:
    """What one case came to. Rates are calls a second; `largest` is the share of calls of the largest shard."""

    shards: int
    batch: int
    calls: int
    codes: tuple[int, ...]
    seconds: float
    rate: float
    calling_rate: float
    largest: float
    landed: int
    lost: int
    twice: int
    forgotten: int
    cpu: float
    git_cpu: float


@dataclass(frozen=True, slots=True)
class Applier:
    """What an applier's process says of itself when it ends."""

    pushes: int
    cpu: float
    git_cpu: float


def build(folder: Path, case: Case, url: str) -> Path:
    """Make a repository that owes `calls` calls, each of one point, with a bare remote; return its folder."""
    target: Document = {
        "url": url,
        "tenantId": "tn_bench",
        "auth": {"type": "UID", "valueFrom": {"env": SECRET_NAME}},
        "timeZone": "UTC",
        "concurrency": 4,
        "pointsPerCall": 1,
    }
    config = {
        "apiVersion": "reconciler/v1",
        "kind": "Config",
        "defaultTarget": "bench",
        "targets": {"bench": target},
        "state": {"batch": case.batch},
    }
    points = {"scheduleTimes": list(_hours(_A_TABLE))}
    tables = (backfill(f"m{number}", points, table=f"c.s.T{number}") for number in range(case.calls // _A_TABLE))
    root = folder / "first" / "triggers"
    root.mkdir(parents=True)
    (root / "reconciler.yaml").write_text(text_of(config), "utf-8")
    for number, table in enumerate(tables):
        (root / f"t{number}.yaml").write_text(text_of(table), "utf-8")
    for command in _PUBLISH:
        subprocess.run(command.split(), cwd=root.parent, check=True)
    return root.parent


def _hours(number: int) -> Iterator[str]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in range(number):
        yield (start + timedelta(hours=hour)).strftime("%Y-%m-%d %H:%M:%S")


def clones(repository: Path, count: int) -> list[Path]:
    """Return clones of a repository's remote, one for each applier, as CI makes them."""
    made = [repository.parent / f"clone-{number}" for number in range(1, count + 1)]
    for clone in made:
        subprocess.run(["git", "clone", "--quiet", "remote.git", clone], cwd=repository.parent, check=True)
        for name, value in (("name", "Bench"), ("email", "bench@example.com")):
            subprocess.run(["git", "config", f"user.{name}", value], cwd=clone, check=True)
    return made


def apply_all(folders: Sequence[Path], seconds: float) -> tuple[tuple[int, ...], float]:
    """Run all shards at once; return their exit codes and how long that took. What is too slow is ended."""
    begin = time.monotonic()
    running = [_start(folder, f"{number}/{len(folders)}") for number, folder in enumerate(folders, 1)]
    codes = []
    try:
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, begin + seconds - time.monotonic()))
            codes.append(-1 if process.poll() is None else process.returncode)
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
    return tuple(codes), time.monotonic() - begin


def _start(folder: Path, shard: str) -> subprocess.Popen[bytes]:
    with (folder.parent / f"{folder.name}.err").open("w") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.bench.shards", "--as-applier", f"{folder}.json", "apply", "--shard", shard],
            cwd=folder,
            env={**os.environ, SECRET_NAME: "bench", "PYTHONPATH": os.fspath(Path(__file__).parents[2])},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
        )


def be_applier(told: Path, arguments: Sequence[str]) -> None:
    """Be the command line; at the end write how many times it pushed the state, and what that cost."""
    from reconciler.cli import main as command_line
    from reconciler.state.git import Git

    pushes = 0
    push: Callable[[Git, str, str, str], str] = Git.push

    def counted(self: Git, remote: str, commit: str, ref: str) -> str:
        nonlocal pushes
        pushes += ref.startswith("refs/heads/")
        return push(self, remote, commit, ref)

    Git.push = counted  # type: ignore[method-assign]
    sys.argv = ["reconciler", *arguments]
    try:
        command_line()
    finally:
        mine, children = (_cpu(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        told.write_text(json.dumps(asdict(Applier(pushes, mine, children))), "utf-8")


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def measured(case: Case) -> Gain:
    """Run a case in a scratch folder."""
    with tempfile.TemporaryDirectory() as scratch, distant(case.latency) as scheduler:
        repository = build(Path(scratch), case, scheduler.url)
        folders = clones(repository, case.shards)
        codes, seconds = apply_all(folders, case.seconds)
        said = [_said(folder) for folder in folders]
        calling = max(scheduler.times) - min(scheduler.times) + case.latency if scheduler.times else seconds
        landed = _landed(repository.parent / "remote.git")
        made = sum(scheduler.ran.values())
        return Gain(
            shards=case.shards,
            batch=case.batch,
            calls=case.calls,
            codes=codes,
            seconds=seconds,
            rate=made / seconds,
            calling_rate=made / calling,
            largest=_largest(case),
            landed=landed,
            lost=sum(one.pushes for one in said) - landed,
            twice=sum(times > 1 for times in scheduler.ran.values()),
            forgotten=case.calls - len(scheduler.ran),
            cpu=sum(one.cpu for one in said),
            git_cpu=sum(one.git_cpu for one in said),
        )


def _said(folder: Path) -> Applier:
    """Return what an applier said; one that was ended says nothing."""
    told = Path(f"{folder}.json")
    if not told.exists():
        return Applier(0, 0.0, 0.0)
    value: Mapping[str, float] = json.loads(told.read_text("utf-8"))
    return Applier(int(value["pushes"]), value["cpu"], value["git_cpu"])


def _landed(remote: Path) -> int:
    counted = subprocess.run(
        ["git", "rev-list", "--count", "refs/heads/reconciler-state"], cwd=remote, capture_output=True, check=False
    )
    return int(counted.stdout or b"0")


def _largest(case: Case) -> float:
    from reconciler.core.sharding import number_of

    tables = case.calls // _A_TABLE
    shares = Counter(number_of(("bench", f"c.s.T{number}"), case.shards) for number in range(tables))
    return max(shares.values()) / tables


HEADER = (
    f"{'batch':>5} {'shards':>6} {'exit':>5} {'calls':>6} {'s':>6} {'calls/s':>8} {'ratio':>6} {'calling/s':>9} "
    f"{'ratio':>6} {'largest':>8} {'landed':>7} {'lost':>5} {'twice':>6} {'missing':>8} {'CPU s':>6} {'git CPU s':>9} "
    f"{'git ms/landed':>13}"
)


def line(gain: Gain, one: Gain) -> str:
    """Return a case's line of the table, as ratios to `one`, the case of one shard."""
    return (
        f"{gain.batch:>5} {gain.shards:>6} {max(gain.codes, key=abs):>5} {gain.calls:>6} {gain.seconds:>6.1f} "
        f"{gain.rate:>8.1f} {gain.rate / one.rate:>6.2f} {gain.calling_rate:>9.1f} "
        f"{gain.calling_rate / one.calling_rate:>6.2f} {gain.largest:>8.3f} {gain.landed:>7} {gain.lost:>5} "
        f"{gain.twice:>6} {gain.forgotten:>8} {gain.cpu:>6.1f} {gain.git_cpu:>9.1f} "
        f"{1000 * gain.git_cpu / max(1, gain.landed):>13.0f}"
    )


def main(arguments: argparse.Namespace) -> None:
    """Measure one shard and several for each batch, and print a line for each."""
    print(
        f"appliers at once: {1000 * arguments.latency:.0f} ms a call, 4 calls at once for each applier, one bare remote"
    )
    print(HEADER, flush=True)
    gains: list[Gain] = []
    for batch in arguments.batch:
        one = measured(Case(1, batch, arguments.calls, arguments.latency, arguments.seconds))
        print(line(one, one), flush=True)
        many = measured(Case(arguments.shards, batch, arguments.calls, arguments.latency, arguments.seconds))
        print(line(many, one), flush=True)
        gains += [one, many]
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(gain) for gain in gains], indent=1) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.shards")
    parser.add_argument("--calls", type=int, default=1600)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--batch", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--latency", type=float, default=0.2, help="seconds until the scheduler answers a call")
    parser.add_argument("--seconds", type=float, default=240, help="the longest that one case may take")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-applier"]:
        be_applier(Path(sys.argv[2]), sys.argv[3:])
    else:
        main(_arguments())
