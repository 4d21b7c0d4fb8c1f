"""How far work is: one line that says how much, how fast and how long still, and never reaches a terminal's end."""

from __future__ import annotations

import pytest

from reconciler.render.progress import bar_text, counting_text, cut, waiting_text


@pytest.mark.parametrize(
    ("done", "rate", "text"),
    [
        (10, 0.0, "planning 10 of 10,000 tables"),
        (4200, 100.0, "planning 4,200 of 10,000 tables, 100 a second, about 58 s left"),
        (100, 10.0, "planning 100 of 10,000 tables, 10 a second, about 16 min left"),
        (10, 1 / 6, "planning 10 of 10,000 tables, 10 a minute, about 17 h left"),
        (10_000, 100.0, "planning 10,000 of 10,000 tables, 100 a second"),
    ],
)
def test_progress_says_how_far_how_fast_and_how_long_still(done: int, rate: float, text: str) -> None:
    assert counting_text("planning", done, 10_000, "table", rate) == text


def test_work_of_no_known_end_says_for_how_long_it_goes_on() -> None:
    assert waiting_text("fetching main from origin", 0.2) == "fetching main from origin, 1 s"
    assert waiting_text("fetching main from origin", 150) == "fetching main from origin, 2 min"


@pytest.mark.parametrize("columns", [1, 2, 20, 40, 60, 80, 200])
def test_a_bar_never_reaches_the_end_of_its_line(columns: int) -> None:
    for text in (
        counting_text("planning", 4200, 10_000, "table", 100.0),
        "fetching 表表表表表表表 from ｏｒｉｇｉｎ, 12 s",
    ):
        for done, total in ((0, 10_000), (4200, 10_000), (10_000, 10_000), (12_000, 10_000), (0, 0)):
            shown = bar_text(text, done, total, columns)
            assert sum(1 if char.isascii() else 2 for char in shown) < columns
    assert bar_text("half", 5, 10, 80) == f"[{'#' * 15}{'.' * 15}] half"
    assert bar_text("no end", 0, 0, 80) == "no end"


def test_what_a_name_holds_stays_on_the_line() -> None:
    assert waiting_text("pushing a\r\n\x1b[2Kb to origin", 3) == "pushing a\\r\\n\\x1b[2Kb to origin, 3 s"
    assert cut("planning 4,200 of 10,000 tables", 12) == "planning 4,"
