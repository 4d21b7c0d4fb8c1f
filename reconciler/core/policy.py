"""What keeps an owed call from being made: approvals that are missing, limits, the future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.core.call import Call, Times
from reconciler.core.request import Request
from reconciler.core.wallclock import render, render_duration
from reconciler.core.window import Windows, intersect


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


def hold_table(owing: Sequence[tuple[Request, Windows]], calls: Sequence[Call], now: int) -> Held | None:
    """Say whether what one table owes exceeds a limit: it is then held whole, never cut.

    `owing` are the requests that still owe something, with the windows they owe; `calls` is all that the table owes
    now; `now` is the second that the target's wall clock shows. A manifest's own limits apply to its requests; of
    several manifests that owe, the most generous decides how many calls and instances the table may owe.
    """
    if not owing:
        return None
    return _span(owing) or _calls(owing, calls) or _instances(owing, calls) or _future(owing, now)


def _span(owing: Sequence[tuple[Request, Windows]]) -> Held | None:
    for request, _ in owing:
        longest = max(end - 1 - start for start, end in request.windows)
        if longest > request.limits.span:
            return Held(
                "limit",
                f"{request.key} spans {render_duration(longest)}, over limits.span of "
                f"{render_duration(request.limits.span)}: correct the range, or raise spec.limits.span in "
                f"{request.place.file}",
            )
    return None


def _calls(owing: Sequence[tuple[Request, Windows]], calls: Sequence[Call]) -> Held | None:
    request = max((request for request, _ in owing), key=lambda request: request.limits.calls)
    if len(calls) <= request.limits.calls:
        return None
    return Held(
        "limit",
        f"owes {len(calls)} calls, over limits.calls of {request.limits.calls}: ask for less at once, or raise "
        f"spec.limits.calls in {request.place.file}",
    )


def _instances(owing: Sequence[tuple[Request, Windows]], calls: Sequence[Call]) -> Held | None:
    """Without a schedule only points can be counted: each is one instance."""
    request = max((request for request, _ in owing), key=lambda request: request.limits.instances)
    known = sum(len(call.span.times) for call in calls if isinstance(call.span, Times))
    if known <= request.limits.instances:
        return None
    return Held(
        "limit",
        f"owes at least {known} instances, over limits.instances of {request.limits.instances}: ask for less at once, "
        f"or raise spec.limits.instances in {request.place.file}",
    )


def _future(owing: Sequence[tuple[Request, Windows]], now: int) -> Held | None:
    for request, windows in owing:
        ahead = () if request.limits.future else intersect(windows, ((now + 1, windows[-1][1]),))
        if ahead:
            return Held(
                "future",
                f"{request.key} asks for {render(ahead[-1][1] - 1)}, which the target's clock has not "
                f"reached: wait, end the request earlier, or set spec.limits.future: allow in {request.place.file}",
            )
    return None
