"""A ledger file straight to what its lines cover, its chain checked: bytes to windows, no line becomes an object.

Only lines that are written the plainest way are read here, which is how the reconciler writes them. Whatever is not is
left to `ledger_file.read_file`, which tells what is wrong: this reader says the same as that one, or nothing.
"""

from __future__ import annotations

import json
import re
from functools import cache
from hashlib import sha256
from itertools import pairwise
from operator import itemgetter
from struct import Struct
from struct import pack as pack_struct
from struct import unpack as unpack_struct

from reconciler.core.ledger import Coverage
from reconciler.core.window import Window, Windows, union
from reconciler.state.fold_line import COMPACTED, WHOLE, header, read_fold
from reconciler.state.windows_text import CLOCK, DAYS

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
_TEXT = r'"[^"]*+"'  # text that JSON writes without any escape: the file has no backslash and no control character
_NEVER = bytes({*range(32), ord("\\")} - {ord("\n")})
_TEXTS = rf"\[(?:{_TEXT}(?:,{_TEXT})*+)?\]"
_RANGE = rf'scheduleTimeRange","startTime":"({_TIME})","endTime":"({_TIME})"(,"rangeEnd":"exclusive")?'
_POINTS = rf'scheduleTime","scheduleTimes":\["((?:{_TIME}",")*+{_TIME})"\]'
_LINE = re.compile(
    rf'^\{{"id":{_TEXT},"method":"(?:{_RANGE}|{_POINTS}),"rerun":({_TEXTS}),"requests":{_TEXTS},"approvedBy":{_TEXTS},'
    rf'"traceId":(?:null|{_TEXT}),"triggeredAt":{_TEXT},"run":{_TEXT},"commit":{_TEXT}'
    rf'(?:,"coveredBy":\{{"tableName":({_TEXT}),"id":{_TEXT}\}})?,"prev":"([0-9a-f]{{64}})"\}}$',
    re.MULTILINE,
)


_PREV = itemgetter(-1)
_FIRST = Struct("<32sI")  # head, number of lines


class _NotPlain(ValueError):
    """A line is not what this reader knows."""


def fold(data: bytes, target: str, table: str) -> Coverage | None:
    """Return what a ledger file covers, None where any of it is not plain: then `ledger_file` has to be asked."""
    try:
        before, start = _front(data, target, table)
        body = data[start:]
        lines = body[:-1].split(b"\n") if body else []
        if len(body.translate(None, _NEVER)) != len(body):
            return None
        rows = _LINE.findall(body.decode())
        if not data.endswith(b"\n") or len(rows) != len(lines) or (before.lines and not lines):
            return None
        digests = [before.head, *(sha256(line).hexdigest() for line in lines)]
        if list(map(_PREV, rows)) != digests[:-1]:
            return None
        return Coverage(digests[-1], before.lines + len(rows), _layers(before, rows, table))
    except (ValueError, RecursionError):  # half a character, a time that does not exist, an end before its start, …
        return None


def _front(data: bytes, target: str, table: str) -> tuple[Coverage, int]:
    """Return what comes before the lines of a file: what is folded there, and where they begin."""
    first = header(WHOLE, target, table)
    if data.startswith(first):
        return Coverage(sha256(first[:-1]).hexdigest(), 0, ()), len(first)
    first = header(COMPACTED, target, table)
    if not data.startswith(first):
        raise _NotPlain
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
            windows += _points(points)
        else:
            windows.append((days[start[:10]] + clock[start[11:]], days[last[:10]] + clock[last[11:]] + (not exclusive)))
        if covering == itself:
            raise _NotPlain
    if any(first >= end for windows in found.values() for first, end in windows):
        raise _NotPlain
    by_tokens: dict[tuple[str, ...], list[Window]] = {tokens: list(windows) for tokens, windows in before.layers}
    for rerun, windows in found.items():
        by_tokens.setdefault(_tokens(rerun), []).extend(windows)
    return tuple((tokens, union(windows)) for tokens, windows in sorted(by_tokens.items()))


def _points(written: str) -> list[Window]:
    times = [DAYS[time[:10]] + CLOCK[time[11:]] for time in written.split('","')]
    if any(left >= right for left, right in pairwise(times)):
        raise _NotPlain
    return [(time, time + 1) for time in times]


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
