"""The calls that a run did not come to, as results: nothing owed is lost from its report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.call import Call
from reconciler.core.plan import Plan
from reconciler.core.report import Result, Skipped


def untried(calls: Iterable[Call], results: Sequence[Result], reason: str, at: str) -> Iterator[Result]:
    """Yield a result for each of `calls` that has none among `results`."""
    done = {result.call.id for result in results}
    for call in calls:
        if call.id not in done:
            yield Result(call, Skipped(reason), at)


def held_since(first: Plan, last: Plan, results: Sequence[Result], at: str) -> Iterator[Result]:
    """Yield a result for each call that the last plan of a run holds and the first one did not."""
    known = {planned.call.id for planned in first.held} | {result.call.id for result in results}
    for planned in last.held:
        if planned.held and planned.call.id not in known:
            yield Result(planned.call, Skipped(planned.held.message, planned.held.because), at)
