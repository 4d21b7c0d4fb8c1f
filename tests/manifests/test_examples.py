"""The example folders: good ones pass without a word, bad ones are refused, at their place, with a way out."""

from __future__ import annotations

import csv
from pathlib import Path
from time import perf_counter

import pytest

from reconciler.manifests.root import Reading, read_root
from tests.manifests.roots import CONFIG, EXAMPLES, MANIFEST, SECRET

pytestmark = pytest.mark.claim("good and bad manifests and configs: judged at their place, each within a second")


def _examples(folder: str) -> list[Path]:
    return sorted((EXAMPLES / folder).iterdir())


def _expected() -> dict[str, tuple[int, int, str]]:
    with (EXAMPLES / "expected.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: (int(row["line"]), int(row["column"]), row["says"]) for row in csv.DictReader(file)}


EXPECTED = _expected()


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _read(path: Path) -> Reading:
    if path.parent.name.startswith("config"):
        return read_root({"reconciler.yaml": path.read_bytes(), "sales/orders.yaml": MANIFEST.encode()})
    return read_root({"reconciler.yaml": CONFIG.encode(), f"sales/{path.name}": path.read_bytes()})


@pytest.mark.parametrize("path", _examples("good") + _examples("config_good"), ids=_name)
def test_a_good_example_is_read_without_a_word(path: Path) -> None:
    reading = _read(path)
    assert reading.problems == ()
    assert reading.config is not None
    assert reading.declared is not None
    assert len(reading.declared.requests) == reading.requests >= 1


@pytest.mark.parametrize("path", _examples("bad") + _examples("config_bad"), ids=_name)
def test_a_bad_example_is_refused_at_its_place_with_a_way_out(path: Path) -> None:
    before = perf_counter()
    reading = _read(path)
    assert perf_counter() - before < 1
    assert reading.declared is None
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    assert errors
    for problem in reading.problems:
        assert problem.line > 0
        assert problem.column > 0
        assert problem.message
        assert problem.hint
        assert (problem.message + problem.hint + problem.path).isprintable()
        assert SECRET not in problem.message + problem.hint + problem.path
    assert EXPECTED[_name(path)] in {(problem.line, problem.column, problem.message) for problem in errors}


def test_every_bad_example_has_an_expectation_and_the_other_way_round() -> None:
    assert {_name(path) for path in _examples("bad") + _examples("config_bad")} == set(EXPECTED)


HUGE = {
    "over-1-mib": MANIFEST + "# padding\n" * 105_000,
    "anchors": "a:\n" + "- &a 1\n" * 20_000,
    "times": MANIFEST + "    - scheduleTimes:\n" + "      - now\n" * 50_000,
    "days": MANIFEST + "    - scheduleTimes:\n" + "      - 2023-02-29 00:00:00\n" * 20_000,
    "keys": "".join(f"k{number}: 1\n" for number in range(20_000)),
    "brackets": "[" * 20_000,
    "documents": "---\na: 1\n" * 2_000,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE.keys())
def test_a_huge_bad_file_gets_a_short_answer_soon(text: str) -> None:
    before = perf_counter()
    reading = read_root({"reconciler.yaml": CONFIG.encode(), "a.yaml": text.encode()})
    assert perf_counter() - before < 10
    assert reading.declared is None
    assert 1 <= len(reading.problems) <= 20_000
