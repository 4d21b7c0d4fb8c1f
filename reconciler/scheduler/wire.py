"""What goes over the wire: the two URLs, the headers and the bodies that the vendor's page writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.call import Call, Method, canonical

if TYPE_CHECKING:
    from reconciler.scheduler.credential import Credential

PATHS: Mapping[Method, str] = {
    Method.TIMES: "/anymetrics/api/v1/scheduler/task/triggerTableTaskInstanceByScheduleTime",
    Method.RANGE: "/anymetrics/api/v1/scheduler/task/triggerTableTaskInstanceByScheduleTimeRange",
}
"""Where each method is posted to, after scheme, host and port. Source: the vendor's page."""

HEADER_VALUE = re.compile(r"[!-~]{1,32}")
"""What `tenant-id`, `auth-type` and `auth-value` may hold: the vendor's 32 characters, no spaces or controls."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Stricter than a URL parser, so that no two parsers can read different hosts out of one text. re.ASCII, because
# without it re.IGNORECASE lets letters of other scripts stand for `s` and `k`.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^@/?#\\\s]*@)?"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_][a-z0-9._-]*)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<base>(?:/(?!\.\.?(?:/|$))[a-z0-9._~-]+)*)/?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a URL leads: lower-case scheme and host (IPv6 in brackets), the port, and a path prefix or ""."""

    scheme: str
    host: str
    port: int
    base: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them: the scheme's own port is left out."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base}"


def read_origin(url: str) -> Origin:
    """Read a target's url. Raises ValueError, with a reason that shows nothing of a user or password."""
    return _read(url, user_allowed=False)


def read_proxy(url: str) -> Origin:
    """Read a proxy's url, which may hold `user:password@`. Raises ValueError, with a reason that shows neither."""
    return _read(url, user_allowed=True)


def _read(url: str, *, user_allowed: bool) -> Origin:
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("is not written as http://host:port or https://host:port")
    if match["user"] is not None and not user_allowed:
        raise ValueError("holds a user or password")
    scheme = match["scheme"].lower()
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port < 65_536:
        raise ValueError(f"names port {port}, which does not exist")
    return Origin(scheme, match["host"].lower(), port, match["base"])


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """One POST as it is sent. Holds the credential, so its repr shows the url only."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:
        return f"Letter({self.url!r})"


def write(call: Call, credential: Credential, origin: Origin) -> Letter:
    """Write the POST of a call: header names, body fields and their order are those of the vendor's page.

    `connection: close` and `identity`: one connection for one POST, and no answer that grows when unpacked.
    Raises ValueError, with a reason, for a tenant or a table name that cannot be sent.
    """
    if not HEADER_VALUE.fullmatch(call.tenant):
        raise ValueError("the tenant is not 1 to 32 printable ASCII characters")
    try:
        body = canonical(call.body).encode()
    except UnicodeEncodeError:
        raise ValueError("the table name is not Unicode text") from None
    headers = (
        ("host", origin.authority),
        ("tenant-id", call.tenant),
        ("auth-type", credential.type),
        ("auth-value", credential.value),
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("connection", "close"),
        ("user-agent", f"backfill-reconciler/{__version__}"),
        ("content-length", str(len(body))),
    )
    return Letter(origin.url + PATHS[call.span.method], headers, body)
