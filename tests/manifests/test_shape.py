"""What people read when a document has the wrong shape: the nearest key, the way out, all of it at once."""

from __future__ import annotations

import pytest

from reconciler.errors import Problem
from tests.manifests.roots import CONFIG, FULL_CONFIG, MANIFEST, SECRET, changed, only, read


def _refused(old: str, new: str) -> Problem:
    return only(read(a=changed(MANIFEST, old, new)))


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "hint"),
    [
        ("  owner:", "  ownr:", 5, 3, "did you mean `owner`?"),
        ("  limits:", "  limit:", 9, 3, "did you mean `limits`?"),
        ("span: 30d", "Span: 30d", 9, 23, "did you mean `span`?"),
        ("    - name: outage", "    - Name: outage", 11, 7, "did you mean `name`?"),
        ("  owner:", "  zzz:", 5, 3, "remove it; known here: name, owner, labels"),
    ],
)
def test_an_unknown_key_is_shown_at_the_key_with_the_nearest_known_one(
    old: str, new: str, line: int, column: int, hint: str
) -> None:
    problem = _refused(old, new)
    assert (problem.line, problem.column, problem.hint) == (line, column, hint)
    assert problem.message.startswith("unknown key")


def test_a_missing_key_is_shown_at_its_mapping_with_an_example() -> None:
    problem = _refused("        endTime: 2026-01-20 05:00:00\n", "")
    assert (problem.line, problem.column, problem.path) == (14, 9, "spec.requests[0].timeRange")
    assert problem.message == "`endTime` is missing"
    assert problem.hint == "add it, for example `endTime: 2026-01-20 05:00:00`"


def test_a_key_without_a_value_is_said_to_have_none() -> None:
    problem = _refused("tableName: sales.core.orders", "tableName:")
    assert (problem.path, problem.message) == ("spec.tableName", "has no value")


def test_a_schedule_of_another_type_is_told_what_it_may_be() -> None:
    problem = _refused("spec:\n", "spec:\n  schedule: [1h]\n")
    assert (problem.line, problem.column, problem.path) == (8, 13, "spec.schedule")
    assert problem.message == "must be text or a mapping, not a list"
    assert problem.hint == 'write it like "0 0 * * * ?"'


def test_only_a_plain_number_is_a_number() -> None:
    reading = read(a=MANIFEST)
    assert reading.declared is not None
    assert {request.limits.calls for request in reading.declared.requests} == {10}
    assert _refused("calls: 10", 'calls: "10"').hint == "remove the quotes"
    assert _refused("calls: 10", "calls: ten").message == '"ten" is not a whole number'


def test_a_number_that_is_too_large_is_told_the_most() -> None:
    problem = _refused("calls: 10", "calls: 99999999999999999999999")
    assert problem.message == "99999999999999999999999 is too large"
    assert problem.hint == "write 1000000000 or less"


@pytest.mark.parametrize(
    ("written", "hint"), [("True", "write `true`"), ("no", "write `false`"), ('"true"', "remove the quotes")]
)
def test_what_is_nearly_true_or_false_is_told_how_to_write_it(written: str, hint: str) -> None:
    config = changed(CONFIG, "timeZone: Asia/Shanghai}", f"lineage: l.yaml, coalesce: {written}, timeZone: UTC}}")
    problem = next(each for each in read(config, a=MANIFEST).problems if each.path == "targets.demo.coalesce")
    assert problem.hint == hint


def test_text_that_looks_like_a_number_stays_text() -> None:
    reading = read(a=changed(MANIFEST, "rerun: late-files-0121", "rerun: 0121"))
    assert reading.declared is not None
    assert [request.rerun.token for request in reading.declared.requests if request.rerun] == ["0121"]


def test_several_problems_of_several_files_come_at_once_sorted() -> None:
    bad = changed(changed(MANIFEST, "  owner:", "  ownr:"), "05:00:00", "00:00:00")
    reading = read(CONFIG + "stat: {}\n", b=bad, a=changed(bad, "name: orders", "name: Orders"), c="a: [\n")
    assert [(problem.file, problem.line) for problem in reading.problems] == [
        ("a.yaml", 4),
        ("a.yaml", 5),
        ("a.yaml", 14),
        ("b.yaml", 5),
        ("b.yaml", 14),
        ("c.yaml", 2),
        ("reconciler.yaml", 7),
    ]
    assert reading.config is None
    assert reading.declared is None


def test_foreign_text_in_a_message_is_escaped_and_short() -> None:
    problem = _refused("    - name: outage", f'    - name: "a\\n\\t{"x" * 500}"')
    assert "\\n\\t" in problem.message
    assert len(problem.message) < 250
    assert "\n" not in problem.message


@pytest.mark.parametrize(
    "written",
    [
        f"auth: {{type: APIKEY, value: {SECRET}}}",
        f"auth: {{type: APIKEY, token: {SECRET}}}",
        f"auth: {{type: APIKEY, valueFrom: {{value: {SECRET}}}}}",
        f"auth: {{type: APIKEY, valueFrom: {SECRET}}}",
        f"auth: {SECRET}",
    ],
)
def test_a_credential_in_the_config_is_refused_and_never_shown(written: str) -> None:
    text = changed(FULL_CONFIG, "auth: {type: APIKEY, valueFrom: {env: ANYMETRICS_AUTH_VALUE}}", written)
    reading = read(text, a=MANIFEST)
    assert SECRET not in str(reading)
    assert any("write `valueFrom: {env: NAME}`" in problem.hint for problem in reading.problems)
