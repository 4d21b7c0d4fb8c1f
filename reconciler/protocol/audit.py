"""The commit messages of the state branch: together they are the audit trail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.core.call import Call, describe
from reconciler.core.change import Change
from reconciler.core.report import Result
from reconciler.core.text import count, printable

_MOST_LINES = 200
_MOST_COVERED = 20


def batch_message(
    results: Sequence[Result], reran: Sequence[Call], settlement: Change, intents: Sequence[Call]
) -> tuple[str, list[str]]:
    """Return subject and lines of a commit that records `results` and `settlement`, and announces `intents`.

    `reran` are calls in doubt that approved reruns among the results settle. Each intent that the commit removes is
    named: by that, verifying tells it from one that somebody removed.
    """
    counts = Counter(result.word for result in results)
    done = ", ".join(f"{number} {word}" for word, number in counts.items())
    parts = [f"record {done}"] if done else []
    if settlement:
        parts.append(f"settle {count(len(settlement.settled), 'call')} of a run that died")
    if intents:
        parts.append(f"intend {count(len(intents), 'call')}")
    subject = "; ".join(parts)
    lines = [f"{result.word:<10} {_call(result.call)}{_why(result)}" for result in results]
    lines += [f"{line} (its journal says so)" for line in settlement_lines(settlement)]
    lines += [f"settled    {_call(call)} (an approved rerun over it was made)" for call in reran]
    lines += [f"intended   {_call(call)}" for call in intents]
    return subject[:1].upper() + subject[1:] + _places([*(result.call for result in results), *intents]), lines


def settlement_lines(settlement: Change) -> list[str]:
    """Return a line for each intent that a change settles: triggered, or owed again."""
    recorded = {entry.trigger.id for entry in settlement.made}
    return [
        f"{'triggered ' if intent.call.id in recorded else 'owed again'} {_call(intent.call)}"
        for intent in settlement.settled
    ]


def import_message(calls: Sequence[Call]) -> tuple[str, list[str]]:
    """Return subject and lines of a commit that adopts `calls`, which were made by hand before."""
    lines = [f"imported   {_call(call)}" for call in calls[:_MOST_LINES]]
    more = len(calls) - _MOST_LINES
    lines += [f"and {more:,} more: see the ledgers"] if more > 0 else []
    return f"Import {count(len(calls), 'call')} triggered before{_places(calls)}", lines


def _places(calls: Sequence[Call]) -> str:
    tables = sorted({call.table for call in calls})
    targets = sorted({call.target for call in calls})
    if not tables:
        return ""
    what = tables[0] if len(tables) == 1 else f"{len(tables)} tables"
    return f": {what} on {', '.join(targets)}"


def _call(call: Call) -> str:
    parts = [call.id, call.target, call.table, describe(call.span), f"for {', '.join(call.requests)}"]
    if call.rerun:
        parts.append(f"rerun {', '.join(call.rerun)}")
    if call.approved_by:
        parts.append(f"approved by {', '.join(call.approved_by)}")
    if call.covers:
        parts.append(f"covers {_tables(call.covers)}")
    return " ".join(parts)


def _tables(calls: Sequence[Call]) -> str:
    """Return the tables of calls that another one covers, with how many calls that saves."""
    numbers = Counter(call.table for call in calls)
    shown = [f"{table} ({count(number, 'call')})" for table, number in sorted(numbers.items())]
    more = len(shown) - _MOST_COVERED
    return ", ".join(shown[:_MOST_COVERED]) + (f" and {count(more, 'more table')}" if more > 0 else "")


def _why(result: Result) -> str:
    if result.error is not None:
        return f": {result.error}"
    return f" traceId {result.trace_id}" if result.trace_id else ""


def compose(subject: str, lines: Iterable[str], trailers: Iterable[tuple[str, str]]) -> str:
    """Return a commit message; whatever came from outside stays on its own line."""
    body = "\n".join(printable(line) for line in lines)
    ends = "\n".join(f"{name}: {printable(value)}" for name, value in trailers)
    return "\n\n".join(part for part in (printable(subject), body, ends) if part) + "\n"
