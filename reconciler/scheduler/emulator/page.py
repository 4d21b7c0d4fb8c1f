"""The emulator's own pages: totals, the instances of a table, and the same as JSON. They fetch only themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from reconciler.scheduler.emulator.database import Database
from reconciler.scheduler.emulator.envelope import Reply
from reconciler.scheduler.emulator.rows import CallRow, TableRow
from reconciler.scheduler.emulator.strips import CELLS, Mark, Piece, days_text, marks, pieces, window_of
from reconciler.web import HEADERS, asset, page, policy

_SCRIPT = "emulator.js"
_CONNECT = "'self'"
_CALLS_SHOWN = 50
_BODY_SHOWN = 2_000
_PAGE = 200
_TABLES = 100
_API_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class _Strip:
    """A table of the page, its address, and when its instances are."""

    row: TableRow
    link: str
    pieces: tuple[Piece, ...]


def show(database: Database, target: str) -> Reply | None:
    """Return the page that a request target names, None where there is none.

    `/` shows totals and the last calls, `/?table=NAME&page=N` a table's instances; `/api/instances` gives
    `{"version": 1, "instances": […]}` for scripts, with `table`, `limit` (at most 10000) and `offset`. Where `seen`
    is what a page called itself last and nothing came since, the answer is 204 and no page.
    """
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.path == "/api/instances":
        return _api(database, query)
    if parts.path != "/":
        return None
    version = str(database.version())
    if query.get("seen") == version:
        return Reply(204, b"", _headers("text/html; charset=utf-8"))
    number = max(_whole(query.get("page")), 1)
    shared = {"seen": version, "paused": "paused" in query}
    if "table" in query:
        return _html("emulator-table.html.j2", {**shared, **_table_page(database, query["table"], number)})
    return _html("emulator.html.j2", {**shared, **_front_page(database, number)})


def _api(database: Database, query: Mapping[str, str]) -> Reply:
    limit = min(_whole(query.get("limit"), _API_PAGE), _API_PAGE)
    rows = database.instances(query.get("table"), limit, _whole(query.get("offset")))
    text = json.dumps({"version": 1, "instances": [asdict(row) for row in rows]}, ensure_ascii=False)
    return Reply(200, text.encode(), _headers("application/json"))


def _whole(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _html(template: str, values: Mapping[str, object]) -> Reply:
    text = page(template, values, style="emulator.css", script=_SCRIPT, connect=_CONNECT)
    return Reply(200, text.encode(), _headers("text/html; charset=utf-8"))


def _headers(kind: str) -> tuple[tuple[str, str], ...]:
    allowed = f"{policy(asset(_SCRIPT), _CONNECT)}; frame-ancestors 'none'"
    return (("Content-Type", kind), ("Content-Security-Policy", allowed), *HEADERS)


def _front_page(database: Database, number: int) -> dict[str, object]:
    totals, answers = database.totals(), database.answers()
    pages = max(-(-totals.tables // _TABLES), 1)
    number = min(number, pages)
    rows = database.tables(_TABLES, (number - 1) * _TABLES)
    strips, axis = _strips(database, rows)
    return {
        "totals": totals,
        "answers": answers,
        "tables": strips,
        "axis": axis,
        "days": days_text(rows),
        "calls": tuple(map(_shown, database.latest_calls(_CALLS_SHOWN))),
        "calls_shown": _CALLS_SHOWN,
        "number": number,
        "pages": pages,
        "earlier": _link(page=number - 1) if number > 1 else "",
        "later": _link(page=number + 1) if number < pages else "",
    }


def _table_page(database: Database, table: str, number: int) -> dict[str, object]:
    rows = database.table(table)
    instances = sum(row.instances for row in rows)
    pages = max(-(-instances // _PAGE), 1)
    number = min(number, pages)
    strips, axis = _strips(database, rows)
    return {
        "table": table,
        "tables": strips,
        "axis": axis,
        "days": days_text(rows),
        "count": instances,
        "runs": sum(row.runs for row in rows),
        "rerun": sum(row.rerun for row in rows),
        "instances": database.instances(table, _PAGE, (number - 1) * _PAGE),
        "number": number,
        "pages": pages,
        "earlier": _link(table=table, page=number - 1) if number > 1 else "",
        "later": _link(table=table, page=number + 1) if number < pages else "",
    }


def _strips(database: Database, rows: tuple[TableRow, ...]) -> tuple[tuple[_Strip, ...], tuple[Mark, ...]]:
    window = window_of(rows)
    if window is None:
        return (), ()
    found = pieces(database.cells(rows, window, CELLS), window)
    strips = tuple(_Strip(row, _link(table=row.table), found.get((row.table, row.tenant), ())) for row in rows)
    return strips, marks(window)


def _shown(call: CallRow) -> tuple[CallRow, str]:
    """Return a call and as much of its body as is shown."""
    return call, f"{call.body[:_BODY_SHOWN]}{'…' if len(call.body) > _BODY_SHOWN else ''}"


def _link(**query: str | int) -> str:
    return f"/?{urlencode(query)}"
