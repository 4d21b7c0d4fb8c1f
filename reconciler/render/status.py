"""The status of tables for people: a line and a timeline a table, then what is in doubt, then the totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.change import Key
from reconciler.core.layers import layers_of
from reconciler.core.plan import Plan
from reconciler.core.planner import TablePlan
from reconciler.core.text import count, printable
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import render
from reconciler.render.paint import Paint
from reconciler.render.plan_text import doubt_help, doubt_lines, totals
from reconciler.render.scale import Span, legend, scale, span_of, wrapped
from reconciler.render.strip import ASCII, Strips, painted
from reconciler.render.width import padded, shortened, width

_HEADINGS = (
    "TARGET",
    "TABLE",
    "REQUESTS",
    "DONE",
    "INSTANCES",
    "CALLS MADE",
    "TO MAKE",
    "HELD",
    "IN DOUBT",
    "LAST TRIGGERED",
)
_DROPPED = (9, 5, 2, 0, 4, 3, 6, 7, 8)
"""Which columns go first where there is no room for all; those that say nothing of any table go before them."""

_GAP = "  "
_STRIP = 24
"""Columns that a timeline has before other columns are shown beside it."""

_DAMAGED = "state problem: see above"

_NOTHING = """\
No table is asked for yet.
  reconciler new TABLE      writes a manifest; commit it
  reconciler plan           shows then what an apply would call
"""

Colour = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Screen:
    """Where text is shown: how many columns it has, its colours, and whether it shows block characters."""

    columns: int
    paint: Paint
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """The tables of a status, those that need somebody first. `damaged` have no plan, for their state has problems."""

    rows: Sequence[Standing]
    damaged: Sequence[Key] = ()

    @classmethod
    def of(cls, rows: Iterable[Standing], damaged: Iterable[Key] = ()) -> Listed:
        by_need = sorted(rows, key=lambda row: row.rank)
        return cls(tuple(by_need), tuple(sorted(damaged)))


def status_text(plan: Plan, listed: Listed, screen: Screen, live: frozenset[str]) -> str:
    """Return the tables under headings, a legend, then what is in doubt, then the totals.

    Fits into the screen's columns, down to about fifty; `live` are the runs that are under way in this clone.
    """
    doubts = [
        line
        for doubt in plan.doubts
        for line in (f"  {printable(doubt.intent.call.table)}", *doubt_lines(doubt, screen.paint, live))
    ]
    if doubts:
        doubts += ["", *doubt_help(plan.doubts, live)]
    if not (listed.rows or listed.damaged or doubts):
        return _NOTHING
    table = [*_table(listed, screen), ""] if listed.rows or listed.damaged else []
    return "\n".join([*table, *doubts, totals(plan)]) + "\n"


def _table(listed: Listed, screen: Screen) -> Iterator[str]:
    keys = [*listed.damaged, *((row.plan.target.name, row.plan.table) for row in listed.rows)]
    shown = _shown(keys, screen)
    names = shown[: len(listed.damaged)]
    cells = [(*key, *_cells(row)) for key, row in zip(shown[len(names) :], listed.rows, strict=True)]
    widths = _widths([_HEADINGS, *cells, *names], screen.columns)
    span = span_of(listed.rows)
    room = max(screen.columns - sum(each + len(_GAP) for each in widths.values()), _STRIP)
    picture = _Picture.of(listed.rows, span, room, screen) if span else _Picture("", [], [])
    yield f"{screen.paint.bold(_line(_HEADINGS, widths))}{picture.scale}".rstrip()
    for each in names:
        yield screen.paint.red(_line(each, widths) + _DAMAGED)
    for row, line, strip in zip(listed.rows, cells, picture.strips or [""] * len(cells), strict=True):
        yield f"{_colour(row, screen.paint)(_line(line, widths))}{strip}".rstrip()
    yield from picture.notes


@dataclass(frozen=True, slots=True)
class _Picture:
    """The timelines of tables, the scale above them and the notes below."""

    scale: str
    strips: Sequence[str]
    notes: Sequence[str]

    @classmethod
    def of(cls, rows: Sequence[Standing], span: Span, room: int, screen: Screen) -> _Picture:
        axis = span.axis(room)
        drawn = Strips(axis)
        strips = [drawn.of(layers_of(row)) for row in rows]
        cells_of_now = {axis.cell(row.table.now) if axis.start <= row.table.now < axis.end else -1 for row in rows}
        above = scale(span, axis, cells_of_now.pop() if len(cells_of_now) == 1 else -1)
        zones = {row.plan.target.time_zone for row in rows}
        clock = f"(wall clock of {printable(zones.pop())})" if len(zones) == 1 else "(each target's own wall clock)"
        notes = ["", *legend([above, *strips], clock, screen.columns), *_beyond(span, screen.columns)]
        if not screen.blocks:
            above, notes = above.translate(ASCII), [note.translate(ASCII) for note in notes]
        return cls(above, [painted(strip, screen.paint, blocks=screen.blocks) for strip in strips], notes)


def _beyond(span: Span, columns: int) -> Iterator[str]:
    """Say what the timelines leave out."""
    start, end = span.window
    for number, where in (
        (span.earlier, f"before {render(start)[:10]}"),
        (span.later, f"after {render(end - 1)[:10]}"),
    ):
        if number:
            has = "has" if number == 1 else "have"
            yield from wrapped([f"{count(number, 'table')} {has} more {where}:", "reconciler history TABLE"], columns)


def _shown(keys: Sequence[Key], screen: Screen) -> list[tuple[str, str]]:
    """Return the targets and names of tables, cut in the middle where there is no room for all of them."""
    more = "…" if screen.blocks else "~"
    targets = [shortened(printable(target), max(screen.columns // 8, 8), more) for target, _ in keys]
    beside = max(map(width, (_HEADINGS[0], *targets))) + len(_GAP) if len(set(targets)) > 1 else 0
    left = screen.columns - _STRIP - beside - len(_GAP)
    room = max(min(screen.columns * 2 // 5, 60), min(left, 36), 14)
    names = [shortened(printable(name), min(room, max(left, 14)), more) for _, name in keys]
    return list(zip(targets, names, strict=True))


def _cells(row: Standing) -> tuple[str, ...]:
    """Return what is told of a table beside its target and name."""
    numbers = (row.held, len(row.plan.all_doubts))
    return (
        str(len(row.table.requests)),
        str(len(row.plan.covered)),
        _instances(row.plan),
        str(row.made),
        _to_make(row),
        *(str(number) if number else "-" for number in numbers),
        row.last or "never",
    )


def _to_make(row: Standing) -> str:
    """Return how many calls are ready, and how many are not made because calls for tables upstream cover them."""
    above = len(row.upstream)
    parts = [str(len(row.plan.ready))] if row.plan.ready else []
    return ", ".join([*parts, *([f"{above} upstream"] if above else [])]) or "-"


def _instances(plan: TablePlan) -> str:
    """Return how many of the instances that are asked for were triggered; a dash where no schedule is known."""
    return f"{plan.instances.triggered:,} of {plan.instances.asked:,}" if plan.instances else "-"


def _widths(lines: Sequence[Sequence[str]], columns: int) -> dict[int, int]:
    """Return the columns that are shown, by position, and how wide they are: as many as leave room for timelines."""
    widths = {at: max(width(line[at]) for line in lines if at < len(line)) for at in range(len(_HEADINGS))}
    rows = [line for line in lines[1:] if len(line) == len(_HEADINGS)]
    silent = [at for at in (7, 6, 8, 4) if all(line[at] == "-" for line in rows)]
    one_target = len({line[0] for line in lines[1:]}) == 1
    for at in (*silent, *_DROPPED):
        if sum(each + len(_GAP) for each in widths.values()) + _STRIP <= columns:
            break
        if at or one_target:
            widths.pop(at, None)
    return widths


def _line(cells: Sequence[str], widths: dict[int, int]) -> str:
    return "".join(padded(cells[at], columns) + _GAP for at, columns in widths.items() if at < len(cells))


def _colour(row: Standing, paint: Paint) -> Colour:
    """Return the colour of what a table needs: that of its timeline's most urgent status."""
    if row.plan.all_doubts:
        return paint.red
    _, no_hold, nothing_owed = row.urgency
    if not no_hold:
        return paint.magenta
    return str if nothing_owed else paint.yellow
