"""A plan, and what an apply did, for people at a terminal or in a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from reconciler.core.call import Call, canonical, describe
from reconciler.core.config import Target
from reconciler.core.ledger import Doubt
from reconciler.core.plan import Plan
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.policy import Held
from reconciler.core.schedule import Schedule
from reconciler.core.text import count, printable
from reconciler.render.downstream import covers_text, reruns_text
from reconciler.render.instances import clock_notes, counted, end_sentence
from reconciler.render.paint import Paint

_ALL_POINTS = 1_000_000

NEVER_AGAIN = (
    "What is in doubt is never sent again by itself. Make sure that its run has ended. Where its journal was kept,",
    "as by CI, that may settle it; else look in the scheduler whether it ran, and say so:",
)
JOURNAL_COMMAND = "reconciler resolve --journal FILE                                         (what its journal proves)"
OR_RERUN = "Or declare a rerun over it: once that is approved, it is made whatever became of the first call."


def plan_text(plan: Plan, paint: Paint, *, verbose: bool, live: frozenset[str]) -> str:
    """Return the plan: a block a target, a paragraph a table, a line a call, then the totals and the digest.

    `live` are the runs that are under way in this clone. With `verbose`, every point and every body is shown.
    """
    lines: list[str] = []
    shown = [table for table in plan.tables if table.calls or table.doubts]
    for target, tables in groupby(shown, key=lambda table: table.target):
        lines += [target_line(target, paint), ""]
        for table in tables:
            lines += [_table_heading(table, paint)]
            lines += _table_lines(table, paint, verbose, live)
            lines += [""]
    for doubt in plan.orphans:
        lines += [f"  {paint.bold(doubt.intent.call.table)} on {doubt.intent.call.target}"]
        lines += [*doubt_lines(doubt, paint, live), ""]
    lines += doubt_help(plan.doubts, live)
    end = end_sentence(plan.tables)
    lines += [paint.dim(f"{end}.")] if end else []
    lines += [totals(plan), paint.dim(f"digest {plan.digest}")]
    return "\n".join(lines) + "\n"


def guards_text(guards: Sequence[str], paint: Paint) -> str:
    """Return what a branch changes about the guards, for the top of its plan: nothing where it changes none."""
    if not guards:
        return ""
    lines = [paint.yellow("Before the calls: this branch changes what guards them."), ""]
    lines += [f"  {paint.yellow('!')} {printable(guard)}" for guard in guards]
    return "\n".join([*lines, "", ""])


def target_line(target: Target, paint: Paint) -> str:
    """Return what a person should know of a target before anything is said of its tables."""
    url = "the embedded emulator" if target.embedded else target.url
    return f"{paint.bold(target.name)}  {url}  tenant {target.tenant}  ({target.time_zone}, endTime {target.range_end})"


def _table_heading(table: TablePlan, paint: Paint) -> str:
    schedule = table.rules.schedule
    return f"  {paint.bold(table.table)}" + (f"  {paint.dim(f'schedule {schedule.text}')}" if schedule else "")


def _table_lines(table: TablePlan, paint: Paint, verbose: bool, live: frozenset[str]) -> Iterator[str]:
    why = dict.fromkeys(planned.held for planned in table.calls)  # None where a call is not held
    for planned in table.calls:
        yield _call_line(planned, paint, table.rules.schedule, verbose)
        if verbose:
            yield f"      {planned.call.span.method} {canonical(planned.call.body)}"
        yield from map(paint.dim, covers_text(planned.call, verbose))
        if planned.held and len(why) > 1:
            yield _held_line(planned.held, paint)
    yield from map(paint.dim, reruns_text(table))
    yield from (_held_line(held, paint) for held in why if held and len(why) == 1)
    for note in clock_notes(table):
        yield f"      {paint.dim(note)}"
    for doubt in table.doubts:
        yield from doubt_lines(doubt, paint, live)


def _held_line(held: Held, paint: Paint) -> str:
    return f"      {paint.yellow('held:')} {printable(held.message)}"


def _call_line(planned: PlannedCall, paint: Paint, schedule: Schedule | None, verbose: bool) -> str:
    call = planned.call
    sign, words = _kind(call, planned.held)
    colour = paint.yellow if planned.held else paint.cyan if call.rerun else paint.green
    form = "range " if call.span.method == "scheduleTimeRange" else "points"
    span = describe(call.span, _ALL_POINTS if verbose else 3)
    parts = [span, counted(call, schedule), colour(words), paint.dim(_requests(call))]
    return f"    {colour(sign)} {form} {'  '.join(part for part in parts if part)}"


def _kind(call: Call, held: Held | None) -> tuple[str, str]:
    what = f"rerun {', '.join(call.rerun)}" if call.rerun else "new"
    if call.approved_by:
        what += f", approved by {printable(', '.join(call.approved_by))}"
    if held:
        return "!", f"{what}, held: {held.because}"
    return ("~" if call.rerun else "+"), what


def _requests(call: Call) -> str:
    shown = ", ".join(printable(key) for key in call.requests[:3])
    more = len(call.requests) - 3
    return f"{shown} and {more} more" if more > 0 else shown


def doubt_lines(doubt: Doubt, paint: Paint, live: frozenset[str]) -> Iterator[str]:
    """Yield what a person has to know and to do about a call in doubt; `live` are runs under way in this clone."""
    intent = doubt.intent
    rerun = f"  rerun {', '.join(intent.call.rerun)}" if intent.call.rerun else ""
    yield f"    {paint.red('?')} in doubt since {intent.since}: {describe(intent.call.span)}{rerun}"
    yield f"      {paint.dim(f'call {intent.call.id} of run {intent.run} by {printable(intent.by)}')}"
    yield from map(paint.dim, covers_text(intent.call))
    if intent.run in live:
        yield "      that run is under way in this clone: wait for it"


def doubt_help(doubts: Sequence[Doubt], live: frozenset[str]) -> list[str]:
    """Return the way out of doubt, in as many lines as it takes; none where only runs that live are in doubt."""
    left = unsettled(doubts, live)
    if not left:
        return []
    return [*NEVER_AGAIN, f"  {JOURNAL_COMMAND}", *(f"  {line}" for line in verdict_commands(left[0])), OR_RERUN, ""]


def unsettled(doubts: Sequence[Doubt], live: frozenset[str]) -> list[str]:
    """Return the ids of the calls in doubt that somebody has to settle: those of runs under way may still be known."""
    return [doubt.intent.call.id for doubt in doubts if doubt.intent.run not in live]


def verdict_commands(call_id: str) -> list[str]:
    """Return the commands that say what became of a call."""
    return [
        f"reconciler resolve {call_id} --as triggered --reason '...'        (it ran)",
        f"reconciler resolve {call_id} --as not-triggered --reason '...'    (it did not: owed again)",
    ]


def totals(plan: Plan) -> str:
    """Return the plan in one line."""
    summary = plan.summary
    if not (summary.calls or summary.held or summary.in_doubt):
        return f"Nothing to do: {count(summary.covered, 'request')} already triggered{_idle(plan)}."
    parts = [f"{count(summary.calls, 'call')} to make"]
    if summary.calls:
        parts[0] += f" ({summary.new:,} new, {summary.rerun:,} rerun) for {count(summary.tables, 'table')}"
        parts += [count(summary.instances, "instance")] if summary.instances is not None else []
    parts += [f"{summary.held:,} held"] if summary.held else []
    parts += [f"{summary.in_doubt:,} in doubt"] if summary.in_doubt else []
    return f"{', '.join(parts)}; {count(summary.covered, 'request')} already triggered{_idle(plan)}."


def _idle(plan: Plan) -> str:
    """Say how many requests ask for nothing that is on the schedule; nothing where there is none."""
    idle = sum(len(table.idle) for table in plan.tables)
    return f", {count(idle, 'request')} without a time on the schedule" if idle else ""
