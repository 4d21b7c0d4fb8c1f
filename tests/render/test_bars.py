"""Bars show of each cell what is most urgent there, as an oracle says that looks at each cell on its own."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.planner import plan_table
from reconciler.core.timeline import URGENCY, Segment, Standing, Status
from reconciler.core.window import Window
from reconciler.render.bars import bars
from reconciler.render.days import DAY, days_of
from tests.core.worlds import World, worlds
from tests.render.pictures import HOUR, HOURLY, Story, days


def _segment(window: Window, status: Status, again: bool) -> Segment:
    return Segment(window, window[0], window[1] - 1, None, None, status, again, ())


windows = st.tuples(st.integers(-20, 400), st.integers(1, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
segments = st.lists(st.builds(_segment, windows, st.sampled_from(URGENCY), st.booleans()), max_size=12)


def _oracle(cell: int, some: list[Segment], window: Window, cells: int) -> tuple[Status, bool] | None:
    width = Fraction(window[1] - window[0], cells)
    left, right = window[0] + cell * width, window[0] + (cell + 1) * width
    here = [each for each in some if each.window[0] < right and each.window[1] > left]
    if not here:
        return None
    first = min(here, key=lambda each: (URGENCY.index(each.status), not each.again))
    return first.status, first.again


@given(segments, st.integers(-5, 100), st.integers(1, 500), st.integers(1, 90))
def test_a_cell_shows_the_most_urgent_that_touches_it(some: list[Segment], start: int, span: int, cells: int) -> None:
    window = (start, start + span)
    found: dict[int, tuple[Status, bool]] = {}
    for bar in bars(some, window, cells):
        assert 0 <= bar.first < bar.end <= cells
        assert {(each.status, each.again) for each in bar.segments} == {(bar.status, bar.again)}
        for cell in range(bar.first, bar.end):
            assert cell not in found
            found[cell] = bar.status, bar.again
    assert [found.get(cell) for cell in range(cells)] == [_oracle(cell, some, window, cells) for cell in range(cells)]


@given(worlds())
def test_a_piece_of_a_table_is_never_too_short_to_be_seen(world: World) -> None:
    pieces = Standing(world.table, plan_table(world.table, world.approvals)).timeline.segments
    drawn = bars(pieces, (0, 1000), 50)
    for piece in pieces:
        there = range(piece.window[0] // 20, -(-piece.window[1] // 20))
        for cell in there:
            (over,) = [bar for bar in drawn if bar.first <= cell < bar.end]
            assert URGENCY.index(over.status) <= URGENCY.index(piece.status)


@given(st.integers(0, 100), st.integers(1, 100), st.integers(0, 100), st.integers(1, 100))
def test_the_instances_of_a_day_are_those_of_the_schedule(start: int, long: int, sent: int, much: int) -> None:
    first = days("2026-03-01", "2026-03-02")[0]
    asked = (first + start * HOUR, first + (start + long) * HOUR)
    triggered = (first + sent * HOUR, first + (sent + much) * HOUR)
    story = Story("a.b", asked=[asked], triggered=[triggered], schedule=HOURLY, now=first + 400 * HOUR).standing()
    window = (first - 3 * DAY, first + 20 * DAY)
    found = {day.start: (day.triggered, day.instances) for day in days_of(story.table, story.timeline.segments, window)}
    expected = {}
    for day in range(*window, DAY):
        hours = range(day, day + DAY, HOUR)
        done = sum(1 for hour in hours if triggered[0] <= hour < triggered[1])
        if done or any(asked[0] <= hour < asked[1] for hour in hours):
            expected[day] = done, 24
    assert found == expected
