"""Window algebra: one set of functions on sorted, disjoint, half-open windows of integer seconds.

A window `(start, end)` holds the seconds `start <= s < end`; a point is a window one second long. All functions
take and return windows sorted and disjoint, and run in one pass.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from operator import itemgetter
from typing import TypeVar

Window = tuple[int, int]
Windows = tuple[Window, ...]

Label = TypeVar("Label", bound=Hashable)

EMPTY: Windows = ()


def union(windows: Iterable[Window]) -> Windows:
    """Return the seconds of all `windows`, in any order and overlapping as they like; those that touch become one."""
    joined: list[Window] = []
    for window in sorted(windows):
        start, end = window
        if start >= end:
            continue
        if not joined or start > joined[-1][1]:
            joined.append(window)
        elif end > joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
    return tuple(joined)


def subtract(wanted: Windows, taken: Windows) -> Windows:
    """Return what of `wanted` is not in `taken`.

    Windows of `wanted` that only touch stay apart, so a caller can still tell two requests from one.
    """
    if not taken:
        return wanted
    left: list[Window] = []
    at = 0
    for start, end in wanted:
        while at < len(taken) and taken[at][1] <= start:
            at += 1
        look = at
        while look < len(taken) and taken[look][0] < end:
            first, last = taken[look]
            if start < first:
                left.append((start, first))
            start = max(start, last)
            look += 1
        if start < end:
            left.append((start, end))
    return tuple(left)


def intersect(one: Windows, other: Windows) -> Windows:
    """Return the seconds that are in both; where one of them is a single window, by slicing the other."""
    if len(one) == 1 or len(other) == 1:
        return _clip(one, *other[0]) if len(other) == 1 else _clip(other, *one[0])
    both: list[Window] = []
    i = j = 0
    while i < len(one) and j < len(other):
        (start, end), (left, right) = one[i], other[j]
        start = max(start, left)
        if end < right:
            i += 1
        else:
            j += 1
            end = right
        if start < end:
            both.append((start, end))
    return tuple(both)


def _clip(windows: Windows, start: int, end: int) -> Windows:
    found = list(near(windows, start, end))
    if found:
        found[0] = (max(found[0][0], start), found[0][1])
        found[-1] = (found[-1][0], min(found[-1][1], end))
    return tuple(found)


def near(windows: Windows, start: int, end: int) -> Windows:
    """Return those of `windows` that hold a second of `[start, end)`, whole; found by bisection."""
    first = bisect_right(windows, start, key=lambda window: window[1])
    return windows[first : bisect_left(windows, end, lo=first, key=lambda window: window[0])]


def inside(few: Windows, many: Windows) -> bool:
    """Say whether every second of `few` is in `many`, whose windows do not touch; fast where `few` is short."""
    for start, end in few:
        at = bisect_right(many, start, key=lambda window: window[0])
        if not at or many[at - 1][1] < end:
            return False
    return True


def overlaps(one: Windows, other: Windows) -> bool:
    """Say whether any second is in both."""
    i = j = 0
    while i < len(one) and j < len(other):
        if max(one[i][0], other[j][0]) < min(one[i][1], other[j][1]):
            return True
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return False


def seconds(windows: Windows) -> int:
    """Return how many seconds the windows hold."""
    return sum(end - start for start, end in windows)


def partition(layers: Sequence[tuple[Windows, Label]]) -> tuple[tuple[Window, frozenset[Label]], ...]:
    """Cut the union of all layers into the longest windows over which the set of labels stays the same.

    Each layer is windows and one label; labels may repeat. The result is sorted and disjoint; every second of any
    layer is in exactly one window, beside exactly the labels of the layers that hold it.
    """
    filled = [(windows, label) for windows, label in layers if windows]
    if len(filled) == 1:
        ((windows, label),) = filled
        return tuple((window, frozenset((label,))) for window in union(windows))
    # Each layer is sorted already: sorting them one after the other merges them.
    edges = sorted((edge for windows, label in filled for edge in _edges(windows, label)), key=itemgetter(0))
    pieces: list[tuple[Window, frozenset[Label]]] = []
    depth: dict[Label, int] = {}
    since = 0
    for at, step, label in edges:
        if depth and since < at:
            labels = frozenset(depth)
            if pieces and pieces[-1][0][1] == since and pieces[-1][1] == labels:
                pieces[-1] = ((pieces[-1][0][0], at), labels)
            else:
                pieces.append(((since, at), labels))
        since = at
        depth[label] = depth.get(label, 0) + step
        if not depth[label]:
            del depth[label]
    return tuple(pieces)


def _edges(windows: Windows, label: Label) -> Iterable[tuple[int, int, Label]]:
    for start, end in windows:
        yield start, 1, label
        yield end, -1, label
