"""The manifest files of a root to manifests: from the cache, on both cores, and strictly where something is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from reconciler.cache import Cache
from reconciler.core.config import Config
from reconciler.core.progress import Count, Progress
from reconciler.errors import Problem
from reconciler.manifests.accept import acceptor
from reconciler.manifests.backfill import Manifest, read_backfill
from reconciler.manifests.findings import Findings
from reconciler.manifests.forgotten import Forgotten
from reconciler.manifests.marks import Document, Value
from reconciler.manifests.quoting import escaped
from reconciler.manifests.record import context_of, decode, encode, record_key
from reconciler.manifests.shape import check_shape
from reconciler.manifests.sound import read_sound
from reconciler.manifests.text import decode as decode_text
from reconciler.manifests.typed import form
from reconciler.manifests.yaml_text import load
from reconciler.parallel import side_by_side

CONFIG = "reconciler.yaml"
"""The file of the config, in the root itself."""

MANY = 200
"""Fewer files are read sooner than a cache is opened, or the other core has started."""


class Entry(NamedTuple):
    """A manifest, and what is wrong with it."""

    findings: Findings
    manifest: Manifest


class FileRead(NamedTuple):
    """What a file holds: its manifests, and the problems that are not of one of these."""

    entries: Sequence[Entry]
    problems: Sequence[Problem] = ()


def read_files(
    files: Mapping[str, bytes], names: Sequence[str], config: Config | None, cache: Cache | None, progress: Progress
) -> list[FileRead]:
    """Read the manifests of a root that are named, one after the other; `files` has their content.

    What a sound file says is taken from the cache, and put there. Without a config nothing is kept.
    """
    with progress.counting("validating", len(names), "file") as count:
        if config is None:
            return [_counted(count, _read(file, files[file], None)) for file in names]
        return _Files(files, config, cache, count).read(names)


def read_file(file: str, data: bytes, config: Config | None) -> FileRead:
    """Read a manifest file strictly: every problem of it, at its place."""
    loaded = load(file, data)
    alone = sum(kind_of(document) != "Config" for document in loaded.documents) == 1
    entries = []
    problems = list(loaded.problems)
    for document in loaded.documents:
        if kind_of(document) == "Config":
            message, hint = "a Config is only read from reconciler.yaml in the root", f"move it to {CONFIG}"
            problems.append(misplaced(document, message, hint))
            continue
        value, shape = check_shape(document, "backfill")
        findings = Findings(document, loaded.problems, shape)
        entries.append(Entry(findings, read_backfill(value, findings, config, alone)))
    return FileRead(entries, problems)


def kind_of(document: Document) -> Value | None:
    """Return what a document says it is."""
    return document.value.get("kind") if isinstance(document.value, dict) else None


def misplaced(document: Document, message: str, hint: str) -> Problem:
    """Return the problem of a document that is of the wrong kind for its file."""
    line, column = document.place(("kind",))
    return Problem(document.file, line, column, "kind", message, hint)


def read_quickly(file: str, data: bytes, config: Config | None) -> list[Manifest] | None:
    """Return the manifests of a file in which nothing is wrong, None where something is, or might be."""
    text = decode_text(file, data)
    if not isinstance(text, str):
        return None
    documents = read_sound(text, form("backfill"))
    fits = acceptor("backfill")
    manifests = []
    for at, document in enumerate(documents):
        if not fits(document.value):
            return None
        findings = Findings(Forgotten(file, data, at, document.places()))
        manifests.append(read_backfill(document.value, findings, config, len(documents) == 1))
        if findings.problems:
            return None
    return manifests or None


def _read(file: str, data: bytes, config: Config | None) -> FileRead:
    if not file.isprintable():
        return _unprintable(file)
    manifests = read_quickly(file, data, config)
    return read_file(file, data, config) if manifests is None else _sound(file, data, manifests)


def _unprintable(file: str) -> FileRead:
    message = "the file's name has characters that cannot be seen in a review"
    return FileRead((), (Problem(escaped(file, 200), 0, 0, "", message, "rename the file"),))


def _sound(file: str, data: bytes, manifests: Iterable[Manifest]) -> FileRead:
    return FileRead(tuple([Entry(Findings(Forgotten(file, data, at)), each) for at, each in enumerate(manifests)]))


def _counted(count: Count, read: FileRead) -> FileRead:
    count.done += 1
    return read


class _Files:
    """Reads the files of a root, whose config is sound."""

    def __init__(self, files: Mapping[str, bytes], config: Config, cache: Cache | None, count: Count) -> None:
        self._files = files
        self._config = config
        self._cache = cache
        self._count = count
        self._context = context_of(config)
        self._keys: dict[str, bytes] = {}

    def read(self, names: Sequence[str]) -> list[FileRead]:
        found = {file: read for file in names if (read := self._from_cache(file))}
        self._count.done += len(found)
        unknown = [file for file in names if file not in found]
        here, there = self._halves(unknown) if len(unknown) >= MANY else (unknown, [])
        if there:
            mine, page = side_by_side(partial(self._all, here), partial(self._records, there))
            found.update(mine)
            found.update(self._from_page(there, page))
        else:
            found.update(self._all(here))
        return [found[file] for file in names]

    def _from_cache(self, file: str) -> FileRead | None:
        if self._cache is None or not file.isprintable():
            return None
        key = record_key(self._context, self._files[file])
        read = self._from_record(file, self._cache.get(key))
        if read is None:
            self._keys[file] = key
        return read

    def _halves(self, names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        half = sum(len(self._files[file]) for file in names) // 2
        for at, file in enumerate(names):
            half -= len(self._files[file])
            if half < 0:
                return names[:at], names[at:]
        return names, ()

    def _all(self, names: Iterable[str]) -> dict[str, FileRead]:
        return {file: self._here(file) for file in names}

    def _here(self, file: str) -> FileRead:
        """Read a file in this process; what it says is kept where it is sound."""
        data = self._files[file]
        if not file.isprintable():
            return _counted(self._count, _unprintable(file))
        manifests = read_quickly(file, data, self._config)
        if manifests is None:
            return _counted(self._count, read_file(file, data, self._config))
        if self._cache is not None:
            self._cache.put(self._keys[file], encode(manifests, self._config))
        return _counted(self._count, _sound(file, data, manifests))

    def _records(self, names: Iterable[str]) -> bytes:
        """Return a line for each file: its record, or nothing where the other process has to read it."""
        manifests = (read_quickly(file, self._files[file], self._config) for file in names)
        return b"\n".join(encode(some, self._config) if some else b"" for some in manifests)

    def _from_page(self, names: Sequence[str], page: bytes | None) -> Mapping[str, FileRead]:
        records = page.split(b"\n") if page is not None else []
        if len(records) != len(names):
            return self._all(names)
        return {file: self._from_copy(file, record) for file, record in zip(names, records, strict=True)}

    def _from_copy(self, file: str, record: bytes) -> FileRead:
        read = self._from_record(file, record or None) if file.isprintable() else None
        if read is None:
            return self._here(file)
        if self._cache is not None:
            self._cache.put(self._keys[file], record)
        return _counted(self._count, read)

    def _from_record(self, file: str, record: bytes | None) -> FileRead | None:
        manifests = decode(record, file, self._config) if record is not None else None
        return _sound(file, self._files[file], manifests) if manifests else None
