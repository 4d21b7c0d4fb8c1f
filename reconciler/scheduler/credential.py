"""The credential of a target: read late, checked before any network use, never shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn, assert_never

from reconciler.core.config import FromEnv, FromFile, Target
from reconciler.errors import InvalidInput
from reconciler.scheduler.wire import HEADER_VALUE, Origin, read_origin, read_proxy

ALLOWED_HOSTS = "RECONCILER_ALLOWED_HOSTS"
"""The environment variable that names the only hosts a credential may go to: `host` or `host:port`, commas between."""

_LONGEST = 32
_EMBEDDED_VALUE = "embedded"


class Credential:
    """An auth-type and its auth-value. Text and repr hide the value; copying and pickling raise TypeError."""

    __slots__ = ("_type", "_value")

    def __init__(self, type: str, value: str) -> None:  # noqa: A002  (the vendor's word)
        self._type = type
        self._value = value

    @property
    def type(self) -> str:
        """The vendor's auth-type."""
        return self._type

    @property
    def value(self) -> str:
        """The secret itself. Only for the header that sends it, and to find it in texts that must not show it."""
        return self._value

    def __repr__(self) -> str:
        return f"Credential({self._type}, ***)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a credential is not copied or pickled: its value would leave this process's memory")


def read_credential(target: Target, environ: Mapping[str, str]) -> Credential:
    """Read the credential that `target.auth` names, from `environ` or a file, and check its form.

    A value is 1 to 32 printable ASCII characters without spaces (32: the vendor's page); a file may end in one
    newline. An embedded target needs none. Raises InvalidInput, with the target and the variable or file and never
    the value, where it is missing, empty, too long, or not a header value.
    """
    if target.auth is None:
        if target.embedded:
            return Credential("UID", _EMBEDDED_VALUE)
        raise InvalidInput(
            f"target {target.name}: no credential is configured",
            f"add `auth: {{type: APIKEY, valueFrom: {{env: NAME}}}}` to targets.{target.name}",
        )
    match target.auth.value_from:
        case FromEnv(name):
            value = _checked(target, f"environment variable {name}", _from_environ(target, name, environ))
        case FromFile(path):
            value = _checked(target, f"file {path}", _from_file(target, path))
        case _:
            assert_never(target.auth.value_from)
    return Credential(target.auth.type, value)


def _checked(target: Target, source: str, value: str) -> str:
    problem = _problem(value)
    if problem:
        raise InvalidInput(
            f"target {target.name}: the credential in {source} {problem}",
            f"put the auth-value alone there: 1 to {_LONGEST} printable ASCII characters, nothing around it",
        )
    return value


def _from_environ(target: Target, name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise InvalidInput(
            f"target {target.name}: environment variable {name} is not set, and the credential is read from it",
            f"export {name}, or hand the CI job the secret under that name",
        )
    return environ[name]


def _from_file(target: Target, path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_LONGEST + 2)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise InvalidInput(
            f"target {target.name}: the credential's file {path} cannot be read: {reason}",
            "mount the secret there, or name another file in auth.valueFrom",
        ) from None
    return content.removesuffix(b"\n").decode("latin-1")


def _problem(value: str) -> str:
    if not value:
        return "is empty"
    if len(value) > _LONGEST:
        return f"is longer than {_LONGEST} characters, the vendor's limit"
    if not HEADER_VALUE.fullmatch(value):
        return "holds a space, a line break, or a character that is not printable ASCII"
    return ""


def check_allowed_host(target: Target, environ: Mapping[str, str]) -> None:
    """Refuse a target whose credential would go to a host that RECONCILER_ALLOWED_HOSTS does not name.

    Unset, it allows every host; empty, none. `host` allows all its ports, `host:port` that one. A proxy's host must
    be named too: it reads what goes through it to a plain http target. Embedded targets are exempt: they stay in
    this process. Raises InvalidInput, also for a url or proxy that is not a plain http or https one.
    """
    if target.embedded or ALLOWED_HOSTS not in environ:
        return
    allowed = {entry.strip().lower() for entry in environ[ALLOWED_HOSTS].split(",")} - {""}
    for what, origin in origins(target):
        if not allowed & {origin.host, origin.host.strip("[]"), f"{origin.host}:{origin.port}"}:
            raise InvalidInput(
                f"target {target.name}: the {what}'s host {origin.host}:{origin.port} is not in {ALLOWED_HOSTS},"
                " so no credential is sent there",
                f"correct the {what} in the config, or add the host to {ALLOWED_HOSTS} where the job is set up",
            )


def origins(target: Target) -> tuple[tuple[str, Origin], ...]:
    """Return where calls to the target connect: its url and, where there is one, its proxy, each beside its name.

    Raises InvalidInput for one that is not a plain http or https url; a password in it is not shown.
    """
    found = [("url", read_origin, target.url), ("proxy", read_proxy, target.proxy)]
    return tuple((what, _origin(target, what, read, url)) for what, read, url in found if url is not None)


def _origin(target: Target, what: str, read: Callable[[str], Origin], url: str) -> Origin:
    try:
        return read(url)
    except ValueError as error:
        raise InvalidInput(
            f"target {target.name}: the {what} {error}",
            f"write targets.{target.name}.{what} as http://host:port or https://host:port",
        ) from None
