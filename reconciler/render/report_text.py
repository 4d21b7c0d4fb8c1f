"""What an apply did, for people: a line a call while it goes on, then totals, what failed and why, what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.call import describe
from reconciler.core.ledger import Doubt
from reconciler.core.outcome import Unknown
from reconciler.core.plan import Plan
from reconciler.core.planner import PlannedCall
from reconciler.core.report import WORDS, Report, Result, Skipped, still_held
from reconciler.core.text import count, printable
from reconciler.render.downstream import covered_tables
from reconciler.render.paint import Paint
from reconciler.render.plan_text import verdict_commands

LOOK = "What is in doubt is never sent again by itself. Look in the scheduler whether it ran, and say so:"
LIST_COMMAND = f"{'reconciler resolve':<73}(lists what is in doubt)"

HELD = "What is held waits for the next apply."
_UNAPPROVED = "An approval alone starts none: run one then, in CI by hand."

_MOST_REASONS = 5
_MOST_TABLES = 3
_LONGEST_REASON = 120


def result_line(result: Result, paint: Paint) -> str:
    """Return what became of one call, in one line."""
    colour = {"triggered": paint.green, "unknown": paint.red, "rejected": paint.red}.get(result.label, paint.yellow)
    why = f": {printable(result.error)}" if result.error else ""
    trace = f"  traceId {printable(result.trace_id)}" if result.trace_id else ""
    covers = f", covers {covered_tables(result.call)}" if result.label == "triggered" and result.call.covers else ""
    return f"  {colour(f'{result.word:<9}')} {result.call.table}  {describe(result.call.span)}{covers}{trace}{why}"


def report_text(plan: Plan, report: Report, where: str, doubts: Sequence[Doubt] = ()) -> str:
    """Return the end of an apply: totals, where they are recorded, what failed grouped by reason, what to type next.

    `doubts` is all that is in doubt in the end, other runs' calls too.
    """
    lines = [outcomes(plan, report) + ".", *_made_elsewhere(plan, report), *_recorded(plan, report, where)]
    for name, word in WORDS.items():
        lines += _reasons(word, failures(report, name))
    held = still_held(plan, report)
    lines += _reasons("held", held_back(held))
    lines += [held_sentence(held)] if held else []
    return "\n".join([*lines, *_next_steps(report, doubts, len(held))]) + "\n"


def held_sentence(held: Iterable[PlannedCall]) -> str:
    """Say what held calls wait for; of approvals only where one is missing."""
    unapproved = any(planned.held and planned.held.because == "approval" for planned in held)
    return f"{HELD} {_UNAPPROVED}" if unapproved else HELD


def outcomes(plan: Plan, report: Report) -> str:
    """Return what became of the calls, in numbers."""
    found = Counter(result.label for result in report.tried)
    parts = [f"{found[name]:,} {word}" for name, word in WORDS.items() if found[name] or name == "triggered"]
    held = len(still_held(plan, report))
    return ", ".join([*parts, f"{held:,} held"] if held else parts)


def _made_elsewhere(plan: Plan, report: Report) -> Iterator[str]:
    """Yield how many calls of the plan became nothing of this run's, for another run was first."""
    number = _missing(plan, report)
    if number:
        verb = "is" if number == 1 else "are"
        yield f"{count(number, 'call')} of this plan {verb} owed no more: other runs were first."


def _missing(plan: Plan, report: Report) -> int:
    return len({call.id for call in plan.ready} - {result.call.id for result in report.results})


def _recorded(plan: Plan, report: Report, where: str) -> Iterator[str]:
    """Yield where the run is recorded; nothing where another run was first, and this one did nothing."""
    if report.unrecorded:
        yield f"Not all of this is recorded on {where}: the journal of run {report.run} in this clone has it."
    elif report.results or not (report.stale or _missing(plan, report)):
        commit = report.commit[:12] if report.commit else "none"
        yield f"Recorded as {commit} on {where} (run {report.run})."


def _reasons(word: str, calls: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each reason, the most frequent first, with the tables that it hit; calls are (reason, table)."""
    ordered = grouped((_fit(printable(reason)), table) for reason, table in calls)
    for reason, some in ordered[:_MOST_REASONS]:
        yield f"  {len(some):,} {word}: {reason} ({_tables(some)})"
    rest = ordered[_MOST_REASONS:]
    if rest:
        yield f"  {sum(len(some) for _, some in rest):,} {word} for {count(len(rest), 'other reason')}"


def grouped(calls: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Return the reasons of failed or held calls, the most frequent first, each with its calls' tables."""
    groups: dict[str, list[str]] = {}
    for reason, table in calls:
        groups.setdefault(reason, []).append(table)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def failures(report: Report, label: str) -> list[tuple[str, str]]:
    """Return the reason and the table of each call that failed in one way."""
    failed = (result for result in report.tried if result.label == label and result.error is not None)
    return [(_reason(result), result.call.table) for result in failed]


def held_back(held: Iterable[PlannedCall]) -> list[tuple[str, str]]:
    """Return the message and the table of each call that is held."""
    return [(planned.held.message, planned.call.table) for planned in held if planned.held]


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


def left_open(report: Report, doubts: Sequence[Doubt]) -> tuple[list[str], list[str], int]:
    """Return the ids of this run's calls in doubt, those of other runs' calls, and how many failed: still owed.

    Those that are held are not counted: they wait for something else.
    """
    doubtful = [result.call.id for result in report.results if isinstance(result.outcome, Unknown)]
    others = [doubt.intent.call.id for doubt in doubts if doubt.intent.run != report.run]
    owed = sum(1 for result in report.tried if result.error is not None) - len(doubtful)
    return doubtful, others, owed


def still_owed(failed: int, held: int) -> str:
    """Say how many calls are still owed, and how many of them wait for something else."""
    waiting = f", {held:,} of them held" if held else ""
    return f"Still owed: {count(failed + held, 'call')}{waiting}. Once the cause is gone"


def _next_steps(report: Report, doubts: Sequence[Doubt], held: int) -> Iterator[str]:
    doubtful, others, owed = left_open(report, doubts)
    if owed:
        yield f"{still_owed(owed, held)}:"
        yield "  reconciler apply"
    if others:
        yield f"In doubt besides, of other runs, which may be under way: {count(len(others), 'call')}."
    if doubtful or others:
        yield LOOK
        yield f"  {LIST_COMMAND}"
        yield from (f"  {line}" for line in verdict_commands([*doubtful, *others][0]))
