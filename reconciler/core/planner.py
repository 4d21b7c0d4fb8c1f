"""From requests and a ledger to the calls that are owed, held and in doubt. One planner serves plan and apply."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.call import Call
from reconciler.core.config import Target
from reconciler.core.fewest import Cut, Terms, fewest, takes_more
from reconciler.core.ledger import Doubt
from reconciler.core.needs import Needs, Table, common, done_keys, terms_of
from reconciler.core.policy import Approval, Approved, Held, Waiting, hold_hours, hold_table
from reconciler.core.request import STANDARD, Dependency, Request, Rules
from reconciler.core.window import EMPTY, Windows, inside, intersect, partition, seconds, subtract, union

_POINTS_PER_LINE = 1000
"""How many instants a line may hold that others' calls cover. It lists them: of no other it is known that they run."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call that is owed: to be made now, or held."""

    call: Call
    held: Held | None

    @property
    def due(self) -> bool:
        """Whether it is ready, or waits for its target's hours alone: what is agreed to, at whatever hour."""
        return self.held is None or self.held.because == "window"


@dataclass(frozen=True, slots=True)
class Instances:
    """The instances of a table that any request asks for, and how many of them were triggered or are in doubt."""

    asked: int
    triggered: int
    in_doubt: int


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What one table needs. `covered` are the keys of the requests that need nothing more.

    `instances` is None where no schedule is known. `downstream` are the declared tables that its calls run as well.
    `parts` are in doubt here because a call for a table upstream is, which covers them: told there, once. `idle` are
    the keys of the requests that ask for no instant of the schedule.
    """

    target: Target
    table: str
    head: str | None
    calls: tuple[PlannedCall, ...]
    doubts: tuple[Doubt, ...]
    covered: tuple[str, ...]
    depends_on: tuple[Dependency, ...] = ()
    instances: Instances | None = None
    rules: Rules = STANDARD
    downstream: tuple[str, ...] = ()
    parts: tuple[Doubt, ...] = ()
    idle: tuple[str, ...] = ()

    @property
    def all_doubts(self) -> tuple[Doubt, ...]:
        """All that is in doubt for the table, by calls of its own and by calls upstream."""
        return self.doubts + self.parts

    @property
    def ready(self) -> tuple[Call, ...]:
        return tuple(planned.call for planned in self.calls if planned.held is None)

    @property
    def due(self) -> tuple[Call, ...]:
        """The calls that are ready, or wait for the target's hours alone."""
        return tuple(planned.call for planned in self.calls if planned.due)

    @property
    def terms(self) -> Terms:
        """What the table's calls may look like."""
        return terms_of(self.target, self.rules)


@dataclass(frozen=True, slots=True)
class Carried:
    """A call for a table upstream, and the seconds of the instants of this table that it is known to run as well."""

    call: Call
    windows: Windows


def plan_table(table: Table, approvals: Mapping[str, Approval]) -> TablePlan:
    """Return what `table` owes now, what is held and why, and what is in doubt.

    `approvals` has an entry for the key of every request of `open_reruns`. The calls trigger each owed instant exactly
    once: one trigger satisfies all that is outstanding for it, and bears every token that it satisfies. A rerun over
    windows in doubt bears the tokens in doubt too, so that none of them asks for another.
    """
    needs = Needs.of(table, approvals)
    return _plan(needs, approvals, needs)


def plan_downstream(
    table: Table, approvals: Mapping[str, Approval], whole: TablePlan, carried: Sequence[Carried]
) -> tuple[TablePlan, tuple[tuple[Carried, tuple[Call, ...]], ...]]:
    """Return the plan of a table without the calls that others carry, and those calls, by what carries them.

    `whole` is what `plan_table` says of it. Where the table is held, nothing is carried: it still owes what it owes.
    """
    if _is_over(whole):
        return whole, ()
    needs = Needs.of(table, approvals)
    left, covers = needs, []
    for one in carried:
        part = left.within(one.windows)
        part = replace(part, terms=replace(part.terms, chunk=None, ranges=False, points_per_call=_POINTS_PER_LINE))
        calls = tuple(_cut(part, approvals, part.fresh, part.approved, part.doubts))
        if calls:
            covers.append((one, calls))
            left = left.without(one.windows)
    if not covers:
        return whole, ()
    plan = _plan(left, approvals, needs)
    return (plan, tuple(covers)) if not _is_over(plan) else (whole, ())


def _is_over(plan: TablePlan) -> bool:
    """Say whether a table is held because of a limit, or of the future."""
    return any(planned.held and planned.held.because in {"limit", "future"} for planned in plan.calls)


def _plan(needs: Needs, approvals: Mapping[str, Approval], whole: Needs) -> TablePlan:
    """Return the plan of what `needs` says; `whole` is what it was before others carried some of it."""
    table = needs.table
    return TablePlan(
        target=table.target,
        table=table.name,
        head=table.ledger.head if table.ledger else None,
        calls=_calls(needs, approvals) if needs.owed or needs.unapproved else (),
        doubts=needs.doubts,
        covered=done_keys(needs.asked, needs.covered, needs.bearing),
        depends_on=table.rules.depends_on,
        instances=_instances(whole),
        rules=table.rules,
        idle=tuple(sorted(request.key for request, numbers in needs.asked if not numbers)),
    )


def _calls(needs: Needs, approvals: Mapping[str, Approval]) -> tuple[PlannedCall, ...]:
    table = needs.table
    owing = sorted(needs.owing(), key=lambda owing: owing.request.key)  # the first that is over a limit is named
    most = max((request.limits.calls for request in table.requests), default=0)
    ready = tuple(_cut(_listable(needs, needs.owed, most), approvals, needs.fresh, needs.approved, needs.doubts))
    held = tuple(_cut(_listable(needs, needs.unapproved, most), approvals, EMPTY, needs.waiting, (), held=True))
    hold = hold_table(owing, ready, table.now, needs.terms) or hold_hours(table.target, table.now)
    planned = [PlannedCall(call, hold) for call in ready]
    planned += [PlannedCall(call, _missing_approval(call, approvals)) for call in held]
    return tuple(sorted(planned, key=_order, reverse=table.rules.order == "newestFirst"))


def _listable(needs: Needs, owed: Windows, most: int) -> Needs:
    """Return the needs without a `chunk` that cuts `owed` into more calls than any limit lets through.

    The table is held then: what is shown need not be a list of millions.
    """
    if takes_more(owed, needs.terms, most):
        return replace(needs, terms=replace(needs.terms, chunk=None))
    return needs


def _order(planned: PlannedCall) -> tuple[int, str, tuple[str, ...], str]:
    call = planned.call
    return call.span.start, call.span.method, call.rerun, call.id


def _instances(needs: Needs) -> Instances | None:
    if needs.terms.schedule is None:
        return None
    asked = union(window for _, windows in needs.asked for window in windows)
    number = seconds(asked)
    return Instances(
        asked=number,
        triggered=number if inside(asked, needs.covered) else seconds(intersect(asked, needs.covered)),
        in_doubt=seconds(intersect(asked, needs.doubtful)) if needs.doubtful else 0,
    )


def _cut(
    needs: Needs,
    approvals: Mapping[str, Approval],
    fresh: Windows,
    reruns: Mapping[str, Windows],
    open_doubts: Sequence[Doubt],
    *,
    held: bool = False,
) -> Iterator[Call]:
    """Turn instants into the fewest calls: those with equal tokens are joined, those with different ones never are."""
    table, terms = needs.table, needs.terms
    layers: list[tuple[Windows, str | None]] = [(fresh, None)]
    layers += [(windows, token) for token, windows in reruns.items()]
    if not any(windows for windows, _ in layers):
        return
    owed = union(window for windows, _ in layers for window in windows) if open_doubts else EMPTY
    for doubt in open_doubts:
        layers += [(intersect(terms.numbered(doubt.windows), owed), token) for token in doubt.intent.call.rerun]
    groups: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for window, labels in partition(layers):
        groups[tuple(sorted(label for label in labels if label is not None))].append(window)
    made = [
        (tokens, cut)
        for tokens, windows in groups.items()
        for cut in fewest(union(windows), terms, _barred(needs, tokens, held=held))
    ]
    for (tokens, cut), requests in zip(made, _satisfied(needs.asked, made, fresh), strict=True):
        names = (_approvers(approvals.get(request.key)) for request in requests if request.rerun)
        yield Call(
            target=table.target.name,
            table=table.name,
            tenant=table.target.tenant,
            span=cut.span,
            rerun=tokens,
            requests=tuple(sorted(request.key for request in requests)),
            approved_by=tuple(sorted({name for some in names for name in some})),
            instances=cut.instances,
            end_matters=cut.end_matters,
        )


def _barred(needs: Needs, tokens: tuple[str, ...], *, held: bool) -> Windows:
    """Return the seconds that no range of a call with these tokens reaches over.

    A call that is no rerun reaches over nothing that was sent. A rerun does, but not beyond the windows that were
    approved for its tokens, or that wait for that where it is held. The second after a window is free: ranges end
    there.
    """
    if not tokens or needs.terms.schedule is None:
        return needs.taken
    reruns = [
        request
        for request, _ in needs.asked
        if request.rerun and request.rerun.token in tokens and (request.key in needs.unapproved_keys) == held
    ]
    approved = union((start, end + 1) for request in reruns for start, end in request.windows)
    return subtract(((approved[0][0], approved[-1][1]),), approved)


def _approvers(approval: Approval | None) -> tuple[str, ...]:
    return approval.by if isinstance(approval, Approved) else ()


def _satisfied(
    asked: Sequence[tuple[Request, Windows]], made: Sequence[tuple[tuple[str, ...], Cut]], fresh: Windows
) -> list[list[Request]]:
    """Return, for each cut with its tokens, the requests for which it does something. No instant is in two cuts."""
    all_fresh = not any(tokens for tokens, _ in made)
    pieces = sorted((*window, number) for number, (_, cut) in enumerate(made) for window in cut.numbers)
    ends = [end for _, end, _ in pieces]
    found: list[list[Request]] = [[] for _ in made]
    for request, windows in asked:
        hit: dict[int, None] = {}
        for start, end in windows if request.rerun or all_fresh else common(windows, fresh):
            for at in range(bisect_right(ends, start), len(pieces)):
                first, _, number = pieces[at]
                if first >= end:
                    break
                if request.rerun is None or request.rerun.token in made[number][0]:
                    hit[number] = None
        for number in hit:
            found[number].append(request)
    return found


def _missing_approval(call: Call, approvals: Mapping[str, Approval]) -> Held:
    reasons = (approvals.get(key) for key in call.requests)
    messages = {reason.message for reason in reasons if isinstance(reason, Waiting)}
    return Held("approval", "; ".join(sorted(messages)))
