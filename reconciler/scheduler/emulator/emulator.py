"""The emulator as one object: a database, a port, and a thread that serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from reconciler.core.call import RangeEnd
from reconciler.core.schedule import Schedule
from reconciler.errors import Failure
from reconciler.scheduler.emulator.database import Database
from reconciler.scheduler.emulator.faults import NO_FAULTS, Faults
from reconciler.scheduler.emulator.rules import HEADER_LENGTH, Terms
from reconciler.scheduler.emulator.server import Server
from reconciler.scheduler.emulator.service import Service

# How soon a closing server notices: short, since every test and every embedded apply waits for it.
_POLL_SECONDS = 0.02


def _silent(_: str) -> None:
    return


class Emulator:
    """Stands in for the scheduler while it is entered: `with Emulator(None) as emulator: post(emulator.url + …)`.

    `db` is a file, made if it is missing (its folder is not), or None for memory. Port 0 takes a free one. `tenant`
    is the only tenant served, None for any. Range calls run by the table's schedule in `schedules`, by `every`
    (seconds) for other tables, and read endTime by `range_end`. `latency` (seconds) passes before each call runs.
    `on_call` gets one plain line per call, from any thread.

    Entering raises Failure where the file cannot be used or the port cannot be had. Leaving breaks off connections,
    lets a call that is running finish, frees port and file, and raises what a handler did not expect, such as
    an error in `faults.decide`. It may be entered again, one entry at a time.
    """

    def __init__(  # noqa: PLR0913 - settings, by keyword
        self,
        db: Path | None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        tenant: str | None = None,
        every: int = 3600,
        range_end: RangeEnd = "inclusive",
        schedules: Mapping[str, Schedule] | None = None,
        latency: float = 0.0,
        faults: Faults = NO_FAULTS,
        on_call: Callable[[str], None] | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"every is {every}, less than one second")
        if latency < 0:
            raise ValueError(f"latency is {latency}, less than nothing")
        if tenant is not None and not 1 <= len(tenant) <= HEADER_LENGTH:
            raise ValueError(f"tenant is not 1 to {HEADER_LENGTH} characters long")
        self._db = db
        self._host = host
        self._port = port
        self._terms = Terms(tenant, every, range_end, schedules or {})
        self._latency = latency
        self._faults = faults
        self._say = on_call or _silent
        self._running: tuple[Database, Server, Thread] | None = None

    def __enter__(self) -> Self:
        if self._running:
            raise RuntimeError("the emulator is entered already")
        database = Database(self._db)
        try:
            server = self._bind(Service(database, self._terms, self._faults, self._say))
        except BaseException:
            database.close()
            raise
        thread = Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="emulator", daemon=True)
        thread.start()
        self._running = (database, server, thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._running:
            return
        database, server, thread = self._running
        self._running = None
        server.shutdown()
        thread.join()
        server.close()
        database.close()
        if error is None and server.failure is not None:
            raise server.failure

    @property
    def url(self) -> str:
        """The base URL, without a final slash: what a target's `url` would say."""
        host, port = self._entered()[1].server_address[:2]
        name = host.decode() if isinstance(host, bytes | bytearray) else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    @property
    def database(self) -> Database:
        """What ran and what was called: `instances`, `calls`, `runs`."""
        return self._entered()[0]

    def serve_forever(self) -> None:
        """Block while it serves: until KeyboardInterrupt or another exception in this thread, or until it is left."""
        self._entered()[2].join()

    def _entered(self) -> tuple[Database, Server, Thread]:
        if not self._running:
            raise RuntimeError("the emulator serves only inside its with block")
        return self._running

    def _bind(self, service: Service) -> Server:
        try:
            return Server(self._host, self._port, service, self._latency, self._say)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise Failure(
                f"the emulator cannot listen on {self._host} port {self._port}: {reason}",
                "stop what listens there, or name another host and port; port 0 takes a free one",
            ) from None
