"""The next page of a list, out of a Link header: a path on our own API, or nothing that is followed. Pure."""

from __future__ import annotations

import re

from reconciler.review.place import Api

_TARGET = re.compile(
    r"<(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!-;=?-~]*)>",
    re.IGNORECASE | re.ASCII,
)
_IS_NEXT = re.compile(r'(?:^|;)\s*rel="?next"?\s*(?:;|$)', re.IGNORECASE)
_UPWARD = re.compile(r"(?:^|/|%2f)(?:\.|%2e){1,2}(?:/|%2f|$)|\\|%5c|#", re.IGNORECASE)


class ElsewhereError(Exception):
    """The next page is said to be at another address than the API's: nothing that gets a token."""


def next_page(header: str, api: Api) -> str | None:
    """Return the path and query of the next page, to be asked for at `api.origin`. None where there is none.

    GitHub names repositories by number there, so the path may be another than the one asked for, within the API's own.
    Raises ElsewhereError for another origin, for a path beyond the API's, and for what is no plain address.
    """
    for link in re.split(r",\s*(?=<)", header):
        target, _, parameters = link.strip().partition(";")
        if _IS_NEXT.search(parameters):
            return _path(target.strip(), api)
    return None


def _path(target: str, api: Api) -> str:
    match = _TARGET.fullmatch(target)
    if match is None:
        raise ElsewhereError
    scheme = match["scheme"].lower()
    port = int(match["port"] or {"http": 80, "https": 443}[scheme])
    path = match["path"]
    if (scheme, match["host"].lower(), port) != (api.scheme, api.host, api.port):
        raise ElsewhereError
    if not path.startswith(f"{api.base}/") or _UPWARD.search(path.partition("?")[0]) or "#" in path:
        raise ElsewhereError
    return path
