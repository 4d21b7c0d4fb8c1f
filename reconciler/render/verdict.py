"""How a root stands, in a sentence or two: what is wrong first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.plan import Plan, instances_of
from reconciler.core.text import count
from reconciler.errors import Problem


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of a verdict; `tone` is what it is about: a status, `error`, `ok` or `plain`."""

    tone: str
    text: str


def verdict(plan: Plan, problems: Sequence[Problem], requests: int, base: str | None = None) -> tuple[Said, ...]:
    """Return what is wrong, then what will be called, then what is done. `requests` is how many are declared.

    With `base`, the plan is only what a branch adds to it.
    """
    said = (*_wrong(plan, problems), *_to_make(plan))
    return said or (_nothing(plan, requests, base),)


def verdict_text(said: Sequence[Said]) -> str:
    """Return a verdict as plain text."""
    return " ".join(piece.text for piece in said)


def _wrong(plan: Plan, problems: Sequence[Problem]) -> Iterator[Said]:
    errors = sum(1 for problem in problems if problem.severity == "error")
    if errors:
        yield Said("error", f"{count(errors, 'error')} to mend.")
    if plan.doubts:
        yield Said("inDoubt", f"{count(len(plan.doubts), 'call')} in doubt.")
    if plan.held:
        waiting = sum(1 for planned in plan.held if planned.held and planned.held.because == "approval")
        why = f", {waiting:,} for want of approval" if 0 < waiting < len(plan.held) else ""
        why = " for want of approval" if waiting == len(plan.held) else why
        yield Said("held", f"{count(len(plan.held), 'call')} held{why}.")


def _to_make(plan: Plan) -> Iterator[Said]:
    ready = plan.ready
    if not ready:
        return
    known = instances_of(ready)
    reruns = sum(1 for call in ready if call.rerun)
    yield Said("owed", f"{count(len(ready), 'call')} to make")
    parts = [f"for {count(plan.summary.tables, 'table')}"]
    parts += [f"{count(known, 'instance')}"] if known is not None else []
    parts += [f"{count(reruns, 'rerun')} among them"] if reruns else []
    yield Said("plain", f"{', '.join(parts)}.")


def _nothing(plan: Plan, requests: int, base: str | None) -> Said:
    if base:
        return Said("ok", "Nothing to do: this branch adds no calls.")
    if not requests:
        return Said("plain", "Nothing is declared yet.")
    if plan.summary.covered:
        return Said("ok", "Nothing to do: all that is asked for was triggered.")
    return Said("ok", "Nothing to do.")
