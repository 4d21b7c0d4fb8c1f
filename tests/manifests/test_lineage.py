"""A lineage beside the manifests: what is read of it, what is wrong with it, and where."""

from __future__ import annotations

import pytest

from reconciler.core.lineage import Lineage
from reconciler.errors import Problem
from reconciler.manifests.root import Reading, read_requests, read_root
from reconciler.manifests.text import too_large
from tests.manifests.roots import changed, only

pytestmark = pytest.mark.claim("good and bad lineages: read, or refused at their place with a way out")

TABLE = "ods.A"
CONFIG = """\
apiVersion: reconciler/v1
kind: Config
defaultTarget: demo
targets:
  demo:
    url: embedded
    tenantId: tn_1
    timeZone: Asia/Shanghai
    lineage: ods/lineage.yaml
"""
LINE = "    lineage: ods/lineage.yaml"


def _manifest(name: str, table: str) -> bytes:
    return (
        f"apiVersion: reconciler/v1\nkind: Backfill\nmetadata: {{name: {name}}}\nspec:\n  tableName: {table}\n"
        "  requests:\n    - scheduleTimes: [2026-01-20 00:00:00]\n"
    ).encode()


def _files(lineage: str | None, config: str = CONFIG, *tables: str) -> dict[str, bytes]:
    files = {"reconciler.yaml": config.encode()}
    files |= {f"m{at}.yaml": _manifest(f"m{at}", table) for at, table in enumerate(tables or (TABLE,))}
    return files if lineage is None else {**files, "ods/lineage.yaml": lineage.encode()}


def _read(lineage: str | None, *tables: str) -> Reading:
    return read_root(_files(lineage, CONFIG, *tables))


def _places(reading: Reading) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.message) for problem in reading.problems]


def _bad(lineage: str) -> Problem:
    reading = _read(lineage)
    problem = only(reading)
    assert reading.declared is None
    assert reading.config is not None
    assert problem.file == "ods/lineage.yaml"
    assert problem.severity == "error"
    assert problem.hint
    return problem


def test_the_file_is_read_as_a_lineage_and_as_no_manifest() -> None:
    reading = _read("ods.A: [dwd.B, dwd.C]\ndwd.B:\n  - ads.D\nads.D: []\n")
    assert reading.problems == ()
    assert (reading.manifests, reading.requests) == (1, 1)
    assert reading.config is not None
    assert (reading.config.targets["demo"].lineage, reading.config.targets["demo"].coalesce) == (
        "ods/lineage.yaml",
        False,
    )
    assert reading.declared is not None
    assert reading.declared.lineage == {
        "demo": Lineage({"ods.A": ("dwd.B", "dwd.C"), "dwd.B": ("ads.D",), "ads.D": ()})
    }


def test_coalesce_is_true_or_false_and_needs_a_lineage() -> None:
    on = read_root(_files("ods.A: [b]", changed(CONFIG, LINE, f"{LINE}\n    coalesce: true")))
    assert on.config is not None
    assert on.config.targets["demo"].coalesce
    for written in ('"true"', "yes", "1", "True"):
        bad = only(read_root(_files("ods.A: [b]", changed(CONFIG, LINE, f"{LINE}\n    coalesce: {written}"))))
        assert bad.path == "targets.demo.coalesce"
        assert "true or false" in bad.message
    alone = only(read_root(_files(None, changed(CONFIG, LINE, "    coalesce: true"))))
    assert "`coalesce` needs `lineage` beside it" in alone.message


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/lineage.yaml", "../lineage.yaml", "a/../lineage.yaml", "a//lineage.yaml", "lineage.json"),
        *("reconciler.yaml", ".state/lineage.yaml", "a\\b.yaml", "./lineage.yaml", "lineage.yaml/", "{a: b}", "null"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_in_the_config(path: str) -> None:
    problem = only(read_root(_files(None, changed(CONFIG, "ods/lineage.yaml", path))))
    assert (problem.file, problem.severity) == ("reconciler.yaml", "error")
    assert problem.path == "targets.demo.lineage"


def test_a_file_that_is_missing_is_an_error_where_the_config_names_it_and_the_config_stands() -> None:
    reading = _read(None)
    problem = only(reading)
    assert (problem.file, problem.path) == ("reconciler.yaml", "targets.demo.lineage")
    assert reading.config is not None
    assert reading.declared is None


def test_for_requests_alone_no_lineage_is_needed_nor_read() -> None:
    for lineage in (None, "a: [a]"):
        reading = read_requests(_files(lineage))
        assert reading.problems == ()
        assert reading.declared is not None
        assert len(reading.declared.requests) == 1


@pytest.mark.parametrize(
    ("lineage", "line", "column", "says"),
    [
        ("- ods.A\n", 1, 1, "must be a mapping of tables to lists of tables, not a list"),
        ("ods.A\n", 1, 1, "must be a mapping of tables to lists of tables, not text"),
        ("apiVersion: reconciler/v1\nkind: Backfill\n", 2, 1, 'not a document of kind "Backfill"'),
        ("ods.A: dwd.B\n", 1, 8, "must be a list of tables; this is text"),
        ("ods.A: {dwd.B: []}\n", 1, 8, "must be a list of tables; this is a mapping"),
        ("ods.A:\n", 1, 7, "must be a list of tables; this is empty"),
        ("ods.A: ~\n", 1, 8, "must be a list of tables; this is empty"),
        ("ods.A: [dwd.B, [c]]\n", 1, 16, "is not the name of a table"),
        ("ods.A: [dwd.B, null]\n", 1, 16, "is not the name of a table"),
        ("ods.A: [dwd.B, dwd..C]\n", 1, 16, '"dwd..C" has an empty part'),
        ('ods.A: [b]\n"ods A": [b]\n', 2, 1, "holds U+0020 SPACE"),
        ("ods.A: [ods.A]\n", 1, 9, "ods.A is listed as its own downstream"),
        ("ods.A: [b, c, b]\n", 1, 15, "b is in the list twice"),
        ("ods.A: [b]\nods.A: [c]\n", 2, 1, "the key `ods.A` is given twice, first in line 1"),
        ("ods.A: &x [b]\n", 1, 8, "an anchor (`&name`) is not read"),
        ("ods.A: !!set [b]\n", 1, 8, "a tag (`!name`) is not read"),
        ("ods.A: [b]\n---\nb: [c]\n", 3, 1, "a lineage is one document"),
        ("ods.A: [b]\nb: [c]\nc: [x, ods.A]\n", 1, 9, "the lineage has a cycle: b -> c -> ods.A -> b"),
        ("", 1, 1, "the file holds no document"),
        ("ods.A: [b\n", 2, 1, "a bracket is not closed"),
    ],
)
def test_what_is_no_lineage_is_refused_at_its_place(lineage: str, line: int, column: int, says: str) -> None:
    problem = _bad(lineage)
    assert (problem.line, problem.column) == (line, column), problem
    assert says in problem.message


@pytest.mark.parametrize("lineage", ["", "# nothing yet\n", "---\n", "~\n"])
def test_an_empty_lineage_is_told_what_one_looks_like(lineage: str) -> None:
    assert "catalog.ods.ORDERS: [catalog.dwd.FACT_SALES]" in _bad(lineage).hint


def test_of_a_lineage_that_could_not_be_read_no_more_is_said() -> None:
    unread = too_large("ods/lineage.yaml", 2_000_000)
    assert "a lineage stays one file" in unread.hint
    assert read_root(_files(None), [unread]).problems == ()


def test_a_long_cycle_is_shown_by_its_ends() -> None:
    problem = _bad("".join(f"t{at:03}: [t{(at + 1) % 500:03}]\n" for at in range(500)))
    assert problem.message == (
        "the lineage has a cycle: t000 -> t001 -> t002 -> t003 -> t004 -> t005 -> … 489 more … -> "
        "t495 -> t496 -> t497 -> t498 -> t499 -> t000"
    )
    assert (problem.line, problem.column) == (500, 8)


def test_every_problem_is_told_at_once_up_to_a_number() -> None:
    reading = _read("ods.A: [b, b, a b]\nb: [c]\nc: [b]\nd: x\n")
    assert [place[:2] for place in _places(reading)] == [(1, 12), (1, 15), (3, 5), (4, 4)]
    many = _read("ods.A: [" + ", ".join(["b"] * 5000) + "]\n")
    assert len(many.problems) == 101
    assert many.problems[-1].message == "there are more errors in this file"


def test_many_warnings_do_not_make_an_error() -> None:
    reading = _read("ods.A: [" + ", ".join(f"t{at}, T{at}" for at in range(500)) + "]\n")
    assert len(reading.problems) == 101
    assert {problem.severity for problem in reading.problems} == {"warning"}
    assert reading.declared is not None
    assert len(reading.declared.lineage["demo"].direct["ods.A"]) == 1000


def test_tables_that_nobody_declares_lie_between_and_are_no_problem() -> None:
    assert _read("ods.A: [tmp.X]\ntmp.X: [ads.B]\n", "ods.A", "ads.B").problems == ()


@pytest.mark.parametrize("near", ["ods.a", '"`ods`.A"', "ODS.A"])
def test_a_table_that_only_looks_like_a_declared_one_is_asked_about(near: str) -> None:
    reading = _read(f"x: [{near}]\ny: [ads.B]\n", "ods.A", "ads.B")
    problem = only(reading)
    assert (problem.file, problem.line, problem.column, problem.severity) == ("ods/lineage.yaml", 1, 5, "warning")
    assert "m0.yaml declares" in problem.message
    assert "did you mean ods.A?" in problem.hint
    assert reading.declared is not None


def test_two_spellings_in_one_lineage_are_asked_about() -> None:
    problem = only(_read("ods.A: [dwd.B]\ndwd.b: [c]\n"))
    assert (problem.line, problem.column, problem.severity) == (2, 1, "warning")
    assert 'differs only in upper and lower case from "dwd.B" in ods/lineage.yaml:1' in problem.message


def test_a_lineage_of_nothing_that_is_declared_has_no_effect_and_that_is_told() -> None:
    problem = only(_read("x: [y]\n"))
    assert (problem.file, problem.path, problem.severity) == ("reconciler.yaml", "targets.demo.lineage", "warning")
    assert "has no effect" in problem.message


def test_targets_may_share_a_lineage_and_its_problems_are_told_once() -> None:
    config = CONFIG + "  other: {url: embedded, tenantId: tn_2, timeZone: UTC, lineage: ods/lineage.yaml}\n"
    on_other = _manifest("m9", TABLE).replace(b"spec:\n", b"spec:\n  target: other\n")
    good = read_root({**_files("ods.A: [b]\n", config), "o.yaml": on_other})
    assert good.problems == ()
    assert good.declared is not None
    assert good.declared.lineage == dict.fromkeys(("demo", "other"), Lineage({"ods.A": ("b",)}))
    assert only(read_root({**_files("ods.A: [b, b]\n", config), "o.yaml": on_other})).column == 12


def test_a_bad_config_keeps_its_lineage_from_being_taken_for_a_manifest() -> None:
    config = changed(CONFIG, "Asia/Shanghai", "Asia/Shanghaj")
    assert only(read_root(_files("ods.A: [b]\n", config))).path == "targets.demo.timeZone"
