"""What an apply did, for people: a line a call while it goes on, then totals, what failed and why, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.call import describe
from reconciler.core.ledger import Doubt
from reconciler.core.outcome import Unknown
from reconciler.core.plan import Plan
from reconciler.core.report import WORDS, Report, Result, Skipped
from reconciler.core.text import count, printable
from reconciler.render.paint import Paint

_MOST_REASONS = 5
_MOST_TABLES = 3
_LONGEST_REASON = 120


def result_line(result: Result, paint: Paint) -> str:
    """Return what became of one call, in one line."""
    colour = {"triggered": paint.green, "unknown": paint.red, "rejected": paint.red}.get(result.label, paint.yellow)
    why = f": {printable(result.error)}" if result.error else ""
    trace = f"  traceId {printable(result.trace_id)}" if result.trace_id else ""
    return f"  {colour(f'{result.word:<9}')} {result.call.table}  {describe(result.call.span)}{trace}{why}"


def report_text(plan: Plan, report: Report, where: str, doubts: Sequence[Doubt] = ()) -> str:
    """Return the end of an apply: totals, where they are recorded, what failed grouped by reason, what to type next.

    `doubts` is all that is in doubt in the end, other runs' calls too.
    """
    counts = {word: sum(1 for r in report.results if r.label == name) for name, word in WORDS.items()}
    parts = [f"{number:,} {word}" for word, number in counts.items() if number or word == "triggered"]
    parts += [f"{len(plan.held):,} held"] if plan.held else []
    lines = [", ".join(parts) + ".", _recorded(report, where)]
    for name, word in WORDS.items():
        failed = [result for result in report.results if result.label == name and result.error is not None]
        lines += _reasons(word, [(_reason(result), result.call.table) for result in failed])
    lines += _reasons("held", [(planned.held.message, planned.call.table) for planned in plan.held if planned.held])
    return "\n".join([*lines, *_next_steps(report, doubts)]) + "\n"


def _recorded(report: Report, where: str) -> str:
    if report.unrecorded:
        return f"Not all of this is recorded on {where}: the journal of run {report.run} in this clone has it."
    commit = report.commit[:12] if report.commit else "none"
    return f"Recorded as {commit} on {where} (run {report.run})."


def _reasons(word: str, calls: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each reason, the most frequent first, with the tables that it hit; calls are (reason, table)."""
    groups: dict[str, list[str]] = {}
    for reason, table in calls:
        groups.setdefault(_fit(printable(reason)), []).append(table)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    for reason, some in ordered[:_MOST_REASONS]:
        yield f"  {len(some):,} {word}: {reason} ({_tables(some)})"
    rest = ordered[_MOST_REASONS:]
    if rest:
        yield f"  {sum(len(some) for _, some in rest):,} {word} for {count(len(rest), 'other reason')}"


def _reason(result: Result) -> str:
    """Return why a call failed; of one that was not tried, without the failure before it, which has its own line."""
    reason = result.error or ""
    return reason.split(": ", 1)[0] if isinstance(result.outcome, Skipped) else reason


def _fit(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1]}…"


def _tables(names: Sequence[str]) -> str:
    tables = list(dict.fromkeys(names))
    more = len(tables) - _MOST_TABLES
    shown = ", ".join(tables[:_MOST_TABLES])
    return f"{shown} and {count(more, 'more table')}" if more > 0 else shown


def _next_steps(report: Report, doubts: Sequence[Doubt]) -> Iterator[str]:
    doubtful = [result.call.id for result in report.results if isinstance(result.outcome, Unknown)]
    others = [doubt.intent for doubt in doubts if doubt.intent.run != report.run]
    owed = sum(1 for result in report.results if result.error is not None) - len(doubtful)
    if owed:
        yield f"Still owed: {count(owed, 'call')}. Once the cause is gone:"
        yield "  reconciler apply"
    if others:
        yield f"In doubt besides, of other runs, which may be under way: {count(len(others), 'call')}."
        doubtful += [intent.call.id for intent in others]
    if doubtful:
        yield "What is in doubt is never sent again by itself. Look in the scheduler whether it ran, and say so:"
        yield f"  {'reconciler resolve':<73}(lists what is in doubt)"
        yield f"  reconciler resolve {doubtful[0]} --as triggered --reason '...'        (it ran)"
        yield f"  reconciler resolve {doubtful[0]} --as not-triggered --reason '...'    (it did not: owed again)"
