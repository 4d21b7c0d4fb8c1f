"""The schedulers of the end-to-end tests: one that counts what ran, one that answers what a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from reconciler.scheduler.emulator import Arrival, Emulator, Fault, Faults


def no_fault(_: Arrival) -> Fault | None:
    return None


class Counting:
    """The emulator in this process. `decide` may be set at any time; `late` faults answer after `late` seconds."""

    def __init__(self, tenant: str | None = None, late: float = 60.0) -> None:
        self.decide: Callable[[Arrival], Fault | None] = no_fault
        self._emulator = Emulator(None, tenant=tenant, faults=Faults(self._decide, late))

    def __enter__(self) -> Self:
        self._emulator.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._emulator.__exit__(kind, error, trace)

    def _decide(self, arrival: Arrival) -> Fault | None:
        return self.decide(arrival)

    @property
    def url(self) -> str:
        return self._emulator.url

    def runs(self, table: str) -> dict[str, int]:
        """Return how often each instant of a table ran."""
        return {instance.time: instance.runs for instance in self._emulator.database.instances(table)}

    def bodies(self) -> list[dict[str, Any]]:
        """Return the bodies of all calls, in the order in which they came."""
        return [json.loads(call.body) for call in self._emulator.database.calls()]

    @property
    def calls(self) -> int:
        return len(self._emulator.database.calls())


class Gate:
    """Holds calls at the scheduler's door: `decide` blocks until `open`, and says through `reached` that one came."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.reached = Event()
        self._open = Event()
        self._fault = fault

    def decide(self, _: Arrival) -> Fault | None:
        self.reached.set()
        assert self._open.wait(30), "nobody opened the gate"
        return self._fault

    def open(self) -> None:
        self._open.set()


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


ACCEPTED = (
    200,
    b'{"data":true,"success":true,"code":"200","errorMsg":null,"detailErrorMsg":null,"traceId":"fbb0.188.1"}',
)
"""The answer of the vendor's page."""


class Answering:
    """A server that remembers what came and answers what `answer` says: a status and a body."""

    def __init__(self, answer: Callable[[Seen], tuple[int, bytes]] = lambda _: ACCEPTED) -> None:
        seen: list[Seen] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                status, text = answer(seen[-1])
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (the name it has above)
                return

        self.seen = seen
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
