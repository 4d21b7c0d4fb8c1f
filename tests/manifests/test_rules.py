"""What the manifests of a table say beside their requests: they agree, wait for real tables, and ask for real times."""

from __future__ import annotations

import pytest

from reconciler.core.request import Rules
from reconciler.manifests.findings import Findings
from reconciler.manifests.root import Reading
from reconciler.manifests.yaml_text import load
from tests.manifests.roots import CONFIG, changed, only, read

_HEAD = "apiVersion: reconciler/v1\nkind: Backfill\n"
TABLE = "a.b.ORDERS"
KEY = ("demo", TABLE)
NEW_YORK = changed(CONFIG, "Asia/Shanghai", "America/New_York")
OFF = [f"2026-01-{number // 24 + 1:02} {number % 24:02}:30:00" for number in range(300)]
"""Times that are not on an hourly schedule."""


def _manifest(name: str, *lines: str, table: str = TABLE, start: str = "01", end: str = "05") -> str:
    window = f"{{startTime: 2026-01-20 {start}:00:00, endTime: 2026-01-20 {end}:00:00}}"
    spec = [f"tableName: {table}", *lines, "requests:", f"  - timeRange: {window}"]
    return _HEAD + f"metadata: {{name: {name}}}\nspec:\n" + "".join(f"  {line}\n" for line in spec)


def _points(*times: str, schedule: str = '"0 0 * * * ?"') -> str:
    listed = ", ".join(times)
    spec = f"  tableName: {TABLE}\n  schedule: {schedule}\n  requests:\n    - scheduleTimes: [{listed}]\n"
    return f"{_HEAD}metadata: {{name: points}}\nspec:\n{spec}"


def _rules(reading: Reading) -> Rules:
    assert reading.declared is not None, reading.problems
    return reading.declared.rules[KEY]


def test_a_table_without_rules_of_its_own_has_the_standard_ones() -> None:
    reading = read(a=_manifest("a"))
    assert reading.declared is not None
    assert reading.declared.rules == {}


def test_what_one_manifest_of_a_table_says_holds_for_all_of_them() -> None:
    one = _manifest("one", 'schedule: "0 0 * * * ?"', "chunk: 6h")
    other = _manifest("other", "order: newestFirst", start="09", end="12")
    rules = _rules(read(a=one, b=other))
    assert rules.schedule is not None
    assert (rules.schedule.text, rules.chunk, rules.order) == ("0 0 * * * ?", 6 * 3600, "newestFirst")


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("schedule", '"0 0 * * * ?"', "{every: 2h}"),
        ("chunk", "1d", "7d"),
        ("order", "oldestFirst", "newestFirst"),
    ],
)
def test_manifests_of_one_table_that_disagree_are_shown_both(name: str, one: str, other: str) -> None:
    problem = only(read(a=_manifest("one", f"{name}: {one}"), b=_manifest("two", f"{name}: {other}")))
    assert (problem.file, problem.path, problem.severity) == ("b.yaml", f"spec.{name}", "error")
    assert "a.yaml:6" in problem.message


def test_the_same_table_on_two_targets_may_have_two_schedules() -> None:
    here = _manifest("here", 'schedule: "0 0 * * * ?"')
    there = _manifest("there", "target: other", "schedule: {every: 2h}")
    assert read(a=here, b=there).declared is not None


def test_dependencies_are_found_by_the_names_of_manifests() -> None:
    rules = _rules(read(a=_manifest("orders", "dependsOn: [dim]"), b=_manifest("dim", table="a.b.DIM")))
    assert [(one.manifest, one.key) for one in rules.depends_on] == [("dim", ("demo", "a.b.DIM"))]


def test_an_unknown_dependency_names_the_nearest_manifest() -> None:
    problem = only(read(a=_manifest("orders", "dependsOn: [dim-custmer]"), b=_manifest("dim-customer", table="a.b.D")))
    assert (problem.path, problem.line) == ("spec.dependsOn[0]", 6)
    assert "did you mean `dim-customer`?" in problem.hint


def test_a_dependency_whose_manifest_is_bad_is_no_second_problem() -> None:
    bad = changed(_manifest("dim", table="a.b.DIM"), "2026-01-20 01", "2026-01-32 01")
    problem = only(read(a=_manifest("orders", "dependsOn: [dim]"), b=bad))
    assert problem.file == "b.yaml"


def test_nothing_depends_on_itself_or_on_its_own_table() -> None:
    assert "itself" in only(read(a=_manifest("orders", "dependsOn: [orders]"))).message
    problem = only(read(a=_manifest("one", "dependsOn: [two]"), b=_manifest("two", start="09", end="12")))
    assert "same table" in problem.message


def test_a_cycle_is_shown_whole() -> None:
    names = ("orders", "customers", "regions")
    manifests = {
        name: _manifest(name, f"dependsOn: [{names[(at + 1) % 3]}]", table=f"a.b.{name}")
        for at, name in enumerate(names)
    }
    problem = only(read(**manifests))
    assert problem.message == "the tables wait for each other: customers -> regions -> orders -> customers"
    assert problem.path == "spec.dependsOn"


def test_a_cycle_through_two_manifests_of_one_table_is_one_too() -> None:
    first = _manifest("first", "dependsOn: [dim]")
    second = _manifest("second", start="09", end="12")
    dim = _manifest("dim", "dependsOn: [second]", table="a.b.DIM")
    assert "dim -> first -> dim" in only(read(a=first, b=second, c=dim)).message


def test_a_time_that_is_not_on_the_schedule_gets_a_warning_with_the_nearest() -> None:
    problem = only(read(a=_points("2026-01-20 00:00:00", "2026-01-20 00:30:00")))
    assert (problem.severity, problem.path) == ("warning", "spec.requests[0].scheduleTimes[1]")
    assert "nothing is called for it" in problem.message
    assert "2026-01-20 00:00:00 and 2026-01-20 01:00:00" in problem.hint


def test_a_time_that_the_clock_skips_is_told_apart() -> None:
    problem = only(read(NEW_YORK, a=_points("2026-03-08 02:00:00", "2026-03-08 03:00:00")))
    assert (problem.severity, problem.path) == ("warning", "spec.requests[0].scheduleTimes[0]")
    assert "America/New_York" in problem.message


def test_a_range_between_two_times_of_the_schedule_gets_a_warning() -> None:
    problem = only(read(a=_manifest("a", 'schedule: "0 0 0 * * ?"')))
    assert (problem.severity, problem.path) == ("warning", "spec.requests[0].timeRange")


def test_requests_further_apart_than_a_schedule_is_made_for_are_refused() -> None:
    problem = only(read(a=_points("1975-01-01 00:00:00", "2099-01-01 00:00:00")))
    assert problem.severity == "error"
    assert "100 years" in problem.message


def test_the_fields_of_a_schedule_that_are_wrong_are_told_in_their_order() -> None:
    problems = read(a=_manifest("a", 'schedule: "0 61 25 32 13 ? 1900"')).problems
    words = ["minutes", "hours", "day of month", "month", "year"]
    assert [problem.message.split(' "')[0] for problem in problems] == words


@pytest.mark.parametrize(
    ("years", "at"), [((2026, 1026, 2025), 1), ((2026, 2025, 2206), 2), ((1960, 2026), 0), ((2120, 2190, 2205), 2)]
)
def test_a_request_that_is_far_off_is_told_at_its_line(years: tuple[int, ...], at: int) -> None:
    requests = "".join(f"    - scheduleTimes: [{year}-01-01 00:00:00]\n" for year in years)
    text = _points("X").replace("    - scheduleTimes: [X]\n", requests)
    problem = only(read(a=text))
    assert (problem.path, problem.line) == (f"spec.requests[{at}]", 8 + at)


def test_neighbouring_seconds_that_are_listed_are_looked_at_one_by_one() -> None:
    problem = only(read(a=_points("2026-01-20 00:00:00", "2026-01-20 00:00:01")))
    assert problem.path == "spec.requests[0].scheduleTimes[1]"


def test_hundreds_of_times_that_are_not_on_the_schedule_are_warnings_of_which_the_first_are_told() -> None:
    reading = read(a=_points(*OFF))
    assert reading.declared is not None
    assert {problem.severity for problem in reading.problems} == {"warning"}
    assert len(reading.problems) == 51
    assert reading.problems[-1].message == "there are more warnings in this document"


def test_an_error_after_hundreds_of_warnings_is_told() -> None:
    (document,) = load("a.yaml", _points(*OFF).encode()).documents
    findings = Findings(document, (), ())
    for position in range(len(OFF)):
        findings.warning(("spec", "requests", 0, "scheduleTimes", position), "off", "correct it")
    findings.error(("spec", "schedule"), "wrong", "correct it")
    assert findings.failed
    assert findings.problems[-1].message == "wrong"
    assert len(findings.problems) == 52
