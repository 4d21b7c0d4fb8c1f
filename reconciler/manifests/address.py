"""URLs of schedulers and proxies, read strictly: what is not plainly a scheme, a host and a port is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from reconciler.manifests.findings import Findings
from reconciler.manifests.marks import Path

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)(/.*)?")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(.*))?")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A checked URL. `host` is in lower case, an IPv6 address in brackets; `path` has no trailing slash."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{f':{self.port}' if self.port else ''}{self.path}"

    @property
    def identity(self) -> tuple[str, str, int, str]:
        """What two spellings of the same address have in common."""
        return self.scheme, self.host.rstrip("."), self.port or _DEFAULT_PORTS[self.scheme], self.path

    @property
    def loopback(self) -> bool:
        host = self.host.strip("[]").rstrip(".")
        if ":" in host:
            return IPv6Address(host).is_loopback
        if host.replace(".", "").isdigit():
            return IPv4Address(host).is_loopback
        return host == "localhost" or host.endswith(".localhost")


def read_address(text: str) -> Address:
    """Return the address that `text` is. Raises ValueError, with a reason that never shows a credential.

    Takes http and https, a host name or an IP address, a port from 1 to 65535 and a path; ASCII only; no user info,
    query or fragment. httpx would silently wrap a port such as 99999.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds characters other than visible ASCII ones")
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("is not a URL")
    scheme, authority, path = match[1].lower(), match[2], match[3] or ""
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("has a scheme other than http and https")
    if "?" in text or "#" in text:
        raise ValueError("has a query or a fragment")
    if "@" in authority:
        raise ValueError("has a user name or a password in it")
    host, port = _host_port(authority)
    path = path.rstrip("/")
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ValueError("has a path of other than letters, digits, dots, underscores and dashes")
    return Address(scheme, host, port, path)


def _host_port(authority: str) -> tuple[str, int | None]:
    match = _HOST_PORT.fullmatch(authority)
    if match is None or not _is_host(match[1]):
        raise ValueError("has no valid host name")
    if match[2] is None:
        return match[1].lower(), None
    if not _PORT.fullmatch(match[2]) or int(match[2]) > 65535:
        raise ValueError("has a port that is not a number from 1 to 65535")
    return match[1].lower(), int(match[2])


def _is_host(host: str) -> bool:
    last = host.rstrip(".").rpartition(".")[2]
    try:
        if host.startswith("["):
            return IPv6Address(host[1:-1]) is not None
        if last.isdigit() or last.lower().startswith("0x"):
            return IPv4Address(host) is not None
    except AddressValueError:
        return False
    return len(host) <= 253 and _NAME.fullmatch(host) is not None


def check_address(path: Path, url: str, findings: Findings, like: str) -> Address | None:
    """Return what `url`, the value at `path`, is; None, with an error in `findings`, where it is no such URL."""
    try:
        return read_address(url)
    except ValueError as error:
        findings.error(path, f"the url {error}", f"write scheme, host and port, like {like}")
        return None
