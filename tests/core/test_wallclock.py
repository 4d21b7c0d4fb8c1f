"""Times are read in exactly one spelling, and written back as they were."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.wallclock import LAST, parse, parse_duration, render, render_duration


@given(st.datetimes().map(lambda moment: moment.replace(microsecond=0)))
def test_a_time_is_read_and_written_back(moment: datetime) -> None:
    text = moment.isoformat(sep=" ")
    assert render(parse(text)) == text
    assert parse(text) == int((moment - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001  (a wall clock)


def test_the_last_second_is_the_calendars() -> None:
    assert render(LAST) == "9999-12-31 23:59:59"


@pytest.mark.parametrize(
    "text",
    [
        "2026-1-20 01:00:00",
        "2026-01-20T01:00:00",
        "2026-01-20 01:00",
        "2026-01-20 01:00:00\n",
        " 2026-01-20 01:00:00",
        "2026-01-20  1:00:00",
        "２026-01-20 01:00:00",
        "2026-01-20 24:00:00",
        "2026-01-20 23:60:00",
        "2026-01-20 23:59:60",
        "2026-02-29 00:00:00",
        "1900-02-29 00:00:00",
        "2026-00-01 00:00:00",
        "0000-01-01 00:00:00",
        "",
    ],
)
def test_other_spellings_and_times_that_do_not_exist_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is "):
        parse(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("6h", 21600), ("366d", 31622400), ("2w", 1209600)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["0s", "1", "d", "1.5h", "-1h", "1 h", "1H", "١h", "1h\n", "9999999999d"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59, "59s"), (3600, "1h"), (90061, "1d 1h"), (3661, "1h 1m")])
def test_durations_are_written_in_their_largest_units(seconds: int, text: str) -> None:
    assert render_duration(seconds) == text
