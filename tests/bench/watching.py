"""Watches an apply from outside: how many calls it has journaled, and how much memory it has, over time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds since the watch began, calls whose outcome is journaled, resident memory in MB."""

    seconds: float
    done: int
    megabytes: float


def resident(pid: int) -> float | None:
    """Return a process's resident memory in MB, None where it has ended or this machine has no /proc."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(sizes[0]) / 1024 if sizes else None


def watch(pid: int, journals: Path, ended: Callable[[], bool]) -> tuple[Sample, ...]:
    """Sample the apply with this pid until `ended` says so; `journals` is the folder where its journal will lie."""
    before = frozenset(journals.glob("*.jsonl"))
    begin = time.monotonic()
    samples = []
    done, at = 0, 0
    journal: Path | None = None
    while not ended():
        journal = journal or next((path for path in journals.glob("*.jsonl") if path not in before), None)
        if journal is not None and journal.exists():
            with journal.open("rb") as file:
                file.seek(at)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            at += len(whole)
            done += whole.count(b'"event":"outcome"')
        megabytes = resident(pid)
        if megabytes is not None:
            samples.append(Sample(time.monotonic() - begin, done, megabytes))
        time.sleep(_EVERY)
    return tuple(samples)


def memory_at(samples: Sequence[Sample], share: float) -> float:
    """Return the memory when a share of all journaled calls was done."""
    last = samples[-1].done
    return next(sample.megabytes for sample in samples if sample.done >= share * last)


def rate(samples: Sequence[Sample], start: float, end: float) -> float:
    """Return calls per second between two shares of all journaled calls."""
    last = samples[-1].done
    first = next(sample for sample in samples if sample.done >= start * last and sample.done)
    final = next(sample for sample in samples if sample.done >= end * last)
    seconds = final.seconds - first.seconds
    return (final.done - first.done) / seconds if seconds else 0.0
