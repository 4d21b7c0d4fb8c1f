"""Windows become the fewest calls, and calls the same windows again."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import Call, Range, RangeEnd, Times, describe, read_span, spans
from reconciler.core.wallclock import LAST, parse
from reconciler.core.window import Windows, union

_windows = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=10).map(union)
_ends: st.SearchStrategy[RangeEnd] = st.sampled_from(["inclusive", "exclusive"])


@given(_windows, _ends, st.integers(1, 4))
def test_every_owed_second_is_in_exactly_one_call(owed: Windows, range_end: RangeEnd, points: int) -> None:
    found = Counter(s for span in spans(owed, range_end, points) for a, b in span.windows for s in range(a, b))
    assert found == Counter(s for start, end in owed for s in range(start, end))


@given(_windows, _ends, st.integers(1, 4))
def test_calls_are_as_few_as_one_a_range_and_full_point_calls(owed: Windows, range_end: RangeEnd, points: int) -> None:
    ranges = sum(1 for start, end in owed if end - start > 1)
    singles = len(owed) - ranges
    assert len(list(spans(owed, range_end, points))) == ranges + -(-singles // points)


@given(_windows, _ends)
def test_a_body_is_read_back_as_the_same_windows(owed: Windows, range_end: RangeEnd) -> None:
    for span in spans(owed, range_end, 100):
        assert read_span(span.fields(), range_end) == span


def test_the_same_window_is_written_for_either_reading_of_the_end() -> None:
    start, last = parse("2026-01-20 01:00:00"), parse("2026-01-20 05:00:00")
    window = (start, last + 1)
    assert Range(window, "inclusive").fields()["endTime"] == "2026-01-20 05:00:00"
    assert Range(window, "exclusive").fields()["endTime"] == "2026-01-20 05:00:01"


def test_the_calendars_last_second_goes_as_a_point_where_no_end_can_follow_it() -> None:
    assert list(spans(((LAST - 9, LAST + 1),), "exclusive", 100)) == [
        Range((LAST - 9, LAST), "exclusive"),
        Times((LAST,)),
    ]
    assert list(spans(((LAST - 1, LAST + 1),), "exclusive", 100)) == [Times((LAST - 1, LAST))]


@pytest.mark.parametrize(
    "fields",
    [
        {"scheduleTimes": []},
        {"scheduleTimes": ["2026-01-20 00:00:00", "2026-01-20 00:00:00"]},
        {"scheduleTimes": ["2026-01-21 00:00:00", "2026-01-20 00:00:00"]},
        {"scheduleTimes": [5]},
        {"startTime": "2026-01-20 00:00:00"},
        {"startTime": "2026-01-20 00:00:01", "endTime": "2026-01-20 00:00:00"},
        {},
    ],
)
def test_bodies_that_we_would_not_write_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Time"):
        read_span(fields, "inclusive")


def _call(rerun: tuple[str, ...] = (), request: str = "a.yaml#1") -> Call:
    return Call("prod", "a.b", "tn", Times((0, 60)), rerun, (request,), ())


def test_an_id_names_target_body_and_tokens_and_nothing_else() -> None:
    assert _call().id == _call(request="renamed.yaml#other").id
    assert _call().id != _call(rerun=("again",)).id
    assert len(_call().id) == 16


def test_a_body_has_the_vendors_fields_in_the_vendors_order() -> None:
    assert list(_call().body) == ["tableName", "tenantId", "scheduleTimes"]
    ranged = Call("prod", "a.b", "tn", Range((0, 3601), "inclusive"), (), (), ())
    assert list(ranged.body.items()) == [
        ("tableName", "a.b"),
        ("tenantId", "tn"),
        ("startTime", "1970-01-01 00:00:00"),
        ("endTime", "1970-01-01 01:00:00"),
    ]


def test_a_description_counts_the_points_it_does_not_show() -> None:
    assert describe(Times((0, 60, 120, 180)), 2) == "1970-01-01 00:00:00, 1970-01-01 00:01:00 and 2 more"
    assert describe(Range((0, 61), "inclusive")) == "1970-01-01 00:00:00 .. 1970-01-01 00:01:00"
