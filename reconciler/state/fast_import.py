"""A commit in the language of `git fast-import`. Source: git's page on it."""

from __future__ import annotations

import time
from collections.abc import Mapping

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-$~`@+=,")


def commit_stream(ref: str, parent: str | None, who: str, message: str, files: Mapping[str, bytes | None]) -> bytes:
    """Return the stream that commits `files` (None deletes) on `parent` to `ref`, and asks for the commit's id."""
    name = who.encode("utf-8", "surrogateescape")
    parts = [b"commit %s\nmark :1\ncommitter %s %d +0000\n" % (ref.encode(), name, time.time())]
    parts.append(_data(message.encode()))
    parts.append(b"from %s\n" % parent.encode() if parent else b"")
    for path, content in sorted(files.items()):
        if content is None:
            parts.append(b"D %s\n" % _quoted(path))
        else:
            parts.append(b"M 100644 inline %s\n%s" % (_quoted(path), _data(content)))
    parts.append(b"\nget-mark :1\ndone\n")
    return b"".join(parts)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    """Write a path the way fast-import reads any bytes: in quotes, with octal escapes."""
    raw = path.encode("utf-8", "surrogateescape")
    return b'"' + b"".join(bytes([c]) if c in _PLAIN else b"\\%03o" % c for c in raw) + b'"'
