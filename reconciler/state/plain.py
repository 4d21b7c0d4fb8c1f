"""Ledger lines that are written the plainest way, which is how the reconciler writes them: found by one expression.

Whatever is not is left to `ledger_file`, which tells what is wrong: these readers say the same as that one, or nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from operator import itemgetter

from reconciler.core.call import Range, Span, Times
from reconciler.core.ledger import CoveredBy, Trigger
from reconciler.state.fold_line import WHOLE, header
from reconciler.state.windows_text import CLOCK, DAYS, TIME

_RANGE = rf'scheduleTimeRange","startTime":"({TIME})","endTime":"({TIME})"(,"rangeEnd":"exclusive")?'
_POINTS = rf'scheduleTime","scheduleTimes":\["((?:{TIME}",")*+{TIME})"\]'
_NEVER = bytes({*range(32), ord("\\")} - {ord("\n")})
TEXT = r'"[^"]*+"'
"""Text that JSON writes without any escape: what holds a backslash or a control character is not plain."""
TEXTS = rf"\[(?:{TEXT}(?:,{TEXT})*+)?\]"
_PREV = itemgetter(-1)


class NotPlain(ValueError):
    """A line is not what these readers know."""


def line_pattern(text: str, texts: str) -> re.Pattern[str]:
    """Return what matches a plain line. `text` and `texts` match the fields that do not say what the line covers.

    Groups, beside any in these two: both times and the exclusive end of a range, or the points; rerun, the table that
    covers it, prev.
    """
    return re.compile(
        rf'^\{{"id":{text},"method":"(?:{_RANGE}|{_POINTS}),"rerun":({TEXTS}),"requests":{texts},"approvedBy":{texts},'
        rf'"traceId":(?:null|{text}),"triggeredAt":{text},"run":{text},"commit":{text}'
        rf'(?:,"coveredBy":\{{"tableName":({TEXT}),"id":{text}\}})?,"prev":"([0-9a-f]{{64}})"\}}$',
        re.MULTILINE,
    )


_WHOLE_LINE = line_pattern(f"({TEXT})", f"({TEXTS})")


def chained(pattern: re.Pattern[str], body: bytes, head: str) -> tuple[list[tuple[str, ...]], str]:
    """Return the groups of each line of `body`, and the hash of the last. `head` is that of the line before them.

    Raises ValueError where any line is not plain, or the chain is broken.
    """
    if not body:
        return [], head
    lines = body.split(b"\n")
    if lines.pop() or len(body.translate(None, _NEVER)) != len(body):
        raise NotPlain
    rows = pattern.findall(body.decode())
    digests = [head, *(sha256(line).hexdigest() for line in lines)]
    if len(rows) != len(lines) or list(map(_PREV, rows)) != digests[:-1]:
        raise NotPlain
    return rows, digests[-1]


def plain_triggers(data: bytes, target: str, table: str) -> tuple[Trigger, ...] | None:
    """Return the triggers of a ledger file that has all its lines, None where any of it is not plain."""
    first = header(WHOLE, target, table)
    if not data.startswith(first):
        return None
    try:
        rows, _ = chained(_WHOLE_LINE, data[len(first) :], sha256(first[:-1]).hexdigest())
        return tuple(_triggers(rows, table))
    except ValueError:
        return None


def _triggers(rows: list[tuple[str, ...]], table: str) -> Iterator[Trigger]:
    for row in rows:
        name, start, last, exclusive, points, rerun, requests, approved, trace, at, run, commit, above, made, _ = row
        span: Span = Times(tuple(points_of(points))) if points else _range(start, last, exclusive)
        if above and above[1:-1] == table:
            raise NotPlain
        yield Trigger(
            name[1:-1],
            span,
            _texts(rerun),
            _texts(requests),
            _texts(approved),
            trace[1:-1] if trace else None,
            at[1:-1],
            run[1:-1],
            commit[1:-1],
            CoveredBy(above[1:-1], made[1:-1]) if above else None,
        )


def _range(start: str, last: str, exclusive: str) -> Range:
    first = DAYS[start[:10]] + CLOCK[start[11:]]
    end = DAYS[last[:10]] + CLOCK[last[11:]] + (not exclusive)
    if first >= end:
        raise NotPlain
    return Range((first, end), "exclusive" if exclusive else "inclusive")


def points_of(written: str) -> list[int]:
    """Return the seconds of schedule times with what JSON writes between them. Raises ValueError where not sorted."""
    times = [DAYS[time[:10]] + CLOCK[time[11:]] for time in written.split('","')]
    if any(left >= right for left, right in pairwise(times)):
        raise NotPlain
    return times


@lru_cache(maxsize=4096)
def _texts(written: str) -> tuple[str, ...]:
    texts: list[str] = json.loads(written)
    return tuple(texts)
