"""The console of a process: colours and questions on a terminal, plain lines in a pipe."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from reconciler.render.paint import Paint
from reconciler.render.progress import bar_text, progress_text

_BAR_AFTER = 1.0
_BAR_EVERY = 0.1
_LINE_EVERY = 5.0
_PIPE = 100
"""Columns of a line that no terminal shows."""
_ERASE = "\r\x1b[2K"
"""Takes all off the line, the ^C that a terminal adds included."""


class Terminal:
    """Results to standard output, messages and progress to standard error. Safe to use from several threads."""

    def __init__(self, verbosity: int, ask: Callable[[str], bool]) -> None:
        """`verbosity` is above 0 for -v and below for -q; `ask` puts a yes-or-no question to a person."""
        self.verbose = verbosity > 0
        self.interactive = sys.stdin.isatty() and sys.stderr.isatty()
        self.paint = Paint(enabled=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
        self.ask = ask
        self._quiet = verbosity < 0
        self._bars = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._begun: float | None = None
        self._said = 0.0
        self._shown = False
        self._lock = threading.RLock()
        self.trouble: OSError | None = None

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
        if not self._quiet:
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

    def progress(self, done: int, total: int, what: str) -> None:
        """Show how far long work is: a bar after a second on a terminal, a line now and then in a pipe."""
        with self._lock:
            now = time.monotonic()
            self._begun = begun = now if self._begun is None else self._begun
            every = _BAR_EVERY if self._bars else _LINE_EVERY
            if self._quiet or now - begun < _BAR_AFTER or now - self._said < every:
                return
            self._said = now
            text = progress_text(done, total, what, now - begun)
            if not self._bars:
                self.warning(text)
                return
            self._write(sys.stderr, _ERASE + bar_text(text, done, total, shutil.get_terminal_size().columns))
            self._shown = True

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
