"""The rules by which a request is done, owed, held or in doubt, in plain words: one sentence a reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from reconciler.core.call import describe
from reconciler.core.explanation import (
    Agreed,
    ByUpstream,
    Done,
    NoInstant,
    Owed,
    Reason,
    Unapproved,
    Unclear,
    Verdict,
)
from reconciler.core.facts import Upstream
from reconciler.core.ledger import Doubt
from reconciler.core.planner import PlannedCall
from reconciler.core.request import Request
from reconciler.core.text import listing

WORDS: dict[Verdict, str] = {
    "called": "called",
    "held": "held",
    "covered": "covered",
    "inDoubt": "in doubt",
    "coveredBy": "covered by a call upstream",
    "notAsked": "not asked for",
    "notScheduled": "not on the schedule",
}


def rule(reason: Reason) -> str:
    """Return the rule that decides about a request, and what it decides by."""
    match reason:
        case Done(request, line):
            return _done(request, line.number)
        case Unclear(request, doubt):
            return _unclear(request, doubt)
        case Owed(request, agreed, calls):
            return f"{_wanted(request, agreed)}: {_calls(calls)}"
        case ByUpstream(request, agreed, calls):
            return f"{_wanted(request, agreed)}: {_upstream(calls)}"
        case Unapproved(request, message, calls):
            ids = listing([planned.call.id for planned in calls])
            held = f"; call {ids} is held (approval)" if ids else ""
            return f"{_no_line(request)}, and it is not approved yet{held}: {message}"
        case NoInstant():
            return "the schedule has no instant there: nothing is called for it"
        case other:
            assert_never(other)


def _done(request: Request, number: int) -> str:
    if request.rerun:
        return f"line {number} bears the token {request.rerun.token}: each token runs once"
    return f"line {number} covers it: a request that is no rerun needs nothing more once any trigger covers it"


def _unclear(request: Request, doubt: Doubt) -> str:
    bears = f", which bears the token {request.rerun.token}," if request.rerun else ""
    call = f"call {doubt.intent.call.id}{bears} is in doubt since {doubt.intent.since}"
    return f"{call}: what is in doubt is never sent again by itself"


def _wanted(request: Request, agreed: Agreed | None) -> str:
    if agreed is None:
        return "no line covers it, and nothing is in doubt there"
    if not agreed.by:
        return f"{_no_line(request)}, and the config asks for no approval"
    where = f" for {agreed.request}" if agreed.request != request.key else ""
    return f"{_no_line(request)}, and {listing(agreed.by)} approved it{where}"


def _no_line(request: Request) -> str:
    return f"token {request.rerun.token if request.rerun else ''} has no line here"


def _calls(calls: Iterable[PlannedCall]) -> str:
    return "; ".join(map(_call, calls)) or "no call is planned for it"


def _call(planned: PlannedCall) -> str:
    call = f"call {planned.call.id} ({describe(planned.call.span)})"
    held = planned.held
    return f"{call} is held ({held.because}): {held.message}" if held else f"{call} is to be made"


def _upstream(calls: Iterable[Upstream]) -> str:
    found = []
    for each in calls:
        held = f" which is held ({each.made.held.because})," if each.made.held else ""
        found.append(f"call {each.made.call.id} for {each.made.call.table}, a table upstream,{held} runs it anyway")
    return f"{listing(found)}, so no call is made"
