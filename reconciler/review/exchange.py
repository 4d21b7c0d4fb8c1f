"""One request to a forge and its answer: the only module of the review package that speaks HTTP.

No redirect is followed, no cookie kept, no proxy or other variable of the environment read, nothing unpacked, and what
libraries say of it is neither logged nor shown.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler import __version__
from reconciler.review.place import Api

if TYPE_CHECKING:
    import ssl

    import httpx

Method = Literal["GET", "POST", "PATCH", "PUT"]

_LARGEST = 8 * 1024 * 1024
_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Trouble:
    """No answer that can be used, and why, in our words: they follow the forge's name.

    A value and not an exception, so that no exception of ours drags one along that holds the request and its token.
    """

    why: str


class Exchange:
    """The connections to one API. `headers` carry the token."""

    def __init__(self, api: Api, headers: Mapping[str, str], now: Callable[[], float]) -> None:
        self._api = api
        self._headers = headers
        self._now = now
        self._transport: httpx.BaseTransport | None = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def once(self, method: Method, path: str, body: bytes | None) -> Answer | Trouble:
        """Send one request and return its answer; `path` is that on the API's origin. Raises nothing for trouble."""
        import httpx

        headers = {
            "host": self._api.authority,
            "accept-encoding": "identity",
            "user-agent": f"backfill-reconciler/{__version__}",
            **self._headers,
            **({} if body is None else {"content-type": "application/json"}),
        }
        try:
            request = httpx.Request(
                method,
                self._api.origin + path,
                headers=headers,
                content=body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), _TIMEOUT)},
            )
            return self._read(self._open().handle_request(request))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Trouble(_describe(error))

    def _read(self, response: httpx.Response) -> Answer | Trouble:
        ends = self._now() + _TIMEOUT
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = b""
        try:
            if headers.get("content-encoding", "identity").strip().lower() != "identity":
                return Trouble("answers in an encoding that was not asked for")
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > _LARGEST:
                    return Trouble(f"answers with more than {_LARGEST // 1024 // 1024} MiB")
                if self._now() > ends:
                    return Trouble(f"did not end its answer within {_TIMEOUT:.0f}s")
        finally:
            response.close()
        return Answer(response.status_code, headers, body)

    def _open(self) -> httpx.BaseTransport:
        if self._transport is None:
            import httpx

            for name in ("httpx", "httpcore"):
                # Their records hold URLs and headers, secrets included.
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
            tls = _trust() if self._api.scheme == "https" else _trust_nobody()
            self._transport = httpx.HTTPTransport(verify=tls, trust_env=False, retries=0)
        return self._transport


def _describe(error: Exception) -> str:
    """Say in our words what went wrong: a library's words may hold a header's value."""
    import httpx

    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return f"was not reached within {_TIMEOUT:.0f}s"
        case httpx.TimeoutException():
            return f"did not answer within {_TIMEOUT:.0f}s"
        case httpx.ConnectError():
            return "was not reached"
        case _:
            return "broke off the connection"


def _trust() -> ssl.SSLContext:
    import ssl

    paths = ssl.get_default_verify_paths()
    if (paths.cafile and os.path.isfile(paths.cafile)) or (paths.capath and os.path.isdir(paths.capath)):
        return ssl.create_default_context()
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _trust_nobody() -> ssl.SSLContext:
    import ssl

    # Plain http needs no trust store.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
