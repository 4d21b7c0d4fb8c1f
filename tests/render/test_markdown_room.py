"""Plans of any size find room in a comment: the summary stays, the rest is cut with a pointer and closed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from reconciler.core.request import Request
from reconciler.render.plan_markdown import plan_markdown
from reconciler.render.sheet import Sheet
from tests.figures import Tried
from tests.render import sheets
from tests.render.html_of import closed

CALLS = int(os.environ.get("CALLS_A_TABLE", "20"))
"""How many calls each table of the largest plans has."""


class CountingRequests(Mapping[str, Request]):
    """Requests that count how often one is looked up."""

    def __init__(self) -> None:
        self.asked = 0

    def __getitem__(self, key: str) -> Request:
        self.asked += 1
        return sheets.request(key, "c.d.T", "why")

    def __iter__(self) -> Iterator[str]:
        return iter(("m.yaml#1",))

    def __len__(self) -> int:
        return 1


@pytest.mark.claim("A plan of any size fits a comment, and nothing is left open where it is cut")
@pytest.mark.parametrize(
    ("tables", "calls", "targets"),
    [(1, 200, 1), (1, 1000, 1), (40, 40, 7), (300, 5, 1), (2000, 2, 500), (1000, CALLS, 1)],
)
def test_long_plans_are_cut_with_a_pointer_and_closed(tables: int, calls: int, targets: int, tried: Tried) -> None:
    plan = sheets.long_plan(tables, calls, targets)
    requests = CountingRequests()
    text = plan_markdown(Sheet(plan, requests, {}))
    for page in closed(text):
        assert page.plain.rstrip().endswith("Plan")
        assert page.code[-1] == plan.digest
    assert re.search(r"… and [\d,]+ more calls?: `reconciler -v plan` shows all", text)
    assert f"{tables * calls:,}" in text or tables * calls < 1000
    assert requests.asked < 1000
    tried(1, note=f"longest {len(text.encode()):,} bytes" if tables == 1000 else "")


def test_shown_and_left_out_calls_make_the_whole() -> None:
    text = plan_markdown(sheets.bare(sheets.long_plan(1, 1000)))
    table = text.split("#### Target")[1]
    left = re.search(r"… and ([\d,]+) more calls", table)
    assert left
    assert table.count("<tr><td nowrap>") + int(left[1].replace(",", "")) == 1000


@pytest.mark.parametrize("text", ["\U000e0041" * 400, "`" * 400, "表" * 400, "<" * 400, "x" * 5000])
def test_long_texts_in_every_field_fit_too(text: str) -> None:
    for page in closed(plan_markdown(sheets.sheet(text))):
        assert "…" in page.text


def test_any_number_of_problems_guards_and_doubts_fits() -> None:
    one = sheets.sheet("x" * 200)
    many = replace(one, guards=("g" * 500,) * 500, problems=one.problems * 500)
    doubts = tuple(replace(doubt, intent=sheets.intent("y" * 90)) for doubt in one.plan.doubts * 500)
    text = plan_markdown(replace(many, plan=replace(many.plan, orphans=doubts)))
    assert list(closed(text))
    assert "more guards" in text
    assert "more problems: `reconciler validate` shows all" in text
    assert "`reconciler resolve` lists all" in text
    assert "reconciler resolve --journal FILE" in text


@pytest.mark.parametrize(("tables", "calls", "targets"), [(3, 100, 1), (400, CALLS, 400)])
def test_all_at_once_fits(tables: int, calls: int, targets: int) -> None:
    plan = sheets.long_plan(tables, calls, targets, name="表" * 250)
    one = sheets.sheet("表" * 290)
    doubts = tuple(replace(doubt, intent=sheets.intent("表" * 90)) for doubt in one.plan.doubts * 500)
    full = replace(one, plan=replace(plan, orphans=doubts), guards=one.guards * 50, problems=one.problems * 50)
    text = plan_markdown(full)
    assert list(closed(text))
    assert plan.digest in text
