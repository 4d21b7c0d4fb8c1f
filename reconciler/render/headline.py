"""A plan in the one line that everybody reads."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.call import Call
from reconciler.core.plan import instances_of
from reconciler.core.text import count
from reconciler.render.plan_text import totals
from reconciler.render.sheet import Sheet


def headline(sheet: Sheet) -> str:
    """Return the plan in one line. A number of instances only where all are known."""
    plan = sheet.plan
    held = [planned.held.because for planned in plan.held if planned.held]
    waiting = held.count("approval")
    parts = [_ready(plan.ready)] if plan.ready else []
    parts += [_waiting(waiting)] if waiting else []
    parts += [f"{count(len(held) - waiting, 'call')} held"] if len(held) > waiting else []
    parts += [f"{count(len(plan.doubts), 'call')} in doubt"] if plan.doubts else []
    errors = sum(1 for problem in sheet.problems if problem.severity == "error")
    if errors:
        parts = [*(parts or ["Nothing planned"]), f"{count(errors, 'error')} to mend"]
    return ", ".join(parts) or _nothing(sheet)


def _ready(calls: Sequence[Call]) -> str:
    reruns = sum(1 for call in calls if call.rerun)
    kinds = "" if not reruns else f" ({len(calls) - reruns:,} new, {count(reruns, 'rerun')})"
    tables = count(len({(call.target, call.table) for call in calls}), "table")
    known = instances_of(calls)
    number = f", {count(known, 'instance')}" if known is not None else ""
    return f"{count(len(calls), 'call')}{kinds} for {tables}{number}"


def _waiting(number: int) -> str:
    return f"{count(number, 'rerun')} that {'needs' if number == 1 else 'need'} approval"


def _nothing(sheet: Sheet) -> str:
    if sheet.plan.summary.covered:
        return totals(sheet.plan).rstrip(".")
    if sheet.base:
        return "Nothing to do: this branch adds no calls"
    return "Nothing to do" if sheet.requests else "Nothing to do: no request is declared"
