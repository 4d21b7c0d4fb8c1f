"""The marks of an axis lie where a calendar has them, and there are never too many nor, given room, too few."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.axis import ticks
from reconciler.core.wallclock import LAST, parse, render

DAY = 86_400
FIRST = parse("0001-01-01 00:00:00")
spans = st.one_of(st.integers(0, 3600), st.integers(0, 40 * DAY), st.integers(0, 9000 * 366 * DAY))


def _labels(start: str, end: str, most: int = 10) -> list[str]:
    return [tick.label for tick in ticks(parse(start), parse(end), most)]


@given(st.integers(FIRST, LAST), spans, st.integers(1, 30))
@example(FIRST, LAST - FIRST, 5)
@example(FIRST, 3 * 366 * DAY, 5)
@example(LAST - 10, 10, 5)
def test_marks_are_inside_in_order_and_no_more_than_there_is_room_for(start: int, span: int, most: int) -> None:
    end = min(start + span, LAST)
    found = ticks(start, end, most)
    assert len(found) <= most
    assert len(found) >= (1 if most >= 5 else 0)
    assert all(start <= tick.second <= end for tick in found)
    assert all(one.second < other.second for one, other in pairwise(found))
    assert all(one.label != other.label for one, other in pairwise(found))


@given(st.integers(parse("1900-01-01 00:00:00"), parse("2100-01-01 00:00:00")), spans)
def test_marks_are_where_a_calendar_has_them(start: int, span: int) -> None:
    found = ticks(start, start + span, 8)
    gaps = {other.second - one.second for one, other in pairwise(found)}
    if gaps and min(gaps) <= 7 * DAY:
        assert len(gaps) == 1
    for tick in found:
        text = render(tick.second)
        if gaps and min(gaps) >= 28 * DAY:
            assert text.endswith("-01 00:00:00")
        if tick.label.isdigit():
            assert text == f"{int(tick.label):04d}-01-01 00:00:00"
        elif ":" in tick.label:
            assert text[11:].startswith(tick.label)
            assert not tick.major
        else:
            assert text.endswith("00:00:00")


@given(st.integers(FIRST, LAST), spans)
def test_more_room_never_gives_fewer_marks(start: int, span: int) -> None:
    numbers = [len(ticks(start, min(start + span, LAST), most)) for most in range(1, 20)]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        ("2026-01-20 01:00:00", "2026-01-20 01:00:20", "01:00:00 01:00:05 01:00:10 01:00:15 01:00:20"),
        ("2026-01-20 21:00:00", "2026-01-21 05:00:00", "21:00 22:00 23:00 21 Jan 01:00 02:00 03:00 04:00 05:00"),
        ("2025-12-28 12:00:00", "2026-01-03 00:00:00", "29 Dec 30 Dec 31 Dec 2026 2 Jan 3 Jan"),
        ("2026-01-19 00:00:00", "2026-02-20 00:00:00", "19 Jan 26 Jan 2 Feb 9 Feb 16 Feb"),
        ("2025-11-05 00:00:00", "2026-03-05 00:00:00", "Dec 2026 Feb Mar"),
        ("2020-11-05 00:00:00", "2024-03-05 00:00:00", "2021 Jul 2022 Jul 2023 Jul 2024"),
        ("2016-03-05 00:00:00", "2026-03-05 00:00:00", "2017 2018 2019 2020 2021 2022 2023 2024 2025 2026"),
    ],
)
def test_labels_say_the_larger_unit_where_one_begins(start: str, end: str, labels: str) -> None:
    assert " ".join(_labels(start, end)) == labels
