"""When a table's instances are, as a strip that a page can draw: what ran once, and what ran more than once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from reconciler.core.axis import ticks
from reconciler.core.text import count
from reconciler.core.wallclock import LAST, parse
from reconciler.core.window import Window
from reconciler.scheduler.emulator.rows import Cell, TableRow

CELLS = 240
_MARKS = 5
_EDGE = 6.0
_DAY = 86_400
_FIRST = parse("0001-01-01 00:00:00")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a strip: left edge and width in percent, whether anything ran more than once, and what to say of it."""

    left: float
    width: float
    again: bool
    told: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of the axis, in percent of its width; the label is empty where it would reach over the edge."""

    left: float
    label: str


def window_of(tables: Sequence[TableRow]) -> Window | None:
    """Return the wall-clock seconds that the strips of some tables share; None for no tables."""
    if not tables:
        return None
    first, last = parse(min(row.first for row in tables)), parse(max(row.last for row in tables))
    room = max((last - first) // 60, 60 if last > first else 1800)
    return max(first - room, _FIRST), min(last + room, LAST) + 1


def days_text(tables: Sequence[TableRow]) -> str:
    """Say from which day to which the strips of tables reach: the marks of the axis leave the year out."""
    if not tables:
        return ""
    first, last = min(row.first for row in tables)[:10], max(row.last for row in tables)[:10]
    return first if first == last else f"{first} to {last}"


def marks(window: Window) -> tuple[Mark, ...]:
    """Return the marks of the axis over the strips."""
    first, end = window
    found = ((round(100 * (tick.second - first) / (end - first), 2), tick.label) for tick in ticks(*window, _MARKS))
    return tuple(Mark(left, label if _EDGE < left < 100 - _EDGE else "") for left, label in found)


def pieces(cells: Iterable[Cell], window: Window) -> dict[tuple[str, str], tuple[Piece, ...]]:
    """Return the strips of tables by name and tenant, of cells sorted by table, tenant and number.

    An instant takes its time until the next one, as far as that is no longer than usual for its table, nor than a day.
    """
    strips = groupby(cells, key=lambda cell: (cell.table, cell.tenant))
    day = max(_DAY * CELLS // (window[1] - window[0]), 1)
    return {key: tuple(_pieces(list(some), day)) for key, some in strips}


def _pieces(cells: Sequence[Cell], day: int) -> Iterable[Piece]:
    usual = min((after.number - cell.number for cell, after in pairwise(cells)), default=1)
    usual = min(usual, day)
    reach = usual + (usual > 1)  # by rounding, neighbours may be one cell further apart
    parts: list[list[Cell]] = []
    ends: list[int] = []
    for cell in cells:
        follows = ends and cell.number - parts[-1][-1].number <= reach
        if follows:
            ends[-1] = cell.number
        if follows and _again(cell) == _again(parts[-1][-1]):
            parts[-1].append(cell)
            ends[-1] = cell.number + usual
        else:
            parts.append([cell])
            ends.append(cell.number + usual)
    for part, end in zip(parts, ends, strict=True):
        first, last = part[0].number, min(end, CELLS)
        yield Piece(round(100 * first / CELLS, 2), round(100 * (last - first) / CELLS, 2), _again(part[0]), _told(part))


def _again(cell: Cell) -> bool:
    return cell.most_runs > 1


def _told(part: Sequence[Cell]) -> str:
    first, last, most = part[0].first, part[-1].last, max(cell.most_runs for cell in part)
    span = first if first == last else f"{first} to {last}"
    ran = "ran once" if most == 1 else f"ran up to {most} times"
    return f"{span}: {count(sum(cell.instances for cell in part), 'instance')}, {ran}"
