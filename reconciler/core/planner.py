"""From requests and a ledger to the calls that are owed, held and in doubt. One planner serves plan and apply."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.call import Call, Span, spans
from reconciler.core.config import Target
from reconciler.core.ledger import Doubt, Intent, Ledger, doubts, windows_of
from reconciler.core.policy import Approval, Approved, Held, Waiting, hold_table
from reconciler.core.request import Dependency, Request
from reconciler.core.window import EMPTY, Windows, intersect, near, partition, subtract, union


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that is owed: to be made now, or held."""

    call: Call
    held: Held | None


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What one table needs. `covered` are the keys of the requests that need nothing more."""

    target: Target
    table: str
    head: str | None
    calls: tuple[PlannedCall, ...]
    doubts: tuple[Doubt, ...]
    covered: tuple[str, ...]
    depends_on: tuple[Dependency, ...] = ()

    @property
    def ready(self) -> tuple[Call, ...]:
        return tuple(planned.call for planned in self.calls if planned.held is None)


@dataclass(frozen=True, slots=True)
class Table:
    """All that is known of one table of one target. `now` is the second that the target's wall clock shows."""

    target: Target
    name: str
    requests: tuple[Request, ...]
    ledger: Ledger | None
    intents: tuple[Intent, ...]
    now: int


def plan_table(table: Table, approvals: Mapping[str, Approval]) -> TablePlan:
    """Return what `table` owes now, what is held and why, and what is in doubt.

    `approvals` has an entry for the key of every request of `open_reruns`. The calls trigger each owed second exactly
    once: one trigger satisfies all that is outstanding for its instants, and bears every token that it satisfies. A
    rerun over windows in doubt bears the tokens in doubt too, so that none of them asks for another.
    """
    needs = _Needs.of(table, approvals)
    ready = tuple(_calls(table, approvals, needs.fresh, needs.approved, needs.doubts))
    held = _calls(table, approvals, EMPTY, needs.waiting, ())
    owing = sorted(needs.owing(table.requests), key=lambda owed: owed[0].key)  # the first that is over a limit is named
    hold = hold_table(owing, ready, table.now)
    planned = [PlannedCall(call, hold) for call in ready]
    planned += [PlannedCall(call, _missing_approval(call, approvals)) for call in held]
    return TablePlan(
        target=table.target,
        table=table.name,
        head=table.ledger.head if table.ledger else None,
        calls=tuple(sorted(planned, key=_order)),
        doubts=needs.doubts,
        covered=tuple(
            sorted(request.key for request in table.requests if is_covered(request, needs.covered, needs.done))
        ),
    )


def is_covered(request: Request, covered: Windows, bearing: Mapping[str, Windows]) -> bool:
    """Say whether nothing more is needed for `request`: `covered` and `bearing` are its ledger's."""
    taken = covered if request.rerun is None else bearing.get(request.rerun.token, EMPTY)
    return not subtract(request.windows, near(taken, request.windows[0][0], request.windows[-1][1]))


def _order(planned: PlannedCall) -> tuple[int, str, tuple[str, ...], str]:
    call = planned.call
    return call.span.windows[0][0], call.span.method, call.rerun, call.id


@dataclass(frozen=True, slots=True)
class _Needs:
    """The windows of one table: new ones (`fresh`), and per token what is approved, what waits, what is done."""

    covered: Windows
    fresh: Windows
    approved: Mapping[str, Windows]
    waiting: Mapping[str, Windows]
    done: Mapping[str, Windows]
    doubts: tuple[Doubt, ...]

    @staticmethod
    def of(table: Table, approvals: Mapping[str, Approval]) -> _Needs:
        covered = table.ledger.covered if table.ledger else EMPTY
        bearing = table.ledger.bearing if table.ledger else {}
        open_doubts = doubts(table.ledger, table.intents)
        doubtful = union(window for doubt in open_doubts for window in doubt.windows)
        wanted = union(window for request in table.requests if request.rerun is None for window in request.windows)
        approved: dict[str, Windows] = {}
        waiting: dict[str, Windows] = {}
        done: dict[str, Windows] = {}
        for token, requests in _by_token(table.requests).items():
            done[token] = bearing.get(token, EMPTY)
            in_flight = _in_flight(token, open_doubts)
            asked = union(w for r in requests if isinstance(approvals.get(r.key), Approved) for w in r.windows)
            unapproved = union(w for r in requests if isinstance(approvals.get(r.key), Waiting) for w in r.windows)
            approved[token] = subtract(subtract(asked, done[token]), in_flight)
            waiting[token] = subtract(subtract(subtract(unapproved, done[token]), in_flight), asked)
        fresh = subtract(subtract(wanted, covered), doubtful)
        return _Needs(covered, fresh, approved, waiting, done, open_doubts)

    def owing(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Windows]]:
        """Yield the requests that owe something now, with the windows they owe."""
        for request in requests:
            owed = self.fresh if request.rerun is None else self.approved[request.rerun.token]
            windows = _common(request.windows, owed)
            if windows:
                yield request, windows


def open_reruns(table: Table) -> tuple[Request, ...]:
    """Return the reruns of `table` that somebody has to approve now: the others were triggered, or are in doubt."""
    tokens = _by_token(table.requests)
    if not tokens:
        return ()
    bearing = table.ledger.bearing if table.ledger else {}
    open_doubts = doubts(table.ledger, table.intents)
    found = []
    for token, requests in tokens.items():
        taken = union((*bearing.get(token, EMPTY), *_in_flight(token, open_doubts)))
        found += [request for request in requests if subtract(request.windows, taken)]
    return tuple(found)


def _in_flight(token: str, open_doubts: Sequence[Doubt]) -> Windows:
    """Return the windows of the calls in doubt that bear a token."""
    return windows_of(doubt.intent.call.span for doubt in open_doubts if token in doubt.intent.call.rerun)


def _by_token(requests: Iterable[Request]) -> dict[str, list[Request]]:
    tokens: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        if request.rerun is not None:
            tokens[request.rerun.token].append(request)
    return dict(sorted(tokens.items()))


def _calls(
    table: Table,
    approvals: Mapping[str, Approval],
    fresh: Windows,
    reruns: Mapping[str, Windows],
    open_doubts: Sequence[Doubt],
) -> Iterator[Call]:
    """Turn windows into the fewest calls: those with equal tokens are joined, those with different ones never are."""
    layers: list[tuple[Windows, str | None]] = [(fresh, None)]
    layers += [(windows, token) for token, windows in reruns.items()]
    owed = union(window for windows, _ in layers for window in windows)
    for doubt in open_doubts:
        layers += [(intersect(doubt.windows, owed), token) for token in doubt.intent.call.rerun]
    groups: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for window, labels in partition(layers):
        groups[tuple(sorted(label for label in labels if label is not None))].append(window)
    made = [
        (tokens, span)
        for tokens, windows in groups.items()
        for span in spans(union(windows), table.target.range_end, table.target.points_per_call)
    ]
    for (tokens, span), requests in zip(made, _satisfied(table.requests, made, fresh), strict=True):
        names = (_approvers(approvals.get(request.key)) for request in requests if request.rerun)
        yield Call(
            target=table.target.name,
            table=table.name,
            tenant=table.target.tenant,
            span=span,
            rerun=tokens,
            requests=tuple(sorted(request.key for request in requests)),
            approved_by=tuple(sorted({name for some in names for name in some})),
        )


def _approvers(approval: Approval | None) -> tuple[str, ...]:
    return approval.by if isinstance(approval, Approved) else ()


def _satisfied(
    requests: Iterable[Request], made: Sequence[tuple[tuple[str, ...], Span]], fresh: Windows
) -> list[list[Request]]:
    """Return, for each span with its tokens, the requests for which it does something. No second is in two spans."""
    pieces = sorted((*window, number) for number, (_, span) in enumerate(made) for window in span.windows)
    ends = [end for _, end, _ in pieces]
    found: list[list[Request]] = [[] for _ in made]
    for request in requests:
        hit: dict[int, None] = {}
        for start, end in request.windows if request.rerun else _common(request.windows, fresh):
            for at in range(bisect_right(ends, start), len(pieces)):
                first, _, number = pieces[at]
                if first >= end:
                    break
                if request.rerun is None or request.rerun.token in made[number][0]:
                    hit[number] = None
        for number in hit:
            found[number].append(request)
    return found


def _common(few: Windows, many: Windows) -> Windows:
    """Return what is in both; fast where `few` is short."""
    return intersect(few, near(many, few[0][0], few[-1][1]))


def _missing_approval(call: Call, approvals: Mapping[str, Approval]) -> Held:
    reasons = (approvals.get(key) for key in call.requests)
    messages = {reason.message for reason in reasons if isinstance(reason, Waiting)}
    return Held("approval", "; ".join(sorted(messages)))
