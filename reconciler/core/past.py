"""Calls that were made by hand before: which of them the ledgers lack, and which are in the way of a doubt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.call import Call
from reconciler.core.change import Entry, Key, Snapshot
from reconciler.core.ledger import Doubt, Intent, Trigger, doubts
from reconciler.core.progress import SILENT, Progress, each
from reconciler.core.request import Place
from reconciler.core.window import EMPTY, Windows, near, overlaps, subtract


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that somebody made by hand, accepted at `triggered_at` (UTC); its one request names the file's line."""

    call: Call
    trace_id: str | None
    triggered_at: str
    place: Place

    @property
    def target(self) -> str:
        return self.call.target

    @property
    def table(self) -> str:
        return self.call.table

    @property
    def key(self) -> Key:
        return self.call.target, self.call.table

    def entry(self, run: str, commit: str) -> Entry:
        """Return the ledger's line that adopts the call; `run` is the import's, `commit` the manifests'."""
        trigger = Trigger(
            id=self.call.id,
            span=self.call.span,
            rerun=(),
            requests=self.call.requests,
            approved_by=(),
            trace_id=self.trace_id,
            triggered_at=self.triggered_at,
            run=run,
            commit=commit,
        )
        return Entry(self.key, trigger)


def reference(file: str, line: int) -> str:
    """Return what an adopted trigger has in the place of a manifest's request. `Trigger.imported` reads it."""
    return f"import:{file}:{line}"


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is to be done about past calls: `fresh` ones are to be recorded, those that a ledger covers are `known`.

    `repeated` counts those that another one of the same files says already, `disputed` are those that overlap a call
    in doubt: nobody can tell which of the two ran.
    """

    fresh: tuple[PastCall, ...]
    known: int
    repeated: int
    disputed: tuple[tuple[PastCall, Doubt], ...]


def adopt(calls: Iterable[PastCall], snapshot: Snapshot, progress: Progress = SILENT) -> Adoption:
    """Return what to do about `calls`, sorted by target and table, else as given. Raises InvalidInput for damage."""
    intents: dict[Key, list[Intent]] = defaultdict(list)
    for intent in snapshot.intents:
        for part in intent.parts:
            intents[part.key].append(part)
    tables: dict[Key, list[PastCall]] = defaultdict(list)
    for past in calls:
        tables[past.key].append(past)
    fresh: list[PastCall] = []
    disputed: list[tuple[PastCall, Doubt]] = []
    known = repeated = 0
    with each(progress, "comparing", sorted(tables), "table") as keys:
        for key in keys:
            ledger = snapshot.ledger(key)
            covered = ledger.covered if ledger else EMPTY
            open_doubts = doubts(ledger, intents[key])
            seen: set[Windows] = set()
            for past in tables[key]:
                windows = past.call.span.windows
                doubt = next((doubt for doubt in open_doubts if overlaps(doubt.windows, windows)), None)
                if not subtract(windows, near(covered, windows[0][0], windows[-1][1])):
                    known += 1
                elif doubt is not None:
                    disputed.append((past, doubt))
                elif windows in seen:
                    repeated += 1
                else:
                    seen.add(windows)
                    fresh.append(past)
    return Adoption(tuple(fresh), known, repeated, tuple(disputed))
