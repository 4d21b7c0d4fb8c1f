"""Tables and lists of Markdown that keep within a number of bytes, closed wherever they are cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.text import count
from reconciler.render.sheet import fitting

ALL = "`reconciler -v plan` shows all"
"""Where to find what was cut."""

LINE_BREAK = "\\\n  "
"""Ends a line of a list's item."""


def table(headings: Sequence[str], rows: Iterable[str], total: int, noun: str, room: int, where: str = ALL) -> str:
    """Return an HTML table of as many rows as `room` bytes hold, and how many of `total` were left out."""
    top = "<table>\n<thead><tr>" + "".join(f"<th>{heading}</th>" for heading in headings) + "</tr></thead>\n<tbody>"
    taken = fitting(rows, room - len(top) - 200)
    whole = "\n".join([top, *taken, "</tbody>\n</table>"]) if taken else ""
    return "\n\n".join(part for part in (whole, rest(total - len(taken), noun, where)) if part)


def row(first: str, *cells: str) -> str:
    """Return a row of cells that are HTML already. The first keeps its lines whole, the others are wrapped."""
    return f"<tr><td nowrap>{first}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def title_row(cell: str, columns: int) -> str:
    """Return a row of one cell, above those that it is the title of."""
    return f'<tr><td colspan="{columns}">{cell}</td></tr>\n'


def bullets(title: str, items: Iterable[str], total: int, noun: str, room: int, where: str = ALL) -> str:
    """Return a list of as many items as `room` bytes hold under its title, and how many of `total` were left out."""
    taken = fitting((f"- {item}" for item in items), room - len(title.encode()) - 200)
    left = rest(total - len(taken), noun, where)
    return "\n".join([title, "", *taken, *([f"- {left}"] if left else [])])


def rest(left: int, noun: str, where: str = ALL) -> str:
    """Return the pointer to what was cut; nothing where nothing was."""
    return f"… and {count(left, f'more {noun}')}: {where}" if left else ""
