"""The state at one commit: files found once, read when asked for, parsed once."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reconciler.core.change import Key
from reconciler.core.ledger import Coverage, Intent, Ledger, Lines, Trigger
from reconciler.state.compacted import coverage_of, damage_of
from reconciler.state.detail import Details, lost_line
from reconciler.state.fold import head_and_lines, pack, unpack
from reconciler.state.folding import fold_all
from reconciler.state.git import Entry, Git
from reconciler.state.journal import is_run
from reconciler.state.json_lines import DamagedState
from reconciler.state.ledger_file import is_shortened, ledger_name, read_file, read_ledger, table_named
from reconciler.state.pending_file import read_pending
from reconciler.state.plain import plain_triggers
from reconciler.state.shelf import Shelf

_NEIGHBOURS = 128
"""How many files are read at once where one is asked for: those that follow it."""


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
class WrittenLedger:
    """The ledger of a table as it was written, and what it covers now."""

    data: bytes
    key: Key
    covers: Coverage


@dataclass(frozen=True, slots=True)
class WrittenIntents:
    """A pending file as it was written, and what it says."""

    data: bytes
    intents: tuple[Intent, ...]


Written = WrittenLedger | WrittenIntents


class GitSnapshot:
    """State files of one commit (None: no state yet)."""

    def __init__(self, git: Git, commit: str | None, folder: str, entries: Mapping[str, Entry], shelf: Shelf) -> None:
        self.commit = commit
        self.shelf = shelf
        self.folder = folder
        self.shrunk: dict[str, DamagedState] = {}
        self._git = git
        self._entries = entries

    @classmethod
    def load(cls, git: Git, commit: str | None, folder: str, shelf: Shelf | None = None) -> GitSnapshot:
        """List the state files of a commit. `shelf` holds what is known already of any."""
        entries = {entry.path: entry for entry in git.files(commit, folder)} if commit else {}
        return cls(git, commit, folder, entries, shelf or Shelf())

    def followed_by(self, commit: str, written: Mapping[str, Written | None]) -> GitSnapshot:
        """Return the state at a commit on top of this one, made of what `written` says (None: a file is gone).

        What was read or written is not read again, and what the commit has not any more is forgotten. Which files
        it has, and which bytes in them, git says.
        """
        changes = self._git.changes(self.commit, commit, self.folder)
        entries = {**self._entries, **changes}
        kept = {path: entry for path, entry in entries.items() if entry is not None}
        self.shelf.keep(kept.values())
        after = GitSnapshot(self._git, commit, self.folder, kept, self.shelf)
        after.shrunk = self.shrunk
        for path, file in written.items():
            if file is not None and path in kept:
                after._learn(kept[path], file)
        return after

    def _learn(self, entry: Entry, written: Written) -> None:
        """Take what was written for read, where git has these very bytes."""
        if entry.oid != blob_id(written.data, entry.oid):
            return
        self.shelf.contents.put(entry.oid, written.data)
        match written:
            case WrittenLedger(_, key, covers):
                self.shelf.learn(entry, key, pack(covers))
            case WrittenIntents(_, intents):
                self.shelf.pending[entry] = intents

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._entries)

    def content(self, path: str) -> bytes | None:
        """Return a state file's bytes, None where there is no such file.

        Those of its neighbours are read along, since whoever asks for one often asks for the next.
        """
        entry = self._entries.get(path)
        if entry is None:
            return None
        if not self.is_file(path):
            raise DamagedState(self.short(path), 0, "it is not a plain file")
        data = self.shelf.contents.get(entry.oid)
        if data is None:
            at = bisect_left(self._order, path)
            data = self.read(self._order[at : at + _NEIGHBOURS])[path]
        return data

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of state files that are there and plain, by path; git is asked once."""
        some = {path: self._entries[path] for path in paths if self.is_file(path)}
        found = self.shelf.bytes_of(self._git, some.values())
        return {path: found[entry.oid] for path, entry in some.items()}

    @cached_property
    def _order(self) -> list[str]:
        return sorted(self._entries)

    def ledger(self, key: Key) -> Ledger | None:
        """Return a table's ledger, None where nothing was ever triggered. Raises DamagedState.

        Its lines are read once somebody looks at one: what they cover is known without, where it was read before.
        """
        path = ledger_path(self.folder, key)
        if path in self.shrunk:
            raise self.shrunk[path]
        entry = self._entries.get(path)
        if entry is None:
            return None
        record = self.shelf.record(entry, key) if self.is_file(path) else None
        if record is None:
            record = pack(coverage_of(self.short(path), self.content(path) or b"", key))
            self.shelf.learn(entry, key, record)
        head, count = head_and_lines(record)
        lines = Lines(count, lambda: self._triggers(path, key), lambda: self._late(path, key), entry.oid)
        return Ledger(*key, lines, head, lambda: unpack(record))

    def _triggers(self, path: str, key: Key) -> Sequence[Trigger]:
        data = self.whole(path)
        plain = plain_triggers(data, *key)
        return plain if plain is not None else read_ledger(self.short(path), data, *key).triggers

    def _late(self, path: str, key: Key) -> Sequence[Trigger]:
        """Return the lines that the file itself has."""
        return read_file(self.short(path), self.content(path) or b"", *key).triggers

    def whole(self, path: str) -> bytes:
        """Return a ledger's file as if it had never been compacted. Raises DamagedState, NotHere."""
        return self.details.whole(self.short(path), self.content(path) or b"", self._near(path))

    def forms(self, path: str) -> tuple[bytes, ...]:
        """Return a ledger's file, and what it was each time before it was compacted, the newest first."""
        data = (self.content(path) if self.is_file(path) else None) or b""
        return self.details.forms(self.short(path), data, self._near(path))

    def _near(self, path: str) -> Iterator[bytes]:
        """Yield the files that follow a path, as far as they are in memory: who asks for one asks for the next."""
        at = bisect_left(self._order, path)
        found = (self.shelf.contents.get(self._entries[each].oid) for each in self._order[at : at + _NEIGHBOURS])
        return (data for data in found if data)

    @cached_property
    def details(self) -> Details:
        """What compacted ledgers were before."""
        return Details(self._git, self.shelf.contents)

    def damaged(self, keys: Collection[Key]) -> dict[Key, DamagedState]:
        """Return the ledgers of some tables that cannot be trusted. What the others cover is known afterwards."""
        wanted = [(key, self._entries[path]) for key in keys if self.is_file(path := ledger_path(self.folder, key))]
        unknown = [(key, entry) for key, entry in wanted if not self.shelf.knows(entry, key)]
        fold_all(self._git, self.shelf, unknown)
        odd = {key for key, entry in unknown if not self.shelf.knows(entry, key)}
        found: dict[Key, DamagedState] = {}
        for key in keys:
            path = ledger_path(self.folder, key)
            if key in odd or path in self.shrunk or (path in self._entries and not self.is_file(path)):
                try:
                    self.ledger(key)
                except DamagedState as damage:
                    found[key] = damage
        self.shelf.cache.save(whole=len(self.shelf.cache) > 2 * len(self._entries))
        return found

    @cached_property
    def intents(self) -> tuple[Intent, ...]:
        """Return all intents, oldest run first. Raises DamagedState where one pending file cannot be read."""
        folder = f"{self.folder}/pending/"
        paths = sorted(path for path in self._entries if path.startswith(folder))
        self.read(path for path in paths if self._entries[path] not in self.shelf.pending)
        return tuple(intent for path in paths for intent in self.intents_of(path))

    def intents_of(self, path: str) -> tuple[Intent, ...]:
        """Return the intents of one pending file. Raises DamagedState."""
        run = path.removeprefix(f"{self.folder}/pending/").removesuffix(".jsonl")
        if not path.endswith(".jsonl") or not is_run(run):
            raise DamagedState(self.short(path), 0, "its name is not that of a run")
        entry = self._entries[path]
        if entry not in self.shelf.pending:
            self.shelf.pending[entry] = read_pending(self.short(path), self.content(path) or b"", run)
        return self.shelf.pending[entry]

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
        for path in set(ledgers) - set(kept):
            self.shrunk[path] = DamagedState(
                self.short(path), 0, f"it was there at {earlier.commit}, and is gone", hint
            )
        for at in range(0, len(changed), _NEIGHBOURS):
            some = changed[at : at + _NEIGHBOURS]
            old, new = earlier.read(some), self.read(some)
            self.details.bring(data for path, data in new.items() if not data.startswith(old.get(path, b"")))
            for path in some:
                before, now = old.get(path) or earlier.content(path) or b"", new.get(path) or self.content(path) or b""
                line = lost_line(self.short(path), before, now, self.details)
                if line is not None:
                    message = f"this line is not as it was at {earlier.commit}"
                    way = "" if damage_of(self.short(path), now) else hint  # what cannot be read cannot be accepted
                    self.shrunk[path] = DamagedState(self.short(path), line, message, way)

    def entry(self, path: str) -> Entry | None:
        """Return what the commit's tree says of a state file."""
        return self._entries.get(path)

    def short(self, path: str) -> str:
        """Return a state file's path from the root, as complaints name it."""
        return f".state/{path.removeprefix(self.folder + '/')}"


def blob_id(data: bytes | memoryview, like: str) -> str:
    """Return git's id of a file's bytes, in the hash that another id was made with."""
    new = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    digest = new(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()
