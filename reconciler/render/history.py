"""The triggers of a table for people: all of them, or what holds at one instant and who asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.authorship import Named, Written
from reconciler.core.call import describe
from reconciler.core.explanation import Verdict
from reconciler.core.ledger import Trigger
from reconciler.core.succession import Stretch, Superseded
from reconciler.core.text import count, printable
from reconciler.core.wallclock import render
from reconciler.render.explain_words import WORDS
from reconciler.render.paint import Paint

_ALL_POINTS = 1_000_000
_FEW = 3
_MORE_COMMITS = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """A trigger, what superseded it, and who wrote its requests, where that was asked."""

    trigger: Trigger
    superseded: Superseded
    written: Sequence[Written] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that was asked about. `stretch` is the piece of time around it over which the same triggers lie.

    Where there is none, `verdict` says what becomes of it: None where the manifests or the state cannot tell.
    `on_schedule` is None where no schedule is known; where it is False, `nearest` are instants.
    """

    second: int
    stretch: Stretch | None
    verdict: Verdict | None = None
    schedule: str | None = None
    on_schedule: bool | None = None
    nearest: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """The triggers of a table on one target, oldest first; with a moment those that lie over it."""

    target: str
    table: str
    entries: Sequence[Entry]
    moment: Moment | None = None


def history_text(told: Sequence[Told], paint: Paint) -> str:
    """Return the triggers, a paragraph each: of all time oldest first, of a moment newest first."""
    lines: list[str] = []
    for each in told:
        at = f" of {render(each.moment.second)}" if each.moment else ""
        where = f"{paint.bold(printable(each.table))} on {printable(each.target)}"
        lines.append(f"{where}: {count(len(each.entries), 'trigger')}{at}")
        lines += _moment_lines(each, each.moment, paint) if each.moment else _all_lines(each, paint)
        lines.append("")
    return "\n".join(lines)


def _all_lines(told: Told, paint: Paint) -> Iterator[str]:
    for entry in told.entries:
        yield from _trigger_lines(entry, paint)
        if entry.superseded.by:
            yield paint.dim(f"    {_superseded(entry.superseded)}")


def _moment_lines(told: Told, moment: Moment, paint: Paint) -> Iterator[str]:
    yield from (f"  {line}" for line in _schedule_lines(moment))
    if moment.stretch is None:
        yield f"  {_verdict(moment.verdict)}"
        name, time = printable(told.table), render(moment.second)
        yield paint.dim(f"  reconciler plan --explain {name} --at '{time}' says why")
        return
    yield f"  {_stretch(moment.stretch)}"
    for entry in reversed(told.entries):
        yield ""
        yield f"  {paint.bold('holds now')}" if not entry.superseded.by else f"  {_superseded(entry.superseded)}"
        yield from _trigger_lines(entry, paint)


def _schedule_lines(moment: Moment) -> Iterator[str]:
    if moment.on_schedule is False:
        near = " and ".join(render(second) for second in moment.nearest)
        yield f"not on the schedule {printable(moment.schedule or '')}, the nearest instants: {near or 'none'}"
    elif moment.on_schedule:
        yield f"an instant of the schedule {printable(moment.schedule or '')}"


def _stretch(stretch: Stretch) -> str:
    number = f", {count(stretch.instances, 'instance')}" if stretch.instances else ""
    return f"the same triggers from {render(stretch.first)} to {render(stretch.last)}{number}"


def _verdict(verdict: Verdict | None) -> str:
    if verdict is None:
        return "nothing triggered it; what is owed is not known: see reconciler validate and reconciler status"
    words = {"called": "owed, the next apply calls it", "covered": "triggered, and not recorded yet"}
    return f"nothing in the ledger; it is {words.get(verdict, WORDS[verdict])}"


def _superseded(superseded: Superseded) -> str:
    shown = [f"call {one.id} at {one.triggered_at}" for one in superseded.by[:_FEW]]
    more = len(superseded.by) - _FEW
    part = "" if superseded.whole else "in part "
    return f"superseded {part}by {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def _trigger_lines(entry: Entry, paint: Paint) -> Iterator[str]:
    trigger = entry.trigger
    what = paint.cyan(f"rerun {', '.join(map(printable, trigger.rerun))}") if trigger.rerun else paint.green("new")
    why = f"for {printable(', '.join(trigger.requests))}"
    if trigger.imported:
        what, why = paint.green("by hand"), f"imported from {printable(trigger.imported)}"
    yield f"  {trigger.triggered_at}  {describe(trigger.span, _ALL_POINTS)}  {what}"
    yield f"    {why}, manifests at {trigger.commit[:12]}"
    for written in entry.written:
        yield from (f"      {line}" for line in _written_lines(written, paint))
    if trigger.approved_by:
        yield f"    approved by {printable(', '.join(trigger.approved_by))}"
    name = f"call {trigger.id}"
    if trigger.covered_by:
        name = f"by the rerun of {printable(trigger.covered_by.table)} (call {trigger.covered_by.id})"
    yield paint.dim(f"    {name}, run {trigger.run}, traceId {printable(trigger.trace_id or 'not known')}")


def _written_lines(written: Written, paint: Paint) -> Iterator[str]:
    where = f"{printable(written.request)}"
    if written.first:
        where += (
            f", lines {written.first} to {written.last}" if written.last > written.first else f", line {written.first}"
        )
    if written.unknown:
        yield f"{where}: who wrote it is not known: {printable(written.unknown)}"
        return
    yield f"{where}, last changed by"
    for commit in written.commits[:_MORE_COMMITS]:
        words = f"{commit.id[:12]}  {commit.date[:10]}  {printable(commit.author)}  {printable(commit.subject)}"
        yield paint.dim(f"  {words}")
    more = len(written.commits) - _MORE_COMMITS
    if more > 0:
        yield paint.dim(f"  and {count(more, 'older commit')}")
    yield from map(_pull, written.pulls)


def _pull(named: Named) -> str:
    if named.source == "manifests":
        return f"no pull request is named by that; the manifests were applied at that of {printable(named.name)}"
    by = "the merge" if named.source == "merge" else "commit"
    return f"pull request {printable(named.name)}, as {by} {named.commit[:12]} says"
