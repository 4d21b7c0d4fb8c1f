"""`new`: a manifest that is valid where it lies, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from reconciler.commands import new
from reconciler.commands.gather import work_tree_manifests
from reconciler.commands.new import NewOptions, answered, questions
from reconciler.errors import ExitCode, Failure, InvalidInput, UsageFailure
from tests.e2e.readying import console, contents, make_ready
from tests.figures import Tried
from tests.manifests.test_writing import REASONS, TABLES

SALES = "default_catalog.sales.FACT_SALES"
RANGE = {"start": "2026-01-20 01:00:00", "end": "2026-01-20 05:00:00"}


@pytest.fixture
def root(folder: Path) -> Path:
    return make_ready(folder)


def write(root: Path, table: str = SALES, **given_: object) -> ExitCode:
    return new.run(NewOptions(root, table, **given_), console())  # type: ignore[arg-type]


def test_a_schedule_is_written_in_quotes_and_checked(root: Path) -> None:
    write(root, **RANGE, schedule="0 0 * * * ?")
    assert 'schedule: "0 0 * * * ?"' in (root / "sales" / "fact_sales.yaml").read_text()
    rules = work_tree_manifests(root).declared.rules["demo", SALES]
    assert rules.schedule is not None
    assert rules.schedule.text == "0 0 * * * ?"
    with pytest.raises(InvalidInput) as refused:
        write(root, "a.b.OTHER", **RANGE, schedule="0 0 0 31 2 ?")
    assert refused.value.problems[0].path == "spec.schedule"


def test_a_manifest_lies_by_its_table_and_is_valid(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root, **RANGE, reason='INC-4211: "ingest" was #down', owner="sales data", target="demo")
    (request,) = work_tree_manifests(root).declared.requests
    assert request.key == "sales/fact_sales.yaml#1"
    assert (request.manifest, request.table, request.owner) == ("fact-sales", SALES, "sales data")
    assert request.reason == 'INC-4211: "ingest" was #down'
    first = (root / "sales" / "fact_sales.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schemas/backfill.v1.schema.json"
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == f"{root}/sales/fact_sales.yaml"
    assert "reconciler plan" in said.err


def test_points_and_reruns_are_written_too(root: Path) -> None:
    write(root, at=("2026-01-20 00:00:00", "2026-01-22 07:00:00"), rerun="late-0121", reason="files arrived late")
    (request,) = work_tree_manifests(root).declared.requests
    assert len(request.windows) == 2
    assert request.rerun
    assert (request.rerun.token, request.rerun.reason) == ("late-0121", "files arrived late")


def test_a_name_is_one_that_no_other_manifest_has(root: Path) -> None:
    write(root, **RANGE)
    write(root, "other.shop.fact_sales", **RANGE)
    write(root, "third.shop.FACT_SALES", **RANGE, file=root / "more" / "x.yml")
    names = {request.manifest for request in work_tree_manifests(root).declared.requests}
    assert names == {"fact-sales", "shop-fact-sales", "fact-sales-2"}


def test_a_file_that_is_there_is_never_overwritten(root: Path) -> None:
    write(root, **RANGE)
    before = contents(root)
    with pytest.raises(Failure, match="is there already"):
        write(root, **RANGE, reason="another")
    (root / "sales" / "link.yaml").symlink_to(root.parent / "outside.yaml")
    with pytest.raises(Failure, match="symbolic link"):
        write(root, **RANGE, file=root / "sales" / "link.yaml")
    assert contents(root) == before


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"table": "a b"}, "SPACE"),
        ({"table": "a..b"}, "empty part"),
        ({"table": ""}, "is empty"),
        ({"table": "../../etc/passwd"}, "SOLIDUS"),
        ({"table": "a\udcff"}, "UTF-8"),
        ({"start": "2026-1-20 01:00:00"}, "yyyy-MM-dd"),
        ({"end": "2026-02-30 01:00:00"}, "does not exist"),
        ({"end": "2026-01-19 01:00:00"}, "before startTime"),
        ({"name": "Not OK"}, "metadata.name"),
        ({"target": "nowhere"}, "not configured"),
        ({"reason": "hid\u200bden"}, "U+200B"),
        ({"reason": "  "}, "blank"),
    ],
)
def test_what_the_loader_refuses_is_not_written(root: Path, given_: dict[str, str], says: str) -> None:
    before = contents(root)
    with pytest.raises(InvalidInput) as caught:
        write(root, **{**RANGE, **given_})
    assert any(says in f"{problem.path} {problem.message}" for problem in caught.value.problems), caught.value.problems
    assert contents(root) == before


def test_a_name_that_is_taken_is_told_with_the_other_place(root: Path) -> None:
    write(root, **RANGE)
    with pytest.raises(InvalidInput) as caught:
        write(root, "a.b.c", **RANGE, name="fact-sales")
    assert any("is taken by" in problem.message for problem in caught.value.problems)


def test_what_was_wrong_before_does_not_stand_in_the_way(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "bad.yaml").write_text("kind: [")
    write(root, **RANGE)
    assert (root / "sales" / "fact_sales.yaml").is_file()
    assert "other problem" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["x.txt", "../x.yaml", ".hidden/x.yaml", "/etc/x.yaml"])
def test_a_file_that_would_not_be_read_is_refused(root: Path, file: str) -> None:
    with pytest.raises(UsageFailure, match="would not be read"):
        write(root, **RANGE, file=root / file)


def test_options_that_are_missing_or_exclude_each_other_are_named(root: Path) -> None:
    with pytest.raises(UsageFailure, match="--start, --end are needed"):
        write(root)
    with pytest.raises(UsageFailure, match="--reason is needed"):
        write(root, **RANGE, rerun="again")
    with pytest.raises(UsageFailure, match="--at"):
        write(root, **RANGE, at=("2026-01-20 00:00:00",))
    settled = NewOptions(root, SALES, rerun="again")
    answers = {"--start": RANGE["start"], "--end": RANGE["end"], "--reason": "late"}
    while found := questions(settled):
        settled = answered(settled, found[0].option, answers[found[0].option])
    assert new.run(settled, console()) == ExitCode.DONE


def test_without_a_schema_in_the_repository_no_line_points_to_one(root: Path) -> None:
    (root.parent / "schemas" / "backfill.v1.schema.json").unlink()
    write(root, **RANGE)
    assert (root / "sales" / "fact_sales.yaml").read_text().startswith("apiVersion:")


@pytest.mark.claim("manifests that `new` made up are valid")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES, REASONS)
def test_any_table_with_any_reason_gets_a_valid_manifest(root: Path, tried: Tried, table: str, reason: str) -> None:
    tried(60)
    for path in root.rglob("*.yaml"):
        if path.name != "reconciler.yaml" or path.parent != root:
            path.unlink()
    write(root, table, **RANGE, reason=reason)
    (request,) = work_tree_manifests(root).declared.requests
    assert (request.table, request.reason) == (table, reason)
