"""When the client says "not sent" it is proof; where proof is missing it says "unknown". Connecting, TLS, proxies."""

from __future__ import annotations

import inspect
import socket
import time
from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest

from reconciler.core.outcome import NotSent, Rejected, Triggered, Unknown
from reconciler.scheduler.client import Scheduler
from reconciler.scheduler.flight import CalledBack, Flight
from reconciler.scheduler.trouble import WORDS, describe
from tests.scheduler.calls import CANARY, CREDENTIAL, TARGET, a_call, dead_end, post
from tests.scheduler.faulty_server import OK, TLS, FaultyServer, Peer, drip, hang, http, reply, tunnel

pytestmark = pytest.mark.claim("HTTP faults against a server that counts: judged as the table says, sent once")


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))


def test_a_refused_connection_is_not_sent() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with Scheduler(replace(TARGET, url=f"http://127.0.0.1:{bound.getsockname()[1]}"), CREDENTIAL) as scheduler:
            assert scheduler.post(a_call()) == NotSent("connection refused")


def test_a_connection_that_never_comes_about_is_not_sent_at_the_deadline() -> None:
    start = time.monotonic()
    with dead_end() as url, Scheduler(replace(TARGET, url=url, timeout=0.3), CREDENTIAL) as scheduler:
        assert scheduler.post(a_call()) == NotSent("no connection within 0.3s")
        assert time.monotonic() - start < 0.8


def test_a_connection_that_is_reset_at_once_was_executed_nowhere() -> None:
    with FaultyServer(Peer.reset) as server:
        assert isinstance(post(server), NotSent | Unknown)  # whether the reset or our first byte is faster is luck
        assert server.executed == 0


def test_a_host_that_is_none_is_not_sent() -> None:
    for host, why in (("999.1.1.1", "the target's url is not valid"), ("a..b", "the call failed with UnicodeError")):
        with Scheduler(replace(TARGET, url=f"http://{host}:8083"), CREDENTIAL) as scheduler:
            outcome = scheduler.post(a_call())
            assert isinstance(outcome, NotSent)
            assert outcome.error in {why, "the target's url is not valid"}


def test_a_certificate_that_is_not_trusted_is_not_sent() -> None:
    with FaultyServer(reply(OK), tls=True) as server:
        assert post(server) == NotSent("TLS certificate not trusted: it is self-signed")
        assert server.executed == 0


@pytest.mark.usefixtures("trusted")
def test_a_certificate_that_the_machine_trusts_is_enough() -> None:
    with FaultyServer(reply(OK), tls=True) as server:
        with Scheduler(replace(TARGET, url=server.url), CREDENTIAL) as scheduler:
            for _ in range(2):
                assert isinstance(scheduler.post(a_call()), Triggered)
        assert (server.executed, server.connections) == (2, 2)


@pytest.mark.usefixtures("trusted")
def test_https_to_a_plain_http_port_is_not_sent() -> None:
    with FaultyServer(lambda peer: peer.send(OK)) as server:
        target = replace(TARGET, url=server.url.replace("http:", "https:"))
        with Scheduler(target, CREDENTIAL) as scheduler:
            assert scheduler.post(a_call()) == NotSent("TLS could not be set up")


@pytest.mark.usefixtures("trusted")
def test_a_handshake_without_end_is_not_sent_at_the_deadline() -> None:
    with FaultyServer(Peer.hang) as server:
        target = replace(TARGET, url=server.url.replace("http:", "https:"), timeout=0.3)
        with Scheduler(target, CREDENTIAL) as scheduler:
            assert scheduler.post(a_call()) == NotSent("no connection within 0.3s")
            assert server.left.wait(2)


@pytest.mark.usefixtures("trusted")
def test_what_breaks_inside_tls_after_sending_is_unknown() -> None:
    with FaultyServer(reply(OK[:40]), drip(bytes([byte]) for byte in OK), hang, tls=True) as server:
        assert isinstance(post(server), Unknown)
        assert post(server, timeout=0.4) == Unknown("no answer within 0.4s")
        assert post(server, timeout=0.4) == Unknown("no answer within 0.4s")
        assert server.left.wait(2)
        assert server.executed == 3


def test_a_forward_proxy_is_used_only_where_it_is_configured() -> None:
    with FaultyServer(reply(OK)) as proxy:
        target = replace(TARGET, url="http://scheduler.invalid:8083", proxy=proxy.url)
        with Scheduler(target, CREDENTIAL) as scheduler:
            assert isinstance(scheduler.post(a_call()), Triggered)
        (seen,) = proxy.seen
        assert seen.path.startswith("http://scheduler.invalid:8083/anymetrics/")
        assert dict(seen.headers)["host"] == "scheduler.invalid:8083"


def test_what_breaks_behind_a_forward_proxy_is_judged_like_any_call() -> None:
    answers = (OK[:40], http(502, b"<html>"), http(504), http(407), http(403))
    with FaultyServer(*map(reply, answers)) as proxy:
        target = replace(TARGET, url="http://scheduler.invalid:8083", proxy=proxy.url)
        with Scheduler(target, CREDENTIAL) as scheduler:
            outcomes = [type(scheduler.post(a_call())) for _ in answers]
        assert outcomes == [Unknown, Unknown, Unknown, Unknown, Rejected]
        assert proxy.executed == 5


def close(peer: Peer) -> None:
    peer.head()


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "scenario",
    [
        reply(http(407, b"log in", "Proxy-Authenticate: Basic")),
        reply(http(502)),
        reply(http(302, b"", "Location: http://127.0.0.1:1")),
        reply(b"garbage\r\n\r\n"),
        reply(b"HTTP/1.1 200 OK\r\n\r\nnot TLS at all"),
        reply(b"HTTP/1.1 200 OK\r\n\r\n"),
        close,
        hang,
    ],
)
def test_a_tunnel_that_does_not_come_about_is_not_sent(scenario: object) -> None:
    assert callable(scenario)
    with FaultyServer(scenario) as proxy:
        target = replace(TARGET, url="https://scheduler.invalid", proxy=proxy.url, timeout=0.5)
        with Scheduler(target, CREDENTIAL) as scheduler:
            assert isinstance(scheduler.post(a_call()), NotSent)
        assert proxy.connections == 1
        for seen in proxy.seen:
            assert (seen.method, seen.path) == ("CONNECT", "scheduler.invalid:443")
            assert CANARY not in repr(seen)


@pytest.mark.usefixtures("trusted")
def test_a_call_goes_through_a_tunnel_unseen_and_a_tunnel_that_breaks_later_is_unknown() -> None:
    with FaultyServer(reply(OK), reply(OK[:40]), hang, tls=True) as server:
        with FaultyServer(tunnel(server.port)) as proxy:
            target = replace(TARGET, url=server.url, proxy=proxy.url, timeout=1.0)
            with Scheduler(target, CREDENTIAL) as scheduler:
                assert isinstance(scheduler.post(a_call()), Triggered)
                assert isinstance(scheduler.post(a_call()), Unknown)
                assert scheduler.post(a_call()) == Unknown("no answer within 1s")
            assert [seen.method for seen in proxy.seen] == ["CONNECT"] * 3
            assert CANARY not in repr(proxy.seen)
        assert server.executed == 3


class Posted:
    """What httpcore hands the trace about a request."""

    def __init__(self, method: bytes) -> None:
        self.method = method


BEFORE: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("connection.connect_tcp.started", {}),
    ("connection.connect_tcp.complete", {"return_value": None}),
    ("connection.start_tls.started", {}),
    ("http11.send_request_headers.started", {"request": Posted(b"CONNECT")}),
    ("http11.send_request_headers.complete", {}),
    ("http11.receive_response_headers.started", {"request": Posted(b"CONNECT")}),
    ("http11.response_closed.started", {}),
    ("proxy.start_tls.started", {}),
    ("proxy.start_tls.failed", {}),
)


def test_connecting_tls_and_opening_a_tunnel_are_not_sending() -> None:
    flight = Flight()
    for event, info in BEFORE:
        flight.trace(event, info)
    assert not flight.sent


@pytest.mark.parametrize(
    "event", ["http11.send_request_headers.started", "http2.send_request_headers.started", "a.new_name.started"]
)
def test_every_other_step_counts_as_sending_and_is_stopped_once_called_back(event: str) -> None:
    info = {"request": Posted(b"POST")}
    flight = Flight()
    flight.trace(event, info)
    assert flight.sent
    assert flight.call_back()
    flight.trace(event, info)
    stopped = Flight()
    assert not stopped.call_back()
    with pytest.raises(CalledBack):
        stopped.trace(event, info)
    assert not stopped.sent


def test_a_body_handed_out_is_sent_even_where_the_trace_is_silent() -> None:
    flight = Flight()
    assert b"".join(flight.passing(b"{}")) == b"{}"
    assert flight.sent


def exceptions_of_httpx() -> dict[str, type[BaseException]]:
    found = {
        name: value
        for name, value in vars(httpx).items()
        if inspect.isclass(value) and issubclass(value, BaseException)
    }
    todo = list(found.values())
    while todo:
        children = [child for child in todo.pop().__subclasses__() if child.__module__.startswith("httpx")]
        found.update((child.__name__, child) for child in children)
        todo.extend(children)
    return found


def test_every_exception_that_httpx_has_is_mapped_to_words_of_ours() -> None:
    assert set(exceptions_of_httpx()) == set(WORDS)


@pytest.mark.parametrize("name", sorted(WORDS))
def test_no_text_of_an_exception_is_passed_on(name: str) -> None:
    kind = exceptions_of_httpx()[name]
    error = kind.__new__(kind, f"auth-value: {CANARY}")
    error.args = (f"auth-value: {CANARY}",)
    error.__context__ = OSError(111, CANARY)
    assert CANARY not in describe(error, 30.0)


def test_an_exception_that_nobody_knew_of_is_named_and_no_more() -> None:
    assert describe(RuntimeError(CANARY), 1.0) == "the call failed with RuntimeError"
