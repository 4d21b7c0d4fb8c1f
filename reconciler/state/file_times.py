"""Whether files are the very same as before, by what the file system says of them: as git's index does it.

A file that is written has a new change time, which no program can set. One that was written within a tick of the clock
before it was looked at could be written once more without a sign: it is too young to tell.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

_TICK = 100_000_000
_COARSE = 2_000_000_000
_SECOND = 1_000_000_000
_NONE = (-1, 0, 0, 1)
_FIELDS = len(_NONE)


class Unclear(Exception):
    """It cannot be told whether anything has changed."""


class Look(NamedTuple):
    """Some files at one moment: equal looks at settled files mean equal bytes.

    `settled` is the moment, in nanoseconds since 1970, from which on a change would have shown.
    """

    digest: bytes
    settled: int


def look_at(paths: Iterable[str]) -> Look:
    """Look at some files and folders, one by one; that there is none is a fact too. Raises Unclear."""
    names, numbers = list(paths), array("q")
    for path in names:
        try:
            at = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            numbers.extend(_NONE)
        except OSError as error:
            raise Unclear(error.strerror) from None
        else:
            numbers.extend((at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns))
    return _look(names, numbers)


def look_below(top: str) -> Look:
    """Look at all files below a folder but those in folders whose name starts with a dot, which the loader skips.

    Whether git ignores a file does not matter: it would be read. Raises Unclear where there is anything but files and
    folders, such as a link, whose target may change alone, and where something cannot be read.
    """
    names: list[str] = []
    numbers: list[int] = []
    folders = [top]
    try:
        while folders:
            folder = folders.pop()
            names.append(folder)
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=_name)
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    at = entry.stat(follow_symlinks=False)
                    names.append(entry.name)
                    numbers += (at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns)
                elif not entry.is_dir(follow_symlinks=False):
                    raise Unclear(entry.path)
                elif not entry.name.startswith("."):
                    folders.append(entry.path)
    except OSError as error:
        raise Unclear(error.strerror) from None
    return _look(names, array("q", numbers))


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _look(names: list[str], numbers: array[int]) -> Look:
    youngest = max((0, *numbers[2::_FIELDS], *numbers[3::_FIELDS]))
    coarse = any(moment % _SECOND == 0 for moment in numbers[3::_FIELDS])
    digest = blake2b(os.fsencode("\0".join(names)), digest_size=32)
    digest.update(numbers.tobytes())
    return Look(digest.digest(), youngest + (_COARSE if coarse else _TICK))
