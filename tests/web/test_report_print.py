"""A report on paper: light, and with all of its rows."""

from __future__ import annotations

import re

from tests.web import samples
from tests.web.pages import report
from tests.web.reports import Report
from tests.web.watched import SHOTS, Opener

TABLES = 60


def test_all_rows_are_printed_and_not_only_those_on_the_screen(open_page: Opener) -> None:
    seen = Report(open_page.file(report(tuple(samples.many(TABLES))), color_scheme="dark"))
    on_screen = len(seen.tables)
    assert on_screen < TABLES
    pdf = seen.page.pdf(path=SHOTS / "report.pdf", format="A4", print_background=True)
    (pages,) = re.findall(rb"/Type /Pages\s.*?/Count (\d+)", pdf, re.DOTALL)
    assert int(pages) > 2, "sixty rows take more than what is on the screen"
    seen.page.emulate_media(media="print")
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    seen.until(lambda: len(seen.tables) == TABLES)
    assert all(seen.bars(name) for name in seen.names[:: TABLES // 6])
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") in {
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    }
    seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    seen.page.emulate_media(media="screen")
    seen.until(lambda: len(seen.tables) <= on_screen + 20)
