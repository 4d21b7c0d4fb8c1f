"""What a report's time fills: Day, Week, Month and Year show something, and drawings are as wide as their boxes."""

from __future__ import annotations

import pytest

from tests.web import samples
from tests.web.pages import report
from tests.web.reports import Report
from tests.web.watched import Opener, shoot

SALES = "default_catalog.sales.FACT_SALES"
ORDERS = "sales.orders"


@pytest.fixture
def seen(open_page: Opener) -> Report:
    return Report(open_page.file(report(samples.all_statuses())))


@pytest.mark.parametrize("name", ["year", "month", "week", "day"])
def test_each_view_is_as_long_as_it_is_called(seen: Report, name: str) -> None:
    seen.click(f"#view-{name}")
    shoot(seen.page, f"report-view-{name}")
    days = {"year": (365, 366), "month": (28, 31), "week": (7, 7), "day": (1, 1)}[name]
    assert days[0] - 0.01 <= seen.seconds / 86_400 <= days[1] + 0.01


@pytest.mark.parametrize("name", ["month", "week", "day"])
def test_a_shorter_view_keeps_the_middle_where_there_is_something(seen: Report, name: str) -> None:
    seen.click("#view-all")
    seen.click("#zoom-in")
    start, end = seen.view
    seen.click(f"#view-{name}")
    seen.until(lambda: seen.seconds <= 31 * samples.DAY)
    assert abs(sum(seen.view) - start - end) <= 4
    assert seen.statuses(SALES)


@pytest.mark.parametrize("name", ["year", "month", "week", "day"])
def test_a_shorter_view_is_never_empty_where_its_middle_is(open_page: Opener, name: str) -> None:
    seen = Report(open_page.file(report(samples.ten_years())))
    seen.click("#view-all")
    seen.until(lambda: len(seen.bars(ORDERS)) == 2)
    seen.click(f"#view-{name}")
    box = seen.canvas(ORDERS).bounding_box()
    assert box
    seen.until(lambda: seen.seconds <= 365 * samples.DAY)
    assert sum(end - start for start, end in seen.bars(ORDERS)) > box["width"] / 2


@pytest.mark.parametrize("scale", [1, 1.25, 2])
def test_a_pixel_of_the_drawing_is_a_pixel_of_the_screen(open_page: Opener, scale: float) -> None:
    seen = Report(open_page.file(report(samples.all_statuses()), device_scale_factor=scale))
    sizes = """all => all.map(each => {
      const box = each.getBoundingClientRect();
      return [each.width / devicePixelRatio - box.width, each.height / devicePixelRatio - box.height];
    })"""
    found = seen.page.locator("canvas:visible").evaluate_all(sizes)
    assert len(found) == 9
    assert all(abs(wide) < 0.02 > abs(high) for wide, high in found), found
    box, row = seen.canvas(SALES).bounding_box(), seen.row(SALES).bounding_box()
    assert box
    assert row
    assert 0 <= row["x"] + row["width"] - box["x"] - box["width"] < 1, "and no pixel is left out"


def test_all_shows_everything_however_far_apart(open_page: Opener) -> None:
    seen = Report(open_page.file(report(samples.centuries())))
    seen.click("#view-all")
    seen.until(lambda: {"triggered", "held"} <= set(seen.statuses(ORDERS)))
    assert seen.page.inner_text("#range") == "0001-01-01 – 9999-12-31"
    shoot(seen.page, "report-centuries")
