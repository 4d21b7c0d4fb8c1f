"""The emulator's own pages: totals, the instances of a table, and the same as JSON. No scripts, nothing fetched."""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

from reconciler.scheduler.emulator.database import CallRow, Database, TableRow
from reconciler.scheduler.emulator.envelope import Reply

_SAFE = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
_HTML = (("Content-Type", "text/html; charset=utf-8"), *_SAFE)
_JSON = (("Content-Type", "application/json"), *_SAFE)

_CALLS_SHOWN = 50
_BODY_SHOWN = 2_000
_PAGE = 200
_API_PAGE = 10_000

_STYLE = """
:root { color-scheme: light dark; --line: #d9dce1; --dim: #5b6470; --panel: #f6f7f9; --ok: #1a6b3c; --bad: #a8321f;
  --back: #ffffff; --text: #1b1f24; --link: #1d5fb8; }
@media (prefers-color-scheme: dark) { :root { --line: #3a3f47; --dim: #9aa4b0; --panel: #1f2329; --ok: #6cc990;
  --bad: #f08c78; --back: #16191d; --text: #e4e7eb; --link: #82b4f5; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem;
  background: var(--back); color: var(--text); }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; } a { color: var(--link); } .dim { color: var(--dim); } .ok { color: var(--ok); }
.bad { color: var(--bad); font-weight: 600; }
dl { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1.2rem 0 0; }
dl div { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .9rem; }
dt { color: var(--dim); font-size: .85rem; } dd { font-size: 1.25rem; margin: 0; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; }
th { color: var(--dim); font-size: .85rem; font-weight: 600; white-space: nowrap; } .n { text-align: right; }
time { white-space: nowrap; } code, pre { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--panel); margin: .3rem 0; padding: .5rem; white-space: pre-wrap; }
"""


def show(database: Database, target: str) -> Reply | None:
    """Return the page that a request target names, None where there is none.

    `/` shows totals and the last calls, `/?table=NAME&page=N` a table's instances; `/api/instances` gives
    `{"version": 1, "instances": […]}` for scripts, with `table`, `limit` (at most 10000) and `offset`.
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
    if "table" in query:
        return _html(_table_page(database, query["table"], max(_whole(query.get("page")), 1)))
    return _html(_front_page(database, paused="paused" in query))


def _api(database: Database, query: dict[str, str]) -> Reply:
    limit = min(_whole(query.get("limit"), _API_PAGE), _API_PAGE)
    rows = database.instances(query.get("table"), limit, _whole(query.get("offset")))
    text = json.dumps({"version": 1, "instances": [asdict(row) for row in rows]}, ensure_ascii=False)
    return Reply(200, text.encode(), _JSON)


def _whole(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _html(content: str) -> Reply:
    page = f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n{content}</html>\n'
    return Reply(200, page.encode(), _HTML)


def _head(title: str, more: str = "") -> str:
    return (
        f'<title>{escape(title)}</title>\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{more}<style>{_STYLE}</style>\n"
    )


def _front_page(database: Database, paused: bool) -> str:
    tables, answers = database.tables(), database.answers()
    refresh = "" if paused else '<meta http-equiv="refresh" content="5">\n'
    switch = '<a href="/">refresh again</a>' if paused else 'refreshes every 5 s · <a href="/?paused=1">pause</a>'
    totals = [
        ("calls", sum(count for _, count in answers)),
        ("tables", len(tables)),
        ("instances", sum(row.instances for row in tables)),
        ("runs", sum(row.runs for row in tables)),
        ("ran more than once", sum(row.rerun for row in tables)),
    ]
    return (
        f"{_head('Scheduler emulator', refresh)}<header><h1>Scheduler emulator</h1>\n"
        f'<p class="dim">A stand-in: what was triggered here ran nowhere else. Times of calls are UTC. {switch}</p>\n'
        f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{count:,}</dd></div>' for name, count in totals)}</dl></header>\n"
        f"<main><h2>Tables</h2>\n{_tables(tables)}"
        f"<h2>Answers</h2>\n{_answers(answers)}"
        f"<h2>The last {_CALLS_SHOWN} calls</h2>\n{_calls(database.latest_calls(_CALLS_SHOWN))}</main>\n"
    )


def _tables(tables: tuple[TableRow, ...]) -> str:
    rows = [
        f'<tr><td><a href="/?{escape(urlencode({"table": row.table}))}"><code>{escape(row.table)}</code></a>'
        f"<td>{escape(row.tenant)}{_count(row.instances)}{_count(row.runs)}"
        f"{_count(row.rerun, bad=row.rerun > 0)}<td>{_time(row.last_run_at)}"
        for row in tables
    ]
    return _grid(("Table", "Tenant", "#Instances", "#Runs", "#Ran more than once", "Last call that ran"), rows)


def _answers(answers: tuple[tuple[str, int], ...]) -> str:
    return _grid(("Answer", "#Calls"), [f"<tr><td>{_answer(name)}{_count(count)}" for name, count in answers])


def _calls(calls: tuple[CallRow, ...]) -> str:
    rows = [
        f"<tr><td>{_time(call.received_at)}<td>{escape(call.method)}"
        f"<td><code>{escape(call.table) or '–'}</code><details><summary class=dim>body</summary>"
        f"<pre>{escape(call.body[:_BODY_SHOWN])}{'…' if len(call.body) > _BODY_SHOWN else ''}</pre>"
        f"<code class=dim>{escape(call.trace_id)}</code></details>"
        f"{_count(call.instances)}<td>{_answer(call.answer)}<br><span class=dim>{escape(call.reason)}</span>"
        for call in calls
    ]
    return _grid(("Received", "Method", "Table", "#Instances", "Answer"), rows)


def _table_page(database: Database, table: str, page: int) -> str:
    found = [row for row in database.tables() if row.table == table]
    count = sum(row.instances for row in found)
    pages = max(-(-count // _PAGE), 1)
    page = min(page, pages)
    rows = [
        f"<tr><td>{_time(row.time)}<td>{escape(row.tenant)}{_count(row.runs, bad=row.runs > 1)}"
        f"<td>{_time(row.first_run_at)}<td>{_time(row.last_run_at)}<td><code>{escape(row.trace_id)}</code>"
        for row in database.instances(table, _PAGE, (page - 1) * _PAGE)
    ]
    grid = _grid(("Schedule time", "Tenant", "#Runs", "First run", "Last run", "Last traceId"), rows)
    return (
        f'{_head(table)}<header><p><a href="/">all tables</a></p>\n<h1><code>{escape(table)}</code></h1>\n'
        f'<p class="dim">{count:,} instances, {sum(row.runs for row in found):,} runs, '
        f"{sum(row.rerun for row in found):,} ran more than once</p></header>\n"
        f"<main>{grid}{_pager(table, page, pages)}</main>\n"
    )


def _pager(table: str, page: int, pages: int) -> str:
    def link(number: int, name: str) -> str:
        there = escape(urlencode({"table": table, "page": number}))
        return f'<a href="/?{there}">{name}</a> ' if 1 <= number <= pages else ""

    return f"<p>{link(page - 1, 'earlier')}page {page} of {pages} {link(page + 1, 'later')}</p>"


def _grid(names: tuple[str, ...], rows: list[str]) -> str:
    """Lay out a table. A name that starts with `#` heads a column of numbers."""
    if not rows:
        return '<p class="dim">none yet</p>\n'
    head = "".join(f"<th class=n>{name[1:]}" if name[0] == "#" else f"<th>{name}" for name in names)
    body = "\n".join(rows)
    return f'<div class="wide"><table><thead><tr>{head}<tbody>\n{body}\n</table></div>\n'


def _count(number: int, bad: bool = False) -> str:
    return f'<td class="n{" bad" if bad else ""}">{number:,}'


def _time(text: str) -> str:
    return f"<time>{escape(text)}</time>"


def _answer(name: str) -> str:
    return f'<span class="{"ok" if name == "triggered" else "bad"}">{escape(name)}</span>'
