"""The report page in a browser: what it shows, how it is searched and filtered, and that it stays within itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from reconciler.core.timeline import Standing
from tests.figures import Tried
from tests.web import samples
from tests.web.colours import STATUSES
from tests.web.pages import report
from tests.web.reports import Report
from tests.web.watched import Opener, complaints, scrolls_sideways, shoot

SALES = "default_catalog.sales.FACT_SALES"
BALANCE = "default_catalog.finance.GL_BALANCE"
CLICKS = "default_catalog.web.CLICKS"
ORDERS = "sales.orders"

SAMPLES: dict[str, Callable[[], Sequence[Standing]]] = {
    "nothing": lambda: (),
    "one-trigger": samples.one_trigger,
    "ten-years": samples.ten_years,
    "two-targets": samples.two_targets,
    "in-doubt-only": samples.in_doubt_only,
    "hostile": samples.hostile,
}


@pytest.fixture
def everything() -> str:
    return report(samples.all_statuses())


@pytest.fixture
def seen(open_page: Opener, everything: str) -> Report:
    return Report(open_page.file(everything))


def test_every_status_is_drawn_in_its_colour(seen: Report) -> None:
    shoot(seen.page, "report-light")
    assert seen.statuses(SALES) == set(STATUSES)
    assert seen.statuses(BALANCE) == {"triggered"}
    assert seen.statuses(CLICKS) == {"inDoubt"}


def test_what_is_wrong_is_said_first_and_tables_in_need_are_on_top(seen: Report) -> None:
    verdict = seen.page.locator("#verdict").inner_text().lower()
    assert verdict.index("in doubt") < verdict.index("held")
    assert set(seen.names[:2]) == {SALES, CLICKS}
    assert seen.names.index(BALANCE) > seen.names.index(CLICKS)
    assert "tables" in seen.page.locator("#totals").inner_text().lower()


@pytest.mark.parametrize(
    ("name", "scheme"), [*((name, "light") for name in SAMPLES), ("nothing", "dark"), ("hostile", "dark")]
)
@pytest.mark.claim("pages and pictures that axe-core finds nothing wrong with")
def test_what_is_rare_is_shown_too(open_page: Opener, tried: Tried, name: str, scheme: str) -> None:
    page = open_page.file(report(SAMPLES[name]()), color_scheme=scheme)
    shoot(page, f"report-{name}-{scheme}")
    assert not complaints(page)
    tried(1)


def test_search_narrows_and_clears(seen: Report) -> None:
    everywhere = seen.names
    assert seen.count[-1] == len(everywhere) == 8
    seen.search("gl_")
    seen.until(lambda: len(seen.names) == 2)
    assert seen.count == (2, 8)
    seen.search("")
    seen.until(lambda: seen.names == everywhere)


def test_search_finds_owners_and_manifests_too(seen: Report) -> None:
    seen.search("team-hr")
    seen.until(lambda: seen.names == ["default_catalog.hr.PAYROLL"])
    seen.search("payroll.yaml")
    seen.until(lambda: seen.names == ["default_catalog.hr.PAYROLL"])


def test_what_matches_nothing_says_so_and_clears_with_one_press(seen: Report) -> None:
    seen.search("no such table")
    seen.until(lambda: not seen.names)
    assert seen.page.locator("#empty").is_visible()
    shoot(seen.page, "report-no-match")
    seen.page.locator("#empty button").click()
    seen.until(lambda: len(seen.names) == 8)
    assert not seen.page.locator("#empty").is_visible()


def test_filters_by_status_target_and_owner_narrow_together(seen: Report) -> None:
    seen.status("inDoubt").click()
    seen.until(lambda: sorted(seen.names) == sorted([SALES, CLICKS]))
    assert seen.status("inDoubt").get_attribute("aria-pressed") == "true"
    seen.page.select_option("#filter-owner", label="team-sales")
    seen.until(lambda: seen.names == [SALES])
    seen.status("inDoubt").click()
    seen.until(lambda: sorted(seen.tables) == [("dr", SALES), ("prod", SALES)])
    seen.page.select_option("#filter-target", label="dr")
    seen.until(lambda: seen.tables == [("dr", SALES)])


def test_a_filter_with_nothing_to_choose_from_is_not_there(open_page: Opener) -> None:
    page = open_page.file(report(samples.one_trigger()))
    assert not page.locator("#filter-target").is_visible()


def test_names_with_markup_stay_text(open_page: Opener) -> None:
    standings = samples.hostile()
    seen = Report(open_page.file(report(standings)))
    assert len(seen.names) == len(standings)
    for number in range(len(standings)):
        seen.focus_rows()
        seen.press(*["ArrowDown"] * number, "ArrowRight", "Enter")
        seen.until(seen.details.is_visible)
        assert "onerror" in seen.details.inner_text()
        seen.press("Escape")
    injected = "document.querySelectorAll('img, [onerror], iframe, object').length"
    assert seen.page.evaluate(injected) == 0
    assert seen.page.evaluate("[...document.scripts].filter(each => each.textContent.includes('alert(')).length") == 0


def test_the_same_table_on_two_targets_is_two_rows(open_page: Opener) -> None:
    seen = Report(open_page.file(report(samples.two_targets())))
    assert seen.tables[0] == ("dr", ORDERS), "what is owed comes first"
    assert seen.statuses(ORDERS, "prod") == {"triggered"}
    assert seen.statuses(ORDERS, "dr") == {"owed"}


def test_one_old_trigger_does_not_squeeze_what_is_new_and_all_of_it_is_one_key_away(open_page: Opener) -> None:
    seen = Report(open_page.file(report(samples.ten_years())))
    box = seen.canvas(ORDERS).bounding_box()
    assert box
    (start, end), *_ = seen.bars(ORDERS)
    assert end - start > box["width"] / 2
    seen.click("#view-all")
    seen.until(lambda: len(seen.bars(ORDERS)) == 2)
    old, new = seen.bars(ORDERS)
    assert old[1] - old[0] >= 1, "one day in ten years is still to be seen"
    assert new[1] - new[0] < box["width"] / 5
    shoot(seen.page, "report-ten-years-all")


def test_a_ledger_with_nothing_in_it_says_what_to_do(open_page: Opener) -> None:
    page = open_page.file(report(()))
    assert page.locator("#empty").is_visible()
    assert page.locator(".row:visible").count() == 0


def test_dark_is_dark_and_follows_the_system(seen: Report) -> None:
    light = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    seen.page.emulate_media(color_scheme="dark")
    seen.settle()
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    seen.until(lambda: seen.statuses(SALES) == set(STATUSES))
    shoot(seen.page, "report-dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.claim("pages and pictures that axe-core finds nothing wrong with")
def test_a_scan_finds_nothing_with_details_open(open_page: Opener, everything: str, tried: Tried, scheme: str) -> None:
    seen = Report(open_page.file(everything, color_scheme=scheme))
    assert not complaints(seen.page)
    seen.focus_rows()
    seen.press("ArrowRight", "Enter")
    seen.until(seen.details.is_visible)
    shoot(seen.page, f"report-details-{scheme}")
    assert not complaints(seen.page)
    tried(2)


@pytest.mark.claim("pages and pictures that axe-core finds nothing wrong with")
def test_a_phone_shows_it_without_scrolling_sideways(open_page: Opener, everything: str, tried: Tried) -> None:
    seen = Report(open_page.phone(everything, has_touch=True, is_mobile=True))
    shoot(seen.page, "report-390")
    shoot(seen.page, "report-390-whole", whole=True)
    assert not scrolls_sideways(seen.page)
    assert not complaints(seen.page)
    seen.canvas(SALES).scroll_into_view_if_needed()
    shoot(seen.page, "report-390-rows")
    (start, end), *_ = seen.bars(SALES)
    seen.page.touchscreen.tap((start + end) / 2, seen.middle(SALES))
    seen.until(seen.details.is_visible)
    shoot(seen.page, "report-390-details")
    assert not scrolls_sideways(seen.page)
    assert not complaints(seen.page)
    tried(2)


def test_names_that_are_long_fit_a_phone(open_page: Opener) -> None:
    page = open_page.phone(report(samples.hostile()))
    shoot(page, "report-390-hostile")
    assert not scrolls_sideways(page)


def test_whoever_wants_less_motion_gets_the_same_page(open_page: Opener, everything: str) -> None:
    seen = Report(open_page.file(everything, reduced_motion="reduce"))
    assert seen.statuses(SALES) == set(STATUSES)
    moving = """[...document.querySelectorAll('*')].filter(each => {
      const style = getComputedStyle(each);
      const seconds = text => Math.max(...text.split(',').map(parseFloat));
      return seconds(style.transitionDuration) > 0.001 || seconds(style.animationDuration) > 0.001;
    }).length"""
    assert seen.page.evaluate(moving) == 0


def test_without_scripts_the_tables_in_need_are_there(open_page: Opener, everything: str) -> None:
    path = open_page.folder / "report.html"
    path.write_text(everything)
    page = open_page.at(path.as_uri(), ready=False, java_script_enabled=False)
    shoot(page, "report-no-script")
    assert CLICKS in page.locator("body").inner_text()


def test_nothing_is_asked_of_any_other_place(open_page: Opener, seen: Report) -> None:
    seen.click("#view-all")
    seen.focus_rows()
    seen.press("ArrowRight", "Enter", "Escape")
    assert not open_page.requests
