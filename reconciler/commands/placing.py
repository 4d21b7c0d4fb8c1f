"""Puts new files into a folder: never over anything, never through a link, whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.errors import Failure


def check_places(top: Path, paths: Iterable[str]) -> None:
    """Raise Failure where a path below `top` cannot be written, or is there and no plain file; all of them at once."""
    trouble = [complaint for path in paths for complaint in _complaint(top, path)]
    if trouble:
        raise Failure("nothing was written: " + "; ".join(trouble), "move what is in the way, then run this again")


def is_there(top: Path, path: str) -> bool:
    """Say whether there is anything at a path below `top`, a dead link included."""
    return os.path.lexists(top / path)


def place(top: Path, path: str, data: bytes) -> bool:
    """Write a new file and the folders that it needs. Returns False, and changes nothing, where there is one.

    The file appears whole: it is linked into place once its bytes are on disk.
    """
    target = top / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".reconciler-", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.fsync(file.fileno())
            os.link(file.name, target)
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):
                os.unlink(file.name)
    return True


def _complaint(top: Path, path: str) -> Iterator[str]:
    parts = path.split("/")
    below = top
    for number, part in enumerate(parts, 1):
        mode = _mode(below / part)
        if mode is None:
            if not os.access(below, os.W_OK | os.X_OK):
                yield f"{path} cannot be written: no permission in {below}"
            return
        below /= part
        wanted = stat.S_ISREG if number == len(parts) else stat.S_ISDIR
        if stat.S_ISLNK(mode):
            yield f"{'/'.join(parts[:number])} is a symbolic link"
            return
        if not wanted(mode):
            yield f"{'/'.join(parts[:number])} is no {'plain file' if wanted is stat.S_ISREG else 'folder'}"
            return


def _mode(path: Path) -> int | None:
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
