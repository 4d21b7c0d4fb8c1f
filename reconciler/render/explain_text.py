"""Why a table's instants are called, covered, held or in doubt, for people: a block for each piece of its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core.explanation import Explanation, Instant, Piece, Reason
from reconciler.core.facts import Line
from reconciler.core.ledger import Doubt
from reconciler.core.text import count, listing, printable
from reconciler.core.wallclock import render
from reconciler.render.explain_words import WORDS, rule
from reconciler.render.paint import Paint

_MOST = 50
_FEW = 3
_SIGNS = {"called": "+", "held": "!", "covered": "=", "inDoubt": "?", "coveredBy": "^"}


def explanation_text(explanation: Explanation, file: str, paint: Paint) -> str:
    """Return a heading, then the pieces, the first fifty of them; `file` is where the table's ledger is."""
    lines = [*_heading(explanation, file, paint), ""]
    for piece in explanation.pieces[:_MOST]:
        lines += [*_piece_lines(piece, explanation, paint), ""]
    left = len(explanation.pieces) - _MOST
    if left > 0:
        until = render(explanation.pieces[-1].last)
        lines += [f"And {count(left, 'more piece')}, up to {until}: --at TIME looks at one, --format json has all.", ""]
    if explanation.strays:
        lines += [
            "  Where the schedule has no instant:",
            *(f"      {_doubt(doubt)}" for doubt in explanation.strays),
            "",
        ]
    elif explanation.plan.idle and not explanation.pieces:
        lines += [
            f"{listing(explanation.plan.idle)}: asks for no time on the schedule, so nothing is called for it.",
            "",
        ]
    elif not explanation.pieces:
        lines += ["Nothing is asked for, planned or in doubt.", ""]
    return "\n".join(lines)


def _heading(explanation: Explanation, file: str, paint: Paint) -> Iterator[str]:
    table = explanation.table
    zone = f"  ({table.target.time_zone})" if table.requests else ""
    yield f"{paint.bold(printable(table.name))} on {printable(table.target.name)}{zone}"
    if table.rules.schedule:
        yield f"  schedule  {printable(table.rules.schedule.text)}"
    number = len(table.ledger.triggers) if table.ledger else 0
    has = f"{printable(file)}, {count(number, 'trigger')} from line 2 on" if number else "none: nothing was triggered"
    yield f"  ledger    {has}"
    if not table.requests:
        yield f"  {paint.yellow('no manifest asks for it')}"


def _piece_lines(piece: Piece, explanation: Explanation, paint: Paint) -> Iterator[str]:
    yield _title(piece, paint)
    if explanation.instant:
        for note in _notes(explanation.instant, explanation.table.target.time_zone):
            yield f"      {note}"
    for reason in piece.reasons:
        yield from _reason_lines(reason, paint)
    if not piece.reasons:
        yield "      no request asks for it"
    for line in piece.lines[:_FEW]:
        yield paint.dim(f"      {_line(line)}")
    if len(piece.lines) > _FEW:
        left = count(len(piece.lines) - _FEW, "more line")
        yield paint.dim(f"      and {left}: see reconciler history {printable(explanation.table.name)}")
    for doubt in piece.doubts:
        yield paint.dim(f"      {_doubt(doubt)}")


def _title(piece: Piece, paint: Paint) -> str:
    colours = {"called": paint.green, "held": paint.yellow, "inDoubt": paint.red, "coveredBy": paint.cyan}
    colour = colours.get(piece.verdict, paint.dim)
    span = render(piece.first) if piece.first == piece.last else f"{render(piece.first)} .. {render(piece.last)}"
    number = f"  {count(piece.instances, 'instance')}" if piece.instances else ""
    return f"  {colour(_SIGNS.get(piece.verdict, '-'))} {paint.bold(span)}{number}  {colour(WORDS[piece.verdict])}"


def _notes(instant: Instant, zone: str) -> Iterator[str]:
    """Yield what the schedule and the clock say of a time that was asked about."""
    if instant.doubled:
        yield f"the clock of {zone} is put back then: one schedule time for two moments, which count once"
    if instant.skipped:
        yield f"the clock of {zone} is put forward then, and never shows this time"
    if instant.on_schedule is False:
        near = [render(second) for second in (instant.before, instant.after) if second is not None]
        yield f"the nearest instants: {listing(near)}" if near else "no instant is near"


def _reason_lines(reason: Reason, paint: Paint) -> Iterator[str]:
    request = reason.request
    token = paint.cyan(f"  rerun {printable(request.rerun.token)}") if request.rerun else ""
    place = paint.dim(f"  (line {request.place.line})")
    yield f"      {printable(request.key)}{token}{place}"
    yield f"        {printable(rule(reason))}"


def _line(line: Line) -> str:
    trigger = line.trigger
    what = f"line {line.number}: call {trigger.id} of run {trigger.run}, triggered {trigger.triggered_at}"
    what += f", rerun {listing(trigger.rerun)}" if trigger.rerun else ""
    what += f", approved by {listing(trigger.approved_by)}" if trigger.approved_by else ""
    what += f", by hand, imported from {trigger.imported}" if trigger.imported else ""
    return printable(what + _above(trigger.fields().get("coveredBy")))


def _above(by: object) -> str:
    return f", by call {by.get('id')} for {by.get('tableName')} upstream" if isinstance(by, Mapping) else ""


def _doubt(doubt: Doubt) -> str:
    intent = doubt.intent
    return printable(
        f"in doubt: call {intent.call.id} of run {intent.run} by {intent.by}; "
        f"reconciler resolve {intent.call.id} settles it"
    )
