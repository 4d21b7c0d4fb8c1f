"""Where reviews are found: which forge, the address of its API, and the repository there. Pure.

Config says it, or else the variables of CI, or else the git remote. What is read from two of them is never mixed: a
repository's name counts only where it was found together with the API that is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from reconciler.errors import ForgeFailure

ForgeName = Literal["github", "gitlab"]

ALLOWED_HOSTS = "RECONCILER_ALLOWED_HOSTS"
"""The environment variable that names the only hosts a secret may go to: `host` or `host:port`, commas between."""

TITLES: Mapping[ForgeName, str] = {"github": "GitHub", "gitlab": "GitLab"}

_PUBLIC: Mapping[ForgeName, str] = {"github": "github.com", "gitlab": "gitlab.com"}
_API_VARIABLE: Mapping[ForgeName, str] = {"github": "GITHUB_API_URL", "gitlab": "CI_API_V4_URL"}
_REPOSITORY_VARIABLES: Mapping[ForgeName, tuple[str, ...]] = {
    "github": ("GITHUB_REPOSITORY",),
    # In the pipeline of a fork's merge request the project is the fork, and the request is in another.
    "gitlab": ("CI_MERGE_REQUEST_PROJECT_PATH", "CI_PROJECT_PATH", "CI_PROJECT_ID"),
}
_BASE: Mapping[ForgeName, str] = {"github": "/api/v3", "gitlab": "/api/v4"}
# Where ssh is let through port 443, the same forge answers under another name.
_SSH_NAMES = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
_DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_][a-z0-9._-]*)"
# Stricter than a URL parser, so that no two parsers can read different hosts out of one text. re.ASCII, because
# without it re.IGNORECASE lets letters of other scripts stand for `s` and `k`.
_API = re.compile(
    rf"(?P<scheme>https?)://(?P<user>[^@/?#\\\s]*@)?{_HOST}(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<base>(?:/(?!\.\.?(?:/|$))[a-z0-9._~-]+)*)/?",
    re.IGNORECASE | re.ASCII,
)
_REMOTE = re.compile(
    rf"(?P<scheme>https?|ssh|git\+ssh|ssh\+git)://(?:[^@/?#\\\s]*@)?{_HOST}(?::(?P<port>[0-9]{{1,5}}))?/(?P<path>[^?#\\\s]+)",
    re.IGNORECASE | re.ASCII,
)
_SCP = re.compile(
    rf"(?!(?:https?|ssh):)(?:[^@/?#\\\s:]+@)?{_HOST}:(?P<path>(?!//)[^?#\\\s]+)", re.IGNORECASE | re.ASCII
)
_PART = r"(?!\.\.?(?:/|$))[A-Za-z0-9._-]+"
_NAMES: Mapping[ForgeName, re.Pattern[str]] = {
    "github": re.compile(rf"{_PART}/{_PART}"),
    "gitlab": re.compile(rf"[1-9][0-9]{{0,18}}|{_PART}(?:/{_PART})+"),
}


@dataclass(frozen=True, slots=True)
class Api:
    """The address of an API: lower-case scheme and host (IPv6 in brackets), port, and a path prefix or ""."""

    scheme: str
    host: str
    port: int
    base: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them: the scheme's own port is left out."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return self.origin + self.base


@dataclass(frozen=True, slots=True)
class Place:
    """One repository of one forge. `repository` is `owner/name`; on GitLab `group/…/project` or a number."""

    forge: ForgeName
    api: Api
    repository: str


@dataclass(frozen=True, slots=True)
class _Remote:
    """What a git remote's URL says: `api` is None where that cannot be known."""

    host: str
    api_origin: str | None
    path: str


def locate(
    environ: Mapping[str, str],
    remote: str | None,
    *,
    forge: ForgeName | None = None,
    url: str | None = None,
    repository: str | None = None,
) -> Place:
    """Say where the repository's reviews are. `remote` is the git remote's URL; the last three are from the config.

    GitHub's API is https://api.github.com, or https://HOST/api/v3; GitLab's https://HOST/api/v4. Raises ForgeFailure
    that says what to set, and shows nothing of a user or password in a URL. An API is asked over https; over http on
    loopback alone.
    """
    found = _read_remote(remote) if remote else None
    forge = forge or _guess(environ, found)
    own = _ci_api(forge, environ)
    api = read_api(url) if url is not None else own or _remote_api(forge, found)
    name = repository or _ci_repository(forge, environ, api, own) or _remote_repository(forge, found, api)
    if name is None:
        raise ForgeFailure(
            f"it is not known which repository of {api.host} this is: neither CI nor the git remote belongs to it",
            "set approvals.reruns.repository",
        )
    if not _NAMES[forge].fullmatch(name):
        shape = "owner/name" if forge == "github" else "group/project, or its number"
        raise ForgeFailure(
            f"the repository is not written as {shape} is on {TITLES[forge]}", "correct approvals.reruns.repository"
        )
    return Place(forge, api, name)


def check_allowed_host(place: Place, environ: Mapping[str, str], remote: str | None) -> None:
    """Refuse an API on a host that neither CI, the git remote nor RECONCILER_ALLOWED_HOSTS names: no token goes there.

    The host that CI itself names as its API is always allowed: who sets CI's variables sets that list too. Where the
    list is set, every other host has to be on it; where it is not, only the remote's own forge is asked. A config that
    somebody checked out, or that is under review, may name any host. Raises ForgeFailure.
    """
    api, own = place.api, _ci_api(place.forge, environ)
    if own is not None and (own.host, own.port) == (api.host, api.port):
        return
    if ALLOWED_HOSTS in environ:
        allowed = {entry.strip().lower() for entry in environ[ALLOWED_HOSTS].split(",")} - {""}
    else:
        allowed = _remote_hosts(place.forge, remote)
    if not allowed & {api.host, api.host.strip("[]"), f"{api.host}:{api.port}"}:
        raise ForgeFailure(
            f"{TITLES[place.forge]}'s host {api.host}:{api.port} is neither CI's nor the git remote's, nor in "
            f"{ALLOWED_HOSTS}, so no token is sent there",
            f"correct approvals.reruns.url, or name the host in {ALLOWED_HOSTS} where the job is set up",
        )


def _remote_hosts(forge: ForgeName, remote: str | None) -> set[str]:
    try:
        api = _remote_api(forge, _read_remote(remote) if remote else None)
    except ForgeFailure:
        return set()
    return {f"{api.host}:{api.port}"}


def read_api(url: str) -> Api:
    """Read the address of an API. Raises ForgeFailure that shows nothing of a user or password."""
    match = _API.fullmatch(url)
    if match is None or match["user"] is not None:
        holds = "holds a user or password" if match else "is not written as https://host or https://host/path"
        raise ForgeFailure(f"the forge's url {holds}", "correct approvals.reruns.url")
    scheme, host = match["scheme"].lower(), match["host"].lower()
    if host.startswith("[") and not _is_address(host):
        raise ForgeFailure(f"the forge's url names {host}, which is no IPv6 address", "correct approvals.reruns.url")
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port < 65_536:
        raise ForgeFailure(f"the forge's url names port {port}, which does not exist", "correct approvals.reruns.url")
    if scheme == "http" and not _is_loopback(host):
        raise ForgeFailure(
            f"the forge's url is http://{host}…, and a token is never sent unencrypted", "write it with https://"
        )
    return Api(scheme, host, port, match["base"])


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host.strip("[]")).is_loopback)


def _guess(environ: Mapping[str, str], remote: _Remote | None) -> ForgeName:
    """Say which forge it is where the config does not: that of CI, or that of the remote's well-known host."""
    if environ.get("GITHUB_REPOSITORY"):
        return "github"
    if environ.get("CI_API_V4_URL"):
        return "gitlab"
    for forge, host in _PUBLIC.items():
        if remote is not None and remote.host == host:
            return forge
    raise ForgeFailure(
        "it is not known which forge holds the pull requests", "set approvals.reruns.provider to github or gitlab"
    )


def _ci_api(forge: ForgeName, environ: Mapping[str, str]) -> Api | None:
    said = environ.get(_API_VARIABLE[forge])
    if not said:
        return None
    try:
        return read_api(said)
    except ForgeFailure as failure:
        raise ForgeFailure(f"{_API_VARIABLE[forge]}: {failure.message}", "set approvals.reruns.url") from None


def _ci_repository(forge: ForgeName, environ: Mapping[str, str], api: Api, own: Api | None) -> str | None:
    if own != api:
        return None
    return next((environ[name] for name in _REPOSITORY_VARIABLES[forge] if environ.get(name)), None)


def _read_remote(remote: str) -> _Remote | None:
    """Read a git remote's URL. None for a path, a bundle, a helper: nothing of a forge."""
    match = _REMOTE.fullmatch(remote)
    if match is None:
        match = _SCP.fullmatch(remote)
        if match is None:
            return None
        scheme, port = "ssh", None
    else:
        scheme, port = match["scheme"].lower(), match["port"]
    host = _SSH_NAMES.get(match["host"].lower(), match["host"].lower())
    path = match["path"].strip("/").removesuffix(".git")
    if scheme == "http" and not _is_loopback(host):
        return _Remote(host, None, path)
    web = scheme if scheme in _DEFAULT_PORTS else "https"
    return _Remote(host, f"{web}://{host}" + (f":{port}" if port and web == scheme else ""), path)


def _remote_api(forge: ForgeName, remote: _Remote | None) -> Api:
    if remote is None or remote.api_origin is None:
        why = "no git remote belongs to a forge" if remote is None else "the git remote is http, without encryption"
        raise ForgeFailure(f"it is not known where {TITLES[forge]}'s API is: {why}", "set approvals.reruns.url")
    host = _api_host(forge, remote.host)
    return read_api(remote.api_origin + _BASE[forge] if host == remote.host else f"https://{host}")


def _remote_repository(forge: ForgeName, remote: _Remote | None, api: Api) -> str | None:
    if remote is None:
        return None
    return remote.path if _api_host(forge, remote.host) == api.host else None


def _api_host(forge: ForgeName, host: str) -> str:
    """Say on which host the API of a web host is. Source: GitHub's pages on the REST API and on data residency."""
    apart = forge == "github" and (host == _PUBLIC["github"] or host.endswith(".ghe.com"))
    return f"api.{host}" if apart else host
