"""The console of a process: colours and questions on a terminal, plain lines in a pipe."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:  # imported where a command works: `--help` does without
    from pathlib import Path

    from reconciler.commands.phases import Phases
    from reconciler.core.progress import Progress
    from reconciler.render.paint import Paint

_ERASE = "\r\x1b[2K"
"""Takes all off the line, the ^C that a terminal adds included."""
_COLUMNS = 80
"""What a terminal has that does not say."""
_PIPE = 100
"""Columns of a result that no terminal shows."""


class Pace(NamedTuple):
    """How progress shows, in seconds: work shows that lasts longer than `after`, the bar is drawn anew every `redraw`.

    In a pipe there is a line every `line`, and none before.
    """

    after: float = 1.0
    redraw: float = 0.2
    line: float = 5.0


STANDARD = Pace()


class Terminal:
    """Results to standard output, messages and progress to standard error. Safe to use from several threads."""

    def __init__(self, verbosity: int, ask: Callable[[str], bool], pace: Pace = STANDARD) -> None:
        """`verbosity` is above 0 for -v and below for -q; `ask` puts a yes-or-no question to a person."""
        self.verbose = verbosity > 0
        self.interactive = sys.stdin.isatty() and sys.stderr.isatty()
        self.coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self.ask = ask
        self.quiet = verbosity < 0
        self._bars = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
        self._pace = pace
        self._phases: Phases | None = None
        self._said = time.monotonic()
        self._shown = False
        self._lock = threading.RLock()
        self.trouble: OSError | None = None

    @property
    def paint(self) -> Paint:
        """Colours for standard output."""
        from reconciler.render.paint import Paint

        return Paint(enabled=self.coloured)

    @property
    def columns(self) -> int:
        """How wide a result may be: the terminal's width; in a pipe that of COLUMNS, or 100."""
        named = os.environ.get("COLUMNS", "")
        if named.isascii() and named.isdigit() and int(named) > 0:
            return int(named)
        try:
            return os.get_terminal_size(sys.stdout.fileno()).columns or _PIPE
        except (OSError, ValueError):
            return _PIPE

    def shows(self, text: str) -> bool:
        """Say whether standard output's encoding has all characters of a text."""
        try:
            text.encode(sys.stdout.encoding or "ascii")
        except UnicodeError:
            return False
        return True

    def result(self, text: str) -> None:
        """Print a result."""
        with self._lock:
            self._clear()
            self._write(sys.stdout, text)

    def save(self, file: Path, text: str) -> None:
        """Write a result to a file. Where that fails it is told, and the exit code says so: what was done is done."""
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            self.trouble = OSError(error.errno, f"{file}: {error.strerror}")

    def message(self, text: str) -> None:
        """Print a message; silent with -q."""
        if not self.quiet:
            self.warning(text)

    def warning(self, text: str) -> None:
        """Print what a person should know, also with -q; empty text is nothing to say."""
        if text:
            with self._lock:
                self._clear()
                self._write(sys.stderr, text if text.endswith("\n") else text + "\n")

    def alarm(self, text: str) -> None:
        """Print a warning from a signal handler: no lock and no buffer, since that may have cut into another print."""
        with suppress(OSError):
            os.write(sys.stderr.fileno(), f"{_ERASE if self._bars else ''}{text}\n".encode())

    @property
    def progress(self) -> Progress:
        """What hears how far work is: a bar after a second on a terminal, a line now and then in a pipe."""
        from reconciler.commands.phases import Phases
        from reconciler.core.progress import SILENT

        if self.quiet:
            return SILENT
        if self._phases is None:
            every = self._pace.redraw if self._bars else self._pace.line / 5
            self._phases = Phases(self._tick, every, self._end_bar)
        return self._phases

    def close(self) -> None:
        """End what shows progress, where a Ctrl-C has cut into the end of it."""
        if self._phases is not None:
            self._phases.close()

    def _tick(self, phases: Phases) -> None:
        from reconciler.render.progress import bar_text, cut

        with self._lock:
            now = time.monotonic()
            phase = phases.shown(now - self._pace.after)
            if phase is None or (not self._bars and now - self._said < self._pace.line):
                return
            self._said = now
            encoding = sys.stderr.encoding  # what it cannot show is escaped, and so wider
            text = phase.text(now).encode(encoding, "backslashreplace").decode(encoding)
            if self._bars:
                bar = bar_text(text, phase.count.done, phase.count.total, _columns(sys.stderr))
                self._write(sys.stderr, _ERASE + bar)
                self._shown = True
            else:
                self._write(sys.stderr, (cut(text, _columns(sys.stderr)) if sys.stderr.isatty() else text) + "\n")

    def _end_bar(self) -> None:
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        """Take the bar off the line before anything else is written there."""
        if self._shown:
            self._write(sys.stderr, _ERASE)
            self._shown = False

    def _write(self, stream: TextIO, text: str) -> None:
        """Write, or go silent where that fails: what became of a call matters more than who hears of it.

        A reader that leaves, as `| head` does, has heard enough; any other trouble is kept for the exit code.
        """
        try:
            stream.write(text)
            stream.flush()
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.trouble = error
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _columns(stream: TextIO) -> int:
    """Return how wide a terminal is now: somebody may have made it narrower since."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS
