"""What calls do downstream: the calls that they cover, and the declared tables that they rerun anyway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.call import Call, describe, span_fields
from reconciler.core.plan import Plan
from reconciler.core.planner import TablePlan
from reconciler.core.text import count, printable
from reconciler.render.inert import html_code

_FEW = 3
_SEVERAL = 10
_ALL = 1_000_000


def covers_text(call: Call, verbose: bool = False) -> Iterator[str]:
    """Yield a line for each call that a call covers; of many the first few, and how many more."""
    shown = call.covers if verbose else call.covers[:_FEW]
    for cover in shown:
        requests = printable(", ".join(cover.requests[:_FEW]))
        more = f" and {len(cover.requests) - _FEW} more" if len(cover.requests) > _FEW else ""
        span = describe(cover.span, _ALL if verbose else _FEW)
        yield f"      = covers {_number(cover)}{cover.table}: {span}{_rerun(cover)} ({requests}{more})"
    if len(call.covers) > len(shown):
        yield f"      = covers {count(len(call.covers) - len(shown), 'more call')} downstream"


def _number(cover: Call) -> str:
    return "" if cover.instances is None else f"{count(cover.instances, 'instance')} of "


def _rerun(cover: Call) -> str:
    return f" rerun {', '.join(cover.rerun)}" if cover.rerun else ""


def covered_tables(call: Call) -> str:
    """Return the tables of which a call covers calls, each once; nothing where it covers none."""
    return named(tuple(dict.fromkeys(cover.table for cover in call.covers)))


def reruns_text(table: TablePlan) -> Iterator[str]:
    """Yield a line that names what the calls of a table rerun anyway; nothing where no call is made, or nothing is."""
    if table.ready and table.downstream:
        yield f"      also reruns, downstream: {named(table.downstream, _SEVERAL)}"


def named(tables: Sequence[str], most: int = _FEW) -> str:
    """Return the first few tables, and how many more."""
    return ", ".join(tables[:most]) + _more(tables, most)


def _more(tables: Sequence[str], most: int = _FEW) -> str:
    return f" and {len(tables) - most:,} more" if len(tables) > most else ""


def covers_html(call: Call) -> str:
    """Return what a call covers for a cell of a table, table by table; nothing where it covers nothing."""
    if not call.covers:
        return ""
    tables = tuple(dict.fromkeys(cover.table for cover in call.covers))
    return f"covers {', '.join(map(html_code, tables[:_FEW]))}{_more(tables)}"


def reruns_html(tables: Sequence[str]) -> str:
    """Return what the calls of a table rerun anyway, for the cell above them; nothing where there is nothing."""
    return f"also reruns, downstream: {', '.join(map(html_code, tables[:_FEW]))}{_more(tables)}" if tables else ""


def covers_fields(call: Call) -> dict[str, object]:
    """Return the field of a call's JSON that tells what it covers; none where it covers nothing."""
    return {"covers": [_cover(cover) for cover in call.covers]} if call.covers else {}


def _cover(cover: Call) -> dict[str, object]:
    return {
        "id": cover.id,
        "tableName": cover.table,
        **span_fields(cover.span),
        "rerun": list(cover.rerun),
        "requests": list(cover.requests),
        "instances": cover.instances,
    }


def reruns_fields(plan: Plan) -> dict[str, object]:
    """Return the field of a plan's JSON that tells what tables rerun downstream; none where there is nothing."""
    found = [
        {"target": table.target.name, "tableName": table.table, "tables": list(table.downstream)}
        for table in plan.tables
        if table.ready and table.downstream
    ]
    return {"downstream": found} if found else {}
