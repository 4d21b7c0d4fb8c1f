"""Moving about in a report: zoom, pan, pointer, keyboard, and links that restore what one sees."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.figures import Tried
from tests.web import samples
from tests.web.colours import STATUSES
from tests.web.pages import report
from tests.web.reports import Report
from tests.web.watched import Opener, shoot

SALES = "default_catalog.sales.FACT_SALES"
PAGES = "default_catalog.web.PAGES"
ORDERS = "sales.orders"


@pytest.fixture
def seen(open_page: Opener) -> Report:
    return Report(open_page.file(report(samples.all_statuses())))


@pytest.fixture
def single(open_page: Opener) -> Report:
    """Return a page with one table: nine days were triggered, and owed on another target."""
    return Report(open_page.file(report(samples.two_targets())))


def width(seen: Report) -> float:
    """Return how wide the nine days are drawn."""
    (start, end), *_ = seen.bars(ORDERS)
    return end - start


def turned(seen: Report, way: int) -> None:
    """Turn the wheel, and wait until the view is longer or shorter by it."""
    before = seen.seconds
    seen.page.mouse.wheel(0, way)
    seen.until(lambda: (seen.seconds - before) * way > before * 5)


def test_the_wheel_zooms_and_what_is_under_the_pointer_stays_there(single: Report) -> None:
    page = single.page
    box = single.canvas(ORDERS).bounding_box()
    end = round(single.bars(ORDERS)[0][1])  # wheels tell whole pixels
    assert box
    page.mouse.move(end, single.middle(ORDERS))
    under, begin = single.second(ORDERS, end), single.seconds
    page.keyboard.down("Control")
    for way in (-120, -120, -120, 120, 120, 120, 120):
        turned(single, way)
        assert abs(single.second(ORDERS, end) - under) <= 2 + 2 * single.seconds / box["width"]
    page.keyboard.up("Control")
    assert single.seconds > begin
    assert abs(single.bars(ORDERS)[0][1] - end) <= 3


@pytest.mark.parametrize(("closer", "farther"), [("#zoom-in", "#zoom-out"), ("+", "-")])
def test_buttons_and_keys_zoom_and_the_middle_stays(single: Report, closer: str, farther: str) -> None:
    def press(what: str) -> None:
        if what.startswith("#"):
            single.click(what)
        else:
            single.press(what)

    single.focus_rows()
    press(farther)
    press(farther)
    single.settle()
    before = width(single)
    press(closer)
    single.until(lambda: width(single) > before * 1.2)
    press(farther)
    single.until(lambda: abs(width(single) - before) <= 3)


def test_buttons_pan_by_part_of_what_is_seen(single: Report) -> None:
    single.click("#view-all")
    single.click("#zoom-out")
    before = single.bars(ORDERS)[0]
    single.click("#pan-left")
    single.until(lambda: single.bars(ORDERS)[0][1] > before[1] + 5)
    single.click("#pan-right")
    single.until(lambda: abs(single.bars(ORDERS)[0][1] - before[1]) <= 3)


def test_dragging_pans_by_what_is_dragged(single: Report) -> None:
    single.click("#view-all")
    single.click("#zoom-out")
    before = single.bars(ORDERS)[0]
    y = single.middle(ORDERS)
    single.page.mouse.move(before[0] + 20, y)
    single.page.mouse.down()
    single.page.mouse.move(before[0] + 50, y, steps=4)
    single.page.mouse.move(before[0] + 80, y, steps=4)
    single.page.mouse.up()
    single.until(lambda: abs(single.bars(ORDERS)[0][1] - before[1] - 60) <= 4)


def test_the_pointer_tells_all_of_a_call(seen: Report) -> None:
    bars = seen.bars(SALES)
    seen.hover(SALES, (bars[0][0] + bars[0][1]) / 2)
    seen.until(seen.details.is_visible)
    text = seen.details.inner_text()
    (standing,) = (one for one in samples.all_statuses() if one.table.name == SALES and one.table.target.name == "prod")
    assert standing.table.ledger
    first = standing.table.ledger.triggers[0]
    for told in (first.id, first.requests[0], first.commit[:7], first.trace_id, "Triggered"):
        assert str(told) in text, text
    shoot(seen.page, "report-hover")


def test_every_segment_is_reached_by_keys_alone_and_tells_of_itself(seen: Report, tried: Tried) -> None:
    seen.search(SALES)
    seen.page.select_option("#filter-target", label="prod")
    seen.until(lambda: len(seen.tables) == 1)
    seen.focus_rows()
    seen.press("Home")
    (standing,) = (one for one in samples.all_statuses() if one.table.name == SALES and one.table.target.name == "prod")
    told = [seen.told()]
    for _ in standing.timeline.segments:
        seen.press("ArrowRight")
        if seen.told() not in told:
            told.append(seen.told())
    statuses = " ".join(told).lower()
    for word in ("triggered", "rerun", "owed", "held", "in doubt"):
        assert word in statuses, told
    assert len([text for text in told if text]) >= len(standing.timeline.segments)
    tried(len(standing.timeline.segments))


def test_keys_alone_open_pin_and_close_the_details(seen: Report) -> None:
    for _ in range(60):
        seen.press("Tab")
        if seen.page.evaluate("!!document.activeElement.closest('.row')"):
            break
    assert seen.page.evaluate("!!document.activeElement.closest('.row')"), "Tab alone leads to the rows"
    seen.press("ArrowRight", "Enter")
    seen.until(seen.details.is_visible)
    approver = seen.details.inner_text()
    assert approver
    seen.press("Escape")
    seen.until(seen.details.is_hidden)
    assert seen.page.evaluate("!!document.activeElement.closest('.row')"), "the focus is where it was"


def test_up_and_down_move_between_rows(seen: Report) -> None:
    seen.focus_rows()
    focused = (
        "document.activeElement.closest('.row').dataset.table + document.activeElement.closest('.row').dataset.target"
    )
    places = [seen.page.evaluate(focused)]
    for _ in range(len(seen.tables) - 1):
        seen.press("ArrowDown")
        places.append(seen.page.evaluate(focused))
    assert places == [table + target for target, table in seen.tables]
    seen.press("ArrowUp")
    assert seen.page.evaluate(focused) == places[-2]


def test_the_focus_can_be_seen_wherever_it_is(seen: Report, tried: Tried) -> None:
    marked = """() => {
      const style = getComputedStyle(document.activeElement);
      return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== 'none';
    }"""
    seen.page.keyboard.press("Tab")
    places = 0
    while seen.page.evaluate("document.activeElement !== document.body") and places < 60:
        assert seen.page.evaluate(marked), seen.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        seen.page.keyboard.press("Tab")
        places += 1
    assert places > 10
    seen.focus_rows()
    shoot(seen.page, "report-focus")
    tried(places)


def test_a_link_restores_the_view_and_the_filters(open_page: Opener, seen: Report) -> None:
    seen.search("catalog")
    seen.status("owed").click()
    seen.page.select_option("#filter-owner", label="team-sales")
    seen.click("#view-week")
    seen.until(lambda: "catalog" in seen.hash and "team-sales" in seen.hash)
    view = seen.view
    other = Report(open_page.file(report(samples.all_statuses()), "other.html", seen.hash))
    assert other.tables == seen.tables
    assert other.view == view
    assert other.page.locator("#search").input_value() == "catalog"
    expect(other.status("owed")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    "link",
    [
        "#",
        "#x",
        "#view=1..0&%",
        "#from=NaN&to=-1e999",
        "#%E0%A4%A",
        "#status=no-such&target=no-such&owner=%00",
        "#" + "a=b&" * 5000,
    ],
)
def test_a_link_that_means_nothing_shows_what_there_is(open_page: Opener, link: str) -> None:
    seen = Report(open_page.file(report(samples.all_statuses()), hash_=link))
    assert len(seen.tables) == 8


def test_the_heat_strip_can_be_switched_off(seen: Report) -> None:
    before = seen.page.locator(".row").first.bounding_box()
    picture = seen.page.screenshot()
    seen.click("#heat")
    seen.settle()
    assert seen.page.screenshot() != picture
    after = seen.page.locator(".row").first.bounding_box()
    assert before
    assert after
    assert after["height"] <= before["height"]


def test_everything_is_drawn_again_where_the_window_becomes_narrow(seen: Report) -> None:
    seen.page.set_viewport_size({"width": 800, "height": 700})
    seen.until(lambda: seen.statuses(SALES) == set(STATUSES))
    box, window = seen.canvas(SALES).bounding_box(), 800
    assert box
    assert box["x"] + box["width"] <= window
