"""What an apply shows while it runs: a line a call, and how far it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from reconciler.commands.console import Console
from reconciler.core.outcome import Triggered
from reconciler.core.progress import Count
from reconciler.core.report import Result, Skipped
from reconciler.render.report_text import result_line


@dataclass(slots=True)
class Showing:
    """Shows the results of one run as they come, from any thread, and counts them.

    `lines` where each may have a line of its own.
    """

    console: Console
    count: Count
    lines: bool
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def show(self, result: Result) -> None:
        """Show a result: on a terminal what was triggered moves the bar only; what was not tried is in the report."""
        with self._lock:
            if isinstance(result.outcome, Skipped):
                self.count.total -= 1  # no work, so it tells nothing of the rate
                return
            self.count.done += 1
            if self.lines and not (self.console.interactive and isinstance(result.outcome, Triggered)):
                self.console.result(result_line(result, self.console.paint) + "\n")
