"""What the state branch holds, and a change to it: values that apply, resolve and the state package share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import starmap
from typing import Protocol

from reconciler.core.ledger import Doubt, Intent, Ledger, Trigger, doubts

Key = tuple[str, str]
"""A target's name and a table's."""


class Snapshot(Protocol):
    """The state at one commit of its branch."""

    @property
    def commit(self) -> str | None:
        """The commit, None where the branch does not exist yet."""

    @property
    def intents(self) -> tuple[Intent, ...]:
        """All intents of all runs: oldest run first, in the order in which they were written."""

    def ledger(self, key: Key) -> Ledger | None:
        """The ledger of a table, None where nothing was ever triggered. Raises InvalidInput where it is damaged."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Another run moved the state first: nothing of a change was written. Read again, and plan again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A trigger to append to the ledger of `key`."""

    key: Key
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class Change:
    """Lines to append, intents to remove, intents to add: in this order, as one commit.

    It fits on any tip: what it appends goes to the end, and an intent that is gone already needs no removing.
    """

    entries: tuple[Entry, ...] = ()
    settled: tuple[Intent, ...] = ()
    intents: tuple[Intent, ...] = ()

    @property
    def made(self) -> tuple[Entry, ...]:
        """The entries of calls that were made: without those that another call covers."""
        return tuple(entry for entry in self.entries if entry.trigger.covered_by is None)

    def __bool__(self) -> bool:
        return bool(self.entries or self.settled or self.intents)

    def __add__(self, other: Change) -> Change:
        return Change(
            self.entries + other.entries,
            self.settled + tuple(intent for intent in other.settled if intent not in self.settled),
            self.intents + other.intents,
        )


@dataclass(frozen=True, slots=True)
class Changed:
    """A snapshot as it will be once `change` is committed on top of it."""

    base: Snapshot
    change: Change
    _added: Mapping[Key, tuple[Trigger, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_added", entries_by_key(self.change.entries))

    @property
    def commit(self) -> str | None:
        return self.base.commit

    @property
    def intents(self) -> tuple[Intent, ...]:
        return remaining(self.base.intents, self.change.settled) + self.change.intents

    def ledger(self, key: Key) -> Ledger | None:
        ledger = self.base.ledger(key)
        added = self._added.get(key)
        if not added:
            return ledger
        if ledger is None:
            return Ledger(*key, added, head="")
        return ledger.grown(added, ledger.head)


def remaining(intents: Iterable[Intent], settled: Iterable[Intent]) -> tuple[Intent, ...]:
    """Return the intents without those that are settled: the same run, the same call."""
    gone = {(intent.run, intent.call.id) for intent in settled}
    return tuple(intent for intent in intents if (intent.run, intent.call.id) not in gone)


def entries_by_key(entries: Iterable[Entry]) -> dict[Key, tuple[Trigger, ...]]:
    """Return the triggers to append, per ledger, in order."""
    found: dict[Key, list[Trigger]] = defaultdict(list)
    for entry in entries:
        found[entry.key].append(entry.trigger)
    return {key: tuple(triggers) for key, triggers in found.items()}


def key_of(intent: Intent) -> Key:
    """Return the ledger that an intent belongs to: that of the table that is called."""
    return intent.key


def keys_of(intent: Intent) -> tuple[Key, ...]:
    """Return the ledgers that an intent will have lines in: that of its call, then those of what that covers."""
    return tuple(dict.fromkeys(part.key for part in intent.parts))


def entries_of(intent: Intent, trace_id: str | None, at: str) -> tuple[Entry, ...]:
    """Return what is to be appended once an intent's call is known to have been accepted, `at` a UTC time."""
    return tuple(starmap(Entry, intent.entries(trace_id, at)))


def doubt_of(snapshot: Snapshot, intent: Intent) -> tuple[Doubt, ...]:
    """Return what is still in doubt of an intent, at most one: of its own call, or else of a call that it covers.

    Raises InvalidInput where one of the ledgers is damaged.
    """
    for part in intent.parts:
        for doubt in doubts(snapshot.ledger(part.key), (part,)):
            return (Doubt(intent, doubt.windows),)
    return ()
