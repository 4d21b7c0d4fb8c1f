"""What keeps an owed call from being made: approvals that are missing, limits, the future, the target's hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.core.call import Call
from reconciler.core.config import Hours, Target
from reconciler.core.fewest import Terms, takes_more
from reconciler.core.request import Request
from reconciler.core.wallclock import render, render_duration
from reconciler.core.window import Windows, union


@dataclass(frozen=True, slots=True)
class Approved:
    """A rerun may be made; `by` names who said so, nobody where the config asks for nobody."""

    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A rerun may not be made yet; `message` says what is missing and what to do."""

    message: str


Approval = Approved | Waiting


Because = Literal["approval", "limit", "future", "dependency", "window"]


@dataclass(frozen=True, slots=True)
class Held:
    """Why a call is owed but not made yet."""

    because: Because
    message: str


def hold_hours(target: Target, now: int) -> Held | None:
    """Say whether `target` takes no calls at `now`, the second that its wall clock shows.

    The message does not hold the time: a plan made twice in the same hours reads the same.
    """
    if target.window is None or now in target.window:
        return None
    return Held("window", f"{hours_of(target, target.window)}, and it is not that time there: apply again then")


def hours_of(target: Target, window: Hours) -> str:
    """Say when a target takes calls: `prod takes calls 22:00-06:00 (Asia/Shanghai)`."""
    return f"{target.name} takes calls {window} ({target.time_zone})"


@dataclass(frozen=True, slots=True)
class Owing:
    """A request that owes something now, and the instants that it owes, numbered as its table's are."""

    request: Request
    numbers: Windows


def hold_table(owing: Sequence[Owing], calls: Sequence[Call], now: int, terms: Terms) -> Held | None:
    """Say whether what one table owes exceeds a limit: it is then held whole, never cut.

    `owing` are the requests that still owe something, numbered by `terms`; `calls` is all that the table owes now;
    `now` is the second that the target's wall clock shows. A manifest's own limits apply to its requests; of several
    manifests that owe, the most generous decides how many calls and instances the table may owe.
    """
    if not owing:
        return None
    return _span(owing) or _calls(owing, calls, terms) or _instances(owing, calls) or _future(owing, now, terms)


def _span(owing: Sequence[Owing]) -> Held | None:
    for one in owing:
        request = one.request
        longest = max(end - 1 - start for start, end in request.windows)
        if longest > request.limits.span:
            return _over(
                f"{request.key} spans {render_duration(longest)}",
                "span",
                render_duration(request.limits.span),
                "correct the range",
                request,
            )
    return None


def _calls(owing: Sequence[Owing], calls: Sequence[Call], terms: Terms) -> Held | None:
    request = max((one.request for one in owing), key=lambda request: request.limits.calls)
    most = request.limits.calls
    if terms.chunk is not None and takes_more(union(w for one in owing for w in one.numbers), terms, most):
        what = f"owes more than {most:,} calls with a chunk of {render_duration(terms.chunk)}"
        return _over(what, "calls", f"{most:,}", "ask for less at once, or for longer chunks", request)
    if len(calls) > most:
        return _over(f"owes {len(calls):,} calls", "calls", f"{most:,}", "ask for less at once", request)
    return None


def _instances(owing: Sequence[Owing], calls: Sequence[Call]) -> Held | None:
    """Without a schedule only points can be counted: each is one instance."""
    request = max((one.request for one in owing), key=lambda request: request.limits.instances)
    known = sum(call.instances or 0 for call in calls)
    if known <= request.limits.instances:
        return None
    least = "" if all(call.instances is not None for call in calls) else "at least "
    limit = f"{request.limits.instances:,}"
    return _over(f"owes {least}{known:,} instances", "instances", limit, "ask for less at once", request)


def _over(what: str, name: str, limit: str, way_out: str, request: Request) -> Held:
    where = f"{request.place.file}:{request.limits_line}"
    return Held("limit", f"{what}, over limits.{name} of {limit}: {way_out}, or raise spec.limits.{name} in {where}")


def _future(owing: Sequence[Owing], now: int, terms: Terms) -> Held | None:
    for one in owing:
        limits = one.request.limits
        last = terms.at(one.numbers[-1][1] - 1)
        if limits.future or last <= now - limits.lag:
            continue
        behind = f", less limits.lag of {render_duration(limits.lag)}," if limits.lag and last <= now else ""
        return Held(
            "future",
            f"{one.request.key} asks for {render(last)}, which the target's clock{behind} has not reached: wait, end "
            f"the request earlier, or set spec.limits.{'lag' if behind else 'future: allow'} in "
            f"{one.request.place.file}:{one.request.limits_line}",
        )
    return None
