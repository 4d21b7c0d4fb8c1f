"""How wide text is on a terminal, where an East Asian character takes two columns and a mark on a letter none."""

from __future__ import annotations

import unicodedata
from itertools import accumulate

_MORE = "…"


def width(text: str) -> int:
    """Return how many columns a terminal shows a text in.

    Source: Unicode's annex 11: wide and fullwidth characters take two columns, marks that combine none.
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, columns: int) -> str:
    """Return text with as many spaces behind it as fill the columns."""
    return text + " " * (columns - width(text))


def shortened(text: str, columns: int, more: str = _MORE) -> str:
    """Return text that fits into columns: what is too long loses its middle, for both ends say most."""
    if width(text) <= columns:
        return text
    room = max(columns - width(more), 0)
    head = _fitting(text, room // 2)
    tail = _fitting(text[::-1], room - width(head))[::-1]
    return head + more + tail


def _fitting(text: str, columns: int) -> str:
    """Return as much of a text's beginning as fits into columns."""
    taken = sum(1 for total in accumulate(map(_columns, text)) if total <= columns)
    return text[:taken]
