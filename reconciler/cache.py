"""What was read before, kept in a file: found by what it was read from, never trusted unless it proves itself.

A cache may be deleted at any time, and two processes may use one at once: what is missing, damaged or written by other
code is read again, and a file is only ever replaced as a whole.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import weakref
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import NamedTuple

_MAGIC = b"backfill-reconciler cache 1\n"
_HEAD = Struct("<32s32sI")  # version of the reader, digest of the index, number of entries
_KEY = 32
_ENTRY = Struct("<32sQI16s")  # key, offset and length of the value, digest of both
_FOLDERS = ("core", "manifests", "state")
_FILES = ("cache.py", "parallel.py", "commands/plan_tables.py", "commands/settled.py")
"""Where the code is that makes what is kept."""


class _Place(NamedTuple):
    """Where a value lies in the file. The rest is the digest of it and of its key."""

    offset: int
    length: int
    digest: bytes


class Cache:
    """Values by key, of which one file holds those of earlier runs. Without a folder it holds this run's alone."""

    def __init__(self, path: Path | None, *, believed: bool = True) -> None:
        """Use the file at `path`, which need not exist. Raises nothing for what it holds.

        One that is not `believed` is written for others: of what was there before nothing is given, nor taken away.
        """
        self._believed = believed
        self._mine: set[bytes] = set()
        self._path = path
        self._file: int | None = None
        self._close: weakref.finalize[[int], Cache] | None = None
        self._table = b""
        self._rows: dict[bytes, int] = {}
        self._used = bytearray()
        self._fresh: dict[bytes, bytes] = {}
        if path is not None:
            with suppress(OSError):
                self._open(path)

    @classmethod
    def of_root(cls, git_folder: Path, root: str, name: str, *, believed: bool) -> Cache:
        """Return the cache of a name for a root: its path from the repository's top. It lies in git's own folder."""
        which = blake2b(root.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        return cls(git_folder / "reconciler" / "cache" / f"{name}-{which}", believed=believed)

    def get(self, key: bytes) -> bytes | None:
        """Return the value kept for a key that `key_of` made, None where there is none that can be trusted."""
        fresh = self._fresh.get(key)
        if fresh is not None:
            return fresh
        row = self._row(key)
        if row is None or self._file is None:
            return None
        place = self._place(row)
        try:
            value = os.pread(self._file, place.length, place.offset)
        except OSError:
            return None
        if _digest(key, value) != place.digest:
            return None
        self._used[row] = True
        return value

    def _ends(self, row: int) -> int:
        place = self._place(row)
        return place.offset + place.length

    def _row(self, key: bytes) -> int | None:
        """Return the row of a key whose value is to be given."""
        return self._rows.get(key) if self._believed or key in self._mine else None

    def _place(self, row: int) -> _Place:
        return _Place(*_ENTRY.unpack_from(self._table, row * _ENTRY.size)[1:])

    def holds(self, key: bytes) -> bool:
        """Say whether there is a value for a key, which is of use then. Only `get` tells whether it can be trusted."""
        row = self._row(key)
        if row is None:
            return key in self._fresh
        self._used[row] = True
        return True

    def __len__(self) -> int:
        return len(self._rows.keys() | self._fresh.keys())

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value for `save`, and for this run."""
        self._fresh[key] = value

    def save(self, *, whole: bool) -> None:
        """Write the file anew where there is something new. With `whole`, what nobody asked for is left out.

        A cache that cannot be written is no failure: the next run reads again.
        """
        if self._path is None or not self._fresh:
            return
        drop = whole and self._believed
        kept = [key for key, row in self._rows.items() if key not in self._fresh and (self._used[row] or not drop)]
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._write(beside, kept)
                self._open(beside)  # this very file, whoever else replaces the one that it becomes
                beside.replace(self._path)
            finally:
                beside.unlink(missing_ok=True)
            if not self._believed:
                self._mine.update(self._fresh)
            self._fresh.clear()

    def _write(self, path: Path, kept: Iterable[bytes]) -> None:
        old = [(key, self._place(self._rows[key])) for key in kept]
        count = len(old) + len(self._fresh)
        offset = len(_MAGIC) + _HEAD.size + count * _ENTRY.size
        index = []
        for key, place in old:
            index.append(_ENTRY.pack(key, offset, place.length, place.digest))
            offset += place.length
        for key, value in self._fresh.items():
            index.append(_ENTRY.pack(key, offset, len(value), _digest(key, value)))
            offset += len(value)
        table = b"".join(index)
        with open(path, "wb") as file:
            file.write(_MAGIC + _HEAD.pack(reader_version(), blake2b(table, digest_size=32).digest(), count) + table)
            if self._file is not None:
                file.writelines(os.pread(self._file, place.length, place.offset) for _, place in old)
            file.writelines(self._fresh.values())

    def _open(self, path: Path) -> None:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would wait for ever
        if self._close is not None:
            self._close()
        self._close = weakref.finalize(self, os.close, file)
        # It is kept open, for `get`: a file that is replaced meanwhile stays as it was.
        self._file, self._table, self._rows, self._used = file, b"", {}, bytearray()
        head = os.pread(file, len(_MAGIC) + _HEAD.size, 0)
        if len(head) < len(_MAGIC) + _HEAD.size or not head.startswith(_MAGIC):
            return
        version, digest, count = _HEAD.unpack_from(head, len(_MAGIC))
        size = os.fstat(file).st_size
        if count * _ENTRY.size > size:
            return
        table = os.pread(file, count * _ENTRY.size, len(head))
        if version == reader_version() and blake2b(table, digest_size=32).digest() == digest:
            starts = range(0, count * _ENTRY.size, _ENTRY.size)
            self._table, self._used = table, bytearray(count)
            rows = {table[at : at + _KEY]: row for row, at in enumerate(starts)}
            self._rows = {key: row for key, row in rows.items() if self._ends(row) <= size}  # the rest was cut off


def key_of(*parts: bytes) -> bytes:
    """Return the key of what is read from some bytes; where they begin and end is part of it."""
    digest = blake2b(digest_size=32)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()


def _digest(key: bytes, value: bytes) -> bytes:
    return blake2b(value, digest_size=16, key=key).digest()


@cache
def reader_version() -> bytes:
    """Return what names the code that reads: its own source, Python's version, and the YAML library's."""
    package = Path(__file__).parent
    schemas = package / "schemas" if (package / "schemas").is_dir() else package.parent / "schemas"
    found = blake2b(sys.version.encode(), digest_size=32)
    files = [package / name for name in _FILES]
    for folder in (*(package / name for name in _FOLDERS), schemas):
        files += sorted((*folder.glob("*.py"), *folder.glob("*.json")))
    for file in files:
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    yaml = importlib.util.find_spec("yaml")  # its first file holds its version; nothing is imported
    if yaml is not None and yaml.origin is not None:
        found.update(Path(yaml.origin).read_bytes())
    return found.digest()
