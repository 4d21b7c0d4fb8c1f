"""How a command talks: results to standard output, messages to standard error."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from reconciler.core.progress import Progress
from reconciler.render.paint import Paint


class Console(Protocol):
    """The terminal, or the pipe. `interactive` where a person can be asked."""

    @property
    def interactive(self) -> bool: ...

    @property
    def verbose(self) -> bool: ...

    @property
    def paint(self) -> Paint:
        """Colours for standard output."""

    @property
    def columns(self) -> int:
        """How wide a result may be: the terminal's width; in a pipe that of COLUMNS, or 100."""

    @property
    def progress(self) -> Progress:
        """What hears how far long work is: it shows a bar on a terminal, a line now and then in a pipe."""

    def shows(self, text: str) -> bool:
        """Say whether standard output's encoding has all characters of a text."""

    def result(self, text: str) -> None:
        """Print a result."""

    def save(self, file: Path, text: str) -> None:
        """Write a result to a file. Where that fails it is told, and the exit code says so: what was done is done."""

    def message(self, text: str) -> None:
        """Print a message; silent with -q."""

    def warning(self, text: str) -> None:
        """Print what a person should know, also with -q."""

    def alarm(self, text: str) -> None:
        """Print a warning from a signal handler."""

    def ask(self, question: str) -> bool:
        """Ask a question that yes or no answers."""
