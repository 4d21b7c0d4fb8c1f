"""Why a table's instants are called, covered, held or in doubt, for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from reconciler.core.explanation import (
    ByUpstream,
    Done,
    Explanation,
    Instant,
    NoInstant,
    Owed,
    Piece,
    Reason,
    Unapproved,
    Unclear,
)
from reconciler.core.facts import Line, Upstream
from reconciler.core.planner import PlannedCall
from reconciler.core.wallclock import render
from reconciler.errors import Problem
from reconciler.render.explain_words import rule
from reconciler.render.plan_json import doubt_fields
from reconciler.render.problems import problem_fields


def explain_document(
    state: str | None, tables: Iterable[tuple[Explanation, str]], problems: Iterable[Problem]
) -> dict[str, object]:
    """Return the document of `plan --explain TABLE --format json`; `tables` come with the files of their ledgers."""
    return {
        "version": 1,
        "state": state,
        "tables": [_table(explanation, file) for explanation, file in tables],
        "problems": [problem_fields(problem) for problem in problems],
    }


def _table(explanation: Explanation, file: str) -> dict[str, object]:
    table = explanation.table
    schedule, ledger = table.rules.schedule, table.ledger
    return {
        "target": table.target.name,
        "tableName": table.name,
        "schedule": schedule.text if schedule else None,
        "ledger": {"file": file, "triggers": len(ledger.triggers)} if ledger else None,
        "at": _instant(explanation.instant) if explanation.instant else None,
        "pieces": [_piece(piece) for piece in explanation.pieces],
    }


def _instant(instant: Instant) -> dict[str, object]:
    return {
        "scheduleTime": render(instant.second),
        "onSchedule": instant.on_schedule,
        "before": _time(instant.before),
        "after": _time(instant.after),
        "skipped": instant.skipped,
        "doubled": instant.doubled,
    }


def _time(second: int | None) -> str | None:
    return None if second is None else render(second)


def _piece(piece: Piece) -> dict[str, object]:
    return {
        "first": render(piece.first),
        "last": render(piece.last),
        "instances": piece.instances,
        "verdict": piece.verdict,
        "reasons": [_reason(reason) for reason in piece.reasons],
        "ledgerLines": [_line(line) for line in piece.lines],
        "inDoubt": [doubt_fields(doubt) for doubt in piece.doubts],
        "calls": [_call(planned) for planned in piece.calls],
        "coveredBy": [_upstream(each) for each in piece.upstream],
    }


def _reason(reason: Reason) -> dict[str, object]:
    request = reason.request
    return {
        "request": request.key,
        "file": request.place.file,
        "line": request.place.line,
        "rerun": request.rerun.token if request.rerun else None,
        "because": _because(reason),
        "ledgerLine": reason.line.number if isinstance(reason, Done) else None,
        "calls": list(_ids(reason)),
        "rule": rule(reason),
    }


def _because(reason: Reason) -> str:
    match reason:
        case Done():
            return "covered"
        case Unclear():
            return "inDoubt"
        case Owed():
            return "owed"
        case ByUpstream():
            return "coveredBy"
        case Unapproved():
            return "approval"
        case NoInstant():
            return "notScheduled"
        case other:
            assert_never(other)


def _ids(reason: Reason) -> Iterable[str]:
    """Return the ids of the calls that a reason names."""
    match reason:
        case Done(_, line):
            return (line.trigger.id,)
        case Unclear(_, doubt):
            return (doubt.intent.call.id,)
        case Owed(_, _, calls) | Unapproved(_, _, calls):
            return (planned.call.id for planned in calls)
        case ByUpstream(_, _, above):
            return (each.made.call.id for each in above)
        case NoInstant():
            return ()
        case other:
            assert_never(other)


def _line(line: Line) -> dict[str, object]:
    return {"line": line.number, **line.trigger.fields()}


def _call(planned: PlannedCall) -> dict[str, object]:
    call, held = planned.call, planned.held
    return {
        "id": call.id,
        "method": str(call.span.method),
        "body": call.body,
        "rerun": list(call.rerun),
        "status": "held" if held else "ready",
        "held": {"because": held.because, "message": held.message} if held else None,
    }


def _upstream(each: Upstream) -> dict[str, object]:
    return {"id": each.made.call.id, "tableName": each.made.call.table, "status": "held" if each.made.held else "ready"}
