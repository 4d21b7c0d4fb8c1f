"""The state at one commit: files found once, read when asked for, parsed once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from reconciler.core.change import Key
from reconciler.core.ledger import Intent, Ledger
from reconciler.core.text import count
from reconciler.state.git import Entry, Git
from reconciler.state.journal import is_run
from reconciler.state.json_lines import DamagedState
from reconciler.state.ledger_file import is_shortened, ledger_name, read_ledger, table_named
from reconciler.state.pending_file import read_pending


def state_folder(root: str) -> str:
    """Return the folder of a root's state files, from the repository's top; the root is "" for the top itself."""
    return f"{root}/.state" if root else ".state"


def ledger_path(folder: str, key: Key) -> str:
    """Return the path of a table's ledger, from the repository's top; `folder` is that of the state files."""
    target, table = key
    return f"{folder}/{target}/{ledger_name(table)}"


def pending_path(folder: str, run: str) -> str:
    """Return the path of a run's pending file, from the repository's top."""
    return f"{folder}/pending/{run}.jsonl"


@dataclass(frozen=True, slots=True)
class Written:
    """A state file that was written: its bytes, and what they say."""

    data: bytes
    means: Ledger | tuple[Intent, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What was read or written already: bytes by object id, and what they say at a path, where the names must fit."""

    contents: dict[str, bytes] = field(default_factory=dict)
    ledgers: dict[Entry, Ledger] = field(default_factory=dict)
    pending: dict[Entry, tuple[Intent, ...]] = field(default_factory=dict)

    def of(self, entries: Collection[Entry]) -> Known:
        """Return what is known of some files: the rest is forgotten."""
        files, oids = frozenset(entries), frozenset(entry.oid for entry in entries)
        return Known(_only(self.contents, oids), _only(self.ledgers, files), _only(self.pending, files))

    def learn(self, entry: Entry, written: Written) -> None:
        """Take what was written for read, where git has these very bytes."""
        if entry.oid != blob_id(written.data, entry.oid):
            return
        self.contents[entry.oid] = written.data
        if isinstance(written.means, Ledger):
            self.ledgers[entry] = written.means
        else:
            self.pending[entry] = written.means


class GitSnapshot:
    """State files of one commit (None: no state yet)."""

    def __init__(self, git: Git, commit: str | None, folder: str, entries: Mapping[str, Entry], known: Known) -> None:
        self.commit = commit
        self.known = known
        self.folder = folder
        self.shrunk: dict[str, DamagedState] = {}
        self._git = git
        self._entries = entries

    @classmethod
    def load(cls, git: Git, commit: str | None, folder: str) -> GitSnapshot:
        """List the state files of a commit."""
        entries = {entry.path: entry for entry in git.files(commit, folder)} if commit else {}
        return cls(git, commit, folder, entries, Known())

    def followed_by(self, commit: str, written: Mapping[str, Written | None]) -> GitSnapshot:
        """Return the state at a commit on top of this one, made of what `written` says (None: a file is gone).

        What was read or written is not read again, and what the commit has not any more is forgotten. Which files
        it has, and which bytes in them, git says.
        """
        changes = self._git.changes(self.commit, commit, self.folder)
        entries = {**self._entries, **changes}
        kept = {path: entry for path, entry in entries.items() if entry is not None}
        after = GitSnapshot(self._git, commit, self.folder, kept, self.known.of(kept.values()))
        after.shrunk = self.shrunk
        for path, file in written.items():
            if file is not None and path in kept:
                after.known.learn(kept[path], file)
        return after

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._entries)

    def content(self, path: str) -> bytes | None:
        """Return a state file's bytes, None where there is no such file. The first question reads them all."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        if not self.is_file(path):
            raise DamagedState(self.short(path), 0, "it is not a plain file")
        if entry.oid not in self.known.contents:
            self._read(self._entries)
        return self.known.contents[entry.oid]

    def _read(self, paths: Iterable[str]) -> None:
        oids = (self._entries[path].oid for path in paths)
        missing = [oid for oid in dict.fromkeys(oids) if oid not in self.known.contents]
        with self._git.progress.waiting(f"reading {count(len(missing), 'state file')}"):
            self.known.contents.update(zip(missing, self._git.blobs(missing), strict=True))

    def ledger(self, key: Key) -> Ledger | None:
        """Return a table's ledger, None where nothing was ever triggered. Raises DamagedState."""
        path = ledger_path(self.folder, key)
        if path in self.shrunk:
            raise self.shrunk[path]
        data = self.content(path)
        if data is None:
            return None
        entry = self._entries[path]
        if entry not in self.known.ledgers:
            self.known.ledgers[entry] = read_ledger(self.short(path), data, *key)
        return self.known.ledgers[entry]

    @cached_property
    def intents(self) -> tuple[Intent, ...]:
        """Return all intents, oldest run first. Raises DamagedState where one pending file cannot be read."""
        folder = f"{self.folder}/pending/"
        paths = sorted(path for path in self._entries if path.startswith(folder))
        return tuple(intent for path in paths for intent in self.intents_of(path))

    def intents_of(self, path: str) -> tuple[Intent, ...]:
        """Return the intents of one pending file. Raises DamagedState."""
        run = path.removeprefix(f"{self.folder}/pending/").removesuffix(".jsonl")
        if not path.endswith(".jsonl") or not is_run(run):
            raise DamagedState(self.short(path), 0, "its name is not that of a run")
        data = self.content(path) or b""
        entry = self._entries[path]
        if entry not in self.known.pending:
            self.known.pending[entry] = read_pending(self.short(path), data, run)
        return self.known.pending[entry]

    def is_file(self, path: str) -> bool:
        """Say whether there is a plain file at a path: a state file is one."""
        entry = self._entries.get(path)
        return entry is not None and entry.mode == "100644"

    @cached_property
    def ledger_names(self) -> frozenset[tuple[str, str]]:
        """The (target, table) of all ledgers."""
        names = ((path, path.removeprefix(self.folder + "/").split("/")) for path in self._entries)
        return frozenset(
            (parts[0], self._table(path, parts[1]))
            for path, parts in names
            if len(parts) == 2 and parts[0] != "pending"
        )

    def _table(self, path: str, file: str) -> str:
        """Return the table of a ledger. A name too long for a file system is in the file alone."""
        if not is_shortened(file):
            return file.removesuffix(".jsonl")
        return table_named(file, (self.content(path) or b"") if self.is_file(path) else b"")

    def ledgers_of_other_roots(self) -> dict[tuple[str, str], str]:
        """Return the (target, table) of the ledgers that other roots have in this commit, and those roots."""
        if self.commit is None:
            return {}
        found = {}
        for entry in self._git.files(self.commit, ""):
            root, _, rest = f"/{entry.path}".rpartition("/.state/")
            target, _, name = rest.partition("/")
            if not entry.path.startswith(f"{self.folder}/") and rest and target != "pending" and "/" not in name:
                found[target, name.removesuffix(".jsonl")] = root[1:]
        return found

    def compare_with(self, earlier: GitSnapshot, hint: str) -> None:
        """Remember as damaged the ledgers that an earlier snapshot has, and this one lacks, or has with fewer lines.

        `hint` is the way out for whom that is right.
        """
        pending = f"{self.folder}/pending/"
        ledgers = [path for path in earlier.paths if not path.startswith(pending)]
        kept = [path for path in ledgers if path in self.paths]
        changed = sorted(path for path in kept if self.entry(path) != earlier.entry(path))
        earlier._read(changed)
        self._read(changed)
        for path in set(ledgers) - set(kept):
            self.shrunk[path] = DamagedState(
                self.short(path), 0, f"it was there at {earlier.commit}, and is gone", hint
            )
        for path in changed:
            before, now = earlier.content(path) or b"", self.content(path) or b""
            if not now.startswith(before):
                line = same_lines(before, now) + 1
                message = f"this line is not as it was at {earlier.commit}"
                self.shrunk[path] = DamagedState(self.short(path), line, message, hint)

    def entry(self, path: str) -> Entry | None:
        """Return what the commit's tree says of a state file."""
        return self._entries.get(path)

    def short(self, path: str) -> str:
        """Return a state file's path from the root, as complaints name it."""
        return f".state/{path.removeprefix(self.folder + '/')}"


_K = TypeVar("_K")
_V = TypeVar("_V")


def _only(values: Mapping[_K, _V], keys: Collection[_K]) -> dict[_K, _V]:
    return {key: value for key, value in values.items() if key in keys}


def blob_id(data: bytes | memoryview, like: str) -> str:
    """Return git's id of a file's bytes, in the hash that another id was made with."""
    new = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    digest = new(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def same_lines(before: bytes, now: bytes) -> int:
    """Return how many lines two files have in common from their start on."""
    same = 0
    for old, new in zip(before.split(b"\n"), now.split(b"\n"), strict=False):
        if old != new:
            break
        same += 1
    return same
