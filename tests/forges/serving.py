"""What the forges of the tests have in common: real HTTP on loopback, pages, tokens, faults, and what was asked."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came. `path` is as it was sent, without the API's prefix."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return dict(json.loads(self.body))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `body` is JSON, or raw where it is bytes; a list is cut into pages."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


CUT = Reply(0)
"""No answer: the connection is cut."""

HTML = Reply(200, b"<html><body>Please sign in</body></html>", {"content-type": "text/html"})
BROKEN = Reply(502, b"<html>Bad gateway</html>", {"content-type": "text/html"})


def limited(seconds: int, status: int = 429) -> Reply:
    """Ask to wait, as both forges do."""
    return Reply(status, {"message": "You have exceeded a secondary rate limit."}, {"retry-after": str(seconds)})


def moved(location: str) -> Reply:
    """Redirect, as GitHub does for a renamed repository."""
    return Reply(301, {"message": "Moved Permanently", "url": location}, {"location": location})


Route = Callable[..., Reply]


class Serving:
    """A forge in a thread of this process. `asked` holds all requests; `fault` says what goes wrong with the next.

    `spoil` may be set to change the JSON of every answer.
    """

    def __init__(self, prefix: str, page_size: int) -> None:
        self.asked: list[Asked] = []
        self.broken: list[str] = []
        self.page_size = page_size
        self.prefix = prefix
        self.spoil: Callable[[Any], Any] = lambda body: body
        self._routes: list[tuple[str, re.Pattern[str], Route]] = []
        self._faults: list[tuple[str, Reply]] = []
        self._lock = Lock()
        self._time = datetime(2026, 1, 20, 8, 0, tzinfo=UTC)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The address of the API."""
        return self.origin + self.prefix

    def fault(self, *replies: Reply, where: str = "") -> None:
        """Answer the next requests whose path holds `where` with these, one each, whatever they ask."""
        self._faults += [(where, reply) for reply in replies]

    def paths(self, method: str = "GET") -> list[str]:
        """Return the paths that were asked, in their order."""
        return [asked.path for asked in self.asked if asked.method == method]

    def tick(self) -> str:
        """Let a minute pass and return the time."""
        self._time += timedelta(minutes=1)
        return f"{self._time:%Y-%m-%dT%H:%M:%S}Z"

    def route(self, method: str, pattern: str, route: Route) -> None:
        """Answer a path; `{name}` stands for one part of it, which `route` gets in its order, after the request."""
        self._routes.append((method, re.compile(re.sub(r"\{\w+\}", r"([^/]+)", pattern)), route))

    def refuse(self, asked: Asked) -> Reply | None:
        """Say no where the token is not known or may not do this. Each forge has its own words."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            for index, (where, reply) in enumerate(self._faults):
                if where in asked.path:
                    del self._faults[index]
                    return reply
            reply = self.refuse(asked) or self._routed(asked)
            return replace(reply, body=self.spoil(reply.body))

    def _routed(self, asked: Asked) -> Reply:
        for method, pattern, route in self._routes:
            match = pattern.fullmatch(asked.path)
            if match and method == asked.method:
                reply = route(asked, *(unquote(part) for part in match.groups()))
                return self._page(asked, reply) if isinstance(reply.body, list) else reply
        return self.no_such(asked)

    def no_such(self, asked: Asked) -> Reply:
        return Reply(404, {"message": "404 Not Found"})

    def link_path(self, path: str) -> str:
        """Return the path that the next page is at."""
        return path

    def _page(self, asked: Asked, reply: Reply) -> Reply:
        size = min(int(asked.query.get("per_page", "30")), self.page_size)
        page = int(asked.query.get("page", "1"))
        rest: Sequence[Any] = reply.body[page * size :]
        headers = dict(reply.headers)
        if rest:
            query = urlencode({**asked.query, "per_page": size, "page": page + 1})
            address = f"{self.url}{self.link_path(asked.path)}"
            headers["link"] = f'<{address}?{query}>; rel="next", <{address}?page=99>; rel="last"'
        return Reply(reply.status, reply.body[(page - 1) * size : page * size], headers)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        assert not self.broken, self.broken


def _handler(forge: Serving) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits some 40 ms for the client's kernel

        def _serve(self) -> None:
            try:
                self._send(forge.answer(self._asked()))
            except OSError:
                self.close_connection = True
            except Exception as error:  # noqa: BLE001  (a thread has nobody to raise to: the test is told at its end)
                forge.broken.append(f"{self.command} {self.path}: {error!r}")
                self.close_connection = True

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self._serve
            raise AttributeError(name)

        def _asked(self) -> Asked:
            target = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            query = {name: values[-1] for name, values in parse_qs(target.query).items()}
            return Asked(self.command, target.path.removeprefix(forge.prefix), query, headers, body)

        def _send(self, reply: Reply) -> None:
            if reply is CUT:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            headers = {"content-type": "application/json; charset=utf-8", **reply.headers}
            self.send_response_only(reply.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (the name it has above)
            return

    return Handler
