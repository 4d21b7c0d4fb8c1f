"""One call under way: whether its request has left, whether it still may, and a hand on its socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import RLock
from time import monotonic

from reconciler.core.outcome import Outcome

# The steps of httpcore's trace that come before any byte of our POST. Whatever is not here counts as sending, so a
# step that gets another name makes a call unclear, never a sent one "not sent".
_BEFORE_SENDING = frozenset(
    {"connection.connect_tcp", "connection.start_tls", "proxy.start_tls", "http11.response_closed"}
)


class CalledBack(Exception):
    """The request was stopped before any of it had left."""


class Flight:
    """One call under way, shared by the thread that makes it and the one that waits for it.

    The gate: once `call_back` was called, a request that has not left never will, so "not sent" is proof. Locks
    are reentrant and news goes by SimpleQueue, so that a signal handler may interrupt any of this and call `hurry`.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._sent = False
        self._called_back = False
        self._socket: socket.socket | None = None
        self._news: SimpleQueue[Outcome | float] = SimpleQueue()

    @property
    def sent(self) -> bool:
        """Whether any of the request may have left."""
        return self._sent

    def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Follow httpcore's `trace` extension. Raises CalledBack in place of sending a request called back."""
        if event == "connection.connect_tcp.complete":
            self._hold(info.get("return_value"))
        elif not self._sent and event.endswith(".started") and not _before_sending(event[: -len(".started")], info):
            self._leave()

    def passing(self, body: bytes) -> Iterator[bytes]:
        """Hand out the body, once. A second guard: should the trace ever fall silent, this still says "sent"."""
        self._leave()
        yield body

    def _leave(self) -> None:
        with self._lock:
            if self._called_back and not self._sent:
                raise CalledBack
            self._sent = True

    def _hold(self, stream: object) -> None:
        # A duplicate: TLS takes the first descriptor over, and one that was closed might be someone else's by now.
        ask = getattr(stream, "get_extra_info", None)
        found = ask("socket") if callable(ask) else None
        if isinstance(found, socket.socket):
            with self._lock:
                self._socket = found.dup()
                if self._called_back:
                    self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            # It fails where the other side has gone already, which is what is wanted.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def call_back(self) -> bool:
        """Let nothing more leave. Return whether the request had left already."""
        with self._lock:
            self._called_back = True
            return self._sent

    def cut(self) -> bool:
        """Call back, and end the connection now. Return whether the request had left already."""
        with self._lock:
            self._shut()
            return self.call_back()

    def hurry(self, deadline: float) -> None:
        """Call back, and let a request that has left already wait for its answer no longer than `deadline`."""
        self.call_back()
        self._news.put(deadline)

    def land(self, outcome: Outcome) -> None:
        """Let go of the socket and tell the waiting thread."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
        self._news.put(outcome)

    def wait(self, deadline: float) -> Outcome | None:
        """Return the outcome, or None where none came in time. `deadline` is on the monotonic clock."""
        while True:
            try:
                news = self._news.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                return None
            if not isinstance(news, float):
                return news
            deadline = min(deadline, news)
            if not self._sent:
                return None


def _before_sending(step: str, info: Mapping[str, object]) -> bool:
    # An https proxy is asked for a tunnel by a request of its own; nothing of ours is in it.
    connect = step.startswith("http11.") and getattr(info.get("request"), "method", None) == b"CONNECT"
    return connect or step in _BEFORE_SENDING
