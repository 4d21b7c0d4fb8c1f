"""Rows as CSV, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from reconciler.core.text import printable

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | None


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a line of headings and a line a row, each ended by CR and LF; None is an empty cell.

    Source: RFC 4180. Text that a spreadsheet would take for a formula gets an apostrophe in front (source: OWASP's page
    on CSV injection); control characters are written as visible escapes, so a row is always one line. Numbers stay.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def _safe(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    text = printable(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
