"""How doubt ends without asking the scheduler: what a dead run's journal proves, what a later rerun settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from reconciler.core.change import Change, Entry, Snapshot, doubt_of, entries_of
from reconciler.core.ledger import Intent
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Sending:
    """The journal's last word on a call is that it was about to be sent."""


@dataclass(frozen=True, slots=True)
class Event:
    """The last that a journal says of a call, and when (UTC)."""

    at: str
    what: Outcome | Sending


@dataclass(frozen=True, slots=True)
class JournalReading:
    """What a run's journal says: per call id the last event. `live` while the run's process holds its lock.

    `begun` is False for a journal without a whole first line: it proves nothing. `ended` where the run closed it in
    order, so that it is known to be whole.
    """

    run: str
    live: bool
    begun: bool
    events: Mapping[str, Event]
    ended: bool = False


def settle(intents: Iterable[Intent], journals: Iterable[JournalReading]) -> Change:
    """Return what the journals of dead runs prove of their intents.

    Accepted calls become ledger lines; refused ones, and those that were never sent, are owed again. A call that was
    being sent when its run died stays in doubt. Runs that live, and runs without a journal here, are left alone.
    """
    dead = {journal.run: journal for journal in journals if journal.begun and not journal.live}
    entries: list[Entry] = []
    settled: list[Intent] = []
    for intent in intents:
        journal = dead.get(intent.run)
        if journal is None:
            continue
        event = journal.events.get(intent.call.id)
        what = event.what if event else None
        match what:
            case Triggered(trace_id) if event:
                entries += entries_of(intent, trace_id, event.at)
                settled.append(intent)
            case None | Rejected() | NotSent():
                settled.append(intent)
            case Triggered() | Sending() | Unknown():
                pass
            case other:
                assert_never(other)
    return Change(entries=tuple(entries), settled=tuple(settled))


def settled_by_reruns(snapshot: Snapshot, intents: Iterable[Intent]) -> tuple[Intent, ...]:
    """Return those of `intents` that later, approved reruns in `snapshot` settle whole: they are in doubt no longer.

    Of a call that covers others, reruns have to settle each of these in its own table, too.
    """
    return tuple(intent for intent in intents if _is_settled(snapshot, intent))


def _is_settled(snapshot: Snapshot, intent: Intent) -> bool:
    try:
        return not doubt_of(snapshot, intent)
    except InvalidInput:  # damage downstream settles nothing, and must not keep other tables from being recorded
        return False
