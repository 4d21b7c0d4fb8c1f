"""Makes a repository to measure on: manifests, a state branch with long ledgers, a bare remote. The same each time.

python -m tests.bench.repository FOLDER TABLES TRIGGERS [OWING] [URL] [BATCH]

In FOLDER: `remote.git`; `clone`, where OWING tables (2 % by default) owe a call each; and `settled`, a clone of another
branch, on the same state, whose manifests owe nothing.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.state.ledger_file import ledger_name
from tests.bench.samples import Sample, ledger, manifest

_LEAST = 6
_PART = 50
_WHO = b"Bench <bench@example.com> 1780000000 +0000"

Mapped = Callable[[Callable[[tuple["Shape", range]], bytes], list[tuple["Shape", range]]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a repository is: tables, ledger lines of all tables together, tables that owe a call."""

    tables: int
    triggers: int
    owing: int
    url: str = "http://127.0.0.1:9"
    batch: int = 20

    def __post_init__(self) -> None:
        if self.triggers < _LEAST * self.tables:
            raise ValueError(f"a table has {_LEAST} triggers or more")

    @classmethod
    def of(cls, tables: int, triggers: int) -> Shape:
        """Return a shape of which one table in fifty owes something."""
        return cls(tables, triggers, max(1, tables // 50))

    def lines(self, number: int) -> int:
        """Return how many lines the ledger of a table has."""
        return self.triggers // self.tables + (number < self.triggers % self.tables)

    def owes(self, number: int) -> bool:
        """Say whether a table owes something: these are spread evenly."""
        return number * self.owing // self.tables != (number + 1) * self.owing // self.tables

    @property
    def config(self) -> str:
        return f"""\
apiVersion: reconciler/v1
kind: Config
defaultTarget: bench
targets:
  bench:
    url: {self.url}
    tenantId: tn_bench
    auth: {{type: UID, valueFrom: {{env: BENCH_AUTH}}}}
    timeZone: UTC
    concurrency: 8
state: {{batch: {self.batch}}}
approvals:
  reruns: {{provider: manifest, approvers: [dana], minimum: 1}}
"""


def _ledgers(asked: tuple[Shape, range]) -> bytes:
    """Return the part of a fast-import stream that writes the ledgers of some tables."""
    shape, numbers = asked
    samples = map(Sample, numbers)
    return b"".join(
        _file(f"triggers/.state/bench/{ledger_name(sample.name)}", ledger(sample, shape.lines(sample.number)))
        for sample in samples
    )


def _file(path: str, data: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)


def _commit(branch: str, files: Iterable[bytes], parent: str = "") -> Iterator[bytes]:
    yield b"commit refs/heads/%s\ncommitter %s\ndata 5\nBench\n" % (branch.encode(), _WHO)
    yield b"from refs/heads/%s\n" % parent.encode() if parent else b""
    yield from files
    yield b"\n"


def _manifests(shape: Shape, owing: bool) -> Iterator[bytes]:
    """Yield all manifests; or, where nothing is to be owing, those that do owe, as they are without that."""
    for sample in map(Sample, range(shape.tables)):
        owes = shape.owes(sample.number)
        if owing or owes:
            yield _file(f"triggers/{sample.file}", manifest(sample, owes and owing).encode())


def make(folder: Path, shape: Shape) -> None:
    """Make the remote and the clones in a folder that does not exist yet."""
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    reading = subprocess.Popen(
        ["git", "-c", "pack.compression=1", "fast-import", "--quiet", "--depth=0"],
        cwd=folder / "remote.git",
        stdin=subprocess.PIPE,
    )
    assert reading.stdin is not None
    with reading.stdin as stream, _mapping(shape.tables) as mapped:
        parts = [(shape, range(at, min(at + _PART, shape.tables))) for at in range(0, shape.tables, _PART)]
        written = mapped(_ledgers, parts)
        config = _file("triggers/reconciler.yaml", shape.config.encode())
        stream.writelines(_commit("main", (config, *_manifests(shape, owing=True))))
        stream.writelines(_commit("settled", _manifests(shape, owing=False), "main"))
        stream.writelines(_commit("reconciler-state", written))
    if reading.wait():
        raise RuntimeError("git fast-import failed")
    for branch, clone in (("main", "clone"), ("settled", "settled")):
        _git(folder, "clone", "--quiet", "--branch", branch, "remote.git", clone)
        _git(folder / clone, "remote", "set-url", "origin", "../remote.git")
        _git(folder / clone, "config", "user.name", "Bench")
        _git(folder / clone, "config", "user.email", "bench@example.com")


@contextmanager
def _mapping(tables: int) -> Iterator[Mapped]:
    """Yield a `map` that keeps the order, on all cores where it is worth while."""
    if tables <= _PART:
        yield map
        return
    with multiprocessing.get_context("spawn").Pool() as pool:
        yield pool.imap


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "gc.auto=0", *arguments], cwd=folder, check=True)


def main(folder: str, tables: str, triggers: str, owing: str = "", url: str = "", batch: str = "20") -> None:
    """Make a repository, unless it is there already, made by the same code of the same numbers."""
    fair = Shape.of(int(tables), int(triggers))
    shape = Shape(fair.tables, fair.triggers, int(owing or fair.owing), url or fair.url, int(batch))
    code = b"".join(Path(__file__).with_name(name).read_bytes() for name in ("repository.py", "samples.py"))
    stamp, made = Path(folder, "made"), hashlib.sha256(code + repr(shape).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text("utf-8") != made:
        shutil.rmtree(folder, ignore_errors=True)
        make(Path(folder), shape)
        stamp.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
