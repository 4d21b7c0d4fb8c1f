"""A table that seems to have changed its name is told of, before everything is triggered again."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.request import Request
from reconciler.core.spelling import renamed
from tests.core import worlds


def _asks(table: str, target: str = "prod") -> Request:
    return replace(worlds.request("m#1", ((0, 5),)), table=table, target=target)


def test_a_table_with_a_ledger_is_fine() -> None:
    assert list(renamed([_asks("a.b")], {("prod", "a.b"), ("old", "a.b")}, {"prod"}, {})) == []


def test_a_renamed_target_is_an_error_that_says_how_to_go_back() -> None:
    (problem,) = renamed([_asks("a.b", "production")], {("prod", "a.b")}, {"production"}, {})
    assert problem.severity == "error"
    assert "call it prod again" in problem.hint


def test_another_target_that_is_still_configured_is_another_scheduler() -> None:
    assert list(renamed([_asks("a.b", "test")], {("prod", "a.b")}, {"prod", "test"}, {})) == []


def test_another_case_or_other_backticks_are_a_warning() -> None:
    for spelling in ("A.b", "a.`b`"):
        (problem,) = renamed([_asks(spelling)], {("prod", "a.b")}, {"prod"}, {})
        assert problem.severity == "warning"
        assert "spell it a.b" in problem.hint


def test_a_ledger_under_another_root_is_a_warning() -> None:
    (problem,) = renamed([_asks("a.b")], set(), {"prod"}, {("prod", "a.b"): "jobs"})
    assert problem.severity == "warning"
    assert "under the root jobs" in problem.message
