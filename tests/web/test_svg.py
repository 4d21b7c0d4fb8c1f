"""A static picture of timelines, as a wiki shows it: in an <img>."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Page

from reconciler.core.timeline import Standing
from reconciler.render.timeline_svg import timelines_svg
from reconciler.web import asset
from tests.figures import Tried
from tests.web import samples
from tests.web.colours import STATUSES, shown
from tests.web.watched import Opener, complaints, scrolls_sideways, shoot

WIKI = """<!doctype html><html lang="en" data-ready="true"><head><title>A wiki</title>
<meta name="viewport" content="width=device-width">
<style>{theme} img {{ display: block; max-width: 100%; }}</style></head>
<body><main><h1>A wiki</h1>
<img src="data:image/svg+xml;base64,{data}" alt="Timelines of our tables"></main></body></html>"""

SAMPLES: dict[str, Callable[[], Sequence[Standing]]] = {
    "all": samples.all_statuses,
    "nothing": lambda: (),
    "one-trigger": samples.one_trigger,
    "ten-years": samples.ten_years,
    "two-targets": samples.two_targets,
    "in-doubt-only": samples.in_doubt_only,
    "hostile": samples.hostile,
}


def wiki(standings: Sequence[Standing]) -> str:
    data = base64.b64encode(timelines_svg(standings, samples.MADE_AT).encode()).decode()
    return WIKI.format(theme=asset("theme.css"), data=data)


def is_drawn(page: Page) -> bool:
    return bool(page.evaluate("(image => image.complete && image.naturalWidth > 0)(document.querySelector('img'))"))


@pytest.fixture(params=SAMPLES)
def named(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param, wiki(SAMPLES[request.param]())


@pytest.mark.claim("pages and pictures that axe-core finds nothing wrong with")
def test_a_picture_is_drawn_in_an_image_whatever_it_shows(
    open_page: Opener, named: tuple[str, str], tried: Tried
) -> None:
    name, text = named
    page = open_page.file(text)
    assert is_drawn(page)
    shoot(page, f"svg-{name}", whole=True)
    assert not complaints(page)
    tried(1)


def test_a_picture_shows_every_status_in_its_colour(open_page: Opener) -> None:
    page = open_page.file(wiki(samples.all_statuses()))
    assert shown(page, page.locator("img")) == set(STATUSES)


def test_a_picture_is_dark_where_the_reader_s_system_is(open_page: Opener) -> None:
    page = open_page.file(wiki(samples.all_statuses()), color_scheme="dark")
    dark = shoot(page, "svg-dark", whole=True).read_bytes()
    assert shown(page, page.locator("img")) == set(STATUSES)
    page.emulate_media(color_scheme="light")
    assert page.screenshot(full_page=True) != dark


def test_a_picture_fits_a_phone(open_page: Opener) -> None:
    page = open_page.phone(wiki(samples.all_statuses()))
    assert is_drawn(page)
    assert not scrolls_sideways(page)
    shoot(page, "svg-390", whole=True)


def test_a_picture_inside_of_a_page_is_named_for_a_screen_reader(open_page: Opener) -> None:
    svg = timelines_svg(samples.all_statuses(), samples.MADE_AT)
    head = '<!doctype html><html lang="en" data-ready="true"><head><title>A page</title></head>'
    page = open_page.file(f"{head}<main><h1>A page</h1>{svg}</main></html>")
    assert page.get_by_role("img").first.is_visible()
    assert not complaints(page)
