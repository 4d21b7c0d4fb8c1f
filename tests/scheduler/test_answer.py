"""What an answer means, by the table of outcomes."""

from __future__ import annotations

import json

import pytest

from reconciler.core.outcome import Outcome, Rejected, Triggered, Unknown
from reconciler.scheduler.answer import LIMIT, clean, judge
from tests.scheduler.faulty_server import ACCEPTED, envelope

TRACE = ACCEPTED["traceId"]
REFUSALS = {400, 401, 403, 404, 405, 413, 415, 422, 429}


def ok(body: bytes, **headers: str) -> Outcome:
    return judge(200, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_the_vendors_documented_answer_is_triggered() -> None:
    assert ok(envelope()) == Triggered(str(TRACE))


@pytest.mark.parametrize("missing", ["errorMsg", "detailErrorMsg", "traceId"])
def test_fields_that_sibling_pages_omit_may_be_missing(missing: str) -> None:
    fields = {name: value for name, value in ACCEPTED.items() if name != missing}
    assert isinstance(ok(json.dumps(fields).encode()), Triggered)


@pytest.mark.parametrize("empty", [{"errorMsg": ""}, {"message": None}, {"message": ""}, {"detailErrorMsg": ""}])
def test_an_empty_error_text_is_none(empty: dict[str, object]) -> None:
    assert isinstance(ok(envelope(**empty)), Triggered)


def test_the_vendors_documented_failure_is_rejected_though_success_is_true() -> None:
    assert ok(envelope(data=None, errorMsg="no such table")) == Rejected("no such table", str(TRACE))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"data": None, "success": False}, "the scheduler answered success: false and no reason"),
        ({"data": None, "success": False, "code": "500", "errorMsg": "no"}, "no"),
        ({"data": False, "success": False, "code": 500, "message": "no"}, "no"),
        ({"data": None, "success": False, "detailErrorMsg": "deep"}, "deep"),
        ({"data": None, "message": "no"}, "no"),
        ({"data": False, "code": "500", "errorMsg": "no"}, "no"),
    ],
)
def test_success_false_or_an_error_text_is_rejected(changes: dict[str, object], error: str) -> None:
    outcome = ok(envelope(**changes))
    assert isinstance(outcome, Rejected)
    assert (outcome.error, outcome.target_wide, outcome.retry_after) == (error, False, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"success": False},
        {"success": False, "errorMsg": "no"},
        {"errorMsg": "no"},
        {"errorMsg": " "},
        {"message": "no"},
        {"detailErrorMsg": "no"},
    ],
)
def test_an_answer_that_contradicts_itself_is_unknown_for_rejected_would_send_it_again(
    changes: dict[str, object],
) -> None:
    assert isinstance(ok(envelope(**changes)), Unknown)


@pytest.mark.parametrize(
    "changes",
    [
        {"success": "false"},
        {"success": "true"},
        {"success": 1},
        {"success": 0, "data": None},
        {"success": None},
        {"code": 200},
        {"code": "0"},
        {"code": None},
        {"code": "200 "},
        {"data": "true"},
        {"data": 1},
        {"data": None},
        {"data": False},
        {"data": {"id": 1}},
        {"data": [True]},
        {"errorMsg": 5},
        {"errorMsg": False},
        {"errorMsg": {}},
        {"message": ["no"], "data": None},
    ],
)
def test_a_field_of_another_type_or_value_is_unknown(changes: dict[str, object]) -> None:
    assert isinstance(ok(envelope(**changes)), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b'"success"',
        b"[]",
        b"[" + envelope() + b"]",
        b"{}",
        b"<html><body>502</body></html>",
        envelope()[:-1],
        envelope()[: len(envelope()) // 2],
        envelope() + b"x",
        envelope() + envelope(),
        envelope().replace(b'"success": true', b'"success": false, "success": true'),
        envelope().replace(b'"data": true', b'"data": true, "data": true'),
        envelope().replace(b'"data": true', b'"data": true, "x": {"y": 1, "y": 2}'),
        envelope().replace(b'"data": true', b'"data": true, "x": NaN'),
        envelope().replace(b'"data": true', b'"data": true, "x": -Infinity'),
        envelope().replace(b'"data": true', b'"data": true, "x": ' + b"9" * 5_000),
        envelope().replace(b'"data": true', b'"data": true, "x": ' + b"[" * 20_000),
        envelope().replace(b"true", b"True"),
        b"\xef\xbb\xbf" + envelope(),
        envelope().replace(b"fbb0", b"\xff\xfe"),
        envelope().decode().encode("utf-16"),
        envelope() + b" " * LIMIT,
    ],
)
def test_a_200_that_is_not_one_strict_json_object_is_unknown(body: bytes) -> None:
    assert isinstance(ok(body), Unknown)


def test_an_answer_of_just_the_limit_is_still_read() -> None:
    assert isinstance(ok(envelope().ljust(LIMIT)), Triggered)


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "x"])
def test_an_encoding_that_was_not_asked_for_is_unknown(encoding: str) -> None:
    assert isinstance(ok(envelope(), content_encoding=encoding), Unknown)
    assert isinstance(ok(envelope(), content_encoding="Identity"), Triggered)


@pytest.mark.parametrize("status", [*range(100, 600), 600, 999])
def test_every_other_status_is_rejected_where_servers_refuse_and_unknown_elsewhere(status: int) -> None:
    if status == 200:
        return
    expected = Rejected if status in REFUSALS else Unknown
    for body in (envelope(), envelope(data=None, errorMsg="no"), b"<html>", b"", b"x" * (LIMIT + 1)):
        outcome = judge(status, {}, body)
        assert isinstance(outcome, expected)
        assert outcome.error.startswith(f"HTTP {status}")


def test_only_401_and_403_are_about_the_whole_target_and_only_429_waits() -> None:
    for status in REFUSALS:
        outcome = judge(status, {}, b"")
        assert isinstance(outcome, Rejected)
        assert outcome.target_wide == (status in {401, 403})
        assert outcome.retry_after == (1.0 if status == 429 else None)


NOON = "Sun, 06 Nov 2044 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "60"}, 60.0),
        ({"retry-after": "3600"}, 60.0),
        ({"retry-after": "9" * 500}, 60.0),
        ({"retry-after": "-1"}, 1.0),
        ({"retry-after": "1.5"}, 1.0),
        ({"retry-after": "٣"}, 1.0),
        ({"retry-after": "soon"}, 1.0),
        ({"retry-after": "5, 10"}, 1.0),
        ({"retry-after": NOON}, 1.0),
        ({"retry-after": "Sun, 06 Nov 2044 12:00:09 GMT", "date": NOON}, 9.0),
        ({"retry-after": "Sun, 06 Nov 2044 13:00:00 GMT", "date": NOON}, 60.0),
        ({"retry-after": "Sun, 06 Nov 2044 11:00:00 GMT", "date": NOON}, 0.0),
        ({"retry-after": "Sun, 06 Nov 2044 12:00:09 -0000", "date": NOON}, 1.0),
        ({"retry-after": NOON, "date": "yesterday"}, 1.0),
    ],
)
def test_a_429_waits_as_long_as_it_asks_at_most_a_minute(headers: dict[str, str], seconds: float) -> None:
    outcome = judge(429, headers, b"")
    assert isinstance(outcome, Rejected)
    assert outcome.retry_after == seconds


def test_a_refusal_says_why_where_the_body_says_it() -> None:
    assert judge(403, {}, envelope(errorMsg="no role")) == Rejected("HTTP 403: no role", str(TRACE), target_wide=True)
    assert judge(500, {}, envelope(errorMsg="down")) == Unknown("HTTP 500: down")


def test_a_strangers_text_is_cut_and_its_invisible_characters_are_shown() -> None:
    assert clean("a\nb\x1b[31m\u202ec\ud800\u2028", "") == "a\\u000ab\\u001b[31m\\u202ec\\ud800\\u2028"
    assert clean("é表", "") == "é表"
    assert clean("x" * 300, "") == "x" * 300
    assert clean("x" * 301, "") == "x" * 299 + "…"
    assert len(clean("\n" * 10_000, "")) == 300


@pytest.mark.parametrize("secret", ["CANARY-5f1e", 'a"b\\c<&', "p%q/r?s"])
def test_the_secret_is_blotted_out_of_error_and_trace_id_however_it_is_written(secret: str) -> None:
    body = envelope(data=None, errorMsg=f"bad {secret} {json.dumps(secret)}", traceId=f"t-{secret}")
    for status in (200, 403):
        outcome = judge(status, {}, body, secret)
        assert isinstance(outcome, Rejected)
        assert outcome.trace_id == "t-***"
        assert 'bad *** "***"' in outcome.error


def test_a_secret_across_the_cut_leaves_no_part_behind() -> None:
    for before in range(270, 300):
        outcome = judge(200, {}, envelope(data=None, errorMsg="x" * before + "CANARY-5f1e" * 3), "CANARY-5f1e")
        assert "CAN" not in repr(outcome)


def test_a_trace_id_that_is_no_text_is_none() -> None:
    assert ok(envelope(traceId=5)) == Triggered(None)
    assert ok(envelope(traceId="")) == Triggered(None)
