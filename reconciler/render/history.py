"""The triggers of a table, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.call import describe
from reconciler.core.ledger import Ledger, Trigger
from reconciler.core.text import count, printable
from reconciler.render.paint import Paint

_ALL_POINTS = 1_000_000


def history_text(table: str, at: str | None, ledgers: Sequence[Ledger], paint: Paint) -> str:
    """Return the triggers, oldest first, a paragraph each; `at` is the instant that they were chosen for."""
    lines: list[str] = []
    for ledger in ledgers:
        where = f"{paint.bold(table)} on {ledger.target}"
        number = count(len(ledger.triggers), "trigger")
        lines.append(f"{where}: {number}{f' of {at}' if at else ''}")
        for trigger in ledger.triggers:
            lines += _trigger_lines(trigger, paint)
        lines.append("")
    return "\n".join(lines)


def _trigger_lines(trigger: Trigger, paint: Paint) -> Iterator[str]:
    what = paint.cyan(f"rerun {', '.join(trigger.rerun)}") if trigger.rerun else paint.green("new")
    why = f"for {printable(', '.join(trigger.requests))}"
    if trigger.imported:
        what, why = paint.green("by hand"), f"imported from {printable(trigger.imported)}"
    yield f"  {trigger.triggered_at}  {describe(trigger.span, _ALL_POINTS)}  {what}"
    yield f"    {why}, manifests at {trigger.commit[:12]}"
    if trigger.approved_by:
        yield f"    approved by {printable(', '.join(trigger.approved_by))}"
    name = f"call {trigger.id}"
    if trigger.covered_by:
        name = f"by the rerun of {printable(trigger.covered_by.table)} (call {trigger.covered_by.id})"
    yield paint.dim(f"    {name}, run {trigger.run}, traceId {printable(trigger.trace_id or 'not known')}")


def history_document(table: str, at: str | None, ledgers: Iterable[Ledger]) -> dict[str, object]:
    """Return the document of `history --format json`; a trigger's fields are named as in its ledger line."""
    return {
        "version": 1,
        "tableName": table,
        "at": at,
        "triggers": [
            {"target": ledger.target, **trigger.fields()} for ledger in ledgers for trigger in ledger.triggers
        ],
    }
