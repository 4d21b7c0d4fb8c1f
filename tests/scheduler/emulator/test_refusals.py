"""What the vendor's page does not allow: refused over real HTTP, with the status that fits, and never run."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from reconciler.scheduler.emulator import Emulator
from tests.scheduler.emulator.caller import BASE, HEADERS, RANGE, TABLE, TIMES, Caller

GOOD: dict[str, object] = {"tableName": TABLE, "tenantId": "tn_1", "scheduleTimes": ["2026-01-20 00:00:00"]}
GOOD_RANGE: dict[str, object] = {
    "tableName": TABLE,
    "tenantId": "tn_1",
    "startTime": "2026-01-20 01:00:00",
    "endTime": "2026-01-20 05:00:00",
}


@pytest.fixture
def caller() -> Iterator[Caller]:
    with Emulator(None) as emulator:
        yield Caller(emulator)


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({"tenant-id": None}, 401, "tenant-id is missing"),
        ({"auth-type": None}, 401, "auth-type is missing"),
        ({"auth-value": None}, 401, "auth-value is missing"),
        ({"auth-type": "uid"}, 401, "auth-type is none of UID, TOKEN, ACCOUNT, APIKEY"),
        ({"auth-type": "BEARER"}, 401, "auth-type is none of UID, TOKEN, ACCOUNT, APIKEY"),
        ({"auth-value": ""}, 401, "auth-value is empty"),
        ({"auth-value": " "}, 401, "auth-value is empty"),
        ({"auth-value": "x" * 33}, 401, "auth-value is longer than 32 characters"),
        ({"tenant-id": "t" * 33}, 401, "tenant-id is longer than 32 characters"),
        ({"tenant-id": "tn_2"}, 403, "tenantId is not the tenant of the tenant-id header"),
    ],
)
def test_headers_that_the_page_does_not_allow_are_refused(
    caller: Caller, headers: dict[str, str | None], status: int, message: str
) -> None:
    sent = {name: value for name, value in {**HEADERS, **headers}.items() if value is not None}
    answer = caller.send("POST", TIMES, json.dumps(GOOD).encode(), sent)
    assert answer.status == status
    assert answer.envelope["code"] == str(status)
    assert answer.envelope["success"] is False
    assert answer.envelope["errorMsg"] == message
    assert caller.emulator.database.instances() == ()
    assert caller.emulator.database.calls()[0].answer == f"refused {status}"


def test_a_tenant_that_this_scheduler_does_not_serve_is_refused() -> None:
    with Emulator(None, tenant="tn_9") as emulator:
        assert Caller(emulator).times("2026-01-20 00:00:00").status == 403
        assert emulator.database.instances() == ()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"tableName=x", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b"[" + b"9" * 5000 + b"]"]
)
def test_a_body_that_is_not_json_gets_400(caller: Caller, body: bytes) -> None:
    answer = caller.send("POST", TIMES, body)
    assert (answer.status, answer.envelope["errorMsg"]) == (400, "the body is not JSON in UTF-8")


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (TIMES, "[]", "the body is not a JSON object"),
        (TIMES, '"text"', "the body is not a JSON object"),
        (TIMES, '{"tableName": "a", "tableName": "b"}', '"tableName" is given twice'),
        (TIMES, {"tableName": ...}, "tableName is missing"),
        (TIMES, {"tenantId": ...}, "tenantId is missing"),
        (TIMES, {"scheduleTimes": ...}, "scheduleTimes is missing"),
        (TIMES, {"startTime": "2026-01-20 00:00:00"}, '"startTime" is not a field of this call'),
        (TIMES, {"tableName": 1}, "tableName is not a string"),
        (TIMES, {"tableName": " "}, "tableName is empty"),
        (TIMES, {"tableName": "x" * 257}, "tableName is longer than 256 characters"),
        (TIMES, {"tableName": "a\nb"}, "tableName holds characters that cannot be shown"),
        (TIMES, {"tableName": "a\ud800b"}, "tableName holds characters that cannot be shown"),
        (TIMES, {"tenantId": None}, "tenantId is not a string"),
        (TIMES, {"scheduleTimes": "2026-01-20 00:00:00"}, "scheduleTimes is not an array"),
        (TIMES, {"scheduleTimes": []}, "scheduleTimes is empty"),
        (
            TIMES,
            {"scheduleTimes": ["2026-01-20 00:00:00"] * 10_001},
            "scheduleTimes holds more than 10000 times",
        ),
        (TIMES, {"scheduleTimes": [1768867200]}, "scheduleTimes[0] is not a string"),
        (
            TIMES,
            {"scheduleTimes": ["2026-01-20 00:00:00", "2026-01-20T01:00:00"]},
            "scheduleTimes[1] is not written as yyyy-MM-dd HH:mm:ss",
        ),
        (TIMES, {"scheduleTimes": ["2026-02-30 00:00:00"]}, "scheduleTimes[0] is a day that does not exist"),
        (RANGE, {"startTime": ...}, "startTime is missing"),
        (RANGE, {"endTime": ...}, "endTime is missing"),
        (RANGE, {"scheduleTimes": []}, '"scheduleTimes" is not a field of this call'),
        (RANGE, {"startTime": "2026-1-20 1:00:00"}, "startTime is not written as yyyy-MM-dd HH:mm:ss"),
        (RANGE, {"endTime": "2026-01-20 24:00:00"}, "endTime is a time of day that does not exist"),
        (RANGE, {"endTime": "2026-01-20 00:59:59"}, "endTime is before startTime"),
        (
            RANGE,
            {"startTime": "1500-01-01 00:00:00"},
            "the range holds 4611294 instances, more than 1000000",
        ),
    ],
)
def test_json_that_says_something_wrong_gets_the_documented_failure(
    caller: Caller, path: str, body: str | dict[str, object], message: str
) -> None:
    if isinstance(body, dict):
        fields = {**(GOOD if path == TIMES else GOOD_RANGE), **body}
        body = json.dumps({name: value for name, value in fields.items() if value is not ...})
    answer = caller.send("POST", path, body.encode())
    envelope = answer.envelope
    del envelope["traceId"]
    assert answer.status == 200
    assert envelope == {
        "data": None,
        "success": True,
        "code": "200",
        "errorMsg": message,
        "detailErrorMsg": None,
    }
    assert caller.emulator.database.instances() == ()


@pytest.mark.parametrize(
    "path",
    [f"{BASE}trigger", TIMES + "/", TIMES + "?x=1", TIMES.lower(), "/nothing", "/%2e"],
)
def test_another_path_gets_404(caller: Caller, path: str) -> None:
    answer = caller.send("POST", path, json.dumps(GOOD).encode())
    assert answer.status == 404
    assert answer.envelope["data"] is None
    assert caller.emulator.database.calls() == ()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_gets_405(caller: Caller, method: str) -> None:
    answer = caller.send(method, RANGE, json.dumps(GOOD_RANGE).encode())
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert caller.emulator.database.instances() == ()


def test_a_method_that_http_does_not_have_gets_an_envelope_too(caller: Caller) -> None:
    assert caller.send("BREW", TIMES).envelope["code"] == "501"


def test_a_body_over_the_cap_is_not_read(caller: Caller) -> None:
    answer = caller.send("POST", TIMES, None, {**HEADERS, "Content-Length": str(1 << 40)})
    assert (answer.status, answer.headers["connection"]) == (413, "close")


@pytest.mark.parametrize(
    ("path", "lines", "status"),
    [
        (TIMES, ("Transfer-Encoding: chunked",), b"411"),
        (TIMES, ("Content-Length: -1",), b"400"),
        (TIMES, ("Content-Length: 1", "Content-Length: 2"), b"400"),
        (TIMES, ("tenant-id: tn_1", "tenant-id: tn_2"), b"401"),
        ("http://[/", (), b"404"),
        ("*", (), b"404"),
    ],
)
def test_ambiguous_framing_and_headers_are_refused(
    caller: Caller, path: str, lines: tuple[str, ...], status: bytes
) -> None:
    url = urlsplit(caller.emulator.url)
    request = "\r\n".join((f"POST {path} HTTP/1.1", f"Host: {url.netloc}", *lines, "Connection: close", "", ""))
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=20) as connection:
        connection.sendall(request.encode())
        assert connection.makefile("rb").readline().split()[1] == status


def test_a_body_that_breaks_off_does_not_run(caller: Caller) -> None:
    url = urlsplit(caller.emulator.url)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=20) as connection:
        connection.sendall(f"POST {TIMES} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 99\r\n\r\n{{".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert caller.emulator.database.calls() == ()
