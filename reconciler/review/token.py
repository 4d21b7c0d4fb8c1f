"""The token for a forge: read late, checked before any network use, never shown."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import NoReturn, assert_never
from urllib.parse import quote

from reconciler.core.config import FromEnv, FromFile, ValueFrom
from reconciler.errors import ForgeFailure
from reconciler.review.place import ForgeName

JOB_TOKEN = "CI_JOB_TOKEN"  # noqa: S105  (the name of a variable)
"""GitLab's variable for the token of a job, which goes into a header of its own and may do little."""

_VARIABLES: Mapping[ForgeName, tuple[str, ...]] = {"github": ("GITHUB_TOKEN", "GH_TOKEN"), "gitlab": ("GITLAB_TOKEN",)}
_RIGHTS: Mapping[ForgeName, str] = {
    "github": (
        "in a workflow: `env: GITHUB_TOKEN: ${{ github.token }}`, with `permissions: {contents: read, "
        "pull-requests: read}` (pull-requests: write to comment); teams need a token with read:org"
    ),
    "gitlab": (
        "a project access token of the role Reporter or above with the scope read_api (api to comment); "
        f"{JOB_TOKEN} may not read approvals"
    ),
}
_LONGEST = 1024
_VALUE = re.compile(r"[!-~]{1,1024}")


class Token:
    """A secret and where it came from. Text and repr hide the value; copying and pickling raise TypeError."""

    __slots__ = ("_source", "_value")

    def __init__(self, value: str, source: str) -> None:
        """Keep a value. Raises ForgeFailure, which names `source` and not the value, where no header can hold it."""
        problem = _problem(value)
        if problem:
            raise ForgeFailure(
                f"the token in {source} {problem}",
                f"put the token alone there: 1 to {_LONGEST} printable ASCII characters, nothing around it",
            )
        self._value = value
        self._source = source

    @property
    def value(self) -> str:
        """The secret itself. Only for the header that sends it."""
        return self._value

    @property
    def source(self) -> str:
        """Where it came from, for messages: `environment variable GITHUB_TOKEN`."""
        return self._source

    def blot(self, text: str) -> str:
        """Return text without the secret, however JSON, HTML or a URL would write it."""
        forms = {self._value, json.dumps(self._value)[1:-1], html.escape(self._value), quote(self._value, safe="")}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text

    def __repr__(self) -> str:
        return f"Token({self._source}, ***)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a token is not copied or pickled: its value would leave this process's memory")


def read_token(forge: ForgeName, value_from: ValueFrom | None, environ: Mapping[str, str]) -> Token:
    """Read the token that the config names, or else the first usual variable that is set and not empty.

    A file may end in one newline. Raises ForgeFailure where there is none: it names the variable or file, and which
    rights the token needs.
    """
    match value_from:
        case None:
            return _from_usual(forge, environ)
        case FromEnv(name):
            if name not in environ:
                raise ForgeFailure(
                    f"environment variable {name} is not set, and the token is read from it", rights(forge)
                )
            return Token(environ[name], f"environment variable {name}")
        case FromFile(path):
            return Token(_content(path), f"file {path}")
        case _:
            assert_never(value_from)


def rights(forge: ForgeName) -> str:
    """Say which token does, as a hint."""
    return _RIGHTS[forge]


def _from_usual(forge: ForgeName, environ: Mapping[str, str]) -> Token:
    for name in _VARIABLES[forge]:
        if environ.get(name):
            return Token(environ[name], f"environment variable {name}")
    names = " or ".join(_VARIABLES[forge])
    raise ForgeFailure(f"there is no token: environment variable {names} is not set", rights(forge))


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_LONGEST + 2)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise ForgeFailure(
            f"the token's file {path} cannot be read: {reason}",
            "mount the secret there, or name another file in approvals.reruns.tokenFrom",
        ) from None
    return content.removesuffix(b"\n").decode("latin-1")


def _problem(value: str) -> str:
    if not value:
        return "is empty"
    if len(value) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    if not _VALUE.fullmatch(value):
        return "holds a space, a line break, or a character that is not printable ASCII"
    return ""
