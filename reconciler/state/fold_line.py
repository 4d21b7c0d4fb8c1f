"""The second line of a compacted ledger: its oldest lines as one, with what they cover and where they are whole.

The chain of the ledger does not cover this line, so it ends in a checksum of its own, over the header too. That tells
damage and slips. Who forges it on purpose is found out by what it says: the lines that it names are in git.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256

from reconciler.core.call import canonical
from reconciler.core.ledger import Coverage
from reconciler.core.window import Windows
from reconciler.state.json_lines import refuse_other_keys, text_field, texts_field, write_lines
from reconciler.state.windows_text import read_windows, write_windows

WHOLE, COMPACTED = 1, 2
"""The versions of a ledger file: one that holds all of its lines, and one whose second line stands for the oldest."""

_KEYS = frozenset({"lines", "last", "detail", "windows", "sum"})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DETAIL = re.compile(rb'\{"version":2,[^\n]*\n\{"lines":[0-9]+,"last":"[0-9a-f]{64}","detail":"([0-9a-f]{40,64})"')
_SUM = b',"sum":"'


@dataclass(frozen=True, slots=True)
class Fold:
    """The oldest lines of a ledger as one. `covers.head` is the SHA-256 of the last of them.

    `detail` is git's id of the file that held them: as the ledger was before they were folded.
    """

    covers: Coverage
    detail: str


def header(version: int, target: str, table: str) -> bytes:
    """Return the first line of a ledger file."""
    return write_lines([{"version": version, "target": target, "tableName": table}])


def is_compacted(data: bytes) -> bool:
    """Say whether a ledger file says that its oldest lines are folded."""
    return data.startswith(b'{"version":2,')


def detail_named(data: bytes) -> str | None:
    """Return the id of the file that a compacted ledger names, unread; None where it names none."""
    match = _DETAIL.match(data)
    return match[1].decode() if match else None


def write_fold(first: bytes, fold: Fold) -> bytes:
    """Return the line that follows `first`, a ledger's header; both end in a newline."""
    covers = fold.covers
    windows = [{"rerun": list(tokens), "times": write_windows(some)} for tokens, some in covers.layers]
    fields = {"lines": covers.lines, "last": covers.head, "detail": fold.detail, "windows": windows}
    body = write_lines([fields])[:-2]
    return body + _SUM + _sum(first, body) + b'"}\n'


def _sum(first: bytes, body: bytes) -> bytes:
    return sha256(first + body).hexdigest().encode()


def read_fold(first: bytes, line: bytes) -> Fold:
    """Read a line that `write_fold` wrote, without its newline. Raises ValueError for anything else."""
    body, _, ending = line.rpartition(_SUM)
    if ending != _sum(first, body) + b'"}':
        raise ValueError("its checksum is wrong: this line was edited")
    value = json.loads(line)
    if canonical(value).encode() != line:
        raise ValueError("the line is not as the reconciler writes it")
    refuse_other_keys(value, _KEYS)
    number, head, detail = value.get("lines"), text_field(value, "last"), text_field(value, "detail")
    if type(number) is not int or number < 1:
        raise ValueError("lines is not a number of lines")
    if not _SHA256.fullmatch(head) or not _OBJECT.fullmatch(detail):
        raise ValueError("last is not a SHA-256, or detail no object id")
    return Fold(Coverage(head, number, _layers(value.get("windows"))), detail)


def _layers(value: object) -> tuple[tuple[tuple[str, ...], Windows], ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("windows is not a list")
    layers = tuple(_layer(each) for each in value)
    tokens = [tokens for tokens, _ in layers]
    if tokens != sorted(set(tokens)):
        raise ValueError("windows are not sorted by their rerun tokens, or have some twice")
    return layers


def _layer(value: object) -> tuple[tuple[str, ...], Windows]:
    if not isinstance(value, dict) or value.keys() != {"rerun", "times"}:
        raise ValueError("windows have other fields than rerun and times")
    tokens, times = texts_field(value, "rerun"), texts_field(value, "times")
    if not times or tokens != tuple(sorted(set(tokens))):
        raise ValueError("rerun is not sorted, or there are no times")
    return tokens, read_windows(times)
