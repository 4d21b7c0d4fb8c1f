"""How a story is watched: a page in the browser while it runs, and the time to look between two chapters."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.scheduler.emulator import Emulator


@dataclass(frozen=True, slots=True)
class Watching:
    """Whether a page is served, and how many seconds lie between two chapters; None waits for Enter on a terminal."""

    page: bool = False
    pause: float | None = None

    @contextmanager
    def serving(self, database: Path, console: Console) -> Iterator[None]:
        """Serve the page of an emulator's database while the block lasts, and at its end until somebody has seen it."""
        if not self.page:
            yield
            return
        database.parent.mkdir(parents=True, exist_ok=True)
        with Emulator(database) as emulator:
            console.warning(f"Watch what the scheduler runs, live: {emulator.url}")
            self.wait(console, "Open it, then press Enter to begin.")
            yield
            if console.interactive:
                try:
                    _enter(console, f"The page stays at {emulator.url} until you press Enter, or Ctrl-C.")
                except KeyboardInterrupt:
                    return

    def wait(self, console: Console, what: str = "Press Enter to go on.") -> None:
        """Wait between two chapters: some seconds, or for Enter where a person watches the page."""
        if self.pause is not None:
            time.sleep(self.pause)
        elif self.page and console.interactive:
            _enter(console, what)


def _enter(console: Console, what: str) -> None:
    console.warning(f"\n{what}")
    sys.stdin.readline()
