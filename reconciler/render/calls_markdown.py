"""The calls of a plan as Markdown: a table a target, reruns with what was triggered there before, exact bodies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from reconciler.core.call import Call, Span, Times, describe
from reconciler.core.config import Target
from reconciler.core.ledger import Trigger
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.request import Request
from reconciler.core.text import count
from reconciler.core.wallclock import render
from reconciler.render.blocks import ALL, LINE_BREAK, bullets, rest, row, table, title_row
from reconciler.render.downstream import covers_html, reruns_html
from reconciler.render.inert import code, fenced, html_code, json_line
from reconciler.render.instances import clock_notes, end_sentence
from reconciler.render.sheet import Sheet, fitting, joined, size

Planned = tuple[Target, PlannedCall]

_FEW = 2
_LEAST = 2_500
"""Bytes below which a target gets no table of its own."""


def targets_block(sheet: Sheet, calls: Sequence[Planned], room: int) -> str:
    """Return a table a target, its calls table by table; each target gets its share of the room."""
    groups = [(target, [planned for _, planned in some]) for target, some in groupby(calls, key=lambda one: one[0])]
    blocks: list[str] = []
    for at, (target, planned) in enumerate(groups):
        share = room // (len(groups) - at)
        if room < _LEAST:
            left = sum(len(some) for _, some in groups[at:])
            blocks.append(rest(left, f"call on {count(len(groups) - at, 'target')}"))
            break
        block = _target(sheet, target, planned, max(share, _LEAST))
        blocks.append(block)
        room -= size(block)
    return joined(*blocks).strip("\n")


def _target(sheet: Sheet, target: Target, planned: Sequence[PlannedCall], room: int) -> str:
    url = "the embedded emulator" if target.embedded else code(target.url, 200)
    zone = f"times of {code(target.time_zone, 80)}, endTime {target.range_end}"
    heading = f"#### Target {code(target.name, 80)}\n\n{url}, tenant {code(target.tenant, 80)}, {zone}"
    counted = any(one.call.instances is not None for one in planned)
    columns = ["Window", *(["Instances"] if counted else []), "Kind", "Reason", "Owner"]
    rows = _rows(sheet, planned, columns)
    end = end_sentence(plan for plan in sheet.plan.tables if plan.target == target)
    heading += f". {end}" if end else ""
    return f"{heading}\n\n{table(columns, rows, len(planned), 'call', room - size(heading))}"


def _rows(sheet: Sheet, planned: Sequence[PlannedCall], columns: Sequence[str]) -> Iterator[str]:
    """Yield a row a call; the first of a table has a row with the table's name above it."""
    last = None
    plans = {(plan.target.name, plan.table): plan for plan in sheet.plan.tables}
    for one in planned:
        key = (one.call.target, one.call.table)
        named = "" if one.call.table == last else title_row(_title(one.call.table, plans.get(key)), len(columns))
        last = one.call.table
        yield named + _row(sheet, one, "Instances" in columns)


def _title(name: str, plan: TablePlan | None) -> str:
    """Return a table's name with its schedule, what its calls run downstream, and what the clock does to them."""
    if plan is None:
        return html_code(name)
    schedule = plan.rules.schedule
    lines = [f"{html_code(name)}, schedule {html_code(schedule.text)}" if schedule else html_code(name)]
    lines += [reruns_html(plan.downstream)] if plan.ready and plan.downstream else []
    return "<br>".join([*lines, *clock_notes(plan)])


def _row(sheet: Sheet, planned: PlannedCall, counted: bool) -> str:
    call = planned.call
    asked = sheet.asked(call)
    number = call.instances
    return row(
        html_span(call.span),
        *([f"{number:,}" if number is not None else ""] if counted else []),
        _kind(planned),
        _several([_reason(request) for request in asked] or [html_code(key) for key in call.requests]),
        _several([html_code(request.owner) for request in asked if request.owner]),
    )


def html_span(span: Span) -> str:
    """Return a span for a cell of a table: of many points the first and the last."""
    if isinstance(span, Times) and len(span.times) > _FEW:
        return f"{len(span.times):,} points in<br>{render(span.times[0])} .. {render(span.times[-1])}"
    return describe(span).replace(", ", ",<br>")


def _kind(planned: PlannedCall) -> str:
    covers = covers_html(planned.call)
    kind = tokens(planned.call) + (f"<br>{covers}" if covers else "")
    return f"{kind}<br>held: {planned.held.because}" if planned.held else kind


def tokens(call: Call) -> str:
    """Return a call's kind: new, or a rerun with its tokens; as HTML."""
    return "rerun " + _several([html_code(token) for token in call.rerun], ", ") if call.rerun else "new"


def _reason(request: Request) -> str:
    return html_code(_why(request))


def _why(request: Request) -> str:
    """Return why something is asked for; its key, where nobody said."""
    return request.reason or (request.rerun.reason if request.rerun else "") or request.key


def _several(items: Sequence[str], between: str = "<br>") -> str:
    """Return the first few different items, and how many more there are."""
    different = list(dict.fromkeys(items))
    more = len(different) - _FEW
    return between.join([*different[:_FEW], *([f"and {more:,} more"] if more > 0 else [])])


def reruns_block(sheet: Sheet, calls: Sequence[Planned], room: int) -> str:
    """Return the calls that trigger anew what was triggered before, with what that was."""
    reruns = [planned for _, planned in calls if planned.call.rerun]
    if not reruns:
        return ""
    title = "#### Reruns\n\nThese trigger again, and everything downstream with them:"
    return bullets(title, (_rerun(sheet, planned) for planned in reruns), len(reruns), "rerun", room)


def _rerun(sheet: Sheet, planned: PlannedCall) -> str:
    call = planned.call
    names = _several([code(token) for token in call.rerun], ", ")
    asked = _several([code(key) for key in call.requests], ", ")
    lines = [
        f"{code(call.table)}, {describe(call.span)}",
        f"{names}, asked for by {asked}: **{_approval(planned)}**",
    ]
    why = _several([code(_why(request)) for request in sheet.asked(call) if request.rerun], ", ")
    lines += [f"because {why}"] if why else []
    before = sheet.before.get(call.id, ())
    lines += [f"before: {_before(trigger)}" for trigger in reversed(before[-_FEW:])]
    lines += [f"and {len(before) - _FEW:,} times before that"] if len(before) > _FEW else []
    return LINE_BREAK.join(lines if before else [*lines, "before: nothing that the ledger knows"])


def _approval(planned: PlannedCall) -> str:
    if planned.held:
        return "approval is missing" if planned.held.because == "approval" else f"held: {planned.held.because}"
    by = _several([code(name) for name in planned.call.approved_by], ", ")
    return f"approved by {by}" if by else "needs no approval"


def _before(trigger: Trigger) -> str:
    if trigger.imported:
        return f"{code(trigger.triggered_at)} by hand, imported from {code(trigger.imported)}"
    keys = _several([code(key) for key in trigger.requests], ", ")
    above = f", by the rerun of {code(trigger.covered_by.table)}" if trigger.covered_by else ""
    return f"{code(trigger.triggered_at)} by {keys}{above}, run {code(trigger.run)}"


def bodies_block(calls: Sequence[Planned], room: int) -> str:
    """Return the exact bodies, folded away: what apply sends, then what is held."""
    if not calls:
        return ""
    ready = [one for one in calls if one[1].held is None]
    held = [one for one in calls if one[1].held is not None]
    summary = f"<details>\n<summary>Exact request bodies ({len(calls):,})</summary>"
    blocks = [summary]
    room -= size(summary) + 400
    for title, some in (("Apply sends:", ready), ("Held, not sent yet:", held)):
        lines = fitting(_bodies(some), room)
        room -= sum(len(line.encode()) + 1 for line in lines)
        left = rest(len(some) - len(lines), "call", ALL)
        blocks += [title if some else "", fenced(lines, "json") if lines else "", left]
    return joined(*blocks, "</details>").rstrip("\n")


def _bodies(calls: Sequence[Planned]) -> Iterator[str]:
    for _, planned in calls:
        yield json_line(planned.call.body)
