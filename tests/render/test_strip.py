"""A strip shows in each cell the most urgent of what is there, as an oracle says that looks at each instant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Range, Times
from reconciler.core.layers import layers_of
from reconciler.core.needs import Table
from reconciler.core.planner import plan_table
from reconciler.core.request import Rules
from reconciler.core.schedule import Daily, Every, Schedule
from reconciler.core.timeline import URGENCY, Standing, Status
from reconciler.core.wallclock import LAST, parse, render
from reconciler.core.window import Windows
from reconciler.render.paint import Paint
from reconciler.render.scale import Span, legend, scale, span_of
from reconciler.render.strip import ASCII, WORDS, Axis, Strips, painted
from tests.core.worlds import HORIZON, World, intent, ledger, request, target, trigger, worlds

DAY = 86_400
MARKS = {"inDoubt": "?", "held": "!", "owed": "░", "rerun": "▓"}
axes = st.tuples(st.integers(-5, HORIZON), st.integers(1, 50), st.integers(1, 60)).map(
    lambda drawn: Axis(drawn[0], drawn[0] + max(drawn[1:]), drawn[2])
)


def _statuses(standing: Standing) -> dict[int, Status]:
    """Return what each second is that has an instant, or without a schedule each second."""
    found = {}
    scheduled = standing.table.rules.schedule is not None and bool(standing.table.requests)
    for segment in standing.timeline.segments:
        for second in range(max(segment.first, -100), min(segment.last, 200) + 1):
            schedule = standing.table.rules.schedule
            if scheduled and segment.number is not None and schedule and not schedule.holds(second):
                continue
            if (segment.number is not None) == scheduled:
                found[second] = segment.status
    return found


def _mark(statuses: Iterable[Status], done: int, whole: int) -> str:
    here = set(statuses)
    first = next((status for status in URGENCY if status in here), None)
    if first == "triggered":
        return "▄" if 2 * done < whole else "█"
    return MARKS[first] if first else "·"


@settings(max_examples=500)
@given(worlds(), axes)
def test_without_a_schedule_each_cell_shows_what_its_seconds_are(world: World, axis: Axis) -> None:
    if world.table.rules.schedule is not None:
        return
    standing = Standing(world.table, plan_table(world.table, world.approvals))
    known = _statuses(standing)
    strip = Strips(axis).of(layers_of(standing))
    assert len(strip) == axis.columns
    for cell, mark in enumerate(strip):
        seconds = range(axis.bounds[cell], axis.bounds[cell + 1])
        here = [known[second] for second in seconds if second in known]
        assert mark == _mark(here, here.count("triggered"), len(seconds))


@settings(max_examples=500)
@given(worlds(), axes)
def test_with_a_schedule_each_cell_shows_the_instants_that_begin_in_it(world: World, axis: Axis) -> None:
    schedule = world.table.rules.schedule
    if schedule is None or not world.table.requests:
        return
    standing = Standing(world.table, plan_table(world.table, world.approvals))
    known = _statuses(standing)
    off = {s for each in standing.timeline.segments if each.number is None for s in range(each.first, each.last + 1)}
    strip = Strips(axis).of(layers_of(standing))
    for cell, mark in enumerate(strip):
        seconds = range(axis.bounds[cell], axis.bounds[cell + 1])
        instants = [second for second in seconds if second >= 0 and schedule.holds(second)]
        if instants and not off.intersection(seconds):
            here = [known[second] for second in instants if second in known]
            assert mark == _mark(here, here.count("triggered"), len(instants))


def _standing(schedule: Schedule | None, asked: Windows, sent: Windows, *, now: int = 0) -> Standing:
    lines = ledger(*(trigger(Range(window, "inclusive")) for window in sent)) if sent else None
    requests = (request("m.yaml#1", asked),) if asked else ()
    table = Table(target(), "a.b", requests, lines, (), now=now, rules=Rules(schedule))
    return Standing(table, plan_table(table, {}))


MONDAY = parse("2026-01-19 00:00:00")


def test_an_axis_in_which_no_instant_begins_is_empty() -> None:
    standing = _standing(Schedule("every two", Every(2)), ((0, 4),), ((0, 4),))
    assert Strips(Axis(1, 2, 1)).of(layers_of(standing)) == "·"


def test_an_instant_fills_the_cells_until_the_next_one_but_not_the_weekend() -> None:
    days = tuple(day for day in range(MONDAY // DAY - 20, MONDAY // DAY + 300) if (day + 3) % 7 < 5)
    weekdays = Schedule("weekdays at six", Daily((6 * 3600,), days))
    week = (MONDAY, MONDAY + 5 * DAY)
    strip = Strips(Axis(MONDAY, MONDAY + 9 * DAY, 36)).of(layers_of(_standing(weekdays, (week,), (week,))))
    assert strip == "·" + "█" * 20 + "·" * 15


def test_cells_that_are_triggered_by_less_than_half_say_so() -> None:
    hourly = Schedule("hourly", Every(3600))
    for hours, mark in ((24, "█"), (12, "█"), (11, "▄"), (1, "▄"), (0, "░")):
        asked = (MONDAY, MONDAY + max(hours, 1) * 3600)
        found = _standing(hourly, (asked,), ((MONDAY, MONDAY + hours * 3600),) if hours else (), now=asked[1])
        assert Strips(Axis(MONDAY, MONDAY + DAY, 1)).of(layers_of(found)) == mark


def test_ten_years_and_a_single_second_have_an_axis_of_full_days_or_hours() -> None:
    decade = (parse("2016-01-20 05:00:00"), parse("2026-01-20 05:00:00"))
    span = span_of([_standing(None, (decade,), ())])
    assert span
    assert tuple(map(render, span.window)) == ("2016-01-20 00:00:00", "2026-01-21 00:00:00")
    point = span_of([_standing(None, ((MONDAY + 5, MONDAY + 6),), ())])
    assert point
    assert point.window == (MONDAY, MONDAY + 3600)
    last = span_of([_standing(None, ((LAST, LAST + 1),), ())])
    assert last
    assert scale(last, last.axis(40), -1).startswith("9999-12-31 23:00")
    assert span_of([]) is None
    assert span_of([_standing(None, (), ())]) is None


def test_one_old_trigger_does_not_press_what_is_asked_into_a_corner() -> None:
    asked = (MONDAY, MONDAY + 30 * DAY)
    near, far = (MONDAY - 20 * DAY, MONDAY - 19 * DAY), (MONDAY - 2000 * DAY, MONDAY - 1999 * DAY)
    with_near = span_of([_standing(None, (asked,), (near, asked))])
    with_far = span_of([_standing(None, (asked,), (far, asked)), _standing(None, (asked,), (asked,))])
    assert with_near == Span((near[0], asked[1]))
    assert with_far == Span(asked, earlier=1)


def test_what_is_in_doubt_alone_is_shown() -> None:
    table = Table(target(), "a.b", (), None, (intent(Times((MONDAY, MONDAY + 3600))),), 0)
    standing = Standing(table, plan_table(table, {}))
    span = span_of([standing])
    assert span
    assert Strips(span.axis(4)).of(layers_of(standing)) == "?·?·"


@given(
    st.integers(parse("1900-01-01 00:00:00"), parse("2100-01-01 00:00:00")),
    st.one_of(st.integers(1, 3 * DAY), st.integers(1, 4000 * DAY)),
    st.integers(20, 250),
    st.integers(-1, 19),
)
def test_the_scale_fits_and_nothing_collides(start: int, length: int, columns: int, now: int) -> None:
    span = span_of([_standing(None, ((start, start + length),), ())])
    assert span
    line = scale(span, span.axis(columns), now)
    assert len(line) <= columns
    assert line.startswith(render(span.window[0])[:10])
    assert "||" not in line
    assert line.count("▼") <= 1


def test_a_legend_names_what_occurs_and_nothing_else() -> None:
    assert legend(["█·", "▼"], "(UTC)", 80) == ["█ triggered  · not asked  ▼ now  (UTC)"]
    assert legend(["█·", "▼"], "(UTC)", 24) == ["█ triggered  · not asked", "▼ now  (UTC)"]


def test_each_mark_has_another_one_in_ascii_but_for_the_half() -> None:
    plain = "".join(WORDS).translate(ASCII)
    assert plain.isascii()
    assert len(set(plain)) == len(plain)


@given(st.text(alphabet="█▄▓░!?·", min_size=1))
def test_colours_change_no_character(strip: str) -> None:
    for blocks in (True, False):
        shown = re.sub(r"\x1b\[\d+m", "", painted(strip, Paint(enabled=True), blocks=blocks))
        assert shown == painted(strip, Paint(enabled=False), blocks=blocks)
        assert len(shown) == len(strip)
