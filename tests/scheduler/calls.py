"""A target, its credential and calls to make, for the client's tests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from reconciler.core.call import Call, Span, Times
from reconciler.core.config import Auth, FromEnv, Target
from reconciler.core.outcome import Outcome
from reconciler.core.wallclock import parse
from reconciler.scheduler.client import Scheduler
from reconciler.scheduler.credential import Credential
from tests.scheduler.faulty_server import FaultyServer

TARGET = Target("prod", "http://127.0.0.1:1", "tn_1", Auth("APIKEY", FromEnv("SECRET")), "UTC", timeout=5.0)
CANARY = "CANARY-5f1e-never-seen"
CREDENTIAL = Credential("APIKEY", CANARY)
POINT = Times((parse("2026-01-20 00:00:00"),))


def a_call(span: Span = POINT, table: str = "db.t", tenant: str = "tn_1") -> Call:
    return Call("prod", table, tenant, span, (), ("a.yaml#1",), ())


def post(server: FaultyServer, timeout: float = 5.0) -> Outcome:
    with Scheduler(replace(TARGET, url=server.url, timeout=timeout), CREDENTIAL) as scheduler:
        return scheduler.post(a_call())


@contextmanager
def dead_end() -> Iterator[str]:
    """Yield the url of a port that takes no connection and refuses none: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for filler in fillers:
            filler.close()
