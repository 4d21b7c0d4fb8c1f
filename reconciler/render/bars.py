"""A timeline as bars on a row of cells of the same width: where several things fall into one, the most urgent shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.core.timeline import URGENCY, Segment, Status
from reconciler.core.window import Window

_RANK = {status: rank for rank, status in enumerate(URGENCY)}

_Key = tuple[int, bool]
_NOTHING: _Key = (len(URGENCY), True)


@dataclass(frozen=True, slots=True)
class Bar:
    """Cells from `first` up to `end` that show the same, and the segments that they show."""

    first: int
    end: int
    status: Status
    again: bool
    segments: tuple[Segment, ...]


def bars(segments: Sequence[Segment], window: Window, cells: int) -> tuple[Bar, ...]:
    """Return the bars of segments on so many cells of the same width, which share `window` among them.

    A segment is in every cell that it touches, so that none is too short to be seen. Of those in one cell the most
    urgent shows, before others of its status one that was triggered before. What lies outside the window is left out.
    """
    placed = [(segment, _key(segment), _cells(segment.window, window, cells)) for segment in segments]
    best = [_NOTHING] * cells
    for _, key, there in placed:
        for cell in there:
            best[cell] = min(best[cell], key)
    runs, run_of = _runs(best)
    shown: list[list[Segment]] = [[] for _ in runs]
    for segment, key, there in placed:
        for run in sorted({run_of[cell] for cell in there if best[cell] == key}):
            shown[run].append(segment)
    return tuple(
        Bar(first, end, URGENCY[rank], not once, tuple(some))
        for (first, end, (rank, once)), some in zip(runs, shown, strict=True)
        if some
    )


def _key(segment: Segment) -> _Key:
    return _RANK[segment.status], not segment.again


def _cells(piece: Window, window: Window, cells: int) -> range:
    start, end = max(piece[0], window[0]), min(piece[1], window[1])
    if start >= end:
        return range(0)
    span = window[1] - window[0]
    return range((start - window[0]) * cells // span, -((window[0] - end) * cells // span))


def _runs(best: Sequence[_Key]) -> tuple[list[tuple[int, int, _Key]], list[int]]:
    """Return the runs of cells with the same key, and of each cell the number of its run."""
    runs: list[tuple[int, int, _Key]] = []
    run_of: list[int] = []
    for key, some in groupby(best):
        first = len(run_of)
        run_of += [len(runs)] * len(list(some))
        runs.append((first, len(run_of), key))
    return runs, run_of
