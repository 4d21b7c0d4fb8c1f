"""The repositories that `make bench` measures on are what they are meant to be, and its figures can be told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.figures_file import figure, load, record
from tests.bench.goals import GOALS, standing
from tests.bench.peer_windows import Case, ours
from tests.bench.repository import Shape, make
from tests.bench.results import BLOCKS, PAGES, written
from tests.bench.running import Command, Memory, Run, peak, run
from tests.bench.samples import Sample, ledger, manifest

_SHAPE = Shape(60, 1200, 6)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench") / "made"
    make(folder, _SHAPE)
    return folder


def told(where: Path, *words: str) -> Any:
    command = [sys.executable, "-m", "reconciler", *words, "--format", "json"]
    outside = {**os.environ, "PYTHONPATH": os.fspath(Path(__file__).parents[2]), "BENCH_AUTH": "bench"}
    done = subprocess.run(command, cwd=where, capture_output=True, env=outside, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_generated_manifests_are_valid(made: Path) -> None:
    said = told(made / "clone", "validate")
    assert (said["manifests"], said["problems"]) == (_SHAPE.tables, [])
    assert 3 <= said["requests"] / said["manifests"] <= 5


def test_a_plan_of_a_generated_repository_has_a_call_for_each_table_that_owes(made: Path) -> None:
    said = told(made / "clone", "plan")["summary"]
    assert (said["calls"], said["tables"], said["held"], said["inDoubt"]) == (6, 6, 0, 0)
    assert said["covered"] == told(made / "clone", "validate")["requests"] - 6


def test_the_settled_branch_owes_nothing_and_its_apply_is_one_of_nothing(made: Path) -> None:
    assert told(made / "settled", "plan")["summary"]["calls"] == 0
    assert told(made / "settled", "apply")["calls"] == []


def test_generated_ledgers_are_whole(made: Path) -> None:
    lines = ledger(Sample(10), 100).splitlines()
    assert len(lines) == 101
    assert 350 <= sum(map(len, lines)) / len(lines) <= 480
    done = subprocess.run(
        ["git", "grep", "-c", "", "origin/reconciler-state"], cwd=made / "clone", capture_output=True, check=True
    )
    counts = [int(line.rsplit(b":", 1)[1]) for line in done.stdout.splitlines()]
    assert sum(counts) == _SHAPE.triggers + _SHAPE.tables


def test_the_same_shape_makes_the_same_repository(made: Path, tmp_path: Path) -> None:
    make(tmp_path / "again", _SHAPE)
    refs = [
        subprocess.run(
            ["git", "for-each-ref", "refs/heads"], cwd=folder / "remote.git", capture_output=True, check=True
        ).stdout
        for folder in (made, tmp_path / "again")
    ]
    assert refs[0] == refs[1]


def test_manifests_have_about_25_lines() -> None:
    lengths = [manifest(Sample(number), owes=False).count("\n") for number in range(42)]
    assert 22 <= sum(lengths) / len(lengths) <= 30


def test_as_many_tables_owe_as_the_shape_says() -> None:
    for tables, owing in ((60, 6), (1000, 20), (7, 7), (9, 0)):
        assert sum(map(Shape(tables, 6 * tables, owing).owes, range(tables))) == owing


def test_the_windows_for_peers_stay_the_same() -> None:
    found = {what: work() for what, work in ours(Case.of(1000))}
    assert found == {"union": 1000, "subtract": 317}


def test_the_floor_reads_what_the_repository_holds(made: Path) -> None:
    script = os.fspath(Path(__file__).with_name("floor.py"))
    for what in ("yaml", "bytes"):
        run(Command((sys.executable, script, what, "."), made / "clone"))


def test_a_command_that_fails_is_never_a_figure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="exit 3\nwords"):
        run(Command((sys.executable, "-c", "import sys; print('words', file=sys.stderr); sys.exit(3)"), tmp_path))


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no /proc with proportional sizes")
def test_memory_is_that_of_all_descendants(tmp_path: Path) -> None:
    holds = "import time; held = bytearray(40_000_000); time.sleep(1)"
    both = f"held = bytearray(40_000_000); import subprocess, sys; subprocess.run([sys.executable, '-c', {holds!r}])"
    found = peak(Command((sys.executable, "-c", both), tmp_path))
    assert 80 < found.anon < found.pss


def test_figures_are_written_between_the_markers_and_nowhere_else(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    runs = [Run(wall, wall / 2, 20.0) for wall in (3.0, 1.0, 2.0)]
    names = ("--help", "validate", "plan, cold", "plan, nothing changed", "plan, one manifest changed")
    part = {name: figure(runs, "plan", Memory(30.0, 20.0)) for name in names}
    part |= {f"floor: {name}": figure(runs) for name in ("plan", "click", "posts", "check-jsonschema", "octodns")}
    part["floor: bytes"] = figure(runs)
    record(file, {"tables 100": part, "tables 1000": part, "tables 10000": part, "deep 1000": part})
    record(file, {"apply": part, "peers 1000": part, "windows": {"union, 1,000 windows": {"reconciler": 1.0}}})
    page = "before\n" + "".join(f"<!-- figures: {name} -->\nbygone\n<!-- end -->\nkept\n" for name in BLOCKS)
    text = written(page, load(file))
    assert text.startswith("before\n<!-- figures: ")
    assert text.count("kept\n") == len(BLOCKS)
    assert "bygone" not in text
    assert f"| plan, cold | plan |{3 * ' 2.00 s · 1.00 × · 30 MB |'} 1.0 × |" in text
    assert written(text, load(file)) == text


def test_a_goal_without_figures_is_not_reached_but_not_measured() -> None:
    assert [found for _, *found in standing({})] == [[None, None]] * len(GOALS)


def test_the_pages_have_a_place_for_every_block() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert all(text.count(f"<!-- figures: {name} -->") == 1 for name in BLOCKS)
