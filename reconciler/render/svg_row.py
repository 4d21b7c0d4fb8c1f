"""A row of the picture of timelines: a table's name and counts, its bars, its days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self
from xml.etree.ElementTree import Element

from reconciler.core.axis import Tick
from reconciler.core.facts import Line, Upstream
from reconciler.core.ledger import Doubt
from reconciler.core.planner import PlannedCall
from reconciler.core.request import Request
from reconciler.core.timeline import Standing, Status, Timeline
from reconciler.core.wallclock import render
from reconciler.core.window import Window
from reconciler.render.bars import Bar, bars
from reconciler.render.days import DAY, Day, days_of
from reconciler.render.svg import add, cut, width
from reconciler.render.words import calls_by_status, calls_text, segments_text

WIDTH, LEFT, RIGHT = 960, 24, 936
STEP = 2
"""Pixels of a cell: no bar is narrower."""
CELLS = (RIGHT - LEFT) // STEP
HIGH = 16
GROWN = 1.3
"""How much larger text gets where the picture is shown on a phone."""
SIGNS: Mapping[str, str] = {"inDoubt": "?", "held": "!"}
ROOM = 14
_DAY_PIXELS = 4
_DIGITS_PIXELS = 40
_MORE = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """Where seconds are: a window over the whole width, and the marks on it."""

    window: Window
    ticks: tuple[Tick, ...]

    def x(self, second: int) -> float:
        first, end = self.window
        return round(LEFT + (second - first) * (RIGHT - LEFT) / (end - first), 1)

    def holds(self, second: int) -> bool:
        return self.window[0] <= second <= self.window[1]


@dataclass(frozen=True, slots=True)
class Row:
    """A table as it is drawn. `target` is empty where there is but one."""

    standing: Standing
    timeline: Timeline
    counts: Mapping[Status, int]
    name: str
    target: str

    @classmethod
    def of(cls, standing: Standing, several: bool) -> Self:
        plan = standing.plan
        return cls(standing, standing.timeline, calls_by_status(standing), plan.table, several * plan.target.name)

    @property
    def now(self) -> int:
        return self.standing.table.now

    def has(self, status: Status) -> bool:
        return status in self.timeline.statuses

    def days(self, scale: Scale) -> tuple[Day, ...]:
        """Return the days to draw; none where they would be too narrow, or no schedule is known."""
        first, end = scale.window
        if (end - first) * _DAY_PIXELS > DAY * (RIGHT - LEFT):
            return ()
        return tuple(days_of(self.standing.table, self.timeline.segments, scale.window))


def add_row(svg: Element, row: Row, scale: Scale, top: float) -> float:
    """Add a row below `top`; return its bottom."""
    group = add(svg, "g")
    _add_words(group, row, top + 20)
    y = top + 29
    days = row.days(scale)
    high = HIGH + (17 if days else 0)
    add(group, "rect", class_="track", x=LEFT, y=y, width=RIGHT - LEFT, height=HIGH, rx=2)
    marks = "".join(f"M{scale.x(tick.second):g} {y - 4:g}v{high + 8}" for tick in scale.ticks)
    add(group, "path", class_="grid", d=marks)
    _add_bars(group, row, scale, y)
    if scale.holds(row.now):
        add(group, "path", class_="now", d=f"M{scale.x(row.now):g} {y - 3:g}v{HIGH + 6}")
    _add_days(group, days, scale, y + HIGH + 3)
    return y + high + ROOM


def _add_words(group: Element, row: Row, y: float) -> None:
    """Write name and target at the left and the counts at the right: they fit as well where text has grown."""
    said = calls_text(row.counts) or "no calls"
    said = said if row.standing.table.requests else f"{said} · no manifest asks for it"
    target = f"on {cut(row.target, 13 * GROWN, 160)}" if row.target else ""
    taken = width(said, 13 * GROWN) + (width(target, 13 * GROWN) + 8 if target else 0) + 24
    name = add(group, "text", cut(row.name, 16 * GROWN, RIGHT - LEFT - taken), class_="name", x=LEFT, y=y)
    if target:
        add(name, "tspan", target, class_="dim", dx=8)
    add(group, "text", said, class_="dim", x=RIGHT, y=y, text_anchor="end")
    add(name, "title", f"{row.name} on {row.target}" if row.target else row.name)


def _add_bars(group: Element, row: Row, scale: Scale, y: float) -> None:
    below = []
    for bar in bars(row.timeline.segments, scale.window, CELLS):
        x, wide = LEFT + bar.first * STEP, (bar.end - bar.first) * STEP
        drawn = add_bar(group, bar.status, x, y, wide)
        add(drawn, "title", segments_text(bar.segments, tuple(_requests(bar, row.timeline))))
        if bar.again:
            below.append(f"M{x} {y + HIGH - 4:g}h{wide}v4h-{wide}z")
        if bar.status in SIGNS and wide >= 14:
            add(group, "text", SIGNS[bar.status], class_="sign", x=x + wide / 2, y=y + 12.5, text_anchor="middle")
    if below:
        add(group, "path", class_="triggered", d="".join(below))


def add_bar(parent: Element, status: str, x: float, y: float, wide: float) -> Element:
    """Add a bar in the look of its status. Outlines lie inside, so that a narrow one is one colour."""
    if status in {"triggered", "rerun"}:
        fill = {"class_": "triggered"} if status == "triggered" else {"fill": "url(#rerun)"}
        return add(parent, "rect", x=x, y=y, width=wide, height=HIGH, **fill)
    return add(
        parent,
        "rect",
        class_=f"{status}-line",
        fill=f"url(#{status})",
        x=x + 0.5,
        y=y + 0.5,
        width=wide - 1,
        height=HIGH - 1,
    )


def _requests(bar: Bar, timeline: Timeline) -> Iterator[str]:
    """Yield the requests behind a bar, one more than are shown at most, in their order."""
    facts = chain.from_iterable(segment.facts for segment in bar.segments)
    found: dict[str, None] = {}
    for at in facts:
        fact = timeline.facts[at]
        match fact:
            case Request():
                found[fact.key] = None
            case Line():
                found |= dict.fromkeys(fact.trigger.requests)
            case Doubt():
                found |= dict.fromkeys(fact.intent.call.requests)
            case PlannedCall():
                found |= dict.fromkeys(fact.call.requests)
            case Upstream():
                found |= dict.fromkeys(fact.instead.requests)
        if len(found) >= _MORE:
            break
    yield from list(found)[:_MORE]


def _add_days(group: Element, days: Sequence[Day], scale: Scale, y: float) -> None:
    """Add a cell a day, shaded by the share of its instances that were triggered; numbers where there is room."""
    for day in days:
        x, end = max(scale.x(day.start), LEFT), min(scale.x(day.start + DAY), RIGHT)
        told = f"{day.triggered}/{day.instances}"
        cell = add(group, "rect", class_="track", x=x, y=y, width=round(max(end - x - 1, 1), 1), height=13)
        add(cell, "title", f"{render(day.start)[:10]}: {day.triggered:,} of {day.instances:,} instances triggered")
        share = day.triggered / day.instances if day.instances else 0
        if share:
            cell.attrib |= {"class": "triggered", "opacity": f"{round(0.25 + 0.75 * share, 2):g}"}
        if end - x >= max(_DIGITS_PIXELS, width(told, 10) + 6):
            look = "cell full" if share > 0.6 else "cell"
            add(group, "text", told, class_=look, x=round((x + end) / 2, 1), y=y + 10, text_anchor="middle")
