"""A scheduler that misbehaves on purpose and counts what it executed. Raw sockets, so that any byte can be wrong."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Self

TLS = Path(__file__).parent / "tls"
"""A key that protects nothing, and its self-signed certificate for localhost and 127.0.0.1, valid until 2120."""

ACCEPTED: Mapping[str, object] = {
    "data": True,
    "success": True,
    "code": "200",
    "errorMsg": None,
    "detailErrorMsg": None,
    "traceId": "fbb0da5c96fb481bbadc8b7722307480.188.17688821533020289",
}
"""The answer on the vendor's page."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Peer:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket, server: FaultyServer) -> None:
        self.connection = connection
        self.server = server

    def head(self) -> tuple[bytes, bytes]:
        """Read a request's head. Return it and what came after it, or two empty texts where the client left."""
        received = b""
        while b"\r\n\r\n" not in received:
            more = self.connection.recv(65_536)
            if not more:
                return b"", b""
            received += more
        head, _, rest = received.partition(b"\r\n\r\n")
        return head, rest

    def execute(self) -> Seen | None:
        """Read a whole request and count it as executed. None where the client left before it was whole."""
        head, body = self.head()
        if not head:
            return None
        first, *lines = head.decode("ascii").split("\r\n")
        method, path, _ = first.split(" ")
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        while len(body) < length:
            more = self.connection.recv(65_536)
            if not more:
                return None
            body += more
        seen = Seen(method, path, headers, body)
        self.server.note(seen)
        return seen

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def reset(self) -> None:
        """Close in a way that the client's kernel reports as a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait(self, seconds: float) -> bool:
        """Wait; return whether the server was closed meanwhile."""
        return self.server.closing.wait(seconds)

    def hang(self) -> None:
        """Say nothing until the client leaves or the server is closed."""
        self.connection.settimeout(0.02)
        while not self.server.closing.is_set():
            try:
                if not self.connection.recv(65_536):
                    self.server.left.set()
                    return
            except TimeoutError:
                continue


Scenario = Callable[[Peer], None]


class FaultyServer:
    """Listens on loopback and plays one scenario a connection, in their order, the last one again and again."""

    def __init__(self, *scenarios: Scenario, tls: bool = False) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.closing = Event()
        self.left = Event()
        self._scenarios = scenarios
        self._lock = Lock()
        self._tls = _server_tls() if tls else None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def executed(self) -> int:
        """How many requests arrived whole, that is how often a table was triggered."""
        return len(self.seen)

    def note(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self.closing.is_set():
                    connection.close()
                    return
                scenario = self._scenarios[min(self.connections, len(self._scenarios) - 1)]
                self.connections += 1
                self._open.add(connection)
                thread = Thread(target=self._serve, args=(connection, scenario))
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, scenario: Scenario) -> None:
        # The client breaks connections off as often as the scenarios do; what matters is what was counted.
        with suppress(OSError), connection:
            if self._tls is None:
                scenario(Peer(connection, self))
            else:
                with self._tls.wrap_socket(connection, server_side=True) as wrapped:
                    with self._lock:
                        self._open.add(wrapped)
                    scenario(Peer(wrapped, self))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


def _server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    return context


def http(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """Write an HTTP answer; `length` lies about the body's."""
    size = len(body) if length is None else length
    lines = (f"HTTP/1.1 {status} X", f"Content-Length: {size}", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def envelope(**changes: object) -> bytes:
    """Write the vendor's answer, changed."""
    return json.dumps({**ACCEPTED, **changes}).encode()


OK = http(200, envelope(), "Content-Type: application/json")


def reply(content: bytes) -> Scenario:
    """Execute the request, then answer with these bytes and close."""

    def scenario(peer: Peer) -> None:
        if peer.execute():
            peer.send(content)

    return scenario


def drip(pieces: Iterable[bytes], pause: float = 0.03) -> Scenario:
    """Execute the request, then send the pieces with a pause after each, for as long as the client listens."""

    def scenario(peer: Peer) -> None:
        if peer.execute():
            for piece in pieces:
                peer.send(piece)
                if peer.wait(pause):
                    return

    return scenario


def hang(peer: Peer) -> None:
    """Execute the request and never answer."""
    if peer.execute():
        peer.hang()


def tunnel(port: int) -> Scenario:
    """Be a proxy: open a tunnel to a loopback port."""

    def scenario(peer: Peer) -> None:
        head, _ = peer.head()
        method, path = head.decode("ascii").split(" ")[:2]
        peer.server.note(Seen(method, path, (), head))
        with socket.create_connection(("127.0.0.1", port)) as onward:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            upstream = Thread(target=_pump, args=(peer.connection, onward))
            upstream.start()
            _pump(onward, peer.connection)
            upstream.join(5)

    return scenario


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65_536):
            sink.sendall(chunk)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
