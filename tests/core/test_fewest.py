"""What is owed becomes the fewest calls: no plan with fewer exists, and none triggers one instant more."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Range, RangeEnd, Times
from reconciler.core.fewest import Cut, Terms, fewest, takes_more
from reconciler.core.schedule import Every, Schedule
from reconciler.core.wallclock import LAST, parse, render
from reconciler.core.window import Windows, union

_HORIZON = 60
_windows = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=10).map(union)
_short = st.lists(st.tuples(st.integers(0, _HORIZON), st.integers(0, _HORIZON)), max_size=4).map(union)
_ends: st.SearchStrategy[RangeEnd] = st.sampled_from(["inclusive", "exclusive"])
_schedules = st.builds(
    lambda step, start, skipped: Schedule("test", Every(step, start), skipped),
    st.integers(1, 9),
    st.integers(0, 5),
    _short,
)


def _instants(schedule: Schedule, windows: Windows) -> list[int]:
    """List the instants in windows second by second."""
    instants = schedule.instants
    assert isinstance(instants, Every)
    return [
        second
        for start, end in windows
        for second in range(start, end)
        if (second - instants.start) % instants.step == 0
        and not any(left <= second < right for left, right in schedule.skipped)
    ]


@given(_windows, _ends, st.integers(1, 4))
def test_without_a_schedule_every_owed_second_is_in_exactly_one_call(
    owed: Windows, range_end: RangeEnd, points: int
) -> None:
    cuts = fewest(owed, Terms(range_end, points))
    found = Counter(second for cut in cuts for start, end in cut.span.windows for second in range(start, end))
    assert found == Counter(second for start, end in owed for second in range(start, end))


@given(_windows, _ends, st.integers(1, 4))
def test_without_a_schedule_calls_are_one_a_range_and_full_point_calls(
    owed: Windows, range_end: RangeEnd, points: int
) -> None:
    ranges = sum(1 for start, end in owed if end - start > 1)
    singles = len(owed) - ranges
    assert len(list(fewest(owed, Terms(range_end, points)))) == ranges + -(-singles // points)


def test_the_calendars_last_second_goes_as_a_point_where_no_end_can_follow_it() -> None:
    assert [cut.span for cut in fewest(((LAST - 9, LAST + 1),), Terms("exclusive", 100))] == [
        Range((LAST - 9, LAST), "exclusive"),
        Times((LAST,)),
    ]
    assert [cut.span for cut in fewest(((LAST - 1, LAST + 1),), Terms("exclusive", 100))] == [Times((LAST - 1, LAST))]


@settings(max_examples=400)
@given(_schedules, _short, _short, _ends, st.integers(1, 4), st.none() | st.integers(1, 40))
def test_calls_trigger_exactly_the_owed_instants_each_once(
    schedule: Schedule, asked: Windows, taken: Windows, range_end: RangeEnd, points: int, chunk: int | None
) -> None:
    owed = [second for second in _instants(schedule, asked) if not _inside(second, taken)]
    cuts = _cut(schedule, owed, taken, Terms(range_end, points, schedule, chunk))
    triggered = Counter(second for cut in cuts for second in _instants(schedule, cut.span.windows))
    assert triggered == Counter(owed)
    for cut in cuts:
        assert cut.instances == len(_instants(schedule, cut.span.windows))
        assert not any(_inside(second, taken) for start, end in cut.span.windows for second in range(start, end))


def _cut(schedule: Schedule, owed: list[int], taken: Windows, terms: Terms) -> list[Cut]:
    numbers = schedule.numbered(tuple((second, second + 1) for second in owed))
    return list(fewest(numbers, terms, taken))


def _inside(second: int, windows: Windows) -> bool:
    return any(start <= second < end for start, end in windows)


def _least(schedule: Schedule, owed: list[int], taken: Windows, points: int) -> int:
    """Try every choice of instants that go as points; what is left goes as ranges over neighbours."""
    best = len(owed)
    for size in range(len(owed) + 1):
        for chosen in combinations(owed, size):
            ranged = [second for second in owed if second not in chosen]
            starts = [
                second
                for before, second in zip([None, *ranged], ranged, strict=False)
                if before is None or not _joined(schedule, before, second, taken)
            ]
            best = min(best, len(starts) + -(-size // points))
    return best


def _joined(schedule: Schedule, left: int, right: int, taken: Windows) -> bool:
    """Say whether one range may hold both: no instant between them, and nothing that was sent before."""
    between = ((left + 1, right),)
    return not _instants(schedule, between) and not any(_inside(second, taken) for second in range(left, right))


@settings(max_examples=300, deadline=None)
@given(_schedules, _short, _short, _ends, st.integers(1, 4))
def test_no_plan_with_fewer_calls_exists(
    schedule: Schedule, asked: Windows, taken: Windows, range_end: RangeEnd, points: int
) -> None:
    owed = [second for second in _instants(schedule, asked) if not _inside(second, taken)][:10]
    others = tuple((second, second + 1) for second in _instants(schedule, asked) if second not in owed)
    taken = union((*taken, *others))
    cuts = _cut(schedule, owed, taken, Terms(range_end, points, schedule))
    assert len(cuts) == _least(schedule, owed, taken, points)


@settings(max_examples=300)
@given(_schedules, _short, _ends, st.integers(1, 40))
def test_no_range_is_longer_than_a_chunk_and_all_are_aligned_to_the_start_of_their_run(
    schedule: Schedule, asked: Windows, range_end: RangeEnd, chunk: int
) -> None:
    terms = Terms(range_end, 3, schedule, chunk)
    numbers = schedule.numbered(asked)
    for cut in fewest(numbers, terms):
        if isinstance(cut.span, Range):
            ((first, end),) = cut.numbers
            assert schedule.at(end - 1) - schedule.at(first) < chunk
            (run,) = [start for start, stop in numbers if start <= first < stop]
            offset = schedule.at(first) - schedule.at(run)
            assert first == schedule.before(schedule.at(run) + offset // chunk * chunk)


@given(_schedules, _short, st.integers(1, 40), st.integers(1, 4), st.integers(0, 30))
def test_what_takes_more_calls_than_a_limit_really_does(
    schedule: Schedule, asked: Windows, chunk: int, points: int, most: int
) -> None:
    terms = Terms("inclusive", points, schedule, chunk)
    numbers = schedule.numbered(asked)
    if takes_more(numbers, terms, most):
        assert len(list(fewest(numbers, terms))) > most


@given(_schedules, _short, _short)
def test_a_range_says_truly_whether_the_reading_of_its_end_matters(
    schedule: Schedule, asked: Windows, taken: Windows
) -> None:
    owed = [second for second in _instants(schedule, asked) if not _inside(second, taken)]
    readings: tuple[RangeEnd, RangeEnd] = ("inclusive", "exclusive")
    for ours in readings:
        for cut in _cut(schedule, owed, taken, Terms(ours, 2, schedule)):
            if isinstance(cut.span, Range):
                fields = cut.span.fields()
                start, end = parse(str(fields["startTime"])), parse(str(fields["endTime"]))
                either = [_instants(schedule, ((start, last),)) for last in (end, end + 1)]
                assert cut.end_matters == (either[0] != either[1])


HOURLY = Schedule("0 0 * * * ?", Every(3600))


def _hours(*hours: int) -> Windows:
    return HOURLY.numbered(tuple((hour * 3600, hour * 3600 + 1) for hour in hours))


def _shown(owed: Windows, terms: Terms, taken: Windows = ()) -> list[str]:
    return [
        " ".join(render(time)[11:13] for time in cut.span.times)
        if isinstance(cut.span, Times)
        else f"{render(cut.span.window[0])[11:13]}-{render(cut.span.window[1] - 1)[11:]}"
        for cut in fewest(owed, terms, taken)
    ]


def test_a_run_that_saves_no_call_as_points_is_a_range() -> None:
    assert _shown(_hours(1, 2, 3), Terms("inclusive", 100, HOURLY)) == ["01-03:00:01"]


def test_scattered_runs_go_as_points_where_that_takes_fewer_calls() -> None:
    assert _shown(_hours(1, 2, 5, 6, 9), Terms("inclusive", 100, HOURLY)) == ["01 02 05 06 09"]
    assert _shown(_hours(1, 2, 3, 6, 7, 10), Terms("inclusive", 3, HOURLY)) == ["01-03:00:01", "06 07 10"]


def test_a_range_ends_where_both_readings_of_its_end_mean_the_same() -> None:
    (inclusive,) = fewest(_hours(1, 2, 3), Terms("inclusive", 100, HOURLY))
    (exclusive,) = fewest(_hours(1, 2, 3), Terms("exclusive", 100, HOURLY))
    assert inclusive.span.fields() == exclusive.span.fields()
    assert inclusive.end_matters is exclusive.end_matters is False


def test_a_range_does_not_reach_over_what_was_sent_while_the_schedule_was_another() -> None:
    half_past = ((1 * 3600 + 1800, 1 * 3600 + 1801),)
    assert _shown(_hours(1, 2, 3), Terms("inclusive", 1, HOURLY), half_past) == ["02-03:00:01", "01"]


def test_two_strays_between_two_instants_part_them_once() -> None:
    strays = ((3600 + 60, 3600 + 61), (3600 + 120, 3600 + 121))
    assert _shown(_hours(1, 2), Terms("inclusive", 1, HOURLY), strays) == ["01", "02"]


def test_two_strays_between_the_same_instants_cut_a_run_once() -> None:
    quarters = tuple((3600 + minutes * 60, 3601 + minutes * 60) for minutes in (15, 45))
    assert _shown(_hours(0, 1, 2, 3), Terms("inclusive", 1, HOURLY), quarters) == ["00-01:00:01", "02-03:00:01"]


def test_a_chunk_of_one_instance_makes_a_call_of_each() -> None:
    assert _shown(_hours(0, 1, 2), Terms("inclusive", 100, HOURLY, 1800)) == ["00", "01", "02"]
    assert _shown(_hours(0, 1, 5, 7), Terms("inclusive", 100, HOURLY, 3600)) == ["00", "01", "05 07"]


def test_parts_of_a_run_that_chunk_cut_stay_ranges() -> None:
    assert _shown(_hours(0, 1, 2, 3, 4, 5, 6), Terms("inclusive", 100, HOURLY, 3 * 3600)) == [
        "00-02:00:01",
        "03-05:00:01",
        "06",
    ]


def test_a_range_ends_at_the_last_second_that_can_be_written() -> None:
    schedule = Schedule("every 10", Every(10, LAST % 10))
    assert not schedule.holds(LAST + 1)
    owed = schedule.numbered(((LAST - 20, LAST + 1),))
    (cut,) = fewest(owed, Terms("inclusive", 1, schedule))
    assert cut.span == Range((LAST - 20, LAST + 1), "inclusive")
    assert cut.span.fields()["endTime"] == render(LAST)
