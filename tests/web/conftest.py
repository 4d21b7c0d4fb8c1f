"""What browser tests start from: one browser, a page of its own for each test, and nothing that may go wrong unseen.

They run where their folder is named, as `make check-web` does: other runs need no browser.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.conftest import nursery, place, scheduler
from tests.web.watched import SHOTS, Opener

__all__ = ["nursery", "place", "scheduler"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str:
    """Return the browser. Raises UsageError where there is none."""
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        missing = f"CHROMIUM names {named}, and that is no program" if named else "there is no Chromium"
        raise pytest.UsageError(
            f"{missing}: these tests need one. apt-get install chromium, or name yours: CHROMIUM=/path make check-web"
        )
    return found


def pytest_sessionstart() -> None:
    """Say that there is no browser once, and loudly, before any test."""
    chromium()


@pytest.fixture(scope="session")
def browser(guards: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Yield the one browser; what it writes to a home goes to one of its own."""
    home = os.fspath(tmp_path_factory.mktemp("browser"))
    env: dict[str, str | float | bool] = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=chromium(), env=env, args=["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
        )
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Yield what opens pages; afterwards, fail where any of them said or did something that it should not."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    opener = Opener(browser, tmp_path)
    yield opener
    opener.close()
    assert not opener.troubles
