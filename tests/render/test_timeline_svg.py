"""The picture of timelines: well-formed whatever tables are called, small whatever they hold, with words."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.timeline import Standing
from reconciler.core.wallclock import LAST, parse
from reconciler.core.window import EMPTY
from reconciler.render.svg import cut, width
from reconciler.render.timeline_svg import ROWS, timelines_svg
from tests.core.worlds import World, worlds
from tests.figures import Tried
from tests.render.pictures import AT, DAY, HOUR, HOURLY, Story, days, every_state

SVG = "{http://www.w3.org/2000/svg}"
NOW = parse("2026-02-01 12:00:00")


def _picture(*standings: Standing) -> Element:
    text = timelines_svg(standings, AT)
    assert text == timelines_svg(standings, AT)
    for never in ("<script", "href", "http:", "https:", "@import", "@font-face", "<foreignObject", "<image", " on="):
        assert never not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    return fromstring(text)  # noqa: S314 - our own


def _words(svg: Element) -> str:
    return " | ".join("".join(text.itertext()) for text in svg.iter(f"{SVG}text"))


def _titles(svg: Element) -> list[str]:
    return [each.findtext(f"{SVG}title", "") for each in svg.iter(f"{SVG}rect") if each.find(f"{SVG}title") is not None]


def _bounded(svg: Element) -> None:
    """Everything lies on the picture, no bar is narrower than two pixels."""
    assert svg.get("width") == "960"
    for each in svg.iter(f"{SVG}rect"):
        x, wide = each.get("x"), each.get("width", "")
        if x is not None:
            assert 24 <= float(x) < float(x) + float(wide) <= 936.1
        if each.find(f"{SVG}title") is not None and each.get("height") in {"16", "15"}:
            assert float(wide) >= (2 if each.get("height") == "16" else 1)  # an outline adds half a pixel all round
    for each in svg.iter(f"{SVG}text"):
        assert 24 <= float(each.get("x", "")) <= 936
        assert 0 < float(each.get("y", "")) < float(svg.get("height", ""))


NASTY = (
    "]]>",
    "<script>alert(1)</script>",
    "&amp;\"'",
    "\x00\x1b[31m",
    "\ud800",
    "\ufffe",
    "\u202eevil",
    "a" * 256,
    "表" * 256,
)
hostile = st.text(st.characters(), max_size=60) | st.sampled_from(NASTY)


@pytest.mark.claim("pictures of timelines are well-formed whatever tables and targets are called")
@settings(max_examples=150)
@given(hostile, hostile)
def test_whatever_tables_are_called_it_is_well_formed_and_stays_text(name: str, target: str) -> None:
    one = Story(name, target, asked=[(NOW, NOW + DAY)], doubt=[(NOW, NOW + HOUR)], now=NOW)
    svg = _picture(one.standing(), Story("other", "prod", now=NOW).standing())
    _bounded(svg)
    known = {"svg", "title", "desc", "style", "defs", "pattern", "rect", "circle", "path", "text", "tspan", "g"}
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= known


@settings(max_examples=100)
@given(st.lists(worlds(), max_size=4))
def test_any_tables_make_a_picture_within_its_bounds(some: list[World]) -> None:
    from reconciler.core.planner import plan_table

    _bounded(_picture(*(Standing(world.table, plan_table(world.table, world.approvals)) for world in some)))


def test_every_state_is_told_in_words_and_in_the_legend() -> None:
    svg = _picture(*every_state())
    words = _words(svg)
    for said in ("in doubt", "held", "owed", "rerun", "triggered", "not asked", "will run again", "now"):
        assert f" | {said} | " in words
    assert "1 in doubt · 1 held · 1 owed · 1 rerun · 1 triggered" in words
    assert "1 triggered · no manifest asks for it" in words
    assert "made at 2026-02-01 04:05:06 UTC | Calls: 2 in doubt, 1 held, 27 owed, 1 rerun, 28 triggered." in words
    assert "(prod Asia/Shanghai, staging UTC)" in words
    titles = _titles(svg)
    assert "held, triggered before: 2026-01-14 00:00:00 to 2026-01-16 23:00:00, 72 instances – " in "".join(titles)
    assert "2026-01-20: 24 of 24 instances triggered" in titles
    assert svg.get("role") == "img"
    assert [each.get("id") for each in svg[:2]] == svg.get("aria-labelledby", "").split()


def test_two_targets_of_one_table_are_two_rows_that_name_their_target() -> None:
    window = (NOW, NOW + DAY)
    some = [Story("sales.orders", name, asked=[window], now=NOW).standing() for name in ("prod", "staging")]
    words = _words(_picture(*some))
    assert "sales.orderson prod" in words
    assert "sales.orderson staging" in words
    assert "on prod" not in _words(_picture(some[0]))


def test_no_tables_and_tables_of_which_nothing_is_known_say_so() -> None:
    assert "No table is asked for, and nothing was triggered." in _words(_picture())
    words = _words(_picture(Story("a.b").standing()))
    assert "Nothing was triggered yet, and nothing is owed." in words


def test_one_trigger_is_seen() -> None:
    svg = _picture(Story("a.b", triggered=[(NOW, NOW + 1)], now=NOW + 900 * DAY).standing())
    assert _titles(svg) == ["triggered: 2026-02-01 12:00:00 – sales/manifest.yaml#outage-0"]
    assert "| now |" not in _words(svg)


def test_in_doubt_alone_is_seen() -> None:
    svg = _picture(Story("a.b", doubt=[(NOW, NOW + HOUR)], now=NOW).standing())
    assert [title.partition(":")[0] for title in _titles(svg)] == ["in doubt"]
    assert "1 in doubt" in _words(svg)


def test_ten_years_with_a_late_hour_are_seen_whole() -> None:
    decade = days("2016-01-01", "2026-01-01")
    hour = (NOW, NOW + HOUR)
    svg = _picture(Story("a.b", triggered=[decade], asked=[hour], now=NOW, schedule=HOURLY).standing())
    assert [title.partition(":")[0] for title in _titles(svg)] == ["triggered", "owed"]
    assert "2016 | 2018 | 2020 | 2022 | 2024 | 2026" in _words(svg)


@pytest.mark.parametrize("at", [(0, 1), (parse("0001-01-01 00:00:00"), parse("0001-01-01 00:00:01")), (LAST, LAST + 1)])
def test_the_ends_of_the_calendar_can_be_drawn(at: tuple[int, int]) -> None:
    _bounded(_picture(Story("a.b", triggered=[at], now=NOW).standing()))


@pytest.mark.claim("pictures of timelines stay small: at most 2,000 elements a row")
def test_a_row_has_few_elements_however_many_triggers_it_holds(tried: Tried) -> None:
    first = parse("2026-01-01 00:00:00")
    sent = [(first + at * 5400, first + at * 5400 + 1800) for at in range(3000)]
    again = [(first + at * 9000, first + at * 9000 + 900) for at in range(1500)]
    one = Story("a.b", triggered=sent, rerun=again, asked=[(first, first + 200 * DAY)], schedule=HOURLY, now=first)
    found = sum(1 for _ in _picture(one.standing()).iter())
    assert found <= 2000
    tried(1, note=f"4,500 triggers: {found} elements")


def test_after_two_hundred_tables_it_says_how_many_more() -> None:
    some = [Story(f"t.t{at:04}", asked=[(NOW, NOW + DAY)] if at == 250 else EMPTY, now=NOW) for at in range(ROWS + 60)]
    words = _words(_picture(*(one.standing() for one in some)))
    assert "… and 60 more tables" in words
    assert "Backfills of 260 tables" in words
    assert "t.t0250" in words  # it is owed: those that need somebody come first
    assert "t.t0259" not in words


@given(st.text(max_size=80), st.integers(20, 500))
def test_text_is_cut_in_its_middle_to_what_there_is_room_for(text: str, room: int) -> None:
    found = cut(text, 10, room)
    assert width(found, 10) <= room
    left, mark, right = found.partition("…")
    if mark and "…" not in text:
        assert abs(len(left) - len(right)) <= 1
