"""Every way in which a connection or an answer breaks after sending began, and how often it was executed then."""

from __future__ import annotations

import gzip

from tests.scheduler.faulty_server import Peer, Scenario, envelope, http, reply


def close_at_once(peer: Peer) -> None:
    pass


def close_after_head(peer: Peer) -> None:
    peer.head()


def close_after_request(peer: Peer) -> None:
    peer.execute()


def reset_after_request(peer: Peer) -> None:
    peer.execute()
    peer.reset()


HALF_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

BROKEN: dict[str, tuple[Scenario, int]] = {
    "closed at once": (close_at_once, 0),
    "closed after the head": (close_after_head, 0),
    "closed after the request": (close_after_request, 1),
    "reset after the request": (reset_after_request, 1),
    "half a status line": (reply(b"HTTP/1.1 2"), 1),
    "a status line alone": (reply(b"HTTP/1.1 200 OK\r\n"), 1),
    "half a header": (reply(b"HTTP/1.1 200 OK\r\nContent-Le"), 1),
    "no body": (reply(http(200, b"", length=10)), 1),
    "half a body": (reply(http(200, envelope()[:40], length=len(envelope()))), 1),
    "a body one byte short": (reply(http(200, envelope(), length=len(envelope()) + 1)), 1),
    "a body cut by its length": (reply(http(200, envelope(), length=len(envelope()) - 1)), 1),
    "half a refusal": (reply(http(403, b"{", length=10)), 1),
    "two lengths": (reply(http(200, envelope(), "Content-Length: 5")), 1),
    "a bad length": (reply(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + envelope()), 1),
    "a bad chunk": (reply(HALF_CHUNKED + b"zz\r\n" + envelope() + b"\r\n0\r\n\r\n"), 1),
    "half a chunk": (reply(HALF_CHUNKED + b"ff\r\n{"), 1),
    "no last chunk": (reply(HALF_CHUNKED + b"%x\r\n%b\r\n" % (len(envelope()), envelope())), 1),
    "garbage": (reply(b"\x00\xff\x13garbage\r\n\r\n" * 9), 1),
    "another protocol": (reply(b"SSH-2.0-OpenSSH_9.2\r\n"), 1),
    "HTTP/0.9": (reply(envelope()), 1),
    "HTTP/2": (reply(b"HTTP/2 200\r\n\r\n"), 1),
    "an endless header": (reply(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), 1),
    "100, then closed": (reply(b"HTTP/1.1 100 Continue\r\n\r\n"), 1),
    "103, then closed": (reply(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), 1),
    "101": (reply(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), 1),
    "status 000": (reply(b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n"), 1),
    "gzip": (reply(http(200, gzip.compress(envelope()), "Content-Encoding: gzip")), 1),
    "html": (reply(http(200, b"<html>please log in</html>", "Content-Type: text/html")), 1),
    "nothing": (reply(http(200)), 1),
    "a contradiction": (reply(http(200, envelope(errorMsg="no"))), 1),
}
