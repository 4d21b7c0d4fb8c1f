"""The report page as a reader uses it: what it shows, what one can press, and where things are on the screen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qs

from playwright.sync_api import Locator, Page

from reconciler.core.wallclock import parse
from tests.web.colours import shown, solid


@dataclass(frozen=True, slots=True)
class Report:
    """A report that is open in a browser, and drawn."""

    page: Page

    @property
    def tables(self) -> list[tuple[str, str]]:
        """The rows that are there, from the top: target and table."""
        script = "rows => rows.map(row => [row.getBoundingClientRect().top, row.dataset.target, row.dataset.table])"
        found = self.page.locator(".row:visible").evaluate_all(script)
        return [(target, table) for _, target, table in sorted(found)]

    @property
    def names(self) -> list[str]:
        """The names of the tables that are there, from the top."""
        return [table for _, table in self.tables]

    @property
    def count(self) -> tuple[int, ...]:
        """The numbers of "12 of 10,000 tables"."""
        text = self.page.locator("#count").inner_text()
        return tuple(int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text))

    @property
    def details(self) -> Locator:
        return self.page.locator("#details")

    @property
    def hash(self) -> str:
        return cast("str", self.page.evaluate("location.hash"))

    @property
    def view(self) -> tuple[int, int]:
        """From and to of what the timelines show, as the page's address says once it is what the page says."""
        self.until(lambda: all(map(str.startswith, self._kept, self._range)))
        first, last = self._kept
        return parse(first), parse(last)

    @property
    def seconds(self) -> int:
        """How long the time is that the timelines show."""
        start, end = self.view
        return end - start

    def second(self, table: str, x: float, target: str = "prod") -> float:
        """Return the second of the wall clock that is drawn at a place of the screen."""
        box = self.canvas(table, target).bounding_box()
        assert box
        return self.view[0] + (x - box["x"]) / box["width"] * self.seconds

    @property
    def _kept(self) -> list[str]:
        kept = parse_qs(self.hash.removeprefix("#"))
        return [kept.get(name, ["-"])[0].replace("T", " ") for name in ("from", "to")]

    @property
    def _range(self) -> list[str]:
        return self.page.locator("#range").inner_text().split(" – ")

    def told(self) -> str:
        """Return what a screen reader was told last."""
        return self.page.locator("#live").inner_text()

    def row(self, table: str, target: str = "prod") -> Locator:
        return self.page.locator(f'.row[data-table="{table}"][data-target="{target}"]')

    def canvas(self, table: str, target: str = "prod") -> Locator:
        return self.row(table, target).locator("canvas").first

    def statuses(self, table: str, target: str = "prod") -> set[str]:
        return shown(self.page, self.canvas(table, target))

    def bars(self, table: str, target: str = "prod", status: str = "triggered") -> list[tuple[float, float]]:
        """Return where solid bars are, in pixels of the screen."""
        box = self.canvas(table, target).bounding_box()
        assert box
        bars = solid(self.page, self.canvas(table, target), status)
        return [(box["x"] + start, box["x"] + end) for start, end in bars]

    def middle(self, table: str, target: str = "prod") -> float:
        """Return how far down the screen a row's bars are."""
        box = self.canvas(table, target).bounding_box()
        assert box
        return box["y"] + box["height"] / 3

    def hover(self, table: str, x: float, target: str = "prod") -> None:
        self.page.mouse.move(x - 3, self.middle(table, target))
        self.page.mouse.move(x, self.middle(table, target))

    def search(self, text: str) -> None:
        self.page.fill("#search", text)
        self.settle()

    def ready_for_paper(self) -> None:
        """Wait until a print would have all rows."""
        self.page.wait_for_selector("html[data-paper=ready]", state="attached")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def click(self, selector: str) -> None:
        self.page.click(selector)
        self.settle()

    def status(self, name: str) -> Locator:
        return self.page.locator(f"#statuses button[data-status={name}]")

    def settle(self) -> None:
        """Wait until the page has drawn what was last asked of it."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def until(self, holds: Callable[[], object], timeout: float = 5) -> None:
        """Wait until something holds, and fail where it never does."""
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, "it never held"
            self.page.wait_for_timeout(25)

    def focus_rows(self) -> None:
        """Put the focus where the arrow keys move between rows and segments."""
        self.page.locator(".row [tabindex='0'], .row[tabindex='0']").first.focus()
        self.settle()
