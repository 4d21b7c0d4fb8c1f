"""The triggers of a table for programs: JSON and CSV."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.wallclock import render
from reconciler.render.csv_text import Cell, csv_text
from reconciler.render.history import Entry, Moment, Told

_HEADINGS = (
    "target",
    "tableName",
    "triggeredAt",
    "id",
    "method",
    "startTime",
    "endTime",
    "scheduleTimes",
    "rangeEnd",
    "rerun",
    "requests",
    "manifest",
    "approvedBy",
    "traceId",
    "run",
    "commit",
    "coveredByTable",
    "coveredById",
    "superseded",
    "supersededBy",
)
_TRACED = ("writtenBy", "authors", "pullRequests")


def history_document(table: str, at: str | None, told: Sequence[Told]) -> dict[str, object]:
    """Return the document of `history --format json`; a trigger's fields are named as in its ledger line."""
    document: dict[str, object] = {
        "version": 1,
        "tableName": table,
        "at": at,
        "triggers": [
            {"target": each.target, **_fields(entry, traced=at is not None)} for each in told for entry in each.entries
        ],
    }
    if at is not None:
        document["moments"] = [{"target": each.target, **_moment(each.moment)} for each in told if each.moment]
    return document


def _fields(entry: Entry, *, traced: bool) -> dict[str, object]:
    by = entry.superseded
    fields = {
        **entry.trigger.fields(),
        "superseded": _how(entry),
        "supersededBy": [{"id": one.id, "triggeredAt": one.triggered_at} for one in by.by],
    }
    return {**fields, **_authorship(entry)} if traced else fields


def _how(entry: Entry) -> str | None:
    if not entry.superseded.by:
        return None
    return "whole" if entry.superseded.whole else "part"


def _authorship(entry: Entry) -> dict[str, object]:
    return {
        "manifest": [
            {
                "request": each.request,
                "file": each.file,
                "line": each.first or None,
                "lastLine": each.last or None,
                "unknown": each.unknown or None,
            }
            for each in entry.written
        ],
        "writtenBy": [
            {
                "request": each.request,
                "commit": commit.id,
                "author": commit.author,
                "date": commit.date,
                "subject": commit.subject,
            }
            for each in entry.written
            for commit in each.commits
        ],
        "pullRequests": [
            {"request": each.request, "name": pull.name, "source": pull.source, "commit": pull.commit}
            for each in entry.written
            for pull in each.pulls
        ],
    }


def _moment(moment: Moment) -> dict[str, object]:
    stretch = moment.stretch
    return {
        "first": render(stretch.first) if stretch else None,
        "last": render(stretch.last) if stretch else None,
        "instances": stretch.instances if stretch else None,
        "schedule": moment.schedule,
        "onSchedule": moment.on_schedule,
        "verdict": moment.verdict,
    }


def history_csv(told: Sequence[Told], *, traced: bool) -> str:
    """Return a row a trigger, in the order of the ledgers; lists are joined by `; `. `traced` adds who wrote it."""
    rows = (_row(each, entry, traced=traced) for each in told for entry in each.entries)
    return csv_text((*_HEADINGS, *(_TRACED if traced else ())), rows)


def _row(told: Told, entry: Entry, *, traced: bool) -> tuple[Cell, ...]:
    trigger = entry.trigger
    fields = {**trigger.fields(), "target": told.target, "tableName": told.table, "superseded": _how(entry)}
    fields["supersededBy"] = [one.id for one in entry.superseded.by]
    fields["manifest"] = (
        [] if trigger.imported else list(dict.fromkeys(key.rpartition("#")[0] for key in trigger.requests))
    )
    if trigger.covered_by:
        fields |= {"coveredByTable": trigger.covered_by.table, "coveredById": trigger.covered_by.id}
    if traced:
        commits = dict.fromkeys(commit for each in entry.written for commit in each.commits)
        fields["writtenBy"] = [commit.id for commit in commits]
        fields["authors"] = list(dict.fromkeys(commit.author for commit in commits))
        fields["pullRequests"] = list(dict.fromkeys(pull.name for each in entry.written for pull in each.pulls))
    return tuple(_cell(fields.get(name)) for name in (*_HEADINGS, *(_TRACED if traced else ())))


def _cell(value: object) -> Cell:
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return None if value is None else str(value)
