"""Text that came from outside, made fit to be shown."""

from __future__ import annotations

from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """Return `1 call`, `2 calls`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(names: Sequence[str], last: str = "and") -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def printable(text: str) -> str:
    """Return text with everything that is not printable written as a visible escape, so it stays on its line.

    So is the bracket of `##[`, which GitHub's runner takes for a command anywhere in a line of a log.
    """
    text = text.replace("##[", "##\\x5b")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
