"""HTTP for the emulator: reads requests, delivers answers as whole as they are meant to be, stops cleanly."""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Condition, Event
from typing import cast

from reconciler.scheduler.emulator.envelope import Reply, new_trace_id, refused
from reconciler.scheduler.emulator.page import show
from reconciler.scheduler.emulator.rules import PATHS, Refused
from reconciler.scheduler.emulator.service import Post, Service, now

BODY_LIMIT = 1 << 20
_IDLE_SECONDS = 30.0
_CLOSE_SECONDS = 10.0
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::[0-9]{1,5})?")


class Server(ThreadingHTTPServer):
    """Serves one Service. `failure` is the first exception that nobody expected, for whoever closes it to raise."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, service: Service, latency: float, say: Callable[[str], None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.service = service
        self.latency = latency
        self.say = say
        self.stopping = Event()
        self.failure: BaseException | None = None
        self._open: set[socket.socket] = set()
        self._changed = Condition()
        super().__init__((host, port), Handler)
        self.loopback = ipaddress.ip_address(cast("str", self.server_address[0])).is_loopback

    def server_bind(self) -> None:
        # HTTPServer would look up the host's full name here, which can take seconds.
        TCPServer.server_bind(self)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        with self._changed:
            self._open.add(cast("socket.socket", request))
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(cast("socket.socket", request))
            self._changed.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base class's form
        """Keep an unexpected exception for the one who closes the server; callers that hang up are expected."""
        error = sys.exception()
        if error is None or isinstance(error, ConnectionError):
            return
        self.failure = self.failure or error
        self.say(f"{now()} unexpected error: {error!r}")

    def close(self) -> None:
        """Stop answering: break off the connections that are open, wait for their threads, free the port.

        A call that is being run is still run and recorded. Call it after `shutdown`.
        """
        self.stopping.set()
        self.server_close()
        with self._changed:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the caller was quicker
            self._changed.wait_for(lambda: not self._open, _CLOSE_SECONDS)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Server

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except Refused as refusal:
            self.close_connection = True
            self._refuse(refusal.status, refusal.message)
            return
        if body is None:
            self.close_connection = True
            return
        if not self._host_allowed():
            self._refuse(403, "the Host header names another machine; use 127.0.0.1 or localhost")
        elif self.path in PATHS:
            self._trigger(body)
        else:
            self._show()

    # The names are http.server's: one for each method that it lets through.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _show(self) -> None:
        reply = show(self.server.service.database, self.path)
        if reply is None:
            self._refuse(404, f"{self.path[:200]!a} does not exist")
        elif self.command not in {"GET", "HEAD"}:
            self._refuse(405, "the emulator's own pages are read with GET", ("Allow", "GET, HEAD"))
        else:
            self._deliver(reply)

    def _trigger(self, body: bytes) -> None:
        if self.command != "POST":
            self._refuse(405, "the vendor's page has POST only", ("Allow", "POST"))
            return
        if self.server.latency and self.server.stopping.wait(self.server.latency):
            self.close_connection = True
            return
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        self._deliver(self.server.service.handle(Post(PATHS[self.path], headers, body)))

    def _host_allowed(self) -> bool:
        """Say whether the Host header is one that a browser sends to this machine on purpose.

        A page of another site that points its own name at 127.0.0.1 (DNS rebinding) sends that name.
        """
        if not self.server.loopback:
            return True
        given = self.headers.get_all("Host", [])
        match = _HOST.fullmatch(given[0].strip()) if len(given) == 1 else None
        if match is None:
            return False
        name = match[1].strip("[]").lower()
        try:
            return name == "localhost" or ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def _read_body(self) -> bytes | None:
        """Return the body, None where the caller hung up in its middle. Raises Refused where its length is wrong."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers:
            raise Refused(411, "the body has no Content-Length")
        if not lengths:
            return b""
        if len(lengths) > 1 or re.fullmatch(r"[0-9]{1,18}", lengths[0].strip()) is None:
            raise Refused(400, "Content-Length is not one number")
        length = int(lengths[0])
        if length > BODY_LIMIT:
            raise Refused(413, f"the body is longer than {BODY_LIMIT} bytes")
        body = self.rfile.read(length)
        return body if len(body) == length else None

    def _refuse(self, status: int, message: str, *headers: tuple[str, str]) -> None:
        reply = refused(status, message, new_trace_id())
        self.server.say(f"{now()} {self.command!a} - 0 instances refused {status}: {message}")
        self._deliver(Reply(reply.status, reply.body, (*reply.headers, *headers)))

    def _deliver(self, reply: Reply) -> None:
        if reply.delay and self.server.stopping.wait(reply.delay):
            self.close_connection = True
            return
        if reply.sent != "whole":
            self.close_connection = True
        lines = [
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
            f"Date: {formatdate(time.time(), usegmt=True)}",
        ]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        if reply.status != HTTPStatus.NO_CONTENT:  # which has none, says RFC 9110, section 8.6
            lines.append(f"Content-Length: {len(reply.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("ascii")
        body = b"" if self.command == "HEAD" else reply.body
        match reply.sent:
            case "whole":
                self.wfile.write(head + body)
            case "half":
                self.wfile.write(head + body[: len(body) // 2])
            case "nothing":
                pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer what http.server itself refuses (a malformed request, an unknown method) in the same envelope."""
        self.close_connection = True
        self._refuse(int(code), message or HTTPStatus(code).phrase)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: calls are told through `say`, and nothing else is worth a line."""
