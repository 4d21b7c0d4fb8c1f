"""The client against a server that misbehaves in every way of the table, and counts what it executed."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import repeat

import pytest

from reconciler.core.outcome import NotSent, Rejected, Triggered, Unknown
from reconciler.errors import InvalidInput
from reconciler.scheduler.answer import LIMIT
from reconciler.scheduler.client import Scheduler
from tests.scheduler.calls import CREDENTIAL, TARGET, a_call, post
from tests.scheduler.faults import BROKEN, HALF_CHUNKED
from tests.scheduler.faulty_server import OK, FaultyServer, Peer, Scenario, drip, envelope, hang, http, reply

pytestmark = pytest.mark.claim("HTTP faults against a server that counts: judged as the table says, sent once")


@pytest.mark.parametrize("name", BROKEN)
def test_whatever_breaks_after_sending_is_unknown_and_sent_once(name: str) -> None:
    scenario, executed = BROKEN[name]
    with FaultyServer(scenario) as server:
        assert isinstance(post(server), Unknown)
        assert (server.executed, server.connections) == (executed, 1)


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        http(200, envelope()).replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"HTTP/1.1 200 OK\r\n\r\n" + envelope(),
        HALF_CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(envelope()), envelope()),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK,
        OK + b"and more",
    ],
)
def test_a_whole_good_answer_is_triggered_however_it_is_framed(answer: bytes) -> None:
    with FaultyServer(reply(answer)) as server:
        assert isinstance(post(server), Triggered)
        assert server.executed == 1


@pytest.mark.parametrize(
    "status", [201, 202, 204, 206, 299, 300, 304, 402, 406, 407, 408, 409, 410, 418, 423, 425, 451]
)
def test_a_status_that_proves_nothing_is_unknown(status: int) -> None:
    with FaultyServer(reply(http(status, b"" if status in {204, 304} else envelope()))) as server:
        assert isinstance(post(server), Unknown)
        assert server.executed == 1


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 507, 520, 599, 600, 999])
def test_an_error_of_the_server_is_unknown(status: int) -> None:
    with FaultyServer(reply(http(status, envelope(data=None, success=False)))) as server:
        assert isinstance(post(server), Unknown)
        assert server.executed == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422, 429])
def test_a_refusal_is_rejected(status: int) -> None:
    with FaultyServer(reply(http(status, envelope(data=None, errorMsg="no"), "Retry-After: 7"))) as server:
        outcome = post(server)
        assert outcome == Rejected(
            f"HTTP {status}: no",
            "fbb0da5c96fb481bbadc8b7722307480.188.17688821533020289",
            status in {401, 403},
            7.0 if status == 429 else None,
        )
        assert server.executed == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    with FaultyServer(reply(OK)) as other:
        answer = http(status, envelope(), f"Location: {other.url}/anymetrics/api/v1/scheduler/task/x")
        with FaultyServer(reply(answer)) as server:
            assert isinstance(post(server), Unknown)
            assert server.executed == 1
        assert other.connections == 0


def endless_body(peer: Peer) -> None:
    if peer.execute():
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            peer.send(b" " * 65_536)


def test_an_answer_without_end_is_left_at_the_cap() -> None:
    with FaultyServer(endless_body) as server:
        start = time.monotonic()
        outcome = post(server, timeout=30)
        assert outcome == Unknown("the answer is longer than 64 KiB")
        assert time.monotonic() - start < 5
        assert server.executed == 1


def test_an_answer_that_was_packed_is_never_unpacked() -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    with FaultyServer(reply(http(200, bomb, "Content-Encoding: gzip"))) as server:
        tracemalloc.start()
        outcome = post(server)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert outcome == Unknown("the answer has an encoding that was not asked for")
    assert peak < 10_000_000


def test_a_refusal_with_a_long_page_is_still_a_refusal() -> None:
    with FaultyServer(reply(http(403, b"<p>" * LIMIT))) as server:
        assert post(server) == Rejected("HTTP 403", None, target_wide=True)


SLOW: dict[str, Callable[[], Scenario]] = {
    "no answer": lambda: hang,
    "a byte of the status line at a time": lambda: drip(bytes([byte]) for byte in OK),
    "a byte of the body at a time": lambda: drip([OK.partition(b"{")[0], *(bytes([byte]) for byte in envelope())]),
    "interim answers without end": lambda: drip(repeat(b"HTTP/1.1 102 Processing\r\n\r\n")),
    "headers without end": lambda: drip([b"HTTP/1.1 200 OK\r\n", *repeat(b"X: y\r\n", 999)]),
    "chunks without end": lambda: drip([HALF_CHUNKED, *repeat(b"1\r\n \r\n", 999)]),
}


@pytest.mark.parametrize("name", SLOW)
def test_the_deadline_is_for_the_whole_call(name: str) -> None:
    with FaultyServer(SLOW[name]()) as server:
        start = time.monotonic()
        assert post(server, timeout=0.3) == Unknown("no answer within 0.3s")
        assert 0.3 <= time.monotonic() - start < 1.0
        assert server.executed == 1


def test_each_call_has_a_connection_of_its_own_and_brings_no_cookie_along() -> None:
    def keep_open(peer: Peer) -> None:
        if peer.execute():
            peer.send(
                http(200, envelope(), "Connection: keep-alive", "Keep-Alive: timeout=60", "Set-Cookie: s=1; Path=/")
            )
            peer.execute()

    with FaultyServer(keep_open) as server:
        with Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler:
            for _ in range(3):
                assert isinstance(scheduler.post(a_call()), Triggered)
        assert (server.executed, server.connections) == (3, 3)
        assert not [name for seen in server.seen for name, _ in seen.headers if name.lower() == "cookie"]


def test_many_threads_share_one_client() -> None:
    with FaultyServer(reply(OK)) as server:
        with Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler, ThreadPoolExecutor(16) as threads:
            outcomes = list(threads.map(lambda n: scheduler.post(a_call(table=f"db.t{n}")), range(160)))
        assert all(isinstance(outcome, Triggered) for outcome in outcomes)
        assert server.connections == 160
        assert sorted(json.loads(seen.body)["tableName"] for seen in server.seen) == sorted(
            f"db.t{n}" for n in range(160)
        )


def test_a_client_that_was_closed_sends_nothing() -> None:
    with FaultyServer(reply(OK)) as server:
        scheduler = Scheduler(replace(TARGET, url=server.url), CREDENTIAL)
        scheduler.close()
        assert scheduler.post(a_call()) == NotSent("the run was stopped before this was sent")
        assert server.executed == 0


def test_a_call_to_another_target_is_refused() -> None:
    with FaultyServer(reply(OK)) as server:
        with (
            Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler,
            pytest.raises(ValueError, match="uat"),
        ):
            scheduler.post(replace(a_call(), target="uat"))
        assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://u:p@127.0.0.1",
        "embedded",
        "http://127.0.0.1/a/../b",
        "http://127.0.0.1/a?b",
    ],
)
def test_a_url_that_a_library_might_read_otherwise_is_refused(url: str) -> None:
    for wrong in (replace(TARGET, url=url), replace(TARGET, proxy=url.replace("u:p@", "u:p@@"))):
        with pytest.raises(InvalidInput, match=r"target prod: the (url|proxy)"):
            Scheduler(wrong, CREDENTIAL)


@pytest.mark.parametrize("tenant", ["", "tn 1", "tn\r\nx: y", "tñ", "t" * 33])
def test_a_tenant_that_is_no_header_value_is_not_sent(tenant: str) -> None:
    with FaultyServer(reply(OK)) as server:
        with Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler:
            assert isinstance(scheduler.post(a_call(tenant=tenant)), NotSent)
            assert isinstance(scheduler.post(a_call(table="\ud800")), NotSent)
        assert server.connections == 0


def test_an_embedded_target_is_called_where_its_emulator_listens() -> None:
    with FaultyServer(reply(OK)) as server:
        with Scheduler(replace(TARGET, url="embedded"), CREDENTIAL, url=server.url) as scheduler:
            assert isinstance(scheduler.post(a_call()), Triggered)
        assert server.executed == 1


def test_proxy_variables_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(reply(OK)) as proxy, FaultyServer(reply(OK)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert isinstance(post(server), Triggered)
        assert (server.executed, proxy.connections) == (1, 0)
