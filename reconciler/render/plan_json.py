"""Plans and results as JSON documents, to the letter of the documented format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.call import Call
from reconciler.core.ledger import Doubt
from reconciler.core.plan import Plan, Summary
from reconciler.core.policy import Held
from reconciler.core.report import Report, Result
from reconciler.errors import Problem
from reconciler.render.downstream import covers_fields, reruns_fields
from reconciler.render.problems import problem_fields


def plan_document(plan: Plan, problems: Iterable[Problem]) -> dict[str, object]:
    """Return the document of `plan --format json`."""
    return {
        "version": 1,
        "digest": plan.digest,
        "state": plan.state,
        "summary": _summary(plan.summary),
        "calls": [_call(planned.call, planned.held) for _, planned in plan.calls],
        **reruns_fields(plan),
        "inDoubt": [doubt_fields(doubt) for doubt in plan.doubts],
        "problems": [problem_fields(problem) for problem in problems],
    }


def problems_document(problems: Iterable[Problem]) -> dict[str, object]:
    """Return the document of a plan that cannot be made: nothing but its problems."""
    return plan_document(Plan(state=None, tables=()), problems)


def report_document(plan: Plan, report: Report, problems: Iterable[Problem]) -> dict[str, object]:
    """Return the document of `apply --format json`: the calls that the run came to, then those that the plan held.

    `inDoubt` lists what was in doubt before this run; its own calls in doubt have the outcome `unknown`.
    """
    document = plan_document(plan, problems)
    ended = {result.call.id for result in report.results}
    held = [
        _with_outcome(_call(planned.call, planned.held), "skipped", None, _reason(planned.held))
        for planned in plan.held
        if planned.call.id not in ended
    ]
    return {
        **document,
        "run": report.run,
        "commit": report.commit,
        "calls": [_result(result) for result in report.results] + held,
    }


def nothing_document(plan: Plan, problems: Sequence[Problem]) -> dict[str, object]:
    """Return the document of an apply that had nothing to do: no run, and the state as it was."""
    return {**report_document(plan, Report("", plan.state, ()), problems), "run": None}


def _summary(summary: Summary) -> dict[str, object]:
    return {
        "calls": summary.calls,
        "tables": summary.tables,
        "instances": summary.instances,
        "new": summary.new,
        "rerun": summary.rerun,
        "held": summary.held,
        "inDoubt": summary.in_doubt,
        "covered": summary.covered,
    }


def _call(call: Call, held: Held | None) -> dict[str, object]:
    return {
        "id": call.id,
        "target": call.target,
        "tableName": call.table,
        "method": str(call.span.method),
        "body": call.body,
        "rerun": list(call.rerun),
        "requests": list(call.requests),
        "instances": call.instances,
        **({} if call.end_matters is None else {"rangeEndMatters": call.end_matters}),
        "status": "held" if held else "ready",
        "held": {"because": held.because, "message": held.message} if held else None,
        **covers_fields(call),
    }


def _result(result: Result) -> dict[str, object]:
    return _with_outcome(_call(result.call, result.held), result.label, result.trace_id, result.error)


def _with_outcome(call: dict[str, object], outcome: str, trace_id: str | None, error: str | None) -> dict[str, object]:
    return {**call, "outcome": outcome, "traceId": trace_id, "error": error}


def _reason(held: Held | None) -> str | None:
    return held.message if held else None


def doubt_fields(doubt: Doubt) -> dict[str, object]:
    """Return a call in doubt as JSON documents hold it."""
    call = doubt.intent.call
    return {
        "id": call.id,
        "run": doubt.intent.run,
        "target": call.target,
        "tableName": call.table,
        "method": str(call.span.method),
        "body": call.body,
        "since": doubt.intent.since,
        "by": doubt.intent.by,
        **covers_fields(call),
    }
