"""A real terminal that is made narrower while work goes on, written to meanwhile, and closed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from reconciler.commands.terminal import Pace, Terminal
from tests.e2e.terminal import screen

AT_ONCE = Pace(after=0.0, redraw=0.002, line=0.002)


@dataclass(slots=True)
class Screen:
    """The other side of a terminal that is standard error."""

    master: int
    text: str = ""

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self, until: Callable[[str], object]) -> str:
        """Return what comes until something is seen in it."""
        fresh, deadline = "", time.monotonic() + 30
        while not until(fresh):
            assert time.monotonic() < deadline, fresh
            assert select.select([self.master], [], [], 30)[0], fresh
            fresh += os.read(self.master, 4096).decode()
        self.text += fresh
        return fresh


@contextmanager
def standard_error() -> Iterator[Screen]:
    """Let standard error be a terminal. No fixture: pytest puts its own in its place when a test begins."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm")
        patch.setattr(sys, "stderr", stream)
        yield Screen(master)
    os.close(master)


def nobody(_: str) -> bool:
    raise AssertionError("nobody is asked")


def drawn(text: str) -> list[str]:
    return re.findall(r"\r\x1b\[2K([^\r\n\x1b]+)(?=\r)", text)


def test_a_terminal_that_is_made_narrower_gets_shorter_lines() -> None:
    with standard_error() as shown:
        shown.resize(100)
        with Terminal(0, nobody, AT_ONCE).progress.counting("planning", 1000, "table") as count:
            count.done = 20
            wide = shown.read(lambda text: len(drawn(text)) > 2)
            shown.resize(24)
            shown.read(lambda text: any(len(line) < 24 for line in drawn(text)))
            narrow = shown.read(lambda text: len(drawn(text)) > 2)
    assert all(line.startswith("[") for line in drawn(wide)[1:])
    assert all(len(line) < 24 and line.startswith("planning 20 of 1,000 ") for line in drawn(narrow))


def test_what_is_said_meanwhile_stands_on_lines_of_its_own_and_nothing_of_the_bar_stays() -> None:
    with standard_error() as shown:
        terminal = Terminal(0, nobody, AT_ONCE)
        with terminal.progress.waiting("pushing state to origin"):
            shown.read(drawn)
            terminal.message("a message")
            shown.read(drawn)
            terminal.alarm("an alarm")
            shown.read(drawn)
        terminal.message("the end")
        shown.read(lambda text: "the end\r\n" in text)
    assert [line for line in screen(shown.text) if line] == ["a message", "an alarm", "the end"]


def test_with_q_there_is_no_progress_and_no_thread() -> None:
    with standard_error() as shown:
        terminal = Terminal(-1, nobody, AT_ONCE)
        with terminal.progress.counting("planning", 1000, "table") as count:
            count.done = 1000
        terminal.close()
        terminal.warning("a warning")
        assert shown.read(lambda text: "a warning\r\n" in text) == "a warning\r\n"


def test_what_the_terminal_cannot_show_is_escaped_and_counted_as_that() -> None:
    with standard_error() as shown, pytest.MonkeyPatch.context() as patch:
        shown.resize(40)
        plain = os.dup(sys.stderr.fileno())
        with os.fdopen(plain, "w", encoding="ascii", errors="backslashreplace") as ascii_only:
            patch.setattr(sys, "stderr", ascii_only)
            with Terminal(0, nobody, AT_ONCE).progress.waiting("fetching 日本語日本語日本語 from origin"):
                lines = drawn(shown.read(lambda text: len(drawn(text)) > 2))
    assert all(line.isascii() and len(line) < 40 and "\\u65e5" in line for line in lines)
