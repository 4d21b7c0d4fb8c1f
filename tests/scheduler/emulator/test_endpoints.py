"""The two endpoints over real HTTP: what the vendor's page allows runs, and is counted."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from reconciler.core.schedule import Daily, Every, Schedule
from reconciler.scheduler.emulator import Emulator
from tests.scheduler.emulator.caller import HEADERS, RANGE, TABLE, TIMES, Caller

SEED_TIMES = b"""{
  "tableName":"kehuzhisheng.chaos_prod.chaos_onsite_bug",
  "tenantId":"tn_19487697",
  "scheduleTimes":[
    "2026-01-20 00:00:00",
    "2026-01-20 01:00:00"
  ]
}"""
SEED_RANGE = b"""{
  "tableName":"default_catalog.sales.FACT_SALES",
  "tenantId":"tn_19487697",
  "startTime":"2026-01-20 01:00:00",
  "endTime":"2026-01-20 05:00:00"
}"""
# curl adds the content type by itself when it is given --data-raw.
SEED_HEADERS = {
    "tenant-id": "tn_19487697",
    "auth-value": "463663891121963008",
    "auth-type": "UID",
    "Content-Type": "application/x-www-form-urlencoded",
}
GOOD: dict[str, object] = {"tableName": TABLE, "tenantId": "tn_1", "scheduleTimes": ["2026-01-20 00:00:00"]}


@pytest.fixture
def caller() -> Iterator[Caller]:
    with Emulator(None) as emulator:
        yield Caller(emulator)


def test_the_vendors_example_by_schedule_times_runs_exactly_those_instants(caller: Caller) -> None:
    answer = caller.send("POST", TIMES, SEED_TIMES, SEED_HEADERS)
    assert answer.status == 200
    trace_id = answer.envelope.pop("traceId")
    assert answer.envelope == {
        "data": True,
        "success": True,
        "code": "200",
        "errorMsg": None,
        "detailErrorMsg": None,
        "traceId": trace_id,
    }
    assert re.fullmatch(r"[0-9a-f]{32}\.[0-9]+\.[0-9]{17}", str(trace_id))
    ran = caller.emulator.database.instances()
    assert [(row.table, row.tenant, row.time, row.runs, row.trace_id) for row in ran] == [
        ("kehuzhisheng.chaos_prod.chaos_onsite_bug", "tn_19487697", time, 1, trace_id)
        for time in ("2026-01-20 00:00:00", "2026-01-20 01:00:00")
    ]


def test_the_vendors_example_by_range_runs_both_ends(caller: Caller) -> None:
    assert caller.send("POST", RANGE, SEED_RANGE, SEED_HEADERS).envelope["data"] is True
    hours = [row.time for row in caller.emulator.database.instances(TABLE)]
    assert hours == [f"2026-01-20 0{hour}:00:00" for hour in range(1, 6)]


def test_an_exclusive_range_leaves_its_end_out() -> None:
    with Emulator(None, range_end="exclusive") as emulator:
        Caller(emulator).range("2026-01-20 01:00:00", "2026-01-20 05:00:00")
        assert [row.time[11:13] for row in emulator.database.instances()] == ["01", "02", "03", "04"]


def test_a_table_with_a_schedule_runs_by_that_and_another_table_by_every() -> None:
    weekends = Schedule("weekends", Daily((6 * 3600,), (20_477, 20_478)), skipped=((20_477 * 86_400, 20_478 * 86_400),))
    with Emulator(None, every=12 * 3600, schedules={TABLE: weekends}) as emulator:
        for table in (TABLE, "other"):
            assert Caller(emulator).range("2026-01-23 18:00:00", "2026-01-25 06:00:00", table).envelope["data"] is True
        Caller(emulator).times("2026-01-23 05:00:01")
        assert [row.time for row in emulator.database.instances(TABLE)] == [
            "2026-01-23 05:00:01",
            "2026-01-25 06:00:00",
        ]
        assert [row.time[8:13] for row in emulator.database.instances("other")] == ["24 00", "24 12", "25 00"]


def test_a_range_of_too_many_instances_is_refused_before_they_are_listed() -> None:
    with Emulator(None, schedules={TABLE: Schedule("every 1s", Every(1))}) as emulator:
        answer = Caller(emulator).range("0001-01-01 00:00:00", "9999-12-31 23:59:59").envelope
        assert answer["errorMsg"] == "the range holds 315537897600 instances, more than 1000000"


def test_a_range_runs_what_the_schedule_has_from_midnight_on() -> None:
    with Emulator(None, every=6 * 3600) as emulator:
        Caller(emulator).range("2026-01-20 00:00:01", "2026-01-21 05:59:59")
        times = [row.time for row in emulator.database.instances()]
        assert times == [
            "2026-01-20 06:00:00",
            "2026-01-20 12:00:00",
            "2026-01-20 18:00:00",
            "2026-01-21 00:00:00",
        ]


def test_a_range_without_an_instant_is_taken_and_runs_nothing(caller: Caller) -> None:
    assert caller.range("2026-01-20 01:00:01", "2026-01-20 01:59:59").envelope["data"] is True
    assert caller.emulator.database.instances() == ()
    assert caller.emulator.database.calls()[0].answer == "triggered"


def test_the_ends_of_the_calendar_are_times_like_others(caller: Caller) -> None:
    assert caller.range("9999-12-31 23:00:00", "9999-12-31 23:59:59").envelope["data"] is True
    assert caller.range("0001-01-01 00:00:00", "0001-01-01 00:00:00").envelope["data"] is True
    times = [row.time for row in caller.emulator.database.instances()]
    assert times == ["0001-01-01 00:00:00", "9999-12-31 23:00:00"]


def test_triggering_an_instant_again_reruns_it(caller: Caller) -> None:
    caller.range("2026-01-20 01:00:00", "2026-01-20 03:00:00")
    second = caller.times("2026-01-20 02:00:00", "2026-01-20 02:30:00")
    database = caller.emulator.database
    runs = {row.time[11:16]: row.runs for row in database.instances(TABLE)}
    assert runs == {"01:00": 1, "02:00": 2, "02:30": 1, "03:00": 1}
    assert database.runs(TABLE, "2026-01-20 02:00:00") == 2
    assert database.runs(TABLE, "2026-01-20 04:00:00") == 0
    assert database.runs("another", "2026-01-20 02:00:00") == 0
    rerun = database.instances(TABLE)[1]
    assert rerun.trace_id == second.envelope["traceId"]
    assert rerun.first_run_at <= rerun.last_run_at


def test_a_time_listed_twice_in_one_call_runs_twice(caller: Caller) -> None:
    caller.times("2026-01-20 02:00:00", "2026-01-20 02:00:00")
    assert caller.emulator.database.runs(TABLE, "2026-01-20 02:00:00") == 2


def test_every_call_is_kept_with_its_body_and_trace(caller: Caller) -> None:
    taken = caller.times("2026-01-20 02:00:00")
    failed = caller.times("soon")
    first, second = caller.emulator.database.calls()
    assert (first.method, first.table, first.answer, first.instances) == (
        "scheduleTime",
        TABLE,
        "triggered",
        1,
    )
    assert json.loads(first.body)["scheduleTimes"] == ["2026-01-20 02:00:00"]
    assert first.trace_id == taken.envelope["traceId"]
    assert (second.answer, second.instances, second.table) == ("rejected", 0, "")
    assert (second.reason, second.trace_id) == (failed.envelope["errorMsg"], failed.envelope["traceId"])


def test_the_auth_value_is_kept_nowhere(caller: Caller) -> None:
    caller.times("2026-01-20 02:00:00")
    assert HEADERS["auth-value"] not in repr(caller.emulator.database.calls())


@pytest.mark.parametrize("auth_type", ["UID", "TOKEN", "ACCOUNT", "APIKEY"])
def test_every_auth_type_of_the_page_and_a_value_of_32_characters_is_taken(caller: Caller, auth_type: str) -> None:
    sent = {**HEADERS, "auth-type": auth_type, "auth-value": "x" * 32}
    assert caller.send("POST", TIMES, json.dumps(GOOD).encode(), sent).envelope["data"] is True


def test_a_connection_can_be_kept_for_more_calls(caller: Caller) -> None:
    connection = http.client.HTTPConnection(urlsplit(caller.emulator.url).netloc, timeout=20)
    try:
        for _ in range(3):
            connection.request("POST", TIMES, json.dumps(GOOD), dict(HEADERS))
            assert connection.getresponse().read()
    finally:
        connection.close()
    assert caller.emulator.database.runs(TABLE, "2026-01-20 00:00:00") == 3
