"""The emulator's page in a browser: live, calm, readable, and nobody else's names are run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from reconciler.scheduler.emulator import Emulator
from tests.figures import Tried
from tests.scheduler.emulator.caller import TABLE, Caller
from tests.web.samples import MARKUP
from tests.web.watched import Opener, complaints, scrolls_sideways, shoot


@pytest.fixture
def caller() -> Iterator[Caller]:
    with Emulator(None) as emulator:
        yield Caller(emulator)


def filled(caller: Caller) -> Caller:
    caller.range("2026-01-20 01:00:00", "2026-01-24 05:00:00")
    caller.range("2026-01-21 02:00:00", "2026-01-22 09:00:00")
    caller.times("2026-01-20 02:00:00", table="default_catalog.finance.GL_ENTRY")
    caller.times("later", table="default_catalog.web.CLICKS")
    return caller


def look(open_page: Opener, caller: Caller, path: str = "/", **context: object) -> Page:
    url = caller.emulator.url
    page = open_page.at(f"{url}{path}", ready=False, allowed=url, **context)
    page.wait_for_selector("#live:not(:empty)", state="attached")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.claim("pages and pictures that axe-core finds nothing wrong with")
def test_a_scan_finds_nothing_on_any_of_its_pages(caller: Caller, open_page: Opener, tried: Tried, scheme: str) -> None:
    empty = look(open_page, caller, color_scheme=scheme)
    shoot(empty, f"emulator-empty-{scheme}")
    assert not complaints(empty)
    filled(caller)
    front = look(open_page, caller, color_scheme=scheme)
    front.locator("#calls summary").first.click()
    shoot(front, f"emulator-{scheme}", whole=True)
    assert not complaints(front)
    front.locator("#tables a").first.click()
    front.wait_for_selector("#live:not(:empty)", state="attached")
    shoot(front, f"emulator-table-{scheme}")
    assert not complaints(front)
    tried(3)


def test_it_fits_a_phone(caller: Caller, open_page: Opener) -> None:
    page = look(open_page, filled(caller), viewport={"width": 390, "height": 844}, device_scale_factor=2)
    shoot(page, "emulator-390", whole=True)
    assert not scrolls_sideways(page)
    assert not complaints(page)


def test_what_comes_is_shown_and_what_was_opened_stays_open(caller: Caller, open_page: Opener) -> None:
    page = look(open_page, filled(caller))
    page.locator("#calls summary").first.click()
    page.locator("#tables a").first.focus()
    caller.times("2026-01-30 00:00:00", "2026-01-30 01:00:00", table="default_catalog.new.ONE")
    expect(page.locator("#live")).to_contain_text("2 new runs")
    expect(page.locator("#tables")).to_contain_text("default_catalog.new.ONE")
    assert page.locator("#calls details[open]").count() == 1
    assert page.evaluate("document.activeElement.closest('#tables') !== null"), "the focus stays"


def test_an_empty_page_fills_without_being_loaded_again(caller: Caller, open_page: Opener) -> None:
    page = look(open_page, caller)
    page.evaluate("window.mine = true")
    caller.range("2026-01-20 01:00:00", "2026-01-20 05:00:00")
    expect(page.locator("#tables")).to_contain_text(TABLE)
    assert page.evaluate("window.mine")
    expect(page.locator("#main")).not_to_contain_text("Nothing was called yet")


def test_a_pause_holds_until_it_ends(caller: Caller, open_page: Opener) -> None:
    page = look(open_page, filled(caller))
    page.locator("#pause").click()
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    caller.times("2026-01-30 00:00:00", table="default_catalog.new.ONE")
    page.wait_for_timeout(1_300)
    expect(page.locator("#tables")).not_to_contain_text("default_catalog.new.ONE")
    page.locator("#pause").click()
    expect(page.locator("#tables")).to_contain_text("default_catalog.new.ONE")


def test_an_emulator_that_is_gone_is_told(open_page: Opener) -> None:
    with Emulator(None) as emulator:
        page = look(open_page, filled(Caller(emulator)))
    expect(page.locator("#live")).to_contain_text("gone")
    expect(page.locator("#tables")).to_contain_text(TABLE)
    shoot(page, "emulator-gone")
    open_page.forgive("net::ERR_CONNECTION_REFUSED")


def test_names_with_markup_stay_text_also_where_they_come_later(caller: Caller, open_page: Opener) -> None:
    page = look(open_page, caller)
    caller.times("2026-01-30 00:00:00", table=f"a.{MARKUP}")
    expect(page.locator("#tables")).to_contain_text("onerror")
    page.locator("#tables a").first.click()
    expect(page.locator("h1")).to_contain_text("onerror")
    assert page.evaluate("document.querySelectorAll('img, [onerror]').length") == 0
