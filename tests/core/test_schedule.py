"""A schedule counts and finds the instants that a list of them would have."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.schedule import Daily, Every, Instants, Schedule, every_day
from reconciler.core.wallclock import FIRST, LAST, parse
from reconciler.core.window import Windows, union

DAY = 86_400
_SPAN = 3 * DAY

_windows = st.lists(st.tuples(st.integers(0, _SPAN), st.integers(0, _SPAN)), max_size=6).map(union)
_every = st.builds(Every, st.integers(600, 90_000), st.integers(-DAY, DAY))
_times = st.sets(st.integers(0, DAY - 1), min_size=1, max_size=5).map(lambda some: tuple(sorted(some)))
_days = st.none() | st.sets(st.integers(0, 3), max_size=4).map(lambda some: tuple(sorted(some)))
_daily = st.builds(Daily, _times, _days)
schedules = st.builds(Schedule, st.just("text"), _every | _daily, _windows, _windows)


def _listed(instants: Instants) -> list[int]:
    """Find the instants second by second: by what each class says that it is, not by its numbers."""
    match instants:
        case Every(step, start):
            return [second for second in range(_SPAN + DAY) if (second - start) % step == 0]
        case Daily(times, days):
            return [day * DAY + time for day in range(4) if days is None or day in days for time in times]
        case _:
            raise TypeError


def _inside(second: int, windows: Windows) -> bool:
    return any(start <= second < end for start, end in windows)


@settings(max_examples=200, deadline=None)
@given(schedules, _windows)
def test_windows_are_counted_as_a_list_of_the_instants_would(schedule: Schedule, windows: Windows) -> None:
    shown = [second for second in _listed(schedule.instants) if not _inside(second, schedule.skipped)]
    inside = [second for second in shown if _inside(second, windows)]
    assert schedule.count(windows) == len(inside)
    numbers = schedule.numbered(windows)
    assert list(schedule.seconds(numbers)) == inside
    assert numbers == union(numbers)
    for second in inside[:20]:
        assert schedule.holds(second)
        assert schedule.at(schedule.before(second)) == second
    for start, end in windows:
        hidden = [s for s in _listed(schedule.instants) if _inside(s, schedule.skipped) and start <= s < end]
        assert list(schedule.skips((start, end))) == hidden
        assert list(schedule.doubles((start, end))) == [
            second for second in inside if start <= second < end and _inside(second, schedule.doubled)
        ]


def test_neighbours_on_the_schedule_are_one_window_however_far_apart() -> None:
    weekly = Schedule("weekly", Every(7 * DAY))
    assert len(weekly.numbered(((0, 1), (7 * DAY, 7 * DAY + 1)))) == 1


@pytest.mark.parametrize("instants", [Every(1), Daily(tuple(range(DAY)))])
def test_a_schedule_of_every_second_costs_nothing_to_count(instants: Instants) -> None:
    year = ((0, 365 * DAY),)
    assert Schedule("every second", instants).count(year) == 365 * DAY
    assert len(Schedule("every second", instants).numbered(year)) == 1


def test_nearest_instants_are_never_beyond_what_can_be_written() -> None:
    schedule = Schedule("daily at six", Every(86_400, 6 * 3600))
    assert schedule.around(LAST - 60) == (parse("9999-12-31 06:00:00"), None)
    assert schedule.around(FIRST + 60) == (None, parse("0001-01-01 06:00:00"))


@given(st.sampled_from([1, 2, 3, 24, 96, 7]), st.integers(0, 3000), st.integers(-3 * DAY, 3 * DAY))
def test_times_equally_far_apart_are_the_same_instants_by_their_step(number: int, first: int, second: int) -> None:
    times = tuple(first % (DAY // number) + at * (DAY // number) for at in range(number))
    listed, stepped = Schedule("listed", Daily(times)), Schedule("stepped", every_day(times))
    assert isinstance(stepped.instants, Every) == (DAY % number == 0)
    assert (listed.holds(second), listed.count(((second, second + 2 * DAY),))) == (
        stepped.holds(second),
        stepped.count(((second, second + 2 * DAY),)),
    )
