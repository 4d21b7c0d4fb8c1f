"""Text that came from outside, made fit to be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text with everything that is not printable written as a visible escape, so it stays on its line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
