"""What was triggered, and what may have been: triggers, intents, and how doubt ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import overload

from reconciler.core.call import Call, Range, Span, span_fields
from reconciler.core.window import EMPTY, Window, Windows, intersect, subtract, union

# What a manifest calls a request ends in `#` and a name without a colon, so none can look like this.
_IMPORTED = re.compile(r"import:(.+:[0-9]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CoveredBy:
    """The call for a table upstream, on the same target, whose trigger ran the instances of a table downstream."""

    table: str
    id: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """One line of a ledger: a call that the scheduler accepted. `triggered_at` is UTC, `commit` the manifests'.

    Where `covered_by` is set, the call that was accepted is that one: this one was not made, for that one ran its
    instances. `trace_id`, `triggered_at` and `run` are then those of the call that was made.
    """

    id: str
    span: Span
    rerun: tuple[str, ...]
    requests: tuple[str, ...]
    approved_by: tuple[str, ...]
    trace_id: str | None
    triggered_at: str
    run: str
    commit: str
    covered_by: CoveredBy | None = None

    @property
    def imported(self) -> str | None:
        """The file and line that a trigger by hand was adopted from, such as `past.csv:3`; None for one of ours."""
        match = _IMPORTED.fullmatch(self.requests[0]) if len(self.requests) == 1 else None
        return match[1] if match else None

    def fields(self) -> dict[str, object]:
        """Return the trigger as a ledger's line names its fields, without the chain."""
        by = self.covered_by
        return {
            "id": self.id,
            **span_fields(self.span),
            "rerun": list(self.rerun),
            "requests": list(self.requests),
            "approvedBy": list(self.approved_by),
            "traceId": self.trace_id,
            "triggeredAt": self.triggered_at,
            "run": self.run,
            "commit": self.commit,
            **({"coveredBy": {"tableName": by.table, "id": by.id}} if by else {}),
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the lines of a ledger cover: all that a plan needs of them.

    `layers` has, for each set of rerun tokens that lines bear (sorted; none for what was no rerun), the seconds of
    these lines. `lines` counts them all, `head` is the SHA-256 of the file's last line.
    """

    head: str
    lines: int
    layers: tuple[tuple[tuple[str, ...], Windows], ...]

    @classmethod
    def of(cls, triggers: Sequence[Trigger], head: str) -> Coverage:
        """Fold triggers, in any order."""
        return cls("", 0, ()).grown(triggers, head)

    def grown(self, triggers: Sequence[Trigger], head: str) -> Coverage:
        """Return what is covered with more lines."""
        found: dict[tuple[str, ...], list[Window]] = {tokens: list(windows) for tokens, windows in self.layers}
        for trigger in triggers:
            found.setdefault(tuple(sorted(set(trigger.rerun))), []).extend(_pieces(trigger.span))
        layers = tuple((tokens, union(windows)) for tokens, windows in sorted(found.items()))
        return Coverage(head, self.lines + len(triggers), layers)

    @property
    def covered(self) -> Windows:
        """The seconds that any trigger covers."""
        return _joined([windows for _, windows in self.layers])

    @property
    def bearing(self) -> dict[str, Windows]:
        """The seconds of the triggers that bear a rerun token, for every token."""
        found: dict[str, list[Windows]] = {}
        for tokens, windows in self.layers:
            for token in tokens:
                found.setdefault(token, []).append(windows)
        return {token: _joined(some) for token, some in found.items()}

    def beyond(self, tokens: Set[str]) -> Windows:
        """Return the seconds of the triggers that bear all of `tokens` and at least one more."""
        return _joined([windows for mine, windows in self.layers if tokens < set(mine)])


class Lines(Sequence[Trigger]):
    """The triggers of a ledger, read when somebody looks at one: a plan never does. Equal to a tuple of the same."""

    def __init__(
        self,
        count: int,
        read: Callable[[], Sequence[Trigger]],
        late: Callable[[], Sequence[Trigger]] = tuple,
        name: Hashable = None,
    ) -> None:
        """`read` returns them, `count` of them, and may raise what reading raises.

        `late` returns the newest of them, where these can be had without the others. `name` names them, if anything
        does: two with the same name are equal, and nobody has to read them for that.
        """
        self.name = name
        self._count = count
        self._read = read
        self._late = late
        self._all: tuple[Trigger, ...] | None = None

    def _triggers(self) -> tuple[Trigger, ...]:
        if self._all is None:
            self._all = tuple(self._read())
        return self._all

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Trigger: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Trigger, ...]: ...
    def __getitem__(self, at: int | slice) -> Trigger | tuple[Trigger, ...]:
        return self._triggers()[at]

    def __iter__(self) -> Iterator[Trigger]:
        return iter(self._triggers())

    def __reversed__(self) -> Iterator[Trigger]:
        """Yield the newest first; the others are read once somebody comes to them."""
        late = self._late() if self._all is None else ()
        yield from reversed(late)
        yield from reversed(self._triggers()[: self._count - len(late)])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Lines) and self.name is not None and other.name is not None:
            return self.name == other.name
        return isinstance(other, Lines | tuple) and self._triggers() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._triggers())


@dataclass(frozen=True, slots=True)
class Ledger:
    """All triggers of one table on one target, oldest first. `head` is the SHA-256 of the file's last line.

    `known` returns their coverage where that was made before.
    """

    target: str
    table: str
    triggers: Sequence[Trigger]
    head: str
    known: Callable[[], Coverage] | None = field(default=None, repr=False, compare=False)

    @property
    def coverage(self) -> Coverage:
        """What the triggers cover."""
        return self.known() if self.known else Coverage.of(self.triggers, self.head)

    @property
    def covered(self) -> Windows:
        """The seconds that any trigger covers."""
        return self.coverage.covered

    @property
    def bearing(self) -> dict[str, Windows]:
        """The seconds of the triggers that bear a rerun token, for every token."""
        return self.coverage.bearing

    def grown(self, triggers: tuple[Trigger, ...], head: str) -> Ledger:
        """Return the ledger with more lines at its end."""
        before = self.triggers
        lines = Lines(len(before) + len(triggers), lambda: (*before, *triggers))
        covers = self.coverage.grown(triggers, head)
        return Ledger(self.target, self.table, lines, head, lambda: covers)

    def over(self, windows: Windows) -> tuple[Trigger, ...]:
        """Return the triggers that cover any of `windows`, oldest first."""
        return tuple(trigger for trigger in self.triggers if intersect(trigger.span.windows, windows))


def _joined(some: Sequence[Windows]) -> Windows:
    return some[0] if len(some) == 1 else union(chain.from_iterable(some))


def windows_of(spans: Iterable[Span]) -> Windows:
    """Return the seconds that any of the spans holds."""
    return union(chain.from_iterable(map(_pieces, spans)))


def _pieces(span: Span) -> Iterable[Window]:
    return (span.window,) if isinstance(span, Range) else ((time, time + 1) for time in span.times)


@dataclass(frozen=True, slots=True)
class Intent:
    """A call about to be made, as a pending file holds it. Until its outcome is recorded it is in doubt.

    `by` and `since` say who runs it and since when (UTC), `commit` is the manifests'. A call that covers others is in
    doubt for their tables too: `parts` are what is in doubt of each table. `part_of` is set in such a part alone.
    """

    call: Call
    run: str
    by: str
    since: str
    commit: str
    part_of: Intent | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The ledger that the call belongs to: a target's name and a table's."""
        return self.call.target, self.call.table

    @property
    def parts(self) -> tuple[Intent, ...]:
        """The intent itself, then one for each call that its call covers: what is in doubt of that call's table."""
        return self, *(replace(self, call=cover, part_of=self) for cover in self.call.covers)

    def entries(self, trace_id: str | None, at: str) -> tuple[tuple[tuple[str, str], Trigger], ...]:
        """Return the lines to write, and into which ledgers, once the call is known to have been accepted.

        The first is that of the call itself, the others are those of what it covers. `at` is a UTC time.
        """
        return tuple((part.key, part.triggered(trace_id, at)) for part in self.parts)

    def triggered(self, trace_id: str | None, at: str) -> Trigger:
        """Return the line of the intent's own call, or of its part's, once it is known to have been accepted."""
        made = self.part_of.call if self.part_of else None
        return Trigger(
            id=self.call.id,
            span=self.call.span,
            rerun=self.call.rerun,
            requests=self.call.requests,
            approved_by=self.call.approved_by,
            trace_id=trace_id,
            triggered_at=at,
            run=self.run,
            commit=self.commit,
            covered_by=CoveredBy(made.table, made.id) if made else None,
        )


@dataclass(frozen=True, slots=True)
class Doubt:
    """An intent whose outcome is not known, and the windows over which that still matters."""

    intent: Intent
    windows: Windows


def doubts(ledger: Ledger | None, intents: Sequence[Intent]) -> tuple[Doubt, ...]:
    """Return the intents that are still in doubt, in the order given.

    An approved rerun settles doubt: where a line bears every token of the intent and one more, a reviewer has said
    that a second trigger is fine, and it was made. Such a line is younger than the intent: were it older, the intent's
    tokens would have been done there, and the call not owed. What such lines cover of an intent is in doubt no longer.
    The ledger has to be the one of the intents' own table: of a table downstream, the intents are the `parts` that
    belong to it.
    """
    found = []
    coverage = ledger.coverage if ledger and intents else None
    for intent in intents:
        settled = coverage.beyond(set(intent.call.rerun)) if coverage else EMPTY
        left = subtract(intent.call.span.windows, settled)
        if left:
            found.append(Doubt(intent, left))
    return tuple(found)
