"""The grammar of table names, and names that look alike but are not the same."""

from __future__ import annotations

import re
import unicodedata

from reconciler.manifests.quoting import FILLERS, code_point

LONGEST = 256
"""The most characters that a table name may have."""

_PART = r"[A-Za-z0-9_$-]+"
_RUN = rf"(?:{_PART}|`{_PART}(?:\.{_PART})*`)"
_NAME = re.compile(rf"{_RUN}(?:\.{_RUN})*")
_ALLOWED = re.compile(r"[A-Za-z0-9_$.`-]")
_SEPARATOR = re.compile(r"[.`]+")
_FIRST_WORD = re.compile(r"[A-Z]+")

# UTS #39, "highly restrictive": Latin goes with the scripts of Chinese, Japanese or Korean, nothing else mixes.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)


def complaint(name: str) -> str | None:
    """Return what is wrong with a table name, None where nothing is.

    A name is NFC text of at most 256 characters: parts of letters, ASCII digits, `_`, `-`, `$`, joined by dots;
    backticks may wrap a part or a dotted run of parts, as in the vendor's starrocks.`default_catalog.schema`.p_order.
    """
    if len(name) <= LONGEST and _NAME.fullmatch(name):
        return None
    if len(name) > LONGEST:
        return f"has {len(name)} characters, at most {LONGEST} are allowed"
    if not unicodedata.is_normalized("NFC", name):
        return "is not in Unicode's composed form (NFC): another spelling of it looks the same"
    foreign = [char for char in name if not _ALLOWED.match(char)]
    for char in foreign:
        if char in FILLERS or not unicodedata.category(char).startswith("L"):
            return f"holds {code_point(char)}"
    plain = "".join("a" if char in foreign else char for char in name)
    return None if _NAME.fullmatch(plain) else _structure(name)


def _structure(name: str) -> str:
    if name.count("`") % 2:
        return "has a backtick that is not closed"
    bare = name.replace("`", "")
    if not bare or bare.startswith(".") or bare.endswith(".") or ".." in bare:
        return "has an empty part"
    return "has a backtick inside a part"


def mixed_part(name: str) -> str | None:
    """Return the first part that mixes scripts, as a name made to look like another one does. None: no part does.

    A character's script is told by the first word of its Unicode name, which is near enough for a warning.
    """
    if name.isascii():
        return None
    for part in _SEPARATOR.split(name):
        scripts = {_script(char) for char in part if char.isalpha()}
        if len(scripts) > 1 and not any(scripts <= group for group in _TOGETHER):
            return part
    return None


def _script(char: str) -> str:
    match = _FIRST_WORD.match(unicodedata.name(char, ""))
    return match[0] if match else ""


def difference(name: str, other: str) -> str:
    """Say in what two names differ that are the same when folded."""
    if name.replace("`", "") == other.replace("`", ""):
        return "backticks"
    return "upper and lower case" if name.casefold() == other.casefold() else "case and backticks"
