"""What an apply did, as Markdown: for the comment that showed the plan, or the summary of a job."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.ledger import Doubt
from reconciler.core.report import WORDS, Report, Result, Skipped, still_held
from reconciler.core.text import count
from reconciler.render.blocks import row, table
from reconciler.render.calls_markdown import html_span, tokens
from reconciler.render.headline import headline
from reconciler.render.inert import code, fenced, html_code, linked
from reconciler.render.marks import run_mark
from reconciler.render.open_markdown import held_block, problems_block
from reconciler.render.plan_text import verdict_commands
from reconciler.render.report_text import LIST_COMMAND, LOOK, held_sentence, left_open, outcomes, still_owed
from reconciler.render.sheet import ROOM, Sheet, joined, size

_MESSAGE = 600
_MOST_PULLS = 20


def report_markdown(
    sheet: Sheet, report: Report, where: str, commit_url: str | None, doubts: Sequence[Doubt] = ()
) -> str:
    """Return the end of an apply: totals, where they are recorded, what failed and why, what to do, what was triggered.

    `where` names the state's branch, `commit_url` shows the report's commit. `doubts` is all that is in doubt in the
    end, other runs' calls too.
    """
    held = still_held(sheet.plan, report)
    blocks = [
        f"### {_headline(sheet, report)}",
        _ending(report),
        _recorded(report, where, commit_url),
        problems_block(sheet.problems, "", 8_000),
        _failed(report, 12_000),
        held_block(held, 6_000),
        held_sentence(held) if held else "",
        _next_steps(report, doubts, len(held)),
    ]
    mark = _mark(sheet, report)
    room = ROOM - sum(size(block) for block in (*blocks, mark))
    return joined(*blocks, _triggered(report, room), mark)


def _mark(sheet: Sheet, report: Report) -> str:
    """Return an unseen line that says which run made calls, and which pull requests approved reruns among them."""
    if not report.results:
        return ""
    keys = {key for result in report.results if result.call.rerun for key in result.call.requests}
    numbers = sorted({number for key in keys for number in sheet.pulls.get(key, ())})[:_MOST_PULLS]
    return run_mark(report.run, numbers)


def _headline(sheet: Sheet, report: Report) -> str:
    return outcomes(sheet.plan, report) if report.results or sheet.plan.held else headline(sheet)


def _ending(report: Report) -> str:
    lines = []
    if report.failure:
        lines.append(f"The run ended early: {code(report.failure.message, _MESSAGE)}")
    if report.stale:
        lines.append("Another run changed what is owed, so the rest was not made: review a new plan.")
    return "\\\n".join(lines)


def _recorded(report: Report, where: str, commit_url: str | None) -> str:
    if not report.run or (report.stale and not report.results):
        return ""
    if report.unrecorded:
        return f"⚠️ Not all of this is recorded on {code(where)}: the journal of run {code(report.run)} has it."
    commit = linked(report.commit[:12], commit_url) if report.commit else "none"
    return f"Recorded as {commit} on {code(where)} (run {code(report.run)})."


def _failed(report: Report, room: int) -> str:
    """Return the calls that were not triggered; those that were not tried come last."""
    failed = [result for result in report.tried if result.error is not None]
    if not failed:
        return ""
    ordered = sorted(failed, key=lambda result: isinstance(result.outcome, Skipped))
    rows = (_failure(result) for result in ordered)
    columns = ("Call", "Outcome", "Why", "traceId")
    where = "the run's log shows all"
    return f"#### Not triggered\n\n{table(columns, rows, len(failed), 'call', room, where)}"


def _failure(result: Result) -> str:
    why = html_code(result.error or "", _MESSAGE)
    trace = html_code(result.trace_id) if result.trace_id else ""
    return row(_call(result), WORDS[result.label], why, trace)


def _call(result: Result) -> str:
    return f"{html_code(result.call.table)}<br>{html_span(result.call.span)}"


def _next_steps(report: Report, doubts: Sequence[Doubt], held: int) -> str:
    doubtful, others, owed = left_open(report, doubts)
    steps = []
    if owed:
        steps.append(f"{still_owed(owed, held)}, apply again: `reconciler apply`.")
    if others:
        steps.append(f"In doubt besides, of other runs, which may be under way: {count(len(others), 'call')}.")
    if doubtful or others:
        steps += [LOOK, fenced([LIST_COMMAND, *verdict_commands([*doubtful, *others][0])], "text")]
    return joined("#### What to do", *steps).rstrip("\n") if steps else ""


def _triggered(report: Report, room: int) -> str:
    done = [result for result in report.results if result.error is None]
    if not done:
        return ""
    rows = (_trigger(result) for result in done)
    columns = ("Call", "Kind", "traceId")
    return f"#### Triggered\n\n{table(columns, rows, len(done), 'call', room - 100, '`reconciler history` shows all')}"


def _trigger(result: Result) -> str:
    trace = html_code(result.trace_id) if result.trace_id else "not known"
    by = ", ".join(html_code(name) for name in result.call.approved_by)
    kind = f"{tokens(result.call)}<br>approved by {by}" if by else tokens(result.call)
    return row(_call(result), kind, trace)
