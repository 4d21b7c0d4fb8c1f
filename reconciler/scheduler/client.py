"""The client: one POST for one call, on a connection of its own, within a deadline, and what became of it."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import cache, partial
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING, Self, cast

from reconciler.core.call import Call
from reconciler.core.config import Target
from reconciler.core.outcome import NotSent, Outcome, Unknown
from reconciler.scheduler import wire
from reconciler.scheduler.answer import LIMIT, judge
from reconciler.scheduler.credential import Credential, origins
from reconciler.scheduler.crew import Crew
from reconciler.scheduler.flight import Flight
from reconciler.scheduler.trouble import describe

if TYPE_CHECKING:
    import ssl

    import httpx

_GOODBYE = 1.0


class Scheduler:
    """One target's scheduler. Threads may share it; as a context manager it closes itself.

    It follows no redirect, keeps no cookie and no connection, uses no proxy but the target's, reads no proxy variable
    of the environment, and never sends a request twice. Certificates are checked against the machine's trust store
    (OpenSSL reads SSL_CERT_FILE and SSL_CERT_DIR), or certifi's where the machine has none.
    """

    def __init__(self, target: Target, credential: Credential, *, url: str | None = None) -> None:
        """Prepare to call `target`. Connects to nothing yet.

        `url` says where an embedded target's emulator listens. Raises InvalidInput for a url or proxy that is not a
        plain http or https one, a port beyond 65535 included.
        """
        self._target = target if url is None else replace(target, url=url)
        self._credential = credential
        routes = dict(origins(self._target))
        self._origin = routes["url"]
        self._transport = _open_transport(self._target, self._origin, routes.get("proxy"))
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), target.timeout)
        self._crew = Crew("scheduler-call")
        self._lock = RLock()
        self._flights: set[Flight] = set()
        self._ends: float | None = None

    def post(self, call: Call) -> Outcome:
        """Make the call, once, and say what became of it. Blocks for `target.timeout` seconds at most.

        NotSent is proof: nothing of the request left, and nothing will. Raises nothing for trouble on the network. An
        exception from outside, such as KeyboardInterrupt, ends the connection and goes on; whether the call was made
        is then unknown. Raises ValueError for a call to another target.
        """
        if call.target != self._target.name:
            raise ValueError(f"a call to {call.target} was given to the client of {self._target.name}")
        try:
            letter = wire.write(call, self._credential, self._origin)
        except ValueError as error:
            return NotSent(str(error))
        deadline = monotonic() + self._target.timeout
        flight = Flight()
        try:
            # On another thread: no lookup, handshake or trickle of bytes can hold the caller past the deadline.
            if not self._crew.do(partial(self._fly, flight, letter)):
                return NotSent("this machine starts no more threads")
            return flight.wait(deadline) or self._overdue(flight)
        finally:
            flight.cut()

    def abort(self, grace: float) -> None:
        """Start no call any more, and let those under way end within `grace` seconds.

        Calls whose request has not left end as NotSent, at once; the others as what was answered in time, or Unknown.
        Returns at once. A signal handler may call it.
        """
        with self._lock:
            ends = monotonic() + grace
            self._ends = ends if self._ends is None else min(self._ends, ends)
            for flight in tuple(self._flights):
                flight.hurry(self._ends)

    def close(self) -> None:
        """End what is still under way, and wait a moment until its sockets are closed."""
        self.abort(0.0)
        for flight in tuple(self._flights):
            flight.cut()
        self._crew.dismiss(_GOODBYE)
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _overdue(self, flight: Flight) -> Outcome:
        sent = flight.cut()
        stopped, within = self._ends is not None, f"within {self._target.timeout:g}s"
        if sent:
            return Unknown("the run was stopped before the answer came" if stopped else f"no answer {within}")
        return NotSent("the run was stopped before this was sent" if stopped else f"no connection {within}")

    def _fly(self, flight: Flight, letter: wire.Letter) -> None:
        with self._lock:
            self._flights.add(flight)
            if self._ends is not None:
                flight.hurry(self._ends)
        try:
            outcome = self._send(flight, letter)
        except BaseException as error:  # noqa: BLE001  (a thread has no caller to raise to: the outcome says it)
            text = describe(error, self._target.timeout)
            outcome = Unknown(text) if flight.sent else NotSent(text)
        flight.land(outcome)
        with self._lock:
            self._flights.discard(flight)

    def _send(self, flight: Flight, letter: wire.Letter) -> Outcome:
        import httpx

        request = httpx.Request(
            "POST",
            _parsed(letter.url),
            headers=list(letter.headers),
            content=flight.passing(letter.body),
            extensions={"timeout": self._timeouts, "trace": flight.trace},
        )
        response = self._transport.handle_request(request)
        try:
            body = _read(response)
        finally:
            response.close()
        return judge(response.status_code, _headers(response), body, self._credential.value)


@cache
def _parsed(url: str) -> httpx.URL:
    import httpx

    return httpx.URL(url)


def _headers(response: httpx.Response) -> dict[str, str]:
    """Return the headers by lower-case names, those that come twice with commas between."""
    found: dict[str, str] = {}
    for name, value in response.headers.raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _read(response: httpx.Response) -> bytes:
    """Return the body as it came, not unpacked; where it is longer than LIMIT, one byte more than that."""
    body = b""
    for chunk in cast("httpx.SyncByteStream", response.stream):
        body += chunk
        if len(body) > LIMIT:
            break
    return body[: LIMIT + 1]


def _open_transport(target: Target, origin: wire.Origin, proxy: wire.Origin | None) -> httpx.HTTPTransport:
    import httpx

    for name in ("httpx", "httpcore"):
        # Their records hold URLs and headers, secrets included.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    schemes = {route.scheme for route in (origin, proxy) if route is not None}
    tls = _trust() if "https" in schemes else _trust_nobody()
    via = None
    if target.proxy is not None and proxy is not None:
        via = httpx.Proxy(target.proxy, ssl_context=tls if proxy.scheme == "https" else None)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.HTTPTransport(verify=tls, trust_env=False, retries=0, limits=limits, proxy=via)


def _trust() -> ssl.SSLContext:
    import ssl

    paths = ssl.get_default_verify_paths()
    if (paths.cafile and os.path.isfile(paths.cafile)) or (paths.capath and os.path.isdir(paths.capath)):
        return ssl.create_default_context()
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _trust_nobody() -> ssl.SSLContext:
    import ssl

    # Plain http needs no trust store, and loading one takes longer than many calls do.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
