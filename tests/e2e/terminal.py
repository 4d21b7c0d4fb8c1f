"""A terminal for processes that behave otherwise on one, and what it shows."""

from __future__ import annotations

import re

ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
"""`python -c` this, with a command: it runs on a terminal of its own, whose keyboard is standard input."""


def screen(text: str) -> list[str]:
    """Return the lines that a terminal would show at the end."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        shown, column = "", 0
        for part in re.findall(r"\r|\x1b\[2K|[^\r\x1b]+", re.sub(r"\x1b\[\d*m", "", line)):
            if part == "\r":
                column = 0
            elif part == "\x1b[2K":
                shown = " " * len(shown)
            else:
                shown = shown[:column].ljust(column) + part + shown[column + len(part) :]
                column += len(part)
        lines.append(shown.rstrip())
    return lines
