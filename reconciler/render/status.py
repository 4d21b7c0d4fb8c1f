"""The status of tables, as a text table and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.plan import Plan
from reconciler.core.planner import TablePlan
from reconciler.core.timeline import Standing
from reconciler.errors import Problem
from reconciler.render.paint import Paint
from reconciler.render.plan_json import doubt_fields
from reconciler.render.plan_text import doubt_help, doubt_lines, totals
from reconciler.render.problems import problem_fields

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


def status_text(plan: Plan, rows: Sequence[Standing], paint: Paint, live: frozenset[str]) -> str:
    """Return a line a table under headings, then what is in doubt, then the totals."""
    cells = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    painted = [paint.bold(lines[0]), *(_coloured(row, line, paint) for row, line in zip(rows, lines[1:], strict=True))]
    doubts = [
        line for doubt in plan.doubts for line in (f"  {doubt.intent.call.table}", *doubt_lines(doubt, paint, live))
    ]
    if doubts:
        doubts += ["", *doubt_help(plan.doubts, live)]
    return "\n".join([*painted, "", *doubts, totals(plan)]) + "\n"


def _cells(row: Standing) -> tuple[str, ...]:
    numbers = (len(row.plan.ready), row.held, len(row.plan.all_doubts))
    return (
        row.plan.target.name,
        row.plan.table,
        str(len(row.table.requests)),
        str(len(row.plan.covered)),
        _instances(row.plan),
        str(row.made),
        *(str(number) if number else "-" for number in numbers),
        row.last or "never",
    )


def _instances(plan: TablePlan) -> str:
    """Return how many of the instances that are asked for were triggered; a dash where no schedule is known."""
    return f"{plan.instances.triggered:,} of {plan.instances.asked:,}" if plan.instances else "-"


def _instance_fields(plan: TablePlan) -> dict[str, int] | None:
    if plan.instances is None:
        return None
    return {
        "asked": plan.instances.asked,
        "triggered": plan.instances.triggered,
        "missing": sum(call.instances or 0 for call in plan.ready),
        "held": sum(one.call.instances or 0 for one in plan.calls if one.held),
        "inDoubt": plan.instances.in_doubt,
    }


def _coloured(row: Standing, line: str, paint: Paint) -> str:
    if row.plan.all_doubts:
        return paint.red(line)
    if row.held:
        return paint.yellow(line)
    return paint.green(line) if row.plan.ready else line


def status_document(plan: Plan, rows: Iterable[Standing], problems: Iterable[Problem]) -> dict[str, object]:
    """Return the document of `status --format json`. `triggered` counts ledger lines, `missing` and `held` calls."""
    return {
        "version": 1,
        "state": plan.state,
        "tables": [
            {
                "target": row.plan.target.name,
                "tableName": row.plan.table,
                "asked": len(row.table.requests),
                "covered": len(row.plan.covered),
                "triggered": row.triggers,
                "missing": len(row.plan.ready),
                "held": row.held,
                "inDoubt": len(row.plan.all_doubts),
                "lastTriggeredAt": row.last,
                "instances": _instance_fields(row.plan),
            }
            for row in rows
        ],
        "inDoubt": [doubt_fields(doubt) for doubt in plan.doubts],
        "problems": [problem_fields(problem) for problem in problems],
    }
