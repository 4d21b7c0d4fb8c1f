"""A table's timeline as columns of small numbers, for the page's script: what compresses well and is quick to read.

Texts are kept once a shard and named by their place. Numbers that grow are told as the step from the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from reconciler.core.call import Call, Range, Span, canonical
from reconciler.core.facts import Line, Upstream
from reconciler.core.ledger import Doubt
from reconciler.core.needs import Table
from reconciler.core.planner import PlannedCall
from reconciler.core.request import Request
from reconciler.core.schedule import Schedule
from reconciler.core.text import printable
from reconciler.core.timeline import URGENCY, Segment, Timeline
from reconciler.core.wallclock import parse
from reconciler.core.window import Window
from reconciler.render.plan_text import verdict_commands

Columns = dict[str, object]


@dataclass(slots=True)
class Words:
    """The texts of a shard, each once, and the lists of texts."""

    texts: list[str] = field(default_factory=list)
    lists: list[list[int]] = field(default_factory=lambda: [[]])
    _texts: dict[str, int] = field(default_factory=dict)
    _lists: dict[tuple[str, ...], int] = field(default_factory=lambda: {(): 0})

    def text(self, text: str) -> int:
        """Return the place of a text."""
        at = self._texts.get(text)
        if at is None:
            at = self._texts[text] = len(self.texts)
            self.texts.append(printable(text))
        return at

    def listed(self, texts: tuple[str, ...]) -> int:
        """Return the place of a list of texts; the empty one's is 0."""
        at = self._lists.get(texts)
        if at is None:
            at = self._lists[texts] = len(self.lists)
            self.lists.append([self.text(text) for text in texts])
        return at


def columns_of(table: Table, timeline: Timeline, words: Words, live: frozenset[str]) -> Columns:
    """Return what the page's script draws and tells of a table. `live` are the runs under way.

    Facts are told kind by kind, in the order in which a timeline has them: a position names the same one there.
    """
    facts = timeline.facts
    return {
        "segments": _segments(timeline.segments),
        "days": _days_of(table),
        "requests": _requests([fact for fact in facts if isinstance(fact, Request)], words),
        "lines": _lines([fact for fact in facts if isinstance(fact, Line)], words),
        "doubts": [_doubt(fact, live) for fact in facts if isinstance(fact, Doubt)],
        "calls": [_planned(fact) for fact in facts if isinstance(fact, PlannedCall)],
        "upstream": [_upstream(fact) for fact in facts if isinstance(fact, Upstream)],
    }


def _segments(segments: Sequence[Segment]) -> Columns:
    """`gap` is from the end of the one before, `rest` from the last instant to the end, `number` from the next due."""
    end = number = 0
    gaps: list[int] = []
    numbers: list[int] = []
    for segment in segments:
        gaps.append(segment.window[0] - end)
        end = segment.window[1]
        if segment.number is not None and segment.instances is not None:
            numbers.append(segment.number - number)
            number = segment.number + segment.instances
    return {
        "gap": gaps,
        "length": [segment.window[1] - segment.window[0] for segment in segments],
        "rest": [segment.window[1] - segment.last for segment in segments],
        "number": numbers,
        "instances": [segment.instances or 0 for segment in segments],
        "look": [_look(segment) for segment in segments],
        "many": [len(segment.facts) for segment in segments],
        "facts": _positions([segment.facts for segment in segments]),
    }


_COVERS = 20
"""Calls that are named of those that a call covers."""
_RANK = {status: at for at, status in enumerate(URGENCY)}


def _look(segment: Segment) -> int:
    return _RANK[segment.status] * 2 + segment.again


def _positions(facts: Iterable[tuple[int, ...]]) -> list[int]:
    """Tell each position as its step from the one that the segment before has in the same place."""
    before: tuple[int, ...] = ()
    steps: list[int] = []
    for here in facts:
        steps += [at - (before[place] if place < len(before) else 0) for place, at in enumerate(here)]
        before = here
    return steps


def _days_of(table: Table) -> list[int]:
    """Return a midnight, and from there days and the instances of each of them, in turn; nothing without a schedule."""
    schedule, known = table.rules.schedule, table.known
    return [known[0], *_days(schedule, known)] if schedule and known else []


@lru_cache(maxsize=256)
def _days(schedule: Schedule, known: Window) -> tuple[int, ...]:
    return tuple(number for run in schedule.days(known) for number in run)


def _requests(requests: Sequence[Request], words: Words) -> Columns:
    return {
        "key": [words.text(request.key) for request in requests],
        "reason": [words.text(_reason(request)) for request in requests],
        "token": [words.text(request.rerun.token if request.rerun else "") for request in requests],
        "owner": [words.text(request.owner or "") for request in requests],
    }


def _reason(request: Request) -> str:
    return (request.rerun.reason if request.rerun else request.reason) or ""


def _lines(lines: Sequence[Line], words: Words) -> Columns:
    triggers = [line.trigger for line in lines]
    return {
        "id": "\n".join(printable(trigger.id) for trigger in triggers),
        "trace": "\n".join(printable(trigger.trace_id or "") for trigger in triggers),
        **_spans([trigger.span for trigger in triggers]),
        "rerun": [words.listed(trigger.rerun) for trigger in triggers],
        "requests": [words.listed(trigger.requests) for trigger in triggers],
        "approvers": [words.listed(trigger.approved_by) for trigger in triggers],
        "at": _moments([trigger.triggered_at for trigger in triggers]),
        "run": [words.text(trigger.run) for trigger in triggers],
        "commit": [words.text(trigger.commit) for trigger in triggers],
        "covered": {
            str(at): [printable(trigger.covered_by.table), printable(trigger.covered_by.id)]
            for at, trigger in enumerate(triggers)
            if trigger.covered_by
        },
    }


def _spans(spans: Sequence[Span]) -> Columns:
    """`points` is how many schedule times a call has; 0 for a range, -1 for one whose end is exclusive."""
    points: list[int] = []
    times: list[int] = []
    before = 0
    for span in spans:
        if isinstance(span, Range):
            start, end = span.window
            points.append(0 if span.range_end == "inclusive" else -1)
            times += (start - before, end - start)
            before = start
        else:
            points.append(len(span.times))
            for time in span.times:
                times.append(time - before)
                before = time
            before = span.times[0]
    return {"points": points, "times": times}


def _moments(moments: Iterable[str]) -> list[int | str]:
    """Tell UTC times as steps in seconds; what is not written as we write them stays text."""
    before = 0
    found: list[int | str] = []
    for text in moments:
        second = _moment(text)
        if second is None:
            found.append(printable(text))
        else:
            found.append(second - before)
            before = second
    return found


def _moment(text: str) -> int | None:
    if len(text) != 20 or text[10] != "T" or text[19] != "Z":
        return None
    try:
        return parse(f"{text[:10]} {text[11:19]}")
    except ValueError:
        return None


def _call(call: Call) -> Columns:
    return {
        "id": call.id,
        "table": printable(call.table),
        "method": str(call.span.method),
        "body": printable(canonical(call.body)),
        "rerun": [printable(token) for token in call.rerun],
        "requests": [printable(key) for key in call.requests],
        "approvers": [printable(name) for name in call.approved_by],
        "covers": [[printable(cover.table), cover.id] for cover in call.covers[:_COVERS]],
        "more": max(0, len(call.covers) - _COVERS),
    }


def _planned(planned: PlannedCall) -> Columns:
    held = planned.held
    return {**_call(planned.call), "held": [held.because, printable(held.message)] if held else None}


def _upstream(fact: Upstream) -> Columns:
    return {**_planned(fact.made), "instead": [fact.instead.id, printable(canonical(fact.instead.body))]}


def _doubt(doubt: Doubt, live: frozenset[str]) -> Columns:
    intent = doubt.intent
    made = intent.part_of or intent
    return {
        **_call(intent.call),
        "run": printable(intent.run),
        "by": printable(intent.by),
        "since": printable(intent.since),
        "commit": printable(intent.commit),
        "part": [printable(made.call.table), made.call.id] if intent.part_of else None,
        "ways": [] if intent.run in live else verdict_commands(made.call.id),
    }
