"""The bytes of one file to text: UTF-8 only, and nothing that a reviewer cannot see."""

from __future__ import annotations

import codecs
import re

from reconciler.errors import Problem
from reconciler.manifests.quoting import code_point

LARGEST = 1 << 20
"""The most bytes that one file may have: 1 MiB."""

_REPORTED = 10
_SPLIT = "split it into several files"
_SHORTEN = "a lineage stays one file: leave out tables that are neither above nor below a declared one"

# Category Cf of Unicode 16, written out: asking `unicodedata` about every code point takes 0.1 s.
_FORMAT = (
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
_UNSEEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff" + _FORMAT
_IN_FILE = re.compile(f"[{_UNSEEN}]|\r(?!\n)")
_IN_VALUE = re.compile(f"[{_UNSEEN}\r]")

_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?= |\r?$)", re.MULTILINE)
_LFS = b"version https://git-lfs.github.com/spec/v1"
_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32 (little-endian)"),
    (codecs.BOM_UTF32_BE, "UTF-32 (big-endian)"),
    (codecs.BOM_UTF16_LE, "UTF-16 (little-endian)"),
    (codecs.BOM_UTF16_BE, "UTF-16 (big-endian)"),
)
_HIGH_BOMS = (b"\xff", b"\xfe")
"""How those begin that do not begin with a zero."""
_WITHOUT_BOM = (
    (re.compile(rb"[^\0]\0\0\0"), "UTF-32 (little-endian)"),
    (re.compile(rb"\0\0\0[^\0]"), "UTF-32 (big-endian)"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "UTF-16 (little-endian)"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "UTF-16 (big-endian)"),
)
_HIGH = re.compile(rb"[\x80-\xff]+")

Text = str
Refused = tuple[Problem, ...]


def decode(file: str, data: bytes, largest: int = LARGEST) -> Text | Refused:
    """Return the text of a file without its byte order mark, or the problems for which it has none.

    A bare CR, U+0085, U+2028, U+2029, control characters and Unicode's invisible Cf are refused, as are UTF-16,
    UTF-32 and every other encoding, git-lfs pointers and merge-conflict markers. CRLF is a line end.
    """
    if len(data) > largest:
        return (too_large(file, len(data), largest),)
    if data.startswith(_LFS):
        hint = "run `git lfs pull`, or keep the file out of git-lfs"
        return (_problem(file, 1, 1, "is a git-lfs pointer, not the file itself", hint),)
    encoding = _wide_encoding(data)
    if encoding:
        return (_problem(file, 1, 1, f"is {encoding} text; only UTF-8 is read", "save the file as UTF-8"),)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return (_not_utf8(file, data, error.start),)
    if not text.replace("\r\n", "").replace("\n", "").isprintable():  # a fifth of the time that the pattern takes
        refused = _unseen(file, text)
        if refused:
            return refused
    return _conflicts(file, text) or text


def hidden_character(value: str) -> str | None:
    """Return the first character of a value that a reviewer could not see, None where there is none.

    Newline and tab are fine in a value; every other control character, U+2028, U+2029 and Cf are not.
    """
    match = _IN_VALUE.search(value)
    return match[0] if match else None


def too_large(file: str, size: int, largest: int = LARGEST) -> Problem:
    """Return the problem of a file that has more bytes than `largest`."""
    message = f"has {size:,} bytes; a file may have at most {largest:,}"
    hint = f"{_SPLIT}; {_SHORTEN}" if largest == LARGEST else _SPLIT
    return _problem(file, 1, 1, message, hint)


def _wide_encoding(data: bytes) -> str | None:
    if 0 not in data[:4] and data[:1] not in _HIGH_BOMS:
        return None
    for bom, name in _BOMS:
        if data.startswith(bom):
            return name
    for pattern, name in _WITHOUT_BOM:
        if pattern.match(data):
            return name
    return None


def _not_utf8(file: str, data: bytes, at: int) -> Problem:
    before = data[:at]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
    message = f"byte 0x{data[at]:02X} is not UTF-8; the file looks like {_narrow_encoding(data)}"
    return _problem(file, line, column, message, "save the file as UTF-8")


def _narrow_encoding(data: bytes) -> str:
    # Chinese text in GBK comes in pairs of high bytes, accented Latin letters come alone.
    paired = all(len(run) % 2 == 0 for run in _HIGH.findall(data))
    try:
        data.decode("gb18030" if paired else "cp1252")
    except UnicodeDecodeError:
        return "no text in an encoding that is known here"
    return "GBK" if paired else "Windows-1252 or Latin-1"


def _unseen(file: str, text: str) -> Refused:
    found = []
    for match in _IN_FILE.finditer(text):
        line, column = _place(text, match.start())
        if match[0] == "\r":
            what, hint = "is a line end of its own", "end lines with LF or CRLF"
        else:
            what, hint = "cannot be seen in a review", "remove it, or write what was meant with visible characters"
        found.append(_problem(file, line, column, f"{code_point(match[0])} {what}", hint))
        if len(found) == _REPORTED or match[0] == "\r":
            break
    return tuple(found)


def _conflicts(file: str, text: str) -> Refused:
    match = _CONFLICT.search(text) if "<<<<<<<" in text or ">>>>>>>" in text else None
    if match is None:
        return ()
    line, column = _place(text, match.start())
    message = f"a merge conflict is not resolved: the line starts with {match[0]}"
    return (_problem(file, line, column, message, "resolve the conflict and remove the marker lines"),)


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _problem(file: str, line: int, column: int, message: str, hint: str) -> Problem:
    return Problem(file, line, column, "", message, hint)
