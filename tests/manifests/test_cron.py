"""Cron expressions mean what Quartz and Unix cron say: by hand, and as an oracle of plain date arithmetic decides."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.core.schedule import Daily
from reconciler.manifests.cron import Cron, read_cron
from reconciler.manifests.cron_fields import Refusal
from tests.figures import Tried
from tests.manifests.crons import days_of, quartz_day, quartz_days, quartz_field, unix_day, unix_days, unix_field
from tests.manifests.crons import value_fits as fits

EPOCH = date(1970, 1, 1).toordinal()
EXAMPLES = 150
SAME = "cron expressions, Quartz and Unix: days and times of day as plain date arithmetic decides"


def _cron(text: str) -> Cron:
    cron = read_cron(text)
    assert isinstance(cron, Cron), cron
    return cron


def _listed(cron: Cron, first_year: int, last_year: int) -> tuple[int, ...] | None:
    instants = cron.instants(first_year, last_year)
    return instants.days if isinstance(instants, Daily) else None


def _days(cron: Cron, year: int) -> list[date]:
    days = _listed(cron, year, year)
    return days_of(year) if days is None else [date.fromordinal(day + EPOCH) for day in days]


def _times(cron: Cron) -> list[str]:
    return [f"{time // 3600:02}:{time // 60 % 60:02}:{time % 60:02}" for time in cron.times]


def _in_months(text: str, year: int) -> str:
    return " ".join(f"{day.month}/{day.day}" for day in _days(_cron(text), year))


def _refusals(text: str) -> tuple[Refusal, ...]:
    refused = read_cron(text)
    assert isinstance(refused, tuple), "the expression is taken"
    assert all(each.message and each.hint for each in refused)
    return refused


def _said(text: str) -> str:
    return "; ".join(each.message for each in _refusals(text))


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("0 0 12 * * ?", "12:00:00"),
        ("0 15 10 * * ? *", "10:15:00"),
        ("0 0/20 14,18 * * ?", "14:00:00 14:20:00 14:40:00 18:00:00 18:20:00 18:40:00"),
        ("0 0-2 14 * * ?", "14:00:00 14:01:00 14:02:00"),
        ("0 10,44 14 ? 3 WED", "14:10:00 14:44:00"),
        ("0 */15 9 * * ?", "09:00:00 09:15:00 09:30:00 09:45:00"),
        ("0 /30 9 * * ?", "09:00:00 09:30:00"),
        ("0 5-50/20 9 * * ?", "09:05:00 09:25:00 09:45:00"),
        ("30 55-5/5 9 * * ?", "09:00:30 09:05:30 09:55:30"),
        ("0 0 22-2 * * ?", "00:00:00 01:00:00 02:00:00 22:00:00 23:00:00"),
        ("0 0 22-2/2 * * ?", "00:00:00 02:00:00 22:00:00"),
        ("10,5,10 07 08 * * ?", "08:07:05 08:07:10"),
        ("*/20 8-9 * * *", "08:00:00 08:20:00 08:40:00 09:00:00 09:20:00 09:40:00"),
        ("05 22-23/1 * * *", "22:05:00 23:05:00"),
    ],
)
def test_times_of_day_are_those_of_quartz_own_examples(text: str, times: str) -> None:
    assert " ".join(_times(_cron(text))) == times


@pytest.mark.parametrize(
    ("text", "year", "days"),
    [
        ("0 15 10 15 * ?", 2026, "1/15 2/15 3/15 4/15 5/15 6/15 7/15 8/15 9/15 10/15 11/15 12/15"),
        ("0 15 10 L * ?", 2026, "1/31 2/28 3/31 4/30 5/31 6/30 7/31 8/31 9/30 10/31 11/30 12/31"),
        ("0 15 10 L-2 * ?", 2028, "1/29 2/27 3/29 4/28 5/29 6/28 7/29 8/29 9/28 10/29 11/28 12/29"),
        ("0 15 10 ? * 6L", 2026, "1/30 2/27 3/27 4/24 5/29 6/26 7/31 8/28 9/25 10/30 11/27 12/25"),
        ("0 15 10 ? * fril 2026-2027", 2026, "1/30 2/27 3/27 4/24 5/29 6/26 7/31 8/28 9/25 10/30 11/27 12/25"),
        ("0 15 10 ? * 6L 2002-2005", 2026, ""),
        ("0 15 10 ? * 6#3", 2026, "1/16 2/20 3/20 4/17 5/15 6/19 7/17 8/21 9/18 10/16 11/20 12/18"),
        ("0 0 12 1/5 2 ?", 2026, "2/1 2/6 2/11 2/16 2/21 2/26"),
        ("0 11 11 11 11 ?", 2026, "11/11"),
        ("0 0 0 LW * ?", 2026, "1/30 2/27 3/31 4/30 5/29 6/30 7/31 8/31 9/30 10/30 11/30 12/31"),
        ("0 0 0 1W * ?", 2026, "1/1 2/2 3/2 4/1 5/1 6/1 7/1 8/3 9/1 10/1 11/2 12/1"),
        ("0 0 0 15W 1-3 ?", 2026, "1/15 2/16 3/16"),
        ("0 0 0 31W JAN,MAY ?", 2026, "1/30 5/29"),
        ("0 0 0 1,L 2 ?", 2028, "2/1 2/29"),
        ("0 0 0 29 2 ?", 2026, ""),
        ("0 0 0 29 2 ?", 2028, "2/29"),
        ("0 0 0 28-2 MAR ?", 2026, "3/1 3/2 3/28 3/29 3/30 3/31"),
        ("0 0 0 1 NOV-Feb ?", 2026, "1/1 2/1 11/1 12/1"),
        ("0 0 0 ? 2 L", 2026, "2/7 2/14 2/21 2/28"),
        ("0 0 0 ? 2 1", 2026, "2/1 2/8 2/15 2/22"),
        ("0 0 0 1-27,L 2 ?", 2026, " ".join(f"2/{day}" for day in range(1, 29))),
        ("0 0 0 1-29,31,L 6 ?", 2026, " ".join(f"6/{day}" for day in range(1, 31))),
        ("0 0 0 ? 2 Fri-MON", 2026, "2/1 2/2 2/6 2/7 2/8 2/9 2/13 2/14 2/15 2/16 2/20 2/21 2/22 2/23 2/27 2/28"),
        ("0 0 0 ? 1 2#5", 2026, ""),
        ("0 0 0 ? 3 MON#5", 2026, "3/30"),
        ("0 0 0 ? 2 2/2", 2026, "2/2 2/4 2/6 2/9 2/11 2/13 2/16 2/18 2/20 2/23 2/25 2/27"),
        ("0 0 13 2 FRI", 2026, "2/6 2/13 2/20 2/27"),
        ("0 0 13 3 0", 2026, "3/1 3/8 3/13 3/15 3/22 3/29"),
        ("0 0 * 3 7", 2026, "3/1 3/8 3/15 3/22 3/29"),
        ("0 0 * 3 sun", 2026, "3/1 3/8 3/15 3/22 3/29"),
        ("0 0 1-31 4 MON", 2026, " ".join(f"4/{day}" for day in range(1, 31))),
        ("0 0 */10 3 *", 2026, "3/1 3/11 3/21 3/31"),
    ],
)
def test_days_are_those_of_the_calendar(text: str, year: int, days: str) -> None:
    assert _in_months(text, year) == days


@pytest.mark.parametrize(
    "text", ["* * * * * ?", "0 0 0 ? * *", "0 0 0 ? * 1-7", "0 0 0 1/1 * ? *", "* * * * *", "0 0 1-31 * MON"]
)
def test_where_every_day_matches_no_days_are_listed(text: str) -> None:
    assert _listed(_cron(text), 2026, 2030) is None


def test_every_day_of_some_years_is_listed_for_these_alone() -> None:
    days = _listed(_cron("0 0 0 * * ? 2027,2029"), 2026, 2030) or ()
    assert [date.fromordinal(day + EPOCH) for day in days] == days_of(2027) + days_of(2029)


def test_an_expression_that_fires_every_second_is_held_once() -> None:
    one, other = _cron("* * * * * ?"), _cron("*/1 0-59 * ? * MON")
    assert len(one.times) == 86_400
    assert one.times is other.times


@pytest.mark.claim(SAME)
def test_days_are_those_that_an_oracle_finds_by_walking_the_year(tried: Tried) -> None:
    seen = []

    @given(st.one_of(quartz_days(), unix_days()), st.integers(1970, 2199))
    @example(("?", "2", "2#5"), 2044)
    @example(("29", "2", "?"), 2100)
    @example(("28W", "2", "?"), 2032)
    @example(("3-1,L", "*", "?"), 1970)
    @example(("31,L", "4", "?"), 2026)
    @example(("1-31,L", "*", "?"), 2026)
    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    def walk(fields: tuple[str, str, str], year: int) -> None:
        quartz = "?" in fields
        text = "0 0 0 " * quartz + "0 0 " * (not quartz) + " ".join(fields)
        cron = read_cron(text)
        expected = [day for day in days_of(year) if (quartz_day if quartz else unix_day)(day, *fields)]
        if isinstance(cron, Cron):
            assert _days(cron, year) == expected
        elif "never fires" in cron[0].message:
            assert not expected
        else:
            assert "some as `or`" in cron[0].message
            assert "*/" in fields[0] + fields[2]
        seen.append(isinstance(cron, Cron))

    walk()
    tried(sum(seen))


@pytest.mark.claim(SAME)
def test_times_are_those_that_an_oracle_finds_by_walking_the_day(tried: Tried) -> None:
    seen = []

    @given(st.tuples(quartz_field(0, 59), quartz_field(0, 59), quartz_field(0, 23)))
    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    def walk(fields: tuple[str, str, str]) -> None:
        cron = read_cron(" ".join(fields) + " ? * *")
        if isinstance(cron, tuple):
            assert "a step of" in cron[0].message  # hours may draw one over 23
            return
        second, minute, hour = ([fits(text, value, 0, top) for value in range(top + 1)] for text, top in _tops(fields))
        assert list(cron.times) == [
            time for time in range(86_400) if second[time % 60] and minute[time // 60 % 60] and hour[time // 3600]
        ]
        seen.append(fields)

    walk()
    tried(len(seen))


def _tops(fields: tuple[str, str, str]) -> list[tuple[str, int]]:
    return list(zip(fields, (59, 59, 23), strict=True))


@given(unix_field(0, 59), unix_field(0, 23))
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_unix_times_are_whole_minutes_that_an_oracle_finds(minutes: str, hours: str) -> None:
    times = [
        hour * 3600 + minute * 60
        for hour in range(24)
        for minute in range(60)
        if fits(minutes, minute, 0, 59) and fits(hours, hour, 0, 23)
    ]
    assert list(_cron(f"{minutes} {hours} * * *").times) == times


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 61 25 ? * FUN", 'minutes "61"'),
        ("0 61 25 ? * FUN", 'hours "25"'),
        ("0 61 25 ? * FUN", 'day of week "FUN"'),
        ("60 * * * * ?", 'seconds "60"'),
        ("0 60 * * * ?", "60 is not from 0 to 59"),
        ("0 0 0 0 * ?", 'day of month "0"'),
        ("0 0 0 32 * ?", 'day of month "32"'),
        ("0 0 0 1 13 ?", 'month "13"'),
        ("0 0 0 ? * 8", 'day of week "8"'),
        ("0 0 0 ? * 0#2", 'day of week "0#2": 0 is not from 1 to 7'),
        ("0 0 0 ? * MON-6", "from a number to a name"),
        ("0 0 0 ? * 2L,6L", "alone in its field"),
        ("0 0 0 L-28 * ?", "not every month is that long"),
        ("0 0 0 L-3W * ?", "beyond the cron library"),
        ("0 0 0 L-3,15 * ?", "stands alone"),
        ("0 0 0 W * ?", "alone in its field"),
        ("0 0 0 29W * ?", "not every month here has that day"),
        ("0 0 0 *,5 * ?", "`*` in a list"),
        ("0 0 0 1,,5 * ?", "an item of the list is missing"),
        ("0 0 0 1-2-3 * ?", "cannot be read"),
        ("0 0 0 ?,5 * ?", "`?` stands alone"),
        ("0 0/ 0 * * ?", "cannot be read"),
        ("0 0 0/24 * * ?", "a step of 24 is not from 1 to 23"),
        ("0 0 L * * ?", "does not belong here"),
        ("0 0 #2 * * ?", "a `#` where it does not belong"),
        ("R 0 0 * * ?", "a build server chooses"),
        ("0 0 * * MON#1", "`#` is Quartz's"),
        ("0 0 ? * 1", "`?` is Quartz's"),
        ("0 0 * * 5L", "`L` is Quartz's"),
        ("0 0 15W * *", "`W` is Quartz's"),
        ("0 0 * * 8", "8 is not from 0 to 7"),
        ("/5 * * * *", "needs what it starts from"),
        ("@reboot", "is a macro"),
        ("", "has 0 fields"),
        ("0 0 0 ١ * ?", "ARABIC-INDIC DIGIT ONE"),
        ("0 0 0 1 ſep ?", "LONG S"),
        ("0\u00a00 0 1 * ?", "NO-BREAK SPACE"),
        ("0 0 0 29 2 ? 2021-2023", "never fires"),
        ("0 0 0 ? 2 MON#5 2026", "never fires"),
        ("0 0 0 1 1 ? 2200", "2200 is not from 1970 to 2199"),
        ("0 0 0 1 1 ? " + "9" * 150, "is not from 1970 to 2199"),
    ],
)
def test_what_is_refused_names_the_field_and_what_is_wrong(text: str, says: str) -> None:
    assert says in _said(text)


def test_a_way_out_that_is_an_expression_is_taken() -> None:
    for text in ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@HOURLY"):
        refused = read_cron(text)
        assert isinstance(refused, tuple)
        _cron(refused[0].hint.removeprefix('write "').removesuffix('"'))
    for text in ("0 0 0 * * *", "0 0 0 L * *", "0 0 0 * 5 FRI"):
        refused = read_cron(text)
        assert isinstance(refused, tuple)
        _cron("0 0 0 " + refused[0].hint.split("`")[1])
    for text, days in (("*/2 * MON", "1-31/2 * MON"), ("1 * */2", "1 * 0-6/2"), ("*/2 5 */2", "1-31/2 5 0-6/2")):
        (refusal,) = _refusals(f"0 0 {text}")
        assert refusal.hint.split("`")[1] == days
        _cron(f"0 0 {days}")


def test_every_field_that_is_wrong_is_told_in_the_order_of_the_fields() -> None:
    words = [refusal.message.split(' "')[0] for refusal in _refusals("0 61 25 32 13 ? 1900")]
    assert words == ["minutes", "hours", "day of month", "month", "year"]
    words = [refusal.message.split(' "')[0] for refusal in _refusals("61 24 32 13 8")]
    assert words == ["minute", "hour", "day of month", "month", "day of week"]


def test_what_to_write_is_only_said_where_it_would_be_taken() -> None:
    wrong, both = _refusals("0 0 0 * 2 30")
    assert wrong.message.startswith('day of week "30"')
    assert both.hint == "write `?` in one of them"
    _, neither = _refusals("0 0 0 ? 13 ?")
    assert neither.message == "day of month and day of week are both `?`"


@given(st.text(st.sampled_from("0123456789*?/,-#LWHMONJAN @"), max_size=30) | st.text(max_size=20))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_refused_with_a_way_out(text: str) -> None:
    cron = read_cron(text)
    if isinstance(cron, tuple):
        assert cron
        assert all(each.message.isprintable() and each.hint.isprintable() for each in cron)
    else:
        assert len(cron.times) >= 1


def test_a_schedule_of_every_day_is_read_without_the_library() -> None:
    read = "from reconciler.manifests.cron import read_cron; read_cron('0 0/5 * * * ?').instants(2020, 2026)"
    code = f"{read}; import sys; sys.exit('croniter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
