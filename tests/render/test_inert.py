"""Text that others wrote stays text, whatever it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import canonical
from reconciler.core.text import printable
from reconciler.render.inert import code, diagram_label, fenced, html_code, json_line, linked, visible
from tests.figures import Tried
from tests.render.html_of import pages
from tests.render.sheets import NASTY

ALPHABET = "`$@#[]()<>&|\\*_~:;!-+.%{}'\"= \n\r\t\x1b\u202e\u200b\u3164aA1表é\U000e0041\udc80"
texts = st.text(st.sampled_from(ALPHABET) | st.characters(), max_size=40) | st.sampled_from(NASTY)


@given(texts)
def test_a_code_span_holds_its_text_and_nothing_else(text: str) -> None:
    for page in pages(f"a {code(text)} b"):
        assert [tag for tag, _ in page.tags] == ["p", "code", "/code", "/p"]
        assert page.code[0].strip(" ") == visible(text).strip(" ")
        assert page.plain.strip() == "a  b"


@given(texts, texts)
def test_two_code_spans_on_a_line_stay_two(first: str, second: str) -> None:
    for page in pages(f"- {code(first)}{'' if first else ' '}, {code(second)}"):
        assert len(page.code) == 2
        assert page.plain.strip() == ","


@given(texts, texts)
def test_cells_hold_their_text_and_nothing_else(first: str, second: str) -> None:
    cells = f"<table>\n<tr><td>{html_code(first)}</td><td>{html_code(second)}</td></tr>\n</table>\n\nend"
    for page in pages(cells):
        assert page.code == [visible(first), visible(second)]
        assert page.plain.split() == ["end"]


@given(st.lists(texts, max_size=4))
def test_no_line_of_a_fence_closes_it(lines: list[str]) -> None:
    shown = [visible(line) for line in lines]
    for page in pages(fenced(shown, "text") + "\n\nend"):
        assert page.code[-1].rstrip("\n") == "\n".join(shown).rstrip("\n")
        assert page.plain.split() == ["end"]


def test_a_fence_is_longer_than_any_run_of_backticks_in_it() -> None:
    for page in pages(fenced(["```", "  `````", "~~~"], "json") + "\n\nend"):
        assert page.code[-1] == "```\n  `````\n~~~\n"
        assert page.plain.split() == ["end"]


@given(texts)
def test_what_is_shown_is_one_line_that_can_be_seen_and_commands_no_runner(text: str) -> None:
    shown = visible(text)
    assert shown == printable(shown)
    assert "##[" not in shown
    assert not any(c in shown for c in "\u3164\ufe0f\u034f\u115f")


def test_what_cannot_be_seen_is_written_as_escapes() -> None:
    assert visible("a\n\x1b\u202e\u3164\udc80b") == "a\\n\\x1b\\u202e\\u3164\\udc80b"
    assert visible("##[error]") == "##\\x5berror]"


def test_a_long_text_is_cut_with_a_sign() -> None:
    assert visible("x" * 301) == "x" * 299 + "…"
    assert visible("x" * 300) == "x" * 300
    assert visible("\n" * 10, 5) == "\\n\\n…"


@given(st.dictionaries(texts, texts, max_size=3))
def test_bodies_on_a_line_keep_their_value(body: dict[str, str]) -> None:
    line = json_line(body)
    assert line == printable(line)
    assert "##[" not in line
    surrogates = any("\ud800" <= c <= "\udfff" for c in canonical(body))
    assert surrogates or json.loads(line) == body


def test_plain_bodies_are_shown_as_they_are_sent() -> None:
    body = {"tableName": "starrocks.`a.b`.表", "scheduleTimes": ["2026-01-20 00:00:00"]}
    assert json_line(body) == canonical(body)


@given(texts)
def test_a_label_of_a_diagram_has_no_sign_that_its_grammar_knows(text: str) -> None:
    label = diagram_label(text)
    assert label
    assert all(c.isalnum() or c in "._-·…" for c in label)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://a.example/>x",
        "https://a.example/ x",
        "https://a/)\n# x",
        "file:///etc",
        "",
        None,
    ],
)
def test_only_plain_addresses_are_linked(url: str | None) -> None:
    assert linked("c0ffee", url) == "`c0ffee`"


def test_a_plain_address_is_linked() -> None:
    url = "https://github.com/acme/triggers/commit/c0ffee?a=b_c"
    for page in pages(linked("c0ffee", url)):
        assert ("a", (("href", url),)) in page.tags


@pytest.mark.claim("Text from outside stays inert in Markdown")
@pytest.mark.parametrize("place", [code, html_code])
def test_nasty_texts_are_inert_side_by_side(place: object, tried: Tried) -> None:
    assert callable(place)
    for text in NASTY:
        html = f"<table><tr><td>{place(text)}</td></tr></table>" if place is html_code else f"x {place(text)} y"
        for page in pages(html):
            assert len(page.code) == 1
            assert not page.plain.strip(" \nxy")
    tried(len(NASTY) * 2)
