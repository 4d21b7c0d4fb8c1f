"""A ledger file straight to what its lines cover, its chain checked: bytes to windows, no line becomes an object.

Only lines that are written the plainest way are read here, which is how the reconciler writes them. Whatever is not is
left to `ledger_file.read_file`, which tells what is wrong: this reader says the same as that one, or nothing.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from struct import Struct
from struct import pack as pack_struct
from struct import unpack as unpack_struct

from reconciler.core.ledger import Coverage
from reconciler.core.window import Window, Windows, union
from reconciler.state.fold_line import COMPACTED, WHOLE, header, read_fold
from reconciler.state.plain import TEXT, TEXTS, NotPlain, chained, line_pattern, points_of
from reconciler.state.windows_text import CLOCK, DAYS

_LINE = line_pattern(TEXT, TEXTS)
_FIRST = Struct("<32sI")  # head, number of lines


def fold(data: bytes, target: str, table: str) -> Coverage | None:
    """Return what a ledger file covers, None where any of it is not plain: then `ledger_file` has to be asked."""
    try:
        before, start = _front(data, target, table)
        rows, head = chained(_LINE, data[start:], before.head)
        if before.lines and not rows:
            return None
        return Coverage(head, before.lines + len(rows), _layers(before, rows, table))
    except (ValueError, RecursionError):  # half a character, a time that does not exist, an end before its start, …
        return None


def _front(data: bytes, target: str, table: str) -> tuple[Coverage, int]:
    """Return what comes before the lines of a file: what is folded there, and where they begin."""
    first = header(WHOLE, target, table)
    if data.startswith(first):
        return Coverage(sha256(first[:-1]).hexdigest(), 0, ()), len(first)
    first = header(COMPACTED, target, table)
    if not data.startswith(first):
        raise NotPlain
    end = data.index(b"\n", len(first))
    return read_fold(first, data[len(first) : end]).covers, end + 1


def _layers(before: Coverage, rows: list[tuple[str, ...]], table: str) -> tuple[tuple[tuple[str, ...], Windows], ...]:
    days, clock = DAYS, CLOCK
    found: dict[str, list[Window]] = {}
    itself = json.dumps(table, ensure_ascii=False)
    for start, last, exclusive, points, rerun, covering, _ in rows:
        windows = found.get(rerun)
        if windows is None:
            windows = found[rerun] = []
        if points:
            windows += [(time, time + 1) for time in points_of(points)]
        else:
            windows.append((days[start[:10]] + clock[start[11:]], days[last[:10]] + clock[last[11:]] + (not exclusive)))
        if covering == itself:
            raise NotPlain
    if any(first >= end for windows in found.values() for first, end in windows):
        raise NotPlain
    by_tokens: dict[tuple[str, ...], list[Window]] = {tokens: list(windows) for tokens, windows in before.layers}
    for rerun, windows in found.items():
        by_tokens.setdefault(_tokens(rerun), []).extend(windows)
    return tuple((tokens, union(windows)) for tokens, windows in sorted(by_tokens.items()))


@cache
def _tokens(written: str) -> tuple[str, ...]:
    tokens: list[str] = json.loads(written)
    return tuple(sorted(set(tokens)))


def pack(coverage: Coverage) -> bytes:
    """Write a coverage in few bytes, for `unpack`."""
    layers = [[list(tokens), len(windows)] for tokens, windows in coverage.layers]
    numbers = [second for _, windows in coverage.layers for window in windows for second in window]
    first = _FIRST.pack(bytes.fromhex(coverage.head), coverage.lines)
    return (
        first + json.dumps(layers, separators=(",", ":")).encode() + b"\n" + pack_struct(f"<{len(numbers)}q", *numbers)
    )


def head_and_lines(record: bytes) -> tuple[str, int]:
    """Return the head and the number of lines of a coverage that `pack` wrote, without its windows."""
    head, lines = _FIRST.unpack_from(record)
    return head.hex(), lines


def unpack(record: bytes) -> Coverage:
    """Return what `pack` wrote."""
    layers, _, packed = record[_FIRST.size :].partition(b"\n")
    numbers = unpack_struct(f"<{len(packed) // 8}q", packed)
    windows = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    found, at = [], 0
    for tokens, count in json.loads(layers):
        found.append((tuple(tokens), windows[at : at + count]))
        at += count
    return Coverage(*head_and_lines(record), tuple(found))
