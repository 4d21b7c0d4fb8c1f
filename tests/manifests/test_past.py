"""Files of calls that were made by hand: what is read, and every problem at its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import Range, Times
from reconciler.core.config import Config, Limits, Target
from reconciler.core.past import PastCall
from reconciler.core.wallclock import parse
from reconciler.errors import Problem
from reconciler.manifests.past import FIELDS, LARGEST, Moment, PastReading, read_past
from reconciler.manifests.past_rows import reader_of

NOW = Moment("2026-01-25T00:00:00Z", {"prod": parse("2026-01-25 08:00:00"), "old": parse("2026-01-25 02:00:00")})
TARGETS = {
    "prod": Target("prod", "embedded", "tn_1", None, "Asia/Shanghai"),
    "old": Target("old", "embedded", "tn_2", None, "Europe/Berlin", range_end="exclusive"),
}
CONFIG = Config(TARGETS, "prod")
BODY = {"tableName": "a.b", "startTime": "2026-01-20 01:00:00", "endTime": "2026-01-20 05:00:00"}
RANGE = "2026-01-20 01:00:00,2026-01-20 05:00:00"


def read(name: str, data: str | bytes, config: Config = CONFIG) -> PastReading:
    rows = reader_of(name)
    assert rows
    return read_past(name, data.encode() if isinstance(data, str) else data, rows, config, NOW)


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def good(name: str, data: str | bytes, config: Config = CONFIG) -> tuple[PastCall, ...]:
    reading = read(name, data, config)
    assert reading.problems == ()
    return reading.calls


def only(reading: PastReading) -> Problem:
    assert len(reading.problems) == 1, reading.problems
    return reading.problems[0]


def test_a_line_may_be_the_very_body_that_was_sent() -> None:
    bodies = (
        {"tableName": "a.b", "tenantId": "tn_1", **BODY},
        {"tableName": "a.b", "tenantId": "tn_1", "scheduleTimes": ["2026-01-20 02:00:00", "2026-01-20 01:00:00"]},
    )
    first, second = good("calls.jsonl", lines(*bodies))
    assert first.call.body == {"tableName": "a.b", "tenantId": "tn_1", **BODY}
    assert second.call.span == Times((parse("2026-01-20 01:00:00"), parse("2026-01-20 02:00:00")))
    assert (second.call.target, second.trace_id, second.triggered_at) == ("prod", None, NOW.utc)
    assert second.call.requests == ("import:calls.jsonl:2",)


def test_csv_and_json_lines_say_the_same() -> None:
    header = "traceId,scheduleTimes,endTime,tableName,startTime,triggeredAt,target"
    rows = (
        f"\ufeff{header}\r\n"
        'fbb0.1,,"2026-01-20 05:00:00",`a`.b, 2026-01-20 01:00:00 ,2026-01-21T00:00:00Z,old\r\n'
        ",,,,,,\r\n\r\n"
        ",2026-01-20 01:00:00; 2026-01-20 02:00:00,,a.b,,,\r\n"
    )
    objects = (
        {**BODY, "tableName": "`a`.b", "traceId": "fbb0.1", "triggeredAt": "2026-01-21T00:00:00Z", "target": "old"},
        {"tableName": "a.b", "scheduleTimes": ["2026-01-20 01:00:00", "2026-01-20 02:00:00"], "traceId": None},
    )
    from_csv, from_json = good("p.csv", rows), good("p.NDJSON", "\n" + lines(*objects))
    said = [[(c.target, c.call.body, c.trace_id, c.triggered_at) for c in calls] for calls in (from_csv, from_json)]
    assert said[0] == said[1]
    assert [c.place.line for c in from_csv] == [2, 5]
    assert [c.place.line for c in from_json] == [2, 3]


def test_an_end_is_read_as_the_target_reads_it() -> None:
    inclusive, exclusive = good("p.jsonl", lines(BODY, {**BODY, "target": "old"}))
    start, end = parse(BODY["startTime"]), parse(BODY["endTime"])
    assert inclusive.call.span == Range((start, end + 1), "inclusive")
    assert exclusive.call.span == Range((start, end), "exclusive")
    assert exclusive.call.body["endTime"] == BODY["endTime"]


BAD_OBJECTS: dict[str, tuple[dict[str, object], str, str]] = {
    "no table": ({"startTime": BODY["startTime"], "endTime": BODY["endTime"]}, "tableName", "missing"),
    "a table that no manifest could name": ({**BODY, "tableName": "a..b"}, "tableName", "an empty part"),
    "a table that is no text": ({**BODY, "tableName": 3}, "tableName", "is not text"),
    "half a surrogate pair": ({**BODY, "tableName": "\ud800"}, "tableName", "holds U+D800"),
    "no times": ({"tableName": "a.b"}, "", "the call has no times"),
    "null times": ({"tableName": "a.b", "scheduleTimes": None}, "", "the call has no times"),
    "no end": ({"tableName": "a.b", "startTime": BODY["startTime"]}, "", "endTime is missing"),
    "an empty time": ({**BODY, "endTime": ""}, "endTime", "is not written as"),
    "a time of a spreadsheet": ({**BODY, "startTime": "1/20/2026 1:00"}, "startTime", "is not written as"),
    "a day that does not exist": ({**BODY, "endTime": "2026-02-30 00:00:00"}, "endTime", "does not exist"),
    "a time that is no text": ({**BODY, "endTime": 20260120}, "endTime", "is not text"),
    "an end before its start": ({**BODY, "endTime": "2026-01-20 00:59:59"}, "endTime", "is before startTime"),
    "an exclusive end at its start": (
        {**BODY, "endTime": BODY["startTime"], "target": "old"},
        "endTime",
        "triggers nothing",
    ),
    "both kinds of times": ({**BODY, "scheduleTimes": ["2026-01-20 01:00:00"]}, "scheduleTimes", "stands beside"),
    "an empty list": ({"tableName": "a.b", "scheduleTimes": []}, "scheduleTimes", "is not a list of times"),
    "a list that is none": ({"tableName": "a.b", "scheduleTimes": "x"}, "scheduleTimes", "is not a list of times"),
    "a list of numbers": ({"tableName": "a.b", "scheduleTimes": [1]}, "scheduleTimes", "not text"),
    "a time twice": (
        {"tableName": "a.b", "scheduleTimes": ["2026-01-20 01:00:00"] * 2},
        "scheduleTimes",
        "is in the list twice",
    ),
    "an unknown target": ({**BODY, "target": "prd"}, "target", "is not configured"),
    "another tenant": ({**BODY, "tenantId": "tn_2"}, "tenantId", "is not the tenant of the target prod"),
    "an end that is yet to come": ({**BODY, "endTime": "2026-01-25 08:00:01"}, "endTime", "is yet to come"),
    "a point that is yet to come": (
        {"tableName": "a.b", "scheduleTimes": ["2026-01-25 08:00:01"]},
        "scheduleTimes",
        "the clock of prod (Asia/Shanghai) shows 2026-01-25 08:00:00",
    ),
    "another clock": ({**BODY, "endTime": "2026-01-25 02:00:02", "target": "old"}, "endTime", "is yet to come"),
    "a trigger time of another form": ({**BODY, "triggeredAt": "2026-01-21 00:00:00"}, "triggeredAt", "is not written"),
    "a trigger time that is none": ({**BODY, "triggeredAt": "2026-01-21T25:00:00Z"}, "triggeredAt", "does not exist"),
    "a trigger yet to come": ({**BODY, "triggeredAt": "2026-01-25T00:00:01Z"}, "triggeredAt", "is yet to come"),
    "a trace that cannot be seen": ({**BODY, "traceId": "a\nb"}, "traceId", "is no trace id"),
    "a trace of half a surrogate pair": ({**BODY, "traceId": "\udc00"}, "traceId", "is no trace id"),
    "an empty trace": ({**BODY, "traceId": ""}, "traceId", "is no trace id"),
}


@pytest.mark.parametrize("name", BAD_OBJECTS)
def test_a_bad_call_is_refused_at_its_place(name: str) -> None:
    value, field, message = BAD_OBJECTS[name]
    line = json.dumps(value)
    reading = read("p.jsonl", f"{json.dumps(BODY)}\n{line}\n")
    problem = only(reading)
    column = line.index(f'"{field}": ') + len(field) + 5 if field in value else 1
    assert (problem.file, problem.line, problem.column, problem.path) == ("p.jsonl", 2, column, field)
    assert message in problem.message
    assert problem.hint
    assert len(reading.calls) == 1


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("{", 2, "not JSON"),
        ('{"tableName": "a.b"', 20, "not JSON"),
        ('{"tableName": NaN}', 1, "not JSON"),
        ("[" * 100_000, 1, "not JSON"),
        ("1" * 5_000, 1, "not JSON"),
        ("[1]", 1, "not a JSON object"),
        ('"{"', 1, "not a JSON object"),
        ('{"tablename": "a"}', 2, 'there is no field "tablename"'),
        ('{ "tableName" : "a", "tableName": "b"}', 22, "the field tableName is there twice"),
    ],
)
def test_a_line_that_is_no_object_is_refused(line: str, column: int, message: str) -> None:
    problem = only(read("p.jsonl", f"{json.dumps(BODY)}\n{line}\n"))
    assert (problem.line, problem.column) == (2, column)
    assert message in problem.message


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (1, 1), "the first line is empty"),
        ("tableName,startTime,endTime\n", (1, 1), "the file holds no calls"),
        ("tableName,startTime,endTime\n,,\n", (1, 1), "the file holds no calls"),
        (f"a.b,{RANGE}\n", (1, 1), 'there is no column "a.b"'),
        ("tableName,startTime,end\n", (1, 21), 'there is no column "end"'),
        ("tableName,scheduleTimes,\n", (1, 25), "a column has no name"),
        ("tableName,scheduleTimes, tableName\n", (1, 26), "the column tableName is there twice"),
        ("startTime,endTime\n", (1, 1), "the column tableName is missing"),
        ("tableName,startTime\n", (1, 1), "the columns startTime and endTime, or scheduleTimes are missing"),
        ("tableName;startTime;endTime\n", (1, 1), "not separated by commas"),
        ("tableName\tstartTime\tendTime\n", (1, 1), "not separated by commas"),
        ('tableName,"startTime,endTime\n', (1, 11), "a double quote is not closed"),
        (f"tableName,startTime,endTime\na.b,{RANGE},x\n", (2, 1), "the line has 4 cells, the header 3"),
        (f'tableName,startTime,endTime\na"b,{RANGE}\n', (2, 1), "a double quote is not closed"),
        (f'tableName,startTime,endTime\na,"x\ny",{RANGE}\n', (2, 3), "a double quote is not closed"),
        (f'tableName,startTime,endTime\n"a ""b""",{RANGE}\n', (2, 2), '"a \\"b\\"" holds U+0020 SPACE'),
        ("tableName,scheduleTimes\na.b,2026-01-20 01:00:00;\n", (2, 5), '"" is not written as'),
        (f"tableName,startTime,endTime\n a..b,{RANGE}\n", (2, 2), "has an empty part"),
    ],
)
def test_bad_csv_is_refused_at_its_place(text: str, place: tuple[int, int], message: str) -> None:
    problem = read("p.csv", text).problems[0]
    assert (problem.line, problem.column) == place
    assert message in problem.message


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("tableName".encode("utf-16"), "only UTF-8 is read"),
        ("tableName,größe".encode("latin-1"), "is not UTF-8"),
        (b"a\x00b", "cannot be seen in a review"),
        ("a\u202eb".encode(), "cannot be seen in a review"),
        (b"a\rb", "is a line end of its own"),
        (b"<<<<<<< HEAD\n", "a merge conflict is not resolved"),
        (b" " * (LARGEST + 1), "a file may have at most 16,777,216"),
    ],
)
def test_what_is_no_plain_text_is_refused(name: str, data: bytes, message: str) -> None:
    reading = read(name, data)
    assert message in reading.problems[0].message
    assert reading.calls == ()


def test_a_file_over_a_manifests_limit_is_read_whole() -> None:
    start = parse(BODY["startTime"])
    hours = [{**BODY, "tableName": f"a.b{number}"} for number in range(15_000)]
    calls = good("p.jsonl", lines(*hours))
    assert len(lines(*hours)) > 1 << 20
    assert {call.call.span.windows[0][0] for call in calls} == {start}
    assert len({call.table for call in calls}) == 15_000


def test_every_problem_is_told_at_once_and_no_more_than_help() -> None:
    reading = read("p.jsonl", lines({"tableName": "a..b", "endTime": 3, "tenantId": "x"}, {}, BODY))
    assert [(p.line, p.column) for p in reading.problems] == [(1, 1), (1, 15), (1, 49), (2, 1), (2, 1)]
    many = read("p.jsonl", lines(*[{}] * 1_000)).problems
    assert len(many) == 201
    assert "there are more problems" in many[-1].message


def test_without_a_default_target_each_call_names_one() -> None:
    config = Config(TARGETS)
    assert "has no defaultTarget" in only(read("p.jsonl", lines(BODY), config)).message
    assert len(good("p.jsonl", lines({**BODY, "target": "old"}), config)) == 1


def test_the_future_is_taken_where_the_config_allows_it() -> None:
    ahead = lines({**BODY, "endTime": "2026-02-20 05:00:00"})
    assert len(good("p.jsonl", ahead, Config(TARGETS, "prod", limits=Limits(future=True)))) == 1
    assert only(read("p.jsonl", ahead)).severity == "error"


def test_what_looks_like_a_typing_error_is_a_warning_once_a_table() -> None:
    odd = {**BODY, "tableName": "sales.оrders", "startTime": "2016-01-20 01:00:00"}
    reading = read("p.jsonl", lines(odd, odd))
    assert len(reading.calls) == 2
    assert [(p.severity, p.path) for p in reading.problems] == [("warning", "tableName"), ("warning", "startTime")]


ANY = st.text(alphabet=st.sampled_from('{}[]":,;\\ \t\r\n\ufeffa.b10-nul\ud800') | st.characters(), max_size=80)


@given(text=ANY, name=st.sampled_from(["p.csv", "p.jsonl"]), head=st.sampled_from(["", "tableName,scheduleTimes\n"]))
def test_no_text_whatever_makes_it_stumble(text: str, name: str, head: str) -> None:
    data = (head + text).encode("utf-8", "surrogatepass")
    reading = read(name, data)
    assert reading.problems or reading.calls


@given(st.dictionaries(st.sampled_from(FIELDS), st.none() | st.integers() | ANY | st.lists(ANY), max_size=8))
def test_no_object_whatever_makes_it_stumble(value: dict[str, object]) -> None:
    reading = read("p.jsonl", lines(value))
    assert reading.problems or reading.calls
