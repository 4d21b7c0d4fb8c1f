"""The status of tables for programs: JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.plan import Plan
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import render
from reconciler.errors import Problem
from reconciler.render.csv_text import csv_text
from reconciler.render.plan_json import doubt_fields
from reconciler.render.problems import problem_fields
from reconciler.render.status import Listed

_FIELDS = ("asked", "covered", "triggered", "missing", "held", "inDoubt", "coveredBy", "lastTriggeredAt")
_INSTANCES = ("asked", "triggered", "missing", "held", "inDoubt", "coveredBy")
_HEADINGS = (
    "target",
    "tableName",
    "needs",
    *_FIELDS,
    *(f"instances{name[0].upper()}{name[1:]}" for name in _INSTANCES),
    "owners",
    "from",
    "to",
)


def status_document(plan: Plan, listed: Listed, problems: Iterable[Problem]) -> dict[str, object]:
    """Return the document of `status --format json`. `triggered` counts ledger lines, `missing` and `held` calls.

    `coveredBy` counts calls that are not made, because calls for tables upstream cover them. `damaged` are the tables
    that have no row, for their state has problems. `from` and `to` are the first and the last second asked for.
    """
    return {
        "version": 1,
        "state": plan.state,
        "tables": [
            {
                "target": row.plan.target.name,
                "tableName": row.plan.table,
                **_numbers(row),
                "instances": _instances(row),
                "owners": list(row.owners),
                **_span(row),
            }
            for row in listed.rows
        ],
        "damaged": [{"target": target, "tableName": table} for target, table in listed.damaged],
        "inDoubt": [doubt_fields(doubt) for doubt in plan.doubts],
        "problems": [problem_fields(problem) for problem in problems],
    }


def status_csv(listed: Listed) -> str:
    """Return a row a table; those whose state is damaged have `damaged` for what they need, and no numbers."""
    empty = (None,) * (len(_HEADINGS) - 3)
    damaged = ((target, table, "damaged", *empty) for target, table in listed.damaged)
    return csv_text(_HEADINGS, (*damaged, *map(_row, listed.rows)))


def _row(row: Standing) -> tuple[str | int | None, ...]:
    numbers, instances = _numbers(row), _instances(row) or {}
    return (
        row.plan.target.name,
        row.plan.table,
        _needs(row),
        *(numbers[name] for name in _FIELDS),
        *(instances.get(name) for name in _INSTANCES),
        "; ".join(row.owners),
        *_span(row).values(),
    )


def _needs(row: Standing) -> str:
    """Return the most urgent of what is open; nothing where nothing is."""
    words = zip(row.urgency, ("in doubt", "held", "owed"), strict=True)
    return next((word for calm, word in words if not calm), "")


def _numbers(row: Standing) -> dict[str, str | int | None]:
    return {
        "asked": len(row.table.requests),
        "covered": len(row.plan.covered),
        "triggered": row.triggers,
        "missing": len(row.plan.ready),
        "held": row.held,
        "inDoubt": len(row.plan.all_doubts),
        "coveredBy": len(row.upstream),
        "lastTriggeredAt": row.last,
    }


def _instances(row: Standing) -> dict[str, int] | None:
    plan = row.plan
    if plan.instances is None:
        return None
    return {
        "asked": plan.instances.asked,
        "triggered": plan.instances.triggered,
        "missing": sum(call.instances or 0 for call in plan.ready),
        "held": sum(one.call.instances or 0 for one in plan.calls if one.held),
        "inDoubt": plan.instances.in_doubt,
        "coveredBy": sum(one.instead.instances or 0 for one in row.upstream),
    }


def _span(row: Standing) -> dict[str, str | None]:
    asked = [window for request in row.table.requests for window in request.windows]
    if not asked:
        return {"from": None, "to": None}
    return {
        "from": render(min(start for start, _ in asked)),
        "to": render(max(end for _, end in asked) - 1),
    }
