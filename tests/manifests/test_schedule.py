"""`spec.schedule`: text to a schedule of instants on a zone's wall clock, and what is said about bad text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.wallclock import parse, render
from reconciler.core.window import Windows
from reconciler.errors import Problem
from reconciler.manifests.findings import Findings
from reconciler.manifests.marks import Document
from reconciler.manifests.schedule import ScheduleText, read_schedule
from reconciler.manifests.typed import Typed
from tests.figures import Tried
from tests.manifests.crons import quartz_day, quartz_days
from tests.manifests.crons import value_fits as fits
from tests.manifests.roots import MANIFEST, changed, only, read

BERLIN = "Europe/Berlin"
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the wall clock has no zone


def _tried(value: Typed) -> tuple[ScheduleText | None, list[Problem]]:
    findings = Findings(Document("a.yaml", "", 0), (), ())
    return read_schedule(value, findings, ("spec", "schedule")), findings.problems


def _good(value: Typed) -> ScheduleText:
    written, problems = _tried(value)
    assert written is not None
    assert problems == []
    return written


def _span(first: str, last: str) -> Windows:
    return ((parse(first), parse(last) + 1),)


def _instants(value: Typed, zone: str, first: str, last: str) -> list[str]:
    windows = _span(first, last)
    schedule = _good(value).over(zone, windows)
    found = [render(second) for second in schedule.seconds(schedule.numbered(windows))]
    assert len(found) == schedule.count(windows)
    return found


def test_an_expression_has_its_instants() -> None:
    found = _instants("0 30 6 ? * MON-FRI", "Asia/Shanghai", "2026-01-01 00:00:00", "2026-01-07 00:00:00")
    assert found == [f"2026-01-{day} 06:30:00" for day in ("01", "02", "05", "06")]


def test_an_interval_that_divides_a_day_starts_again_at_each_midnight() -> None:
    found = _instants({"every": "8h"}, "UTC", "2026-01-01 00:00:00", "2026-01-02 00:00:00")
    assert found == ["2026-01-01 00:00:00", "2026-01-01 08:00:00", "2026-01-01 16:00:00", "2026-01-02 00:00:00"]


def test_an_interval_counts_both_ways_from_the_time_that_is_given() -> None:
    written: Typed = {"every": "90m", "from": "2026-01-01 00:30:00"}
    found = _instants(written, "UTC", "2025-12-31 22:00:00", "2026-01-01 02:00:00")
    assert found == ["2025-12-31 23:00:00", "2026-01-01 00:30:00", "2026-01-01 02:00:00"]


def test_an_interval_that_does_not_divide_a_day_is_asked_where_it_starts() -> None:
    for interval in ("7h", "1w", "2d", "90m"):
        written, problems = _tried({"every": interval})
        assert written is not None
        assert [problem.severity for problem in problems] == (["warning"] if 86_400 % _seconds(interval) else [])
        assert _tried({"every": interval, "from": "2026-01-01 00:00:00"})[1] == []


def _seconds(interval: str) -> int:
    return int(interval[:-1]) * {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}[interval[-1]]


def test_the_text_is_shown_with_single_spaces_as_it_is_written() -> None:
    assert _good("  0 0  12 ? * Mon-fri ").text == "0 0 12 ? * Mon-fri"
    assert _good({"every": "1h"}).text == "every 1h"
    assert _good({"every": "1h", "from": "2026-01-01 00:30:00"}).text == "every 1h from 2026-01-01 00:30:00"


def test_a_schedule_knows_the_second_after_a_request_that_ends_with_the_year() -> None:
    windows = _span("2026-12-31 00:00:00", "2026-12-31 23:59:59")
    assert _good("0 0 0 ? * MON-FRI").over("UTC", windows).holds(parse("2027-01-01 00:00:00"))
    last = _span("2199-12-31 00:00:00", "2199-12-31 23:59:59")
    assert _good("0 0 0 ? * MON-FRI").over("UTC", last).count(last) == 1


def test_tables_with_one_text_share_one_schedule() -> None:
    windows = _span("2026-01-01 00:00:00", "2026-12-31 23:00:00")
    one = _good("0 0 * * * ?").over(BERLIN, windows)
    assert _good("0  0 * * * ?").over(BERLIN, _span("2026-05-01 00:00:00", "2026-05-02 00:00:00")) is one
    assert _good("0 0 * * * ?").over("UTC", windows) is not one
    assert _good("0 0 * * * ?").over(BERLIN, _span("2025-05-01 00:00:00", "2026-05-02 00:00:00")) is not one


def test_a_time_that_the_clock_skips_has_no_instance_and_one_that_it_doubles_has_one() -> None:
    found = _instants("0 30 * * * ?", BERLIN, "2026-03-29 01:00:00", "2026-03-29 04:00:00")
    assert found == ["2026-03-29 01:30:00", "2026-03-29 03:30:00"]
    found = _instants({"every": "30m"}, BERLIN, "2026-10-25 01:45:00", "2026-10-25 03:15:00")
    assert found == ["2026-10-25 02:00:00", "2026-10-25 02:30:00", "2026-10-25 03:00:00"]
    schedule = _good({"every": "30m"}).over(BERLIN, _span("2026-10-25 00:00:00", "2026-10-26 00:00:00"))
    assert len(schedule.doubles(_span("2026-10-25 00:00:00", "2026-10-26 00:00:00")[0])) == 2


def test_windows_of_a_hundred_years_are_taken_and_longer_ones_are_not() -> None:
    written = _good("0 0 0 1 1 ?")
    windows = _span("1970-01-01 00:00:00", "2070-12-31 00:00:00")
    assert written.over(BERLIN, windows).count(windows) == 101
    with pytest.raises(ValueError, match=r"the requests go from 1970 to 2071; .* 100 years at most"):
        written.over(BERLIN, _span("1970-01-01 00:00:00", "2071-01-01 00:00:00"))


@pytest.mark.parametrize(("time", "year"), [("1969-12-31 23:59:59", 1969), ("2200-01-01 00:00:00", 2200)])
def test_a_cron_schedule_is_known_for_the_years_of_quartz_only(time: str, year: int) -> None:
    with pytest.raises(ValueError, match=f"a request is in {year}"):
        _good("0 0 0 * * ?").over(BERLIN, _span(time, time))
    assert _good({"every": "1s"}).over(BERLIN, _span(time, time)).count(_span(time, time)) == 1


def test_the_first_and_the_last_second_that_can_be_written_are_no_error() -> None:
    for time in ("0001-01-01 00:00:00", "9999-12-31 23:59:59"):
        assert _good({"every": "1s"}).over(BERLIN, _span(time, time)).holds(parse(time))


def test_without_windows_there_is_a_schedule_all_the_same() -> None:
    assert _good("0 0 0 * * ?").over(BERLIN, ()).count(()) == 0


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("every 1h", "write {every: 1h}"),
        ("Every 15M", "write {every: 15m}"),
        ("1h", "write {every: 1h}"),
        ('"@daily"', 'write "0 0 0 * * ?"'),
    ],
)
def test_what_is_nearly_a_schedule_is_told_how_to_write_it(written: str, hint: str) -> None:
    problem = only(read(a=changed(MANIFEST, "spec:\n", f"spec:\n  schedule: {written}\n")))
    assert (problem.line, problem.column, problem.path, problem.hint) == (8, 13, "spec.schedule", hint)


def test_every_field_that_is_wrong_is_told_at_once() -> None:
    reading = read(a=changed(MANIFEST, "spec:\n", 'spec:\n  schedule: "61 0 24 ? 13 *"\n'))
    assert sorted(problem.message for problem in reading.problems) == [
        'hours "24": 24 is not from 0 to 23',
        'month "13": 13 is not from 1 to 12',
        'seconds "61": 61 is not from 0 to 59',
    ]


@pytest.mark.claim("schedules on a wall clock: the instants that walking every minute through UTC finds")
def test_instants_are_those_that_walking_minute_by_minute_finds(tried: Tried) -> None:
    cases = 0

    @given(
        quartz_days(),
        st.sampled_from(["*", "0/7", "30", "5-50/10", "55-5"]),
        st.sampled_from(["*", "1-3", "22-2", "2"]),
        st.sampled_from(
            [
                (BERLIN, "2026-03-29"),
                (BERLIN, "2026-10-25"),
                ("Australia/Lord_Howe", "2026-10-04"),
                ("America/Havana", "2026-03-08"),
                ("Pacific/Apia", "2011-12-30"),
                ("Asia/Shanghai", "2026-02-28"),
                ("UTC", "2025-12-31"),
            ]
        ),
    )
    @settings(max_examples=60, deadline=None, database=None)
    def walk(fields: tuple[str, str, str], minute: str, hour: str, where: tuple[str, str]) -> None:
        nonlocal cases
        written, _ = _tried(f"0 {minute} {hour} {' '.join(fields)}")
        if written is None:
            return
        zone, middle = where[0], parse(f"{where[1]} 12:00:00")
        windows = ((middle - 2 * 86_400, middle + 2 * 86_400),)
        schedule = written.over(zone, windows)
        found = list(schedule.seconds(schedule.numbered(windows)))
        moments = ((second, EPOCH + timedelta(seconds=second)) for second in range(*windows[0], 60))
        assert found == [
            second
            for second, moment in moments
            if fits(minute, moment.minute, 0, 59)
            and fits(hour, moment.hour, 0, 23)
            and quartz_day(moment.date(), *fields)
            and _exists(moment, ZoneInfo(zone))
        ]
        cases += 1

    walk()
    tried(cases)


def _exists(moment: datetime, zone: ZoneInfo) -> bool:
    return moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
