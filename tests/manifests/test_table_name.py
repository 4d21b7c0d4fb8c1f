"""Table names: the grammar, and names that only look like others."""

from __future__ import annotations

import pytest

from reconciler.core.spelling import folded
from reconciler.manifests.table_name import complaint, difference, mixed_part
from tests.manifests.roots import MANIFEST, changed, only, read


@pytest.mark.parametrize(
    "name",
    [
        "t",
        "a.b.c",
        "_c.d_1.T_2",
        "starrocks.`default_catalog.schema`.p_order",
        "`a`.`b`",
        "a-b.c$1",
        "订单.数据",
        "größe",
        "таблица",
    ],
)
def test_a_name_of_the_grammar_is_taken(name: str) -> None:
    assert complaint(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "`a",
        "a`",
        "``",
        "`a.`",
        "`.a`",
        "`a..b`",
        "a`b`",
        "`a`b",
        "`a``b`",
        "a b",
        "a\n",
        "a/b",
        "a\\b",
        "a٣",
        "a²",
        "a\u0301",
        "a\u115f",
        "a\u1160",
        "a\u3164",
        "a\uffa0",
        "a" * 257,
        "Ⅻ",
        "a:b",
        "a,b",
        "\u1100\u1161",
    ],
)
def test_every_other_name_is_refused(name: str) -> None:
    assert complaint(name) is not None


@pytest.mark.parametrize(
    ("name", "part"), [("sales.оrders", "оrders"), ("a.`b.cо`", "cо"), ("αa", "αa"), ("ｆoo", "ｆoo")]
)
def test_a_part_that_mixes_scripts_is_found(name: str, part: str) -> None:
    assert mixed_part(name) == part


@pytest.mark.parametrize("name", ["sales.заказы", "t订单", "aひらカタ漢", "aㄅ漢", "a한漢", "größe", "a1_漢"])
def test_scripts_that_belong_together_are_not(name: str) -> None:
    assert mixed_part(name) is None


def test_names_that_differ_in_case_or_backticks_fold_alike() -> None:
    assert folded("A.`b.C`") == folded("a.B.c")
    assert difference("a.b", "a.B") == "upper and lower case"
    assert difference("a.`b`", "a.b") == "backticks"
    assert difference("a.`b`", "a.B") == "case and backticks"


def test_two_spellings_of_a_name_are_warned_of_once() -> None:
    def other(name: str, table: str) -> str:
        return changed(changed(MANIFEST, "name: orders", f"name: {name}"), "sales.core.orders", table)

    reading = read(
        a=MANIFEST, b=other("b", "sales.core.ORDERS"), c=other("c", "sales.core.ORDERS"), d=other("d", "other")
    )
    problem = only(reading)
    assert problem.severity == "warning"
    assert (problem.file, problem.line, problem.path) == ("b.yaml", 8, "spec.tableName")
    assert "differs only in upper and lower case" in problem.message
    assert "a.yaml:8" in problem.message
    assert reading.declared is not None


def test_the_same_name_on_two_targets_is_nothing_to_warn_of() -> None:
    other = changed(changed(MANIFEST, "name: orders", "name: b"), "sales.core.orders", "sales.core.ORDERS")
    assert read(a=MANIFEST, b=changed(other, "spec:\n", "spec:\n  target: other\n")).problems == ()


def test_mixed_scripts_are_a_warning_not_an_error() -> None:
    reading = read(a=changed(MANIFEST, "sales.core.orders", "sales.core.оrders"))
    assert only(reading).severity == "warning"
    assert reading.declared is not None
