"""A report of 10,000 tables in a browser: searched, filtered, scrolled and zoomed while somebody waits."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.figures import Tried
from tests.web import samples
from tests.web.pages import report
from tests.web.reports import Report
from tests.web.watched import Opener, shoot

TABLES = 10_000
HANGS = 10
"""Seconds after which something is no longer slow, but stuck."""


@pytest.fixture(scope="session")
def many() -> str:
    return report(tuple(samples.many(TABLES)))


@pytest.fixture
def seen(open_page: Opener, many: str) -> Report:
    return Report(open_page.file(many))


def _took(what: Callable[[], object]) -> int:
    """Return the milliseconds that something took."""
    start = time.monotonic()
    what()
    took = time.monotonic() - start
    assert took < HANGS
    return round(took * 1000)


@pytest.mark.claim("a page of 10,000 tables, in Chromium, from opening it to the answer of each step")
def test_ten_thousand_tables_are_searched_filtered_and_scrolled(open_page: Opener, many: str, tried: Tried) -> None:
    open_page.file("<!doctype html><html data-ready=true>", "warm.html")
    opened: list[Report] = []
    steps = {"open": _took(lambda: opened.append(Report(open_page.file(many))))}
    (seen,) = opened
    assert seen.count[-1] == TABLES
    drawn = len(seen.tables)
    assert drawn < 200, "only what can be seen is there"
    shoot(seen.page, "report-10000")

    def find() -> None:
        seen.page.fill("#search", "TABLE_09999")
        seen.until(lambda: seen.names == ["default_catalog.area_99.TABLE_09999"], HANGS)

    def clear() -> None:
        seen.page.fill("#search", "")
        seen.until(lambda: len(seen.tables) == drawn, HANGS)

    def choose() -> None:
        seen.status("inDoubt").click()
        seen.until(lambda: seen.count[0] < TABLES / 10, HANGS)

    def unchoose() -> None:
        seen.status("inDoubt").click()
        seen.until(lambda: seen.count == (TABLES,), HANGS)

    def to_the_end() -> None:
        seen.page.evaluate("scrollTo(0, document.scrollingElement.scrollHeight)")
        seen.until(lambda: _is_last(seen), HANGS)

    for name, step in (("find", find), ("clear", clear), ("filter", choose), ("unfilter", unchoose)):
        steps[name] = _took(step)
    steps["zoom"] = _took(lambda: seen.click("#zoom-in"))
    steps["scroll to the end"] = _took(to_the_end)
    assert len(seen.tables) < 200
    shoot(seen.page, "report-10000-end")
    note = ", ".join(f"{name} {took} ms" for name, took in steps.items())
    tried(len(steps), note=f"{len(many) / 1e6:.1f} MB; {note}")


def _is_last(seen: Report) -> bool:
    """Say whether the last row is there, and drawn."""
    last = max(int(name.rsplit("_", 1)[1]) for name in seen.names) if seen.names else 0
    return last > TABLES - 60 and bool(seen.bars(seen.names[-1]))


def test_end_and_home_lead_to_the_last_row_and_back(seen: Report) -> None:
    seen.focus_rows()
    top = seen.names[0]
    for _ in range(40):
        seen.press("ArrowDown")
    assert seen.page.evaluate("!!document.activeElement.closest('.row')"), (
        "the focus stays on a row that comes into view"
    )
    seen.page.evaluate("scrollTo(0, 0)")
    seen.until(lambda: top in seen.names)


def test_every_row_is_counted_though_few_are_there(seen: Report) -> None:
    size = (
        "document.querySelector('.row').closest('[aria-rowcount]')?.getAttribute('aria-rowcount') "
        "|| document.querySelector('.row').getAttribute('aria-setsize')"
    )
    assert int(seen.page.evaluate(size)) in {TABLES, TABLES + 1}
