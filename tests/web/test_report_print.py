"""A report on paper: light, and with all of its rows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.figures import Tried
from tests.web import samples
from tests.web.pages import report
from tests.web.reports import Report
from tests.web.watched import SHOTS, Opener

TABLES = 60
SCATTERED = 6_400
"""Tables of which each hundredth lies in a shard of its own: in more of them than the page keeps."""


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


def test_rows_that_a_filter_leaves_are_printed_however_many_shards_they_lie_in(open_page: Opener, tried: Tried) -> None:
    seen = Report(open_page.file(report(tuple(samples.many(SCATTERED)))))
    seen.search("area_07")
    left = seen.count[0]
    assert left == SCATTERED / 100 > len(seen.tables), "some are out of sight"
    seen.ready_for_paper()
    path = SHOTS / "report-filtered.pdf"
    seen.page.pdf(path=path, format="A4")
    assert _named(path) in {None, left}
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    names = seen.names
    assert len(set(names)) == left
    assert all("area_07" in name for name in names)
    assert all(seen.bars(name) for name in names)
    assert seen.page.locator("#left-out").text_content() == ""
    tried(left)


def _named(path: Path) -> int | None:
    """Return how many tables a document names, None where nothing here reads it."""
    reader = shutil.which("pdftotext")
    if reader is None:
        return None
    text = subprocess.run([reader, str(path), "-"], check=True, capture_output=True, text=True).stdout
    return len(set(re.findall(r"TABLE_\d{5}", text)))


def test_a_print_that_comes_before_all_was_read_says_so(open_page: Opener) -> None:
    seen = Report(open_page.file(report(tuple(samples.many(SCATTERED)))))
    seen.ready_for_paper()
    search = (
        "const box = document.getElementById('search'); box.value = 'area_07'; box.dispatchEvent(new Event('input'));"
    )
    seen.page.evaluate(f"{search} dispatchEvent(new Event('beforeprint'))")
    printed, text = len(seen.tables), seen.page.locator("#left-out").text_content()
    assert printed < SCATTERED / 100
    assert text == f"{SCATTERED // 100 - printed} more tables not printed: still being read, print again soon."
    seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    seen.ready_for_paper()
