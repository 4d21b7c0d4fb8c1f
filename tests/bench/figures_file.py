"""The file of all figures that `make bench` measures: a JSON document, to which each measurement adds its part."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.running import Memory, Run

Figure = dict[str, float | str]
Part = dict[str, Figure]

DEFAULT = Path("build/bench/results.json")


def figure(runs: Sequence[Run], floor: str = "", memory: Memory | None = None) -> Figure:
    """Return the medians of some runs; `floor` names what stands beside them."""
    found: Figure = {name: statistics.median(getattr(run, name) for run in runs) for name in ("wall", "cpu", "rss")}
    found["runs"] = len(runs)
    if floor:
        found["floor"] = floor
    if memory is not None:
        found |= {"pss": memory.pss, "anon": memory.anon}
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}


def record(file: Path, parts: Mapping[str, Part]) -> None:
    """Put parts into the file, in place of those of the same name."""
    known = load(file) if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**known, **parts, "machine": {"is": machine()}}, indent=1)
    file.write_text(text + "\n", encoding="utf-8")


def load(file: Path) -> dict[str, Part]:
    """Return all parts."""
    parts: dict[str, Part] = json.loads(file.read_text("utf-8"))
    return parts


def machine() -> Figure:
    """Return what the figures were measured on, and when."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    return {
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "git": git.split()[2],
        "system": f"{platform.system()} {platform.machine()}",
        "day": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
