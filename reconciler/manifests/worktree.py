"""The files of a root from the work tree. What a reviewer sees is what is read: no links, no odd names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.core.progress import SILENT, Progress, each
from reconciler.errors import InvalidInput, Problem
from reconciler.manifests.quoting import escaped
from reconciler.manifests.root import is_manifest_path
from reconciler.manifests.text import LARGEST, too_large


def read_worktree(root: Path, progress: Progress = SILENT) -> tuple[Mapping[str, bytes], tuple[Problem, ...]]:
    """Return the YAML files below `root`, by path relative to it and in sorted order, and what could not be read.

    Folders whose name starts with a dot are skipped: the state lies in `.state`. Links, files over 1 MiB, files that
    cannot be read and names that are not UTF-8 are problems. Raises InvalidInput where `root` is no folder.
    """
    if not root.is_dir():
        hint = "name the folder that holds reconciler.yaml with --root"
        raise InvalidInput(f"there is no folder {escaped(str(root), 200)}", hint)
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    folder = os.fspath(root)
    with each(progress, "reading", sorted(_walk(root, "", problems)), "file") as paths:
        for path in paths:
            content = _content(f"{folder}/{path}", path)
            if isinstance(content, Problem):
                problems.append(content)
            else:
                found[path] = content
    return found, tuple(sorted(problems))


def _walk(root: Path, folder: str, problems: list[Problem]) -> Iterator[str]:
    """Yield the paths to read; a stack, because folders may lie deeper than Python recurses."""
    open_folders = [folder]
    while open_folders:
        folder = open_folders.pop()
        try:
            with os.scandir(root / folder) as scan:
                entries = list(scan)
        except OSError as error:
            problems.append(_problem(folder, f"the folder cannot be read: {error.strerror}", "mend its permissions"))
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_symlink():
                if _matters(entry, path):
                    hint = "put the file itself there: a review of a link does not show what it points to"
                    problems.append(_problem(path, "is a symbolic link", hint))
            elif entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    open_folders.append(path)
            elif is_manifest_path(path):
                yield path


def _matters(link: os.DirEntry[str], path: str) -> bool:
    if link.is_dir():
        return not link.name.startswith(".")
    return is_manifest_path(path)


def _content(path: str, shown: str) -> bytes | Problem:
    if not _is_utf8(shown):
        return _problem(shown, "the file's name is not UTF-8", "rename the file")
    try:
        # O_NONBLOCK and O_NOFOLLOW: a pipe would wait for ever, and a file may have become a link since.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                return _problem(shown, "is not a regular file", "remove it, or put a file there")
            if status.st_size > LARGEST:
                return too_large(shown, status.st_size)
            return _read(file, status.st_size)
        finally:
            os.close(file)
    except OSError as error:
        return _problem(shown, f"cannot be read: {error.strerror}", "mend its permissions, or remove it")


def _read(file: int, size: int) -> bytes:
    """Return the bytes of an open file, however its size changes meanwhile; of too large a one, one more than LARGEST.

    One file is read in two steps where nothing changes: asking for much more than there is costs memory.
    """
    found = b""
    while len(found) <= LARGEST:
        part = os.read(file, max(size - len(found), 0) + 1)
        if not part:
            break
        found += part
    return found[: LARGEST + 1]


def _is_utf8(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= char <= "\udfff" for char in name)


def _problem(path: str, message: str, hint: str) -> Problem:
    return Problem(escaped(path, 200), 0, 0, "", message, hint)
