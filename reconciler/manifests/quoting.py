"""Text that others wrote, made fit to be shown: visible escapes, no invisible characters, never long."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

SHOWN = 80
"""The most characters of a foreign text that a message shows."""

FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters to Unicode, nothing to the eye: the Hangul fillers."""

_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", '"': '\\"'}
# The standard gives control characters no names; these are their aliases in it.
_CONTROLS = {
    "\x00": "NULL",
    "\x07": "BELL",
    "\x08": "BACKSPACE",
    "\t": "TAB",
    "\n": "LINE FEED",
    "\x0b": "VERTICAL TAB",
    "\x0c": "FORM FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
    "\x9b": "CONTROL SEQUENCE INTRODUCER",
}


def escaped(text: str, limit: int = SHOWN) -> str:
    """Return `text` on one line, what cannot be seen written as escapes, cut to about `limit` characters."""
    cut = text[:limit]
    shown = cut if cut.isprintable() and not _special(cut) else "".join(map(_visible, cut))
    return shown if len(text) <= limit else shown + "…"


def quoted(text: str, limit: int = SHOWN) -> str:
    """Return `escaped(text)` in double quotes."""
    return f'"{escaped(text, limit)}"'


def listed(names: Iterable[str]) -> str:
    """Return names for a hint, one after another."""
    return escaped(", ".join(names), 300)


def code_point(char: str) -> str:
    """Name a character as the standard does: `U+00AD SOFT HYPHEN`."""
    name = unicodedata.name(char, "") or _CONTROLS.get(char, "")
    if not name:
        name = "a control character" if unicodedata.category(char) == "Cc" else "a character without a name"
    return f"U+{ord(char):04X} {name}"


def _special(text: str) -> bool:
    return any(char in text for char in ("\\", '"', *FILLERS))


def _visible(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable() and char not in FILLERS:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
