"""Explains a plan: which request, which ledger line and which rule make it what it is, instant by instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.core.explanation import (
    Agreed,
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
    Verdict,
)
from reconciler.core.facts import Fact, Line, Upstream, facts_of
from reconciler.core.fewest import Terms
from reconciler.core.ledger import Doubt
from reconciler.core.needs import Table
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Request, Rerun
from reconciler.core.window import Window, Windows, near, partition


def explain(
    table: Table,
    plan: TablePlan,
    approvals: Mapping[str, Approval],
    carried: Sequence[PlannedCall],
    at: int | None = None,
) -> Explanation:
    """Return the longest pieces over which everything is the same; with `at`, a second, the one piece of it.

    `plan` was made of `table` and `approvals`; `carried` are planned calls whose `covers` name the table. A piece is
    where something is asked for, planned or in doubt, or that was asked about; of a table for which no manifest asks,
    also where something was triggered.
    """
    facts = tuple(facts_of(table, plan, carried))
    if at is None:
        return Explanation(table, plan, None, tuple(_pieces(table, facts, approvals)))
    instant = _instant(at, table)
    here = tuple(fact for fact, windows in facts if near(windows, at, at + 1))
    instances = None if instant.on_schedule is None else int(instant.on_schedule)
    piece = _piece((at, at), instances, here, approvals, on_schedule=instant.on_schedule is not False)
    return Explanation(table, plan, instant, (piece,))


def _pieces(table: Table, facts: Sequence[tuple[Fact, Windows]], approvals: Mapping[str, Approval]) -> Iterator[Piece]:
    terms = table.terms
    layers = [(terms.numbered(windows), number) for number, (_, windows) in enumerate(facts)]
    for window, numbers in partition(layers):
        here = tuple(facts[number][0] for number in sorted(numbers))
        if not table.requests or any(not isinstance(fact, Line) for fact in here):
            yield _piece(_ends(window, terms), _count(window, terms), here, approvals)


def _ends(window: Window, terms: Terms) -> tuple[int, int]:
    return terms.at(window[0]), terms.at(window[1] - 1)


def _count(window: Window, terms: Terms) -> int | None:
    return window[1] - window[0] if terms.schedule else None


def _piece(
    ends: tuple[int, int],
    instances: int | None,
    here: Sequence[Fact],
    approvals: Mapping[str, Approval],
    *,
    on_schedule: bool = True,
) -> Piece:
    requests = [fact for fact in here if isinstance(fact, Request)]
    # Right as it stands where the schedule has no instant; elsewhere what the requests are judged by.
    piece = Piece(
        *ends,
        instances,
        "notScheduled",
        tuple(map(NoInstant, requests)),
        lines=tuple(fact for fact in here if isinstance(fact, Line)),
        doubts=tuple(fact for fact in here if isinstance(fact, Doubt)),
        calls=tuple(fact for fact in here if isinstance(fact, PlannedCall)),
        upstream=tuple(fact for fact in here if isinstance(fact, Upstream)),
    )
    if not on_schedule:
        return piece
    return _judged(replace(piece, reasons=tuple(_reason(request, piece, approvals) for request in requests)))


def _judged(piece: Piece) -> Piece:
    """Return the piece with what the next apply does to it, or why it does nothing."""
    verdict: Verdict = "covered" if piece.reasons else "notAsked"
    if any(planned.held is None for planned in piece.calls):
        verdict = "called"
    elif piece.upstream:
        verdict = "coveredBy"
    elif piece.doubts:
        verdict = "inDoubt"
    elif piece.calls:
        verdict = "held"
    return replace(piece, verdict=verdict)


def _reason(request: Request, piece: Piece, approvals: Mapping[str, Approval]) -> Reason:
    """Say what became of a request: the same rules that `Needs` has for windows, for one piece of them."""
    token = request.rerun.token if request.rerun else None
    for line in piece.lines:
        if token is None or token in line.trigger.rerun:
            return Done(request, line)
    for doubt in piece.doubts:
        if token is None or token in doubt.intent.call.rerun:
            return Unclear(request, doubt)
    if request.rerun is None:
        return _owed(request, None, piece)
    agreed = _agreed(request.rerun, piece, approvals)
    if agreed is not None:
        return _owed(request, agreed, piece)
    answer = approvals.get(request.key)
    message = answer.message if isinstance(answer, Waiting) else ""
    calls = (planned for planned in piece.calls if _unapproved(planned) and token in planned.call.rerun)
    return Unapproved(request, message, tuple(calls))


def _agreed(rerun: Rerun, piece: Piece, approvals: Mapping[str, Approval]) -> Agreed | None:
    """Return whose approval counts: that of any request over the piece that asks for the same token."""
    for request in (reason.request for reason in piece.reasons):
        if request.rerun and request.rerun.token == rerun.token:
            answer = approvals.get(request.key)
            if isinstance(answer, Approved):
                return Agreed(request.key, answer.by)
    return None


def _owed(request: Request, agreed: Agreed | None, piece: Piece) -> Owed | ByUpstream:
    token = request.rerun.token if request.rerun else None
    owed = (planned for planned in piece.calls if not _unapproved(planned))
    calls = tuple(planned for planned in owed if token is None or token in planned.call.rerun)
    return ByUpstream(request, agreed, piece.upstream) if piece.upstream and not calls else Owed(request, agreed, calls)


def _unapproved(planned: PlannedCall) -> bool:
    return planned.held is not None and planned.held.because == "approval"


def _instant(second: int, table: Table) -> Instant:
    schedule = table.rules.schedule
    if schedule is None or table.known is None or not near((table.known,), second, second + 1):
        return Instant(second, None)
    point = (second, second + 1)
    if schedule.holds(second):
        return Instant(second, on_schedule=True, doubled=bool(schedule.doubles(point)))
    return Instant(second, False, *schedule.around(second), skipped=bool(schedule.skips(point)))
