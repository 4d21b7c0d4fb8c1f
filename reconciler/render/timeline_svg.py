"""The timelines of tables as one static picture, for a README or a wiki: no script, no font, nothing fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, tostring

from reconciler.core.axis import ticks
from reconciler.core.text import count
from reconciler.core.timeline import URGENCY, Standing
from reconciler.core.wallclock import LAST, render
from reconciler.core.window import Window
from reconciler.render.svg import add, cut, width
from reconciler.render.svg_parts import add_legend, add_looks
from reconciler.render.svg_row import GROWN, LEFT, RIGHT, WIDTH, Row, Scale, add_row
from reconciler.render.words import WORDS, calls_text, own_calls_by_status

ROWS = 200
_MARKS = 10
_LEAST = 12 * 3600
_TOP = 74


def timelines_svg(standings: Sequence[Standing], made_at: str, errors: int = 0) -> str:
    """Return an SVG of 960 pixels' width: a row a table, at most 200, those that need somebody first.

    `made_at` is a UTC time as a ledger has it, `2026-01-20T01:02:03Z`. `errors` keep tables out of the picture. The
    axis holds all that is drawn, by the wall clock of each target. The same tables and time give the same picture, byte
    for byte.
    """
    ordered = sorted(standings, key=lambda one: one.rank)
    several = len({one.plan.target.name for one in ordered}) > 1
    rows = [Row.of(one, several) for one in ordered[:ROWS]]
    window = _window(rows)
    svg = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-labelledby": "title desc"})
    heading, summary = _heading(ordered), _summary(ordered, errors)
    add(svg, "title", heading, id="title")
    add(svg, "desc", " ".join(_described(rows, summary, made_at)), id="desc")
    add_looks(svg)
    add(svg, "rect", class_="back", width="100%", height="100%", rx=6)
    add(svg, "text", heading, class_="heading", x=LEFT, y=36)
    add(svg, "text", f"made at {_told(made_at)}", class_="dim", x=RIGHT, y=36, text_anchor="end")
    add(svg, "text", summary, x=LEFT, y=62)
    if window:
        add(svg, "text", _span(rows), class_="dim", x=RIGHT, y=62, text_anchor="end")
    bottom = _draw(svg, rows, window) if window else _TOP
    for note in _notes(ordered, drawn=bool(window)):
        bottom += 24
        add(svg, "text", cut(note, 13 * GROWN, RIGHT - LEFT), class_="dim", x=LEFT, y=bottom)
    height = f"{bottom + 20:g}"
    svg.attrib.update({"width": str(WIDTH), "height": height, "viewBox": f"0 0 {WIDTH} {height}"})
    return tostring(svg, encoding="unicode") + "\n"


def _draw(svg: Element, rows: Sequence[Row], window: Window) -> float:
    """Draw legend, axis and rows; return where the next line goes."""
    scale = Scale(window, ticks(*window, _MARKS))
    top = add_legend(svg, _TOP, rows, scale) + 30
    axis = add(svg, "g", class_="axis")
    for tick in scale.ticks:
        x, room = scale.x(tick.second), width(tick.label, 13 * GROWN) / 2
        if LEFT - 10 + room < x < RIGHT + 10 - room:
            add(axis, "text", tick.label, class_="major" if tick.major else "minor", x=x, y=top, text_anchor="middle")
    bottom = top + 9
    for row in rows:
        bottom = add_row(svg, row, scale, bottom)
    return bottom


def _window(rows: Sequence[Row]) -> Window | None:
    """Return what the axis holds: all segments, some room at both ends, and now, where it is near."""
    drawn = _drawn(rows)
    if drawn is None:
        return None
    first, last = drawn
    last = max([last, *(row.now for row in rows if row.now <= last + (last - first) // 3)])
    room = max((last - first) // 40, (_LEAST - (last - first)) // 2, 1)
    return first - room, min(last + room, LAST + 1)


def _drawn(rows: Sequence[Row]) -> Window | None:
    ends = [row.timeline.window for row in rows if row.timeline.window]
    return (min(start for start, _ in ends), max(end for _, end in ends)) if ends else None


def _span(rows: Sequence[Row]) -> str:
    """Say from which day to which the picture tells: the labels of the axis leave the year out."""
    first, last = _drawn(rows) or (0, 0)
    days = sorted({render(first)[:10], render(min(last - 1, LAST))[:10]})
    return " to ".join(days)


def _heading(standings: Sequence[Standing]) -> str:
    return f"Backfills of {count(len(standings), 'table')}" if standings else "Backfills"


def _summary(standings: Sequence[Standing], errors: int) -> str:
    """Say what is wrong first, then what will be called, then what was."""
    total: Counter[str] = Counter()
    for standing in standings:
        total.update(own_calls_by_status(standing))
    said = [f"{total[status]:,} {WORDS[status]}" for status in URGENCY if total[status]]
    wrong = f"{count(errors, 'error')} to mend: tables may be missing here. " if errors else ""
    if not standings:
        return wrong or "No table is asked for, and nothing was triggered."
    return wrong + (f"Calls: {', '.join(said)}." if said else "Nothing was triggered yet, and nothing is owed.")


def _described(rows: Sequence[Row], summary: str, made_at: str) -> Iterator[str]:
    yield f"{summary} Made at {_told(made_at)}."
    for row in rows:
        yield f"{row.name}: {calls_text(row.counts) or 'no calls'}."


def _notes(standings: Sequence[Standing], *, drawn: bool) -> Iterator[str]:
    if len(standings) > ROWS:
        yield f"… and {count(len(standings) - ROWS, 'more table')}, which need no more than these."
    zones = {one.plan.target.name: one.plan.target.time_zone for one in standings if one.plan.target.time_zone}
    if drawn and len(set(zones.values())) == 1:
        yield f"Times are the wall clock of {next(iter(zones.values()))}; numbers count calls."
    elif drawn and zones:
        told = ", ".join(f"{name} {zone}" for name, zone in sorted(zones.items()))
        yield f"Times are the wall clock of each target ({told}); numbers count calls."


def _told(at: str) -> str:
    return f"{at[:-1].replace('T', ' ')} UTC" if at.endswith("Z") else at
