"""What a change of the clock skips and doubles: by hand, and as a round trip through UTC decides."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import pytest

from reconciler.core.wallclock import parse, render
from reconciler.core.window import Windows
from reconciler.manifests.zones import clock_changes
from tests.figures import Tried

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the wall clock has no zone
HOUR = 3600


def _written(windows: Windows) -> list[str]:
    return [f"{render(start)} to {render(end)[11:]}" for start, end in windows]


@pytest.mark.parametrize(
    ("zone", "year", "skipped", "doubled"),
    [
        ("Europe/Berlin", 2026, ["2026-03-29 02:00:00 to 03:00:00"], ["2026-10-25 02:00:00 to 03:00:00"]),
        ("America/New_York", 2026, ["2026-03-08 02:00:00 to 03:00:00"], ["2026-11-01 01:00:00 to 02:00:00"]),
        ("Australia/Lord_Howe", 2026, ["2026-10-04 02:00:00 to 02:30:00"], ["2026-04-05 01:30:00 to 02:00:00"]),
        ("America/Havana", 2026, ["2026-03-08 00:00:00 to 01:00:00"], ["2026-11-01 00:00:00 to 01:00:00"]),
        ("Africa/Cairo", 2026, ["2026-04-24 00:00:00 to 01:00:00"], ["2026-10-29 23:00:00 to 00:00:00"]),
        ("Asia/Beirut", 2026, ["2026-03-29 00:00:00 to 01:00:00"], ["2026-10-24 23:00:00 to 00:00:00"]),
        ("Europe/Berlin", 2150, ["2150-03-29 02:00:00 to 03:00:00"], ["2150-10-25 02:00:00 to 03:00:00"]),
        ("Asia/Shanghai", 2026, [], []),
        ("Asia/Tokyo", 2026, [], []),
        ("UTC", 2026, [], []),
        ("Asia/Pyongyang", 2015, [], ["2015-08-14 23:30:00 to 00:00:00"]),
        ("Asia/Pyongyang", 2018, ["2018-05-04 23:30:00 to 00:00:00"], []),
        # Two that left out the last day of a year.
        ("Pacific/Kiritimati", 1994, ["1994-12-31 00:00:00 to 00:00:00"], []),
        ("Asia/Manila", 1844, ["1844-12-31 00:00:00 to 00:00:00"], []),
    ],
)
def test_a_change_of_the_clock_is_known_to_the_second(
    zone: str, year: int, skipped: list[str], doubled: list[str]
) -> None:
    found = clock_changes(zone, year, year)
    assert (_written(found[0]), _written(found[1])) == (skipped, doubled)


def test_a_day_that_a_zone_left_out_is_skipped_whole() -> None:
    skipped, _ = clock_changes("Pacific/Apia", 2011, 2011)
    assert (parse("2011-12-30 00:00:00"), parse("2011-12-31 00:00:00")) in skipped


def test_years_together_are_the_years_one_by_one() -> None:
    together = clock_changes("Europe/Berlin", 2020, 2024)
    each = [clock_changes("Europe/Berlin", year, year) for year in range(2020, 2025)]
    assert together == (sum((one[0] for one in each), ()), sum((one[1] for one in each), ()))


def test_a_zone_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        clock_changes("Asia/Atlantis", 2026, 2026)


@pytest.mark.parametrize("years", [(1, 2), (9998, 9999)])
def test_the_first_and_the_last_years_of_the_calendar_are_no_error(years: tuple[int, int]) -> None:
    assert all(start < end for windows in clock_changes("Europe/Berlin", *years) for start, end in windows)


def _holds(windows: Windows, second: int) -> bool:
    at = bisect_right(windows, second, key=lambda window: window[0])
    return at > 0 and second < windows[at - 1][1]


def _judged(zone: ZoneInfo, second: int) -> tuple[bool, bool]:
    """Say whether the zone's wall clock skips a second, and whether it shows it twice."""
    wall = EPOCH + timedelta(seconds=second)
    first, again = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    back = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return back != wall, back == wall and first.utcoffset() != again.utcoffset()


ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("posix/", "right/")))
LISTED = [
    ("Australia/Lord_Howe", 2026),
    ("America/Havana", 2026),
    ("Africa/Cairo", 2024),
    ("Asia/Beirut", 2023),
    ("Pacific/Apia", 2011),
    ("Africa/Casablanca", 2026),
    ("Antarctica/Troll", 2025),
    ("America/Caracas", 2016),
    ("Africa/Monrovia", 1972),
    ("Europe/Dublin", 2060),
]


@pytest.mark.claim("the wall clock's skipped and doubled seconds: as a round trip through UTC decides")
def test_every_second_of_interest_is_what_a_round_trip_through_utc_says(tried: Tried) -> None:
    stride = [(name, 1970 + 7 * at % 80) for at, name in enumerate(ZONES[:: max(1, len(ZONES) // 80)])]
    cases = 0
    for name, year in LISTED + stride:
        zone, (skipped, doubled) = ZoneInfo(name), clock_changes(name, year, year)
        edges = {edge + by for window in (*skipped, *doubled) for edge in window for by in (-1, 0, 1)}
        start, end = parse(f"{year}-01-01 00:00:00"), parse(f"{year}-12-31 23:59:59")
        for second in [*range(start, end, 4 * HOUR + 900), *(edge for edge in edges if start <= edge <= end)]:
            assert (_holds(skipped, second), _holds(doubled, second)) == _judged(zone, second), (name, render(second))
            cases += 1
    tried(cases, note=f"{len(LISTED) + len(stride)} zones")
