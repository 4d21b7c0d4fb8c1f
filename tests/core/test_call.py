"""Windows become the fewest calls, and calls the same windows again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import Call, Range, RangeEnd, Times, describe, read_span
from reconciler.core.fewest import Terms, fewest
from reconciler.core.wallclock import parse
from reconciler.core.window import Windows, union

_windows = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=10).map(union)
_ends: st.SearchStrategy[RangeEnd] = st.sampled_from(["inclusive", "exclusive"])


@given(_windows, _ends)
def test_a_body_is_read_back_as_the_same_windows(owed: Windows, range_end: RangeEnd) -> None:
    for cut in fewest(owed, Terms(range_end, 100)):
        assert read_span(cut.span.fields(), range_end) == cut.span


def test_the_same_window_is_written_for_either_reading_of_the_end() -> None:
    start, last = parse("2026-01-20 01:00:00"), parse("2026-01-20 05:00:00")
    window = (start, last + 1)
    assert Range(window, "inclusive").fields()["endTime"] == "2026-01-20 05:00:00"
    assert Range(window, "exclusive").fields()["endTime"] == "2026-01-20 05:00:01"


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
