"""What a branch adds: what would still be owed once everything that its base owes has been triggered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.call import Call
from reconciler.core.change import Change, Changed, Entry, Key, Snapshot, keys_of
from reconciler.core.fewest import Terms
from reconciler.core.ledger import Doubt, Ledger, Trigger
from reconciler.core.needs import covered_keys
from reconciler.core.plan import Plan
from reconciler.core.planner import TablePlan
from reconciler.core.request import STANDARD, Place, Request, Rules
from reconciler.core.schedule import Schedule
from reconciler.core.window import EMPTY, Windows, intersect, subtract, union

Asked = Mapping[Key, Sequence[Request]]
"""The requests of every table that some manifests declare."""

_MOST_INSTANCES = 100_000

_NOWHERE = Place("", 0, 0)


@dataclass(frozen=True, slots=True)
class Side:
    """What one side of a comparison asks for, and the plan of it."""

    asked: Asked
    plan: Plan


@dataclass(frozen=True, slots=True)
class Dropped:
    """A table of which the base still owes `calls` calls that a branch, at least over `windows`, asks for no more."""

    key: Key
    calls: int
    windows: Windows


def once_triggered(snapshot: Snapshot, plan: Plan) -> Changed:
    """Return `snapshot` as if every call of `plan` that is due had been accepted: to plan on, never to be written."""
    done = _with_covers(plan.due)
    return Changed(snapshot, Change(entries=tuple(Entry((call.target, call.table), _line(call)) for call in done)))


def _with_covers(calls: Iterable[Call]) -> tuple[Call, ...]:
    """Return calls and, each after its own, those that they cover."""
    return tuple(each for call in calls for each in (call, *call.covers))


def _line(call: Call) -> Trigger:
    return Trigger(call.id, call.span, call.rerun, call.requests, call.approved_by, None, "", "", "")


def added(snapshot: Snapshot, base: Side, head: Side) -> Plan:
    """Return what of the head's plan is the branch's doing.

    The head's plan is made on what `once_triggered` gave for the base's, both on `snapshot`. Left out are calls
    that the base holds too, for the same kind of reason (one that the branch releases is shown), and doubts of tables
    that show no call and of which both sides ask the same. Heads of ledgers, and the requests that are covered, are
    those of `snapshot`.
    """
    held = {(planned.call.id, planned.held.because) for planned in base.plan.held if planned.held}
    owed = {(call.target, call.table) for call in _with_covers(base.plan.due)}
    tables = []
    for table in head.plan.tables:
        key = (table.target.name, table.table)
        calls = tuple(p for p in table.calls if p.held is None or (p.call.id, p.held.because) not in held)
        open_doubts = table.doubts if calls else _of_the_branch(table.doubts, base.asked, head.asked)
        table = replace(table, calls=calls, doubts=open_doubts)
        tables.append(_as_recorded(table, snapshot.ledger(key), head.asked[key]) if key in owed else table)
    return Plan(head.plan.state, tuple(tables), _of_the_branch(head.plan.orphans, base.asked, head.asked))


def _of_the_branch(open_doubts: Sequence[Doubt], base: Asked, head: Asked) -> tuple[Doubt, ...]:
    return tuple(doubt for doubt in open_doubts if not all(_same(key, base, head) for key in keys_of(doubt.intent)))


def _same(key: Key, base: Asked, head: Asked) -> bool:
    """Say whether both sides ask the same of a table, wherever in the files that stands."""
    before, now = ({replace(request, place=_NOWHERE) for request in side.get(key, ())} for side in (base, head))
    return before == now


def _as_recorded(table: TablePlan, ledger: Ledger | None, requests: Sequence[Request]) -> TablePlan:
    """Return the plan of a table with what its ledger really says: that the base's calls count as made is no fact."""
    return replace(table, head=ledger.head if ledger else None, covered=covered_keys(requests, ledger, table.terms))


def no_longer_asked(base: Side, head: Asked, rules: Mapping[Key, Rules]) -> tuple[Dropped, ...]:
    """Return what the base owes, ready or held, and the head does not ask for, by target and table.

    `rules` are the head's: what its schedule does not have any more is asked for no longer either.

    A rerun is asked for where its token is. Anything else is asked for where any request is: a branch that makes a
    rerun of a request still wants its windows triggered.
    """
    owes: dict[Key, list[Call]] = defaultdict(list)
    for call in _with_covers(planned.call for _, planned in base.plan.calls):
        owes[call.target, call.table].append(call)
    plans = {(table.target.name, table.table): table for table in base.plan.tables}
    found = []
    for key, calls in sorted(owes.items()):
        before, now = _Wanted.of(base.asked.get(key, ())), _Wanted.of(head.get(key, ()))
        terms = plans[key].terms if key in plans else Terms("inclusive", 1)
        schedule = rules.get(key, STANDARD).schedule
        lost = [windows for call in calls if (windows := _lost(call, before, now, terms, schedule))]
        if lost:
            found.append(Dropped(key, len(lost), union(window for windows in lost for window in windows)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The windows that a table's requests ask for: by any of them, and by token of a rerun."""

    by_any: Windows
    by_token: Mapping[str, Windows]

    @classmethod
    def of(cls, requests: Sequence[Request]) -> _Wanted:
        reruns = [(request.rerun.token, request.windows) for request in requests if request.rerun]
        by_token = {
            token: union(window for other, windows in reruns if other == token for window in windows)
            for token in sorted({token for token, _ in reruns})
        }
        return cls(union(window for request in requests for window in request.windows), by_token)


def _lost(call: Call, before: _Wanted, now: _Wanted, terms: Terms, schedule: Schedule | None) -> Windows:
    """Return the windows of a call that are not asked for now; those without an instant do not count."""
    if call.rerun:
        lost = union(window for part in _lost_reruns(call, before, now) for window in part)
    else:
        lost = subtract(call.span.windows, now.by_any)
    return union((*(window for window in lost if terms.numbered((window,))), *_unscheduled(call, terms, schedule)))


def _unscheduled(call: Call, terms: Terms, schedule: Schedule | None) -> Windows:
    """Return the instants of a call that another schedule does not have; none where either is not known.

    Nor of a call with more instances than anybody reads: that is one that a limit holds, and a mistake taken back.
    """
    before = terms.schedule
    if before is None or schedule is None or before == schedule or (call.instances or 0) > _MOST_INSTANCES:
        return EMPTY
    seconds = before.seconds(before.numbered(call.span.windows))
    return union((second, second + 1) for second in seconds if not schedule.holds(second))


def _lost_reruns(call: Call, before: _Wanted, now: _Wanted) -> Iterator[Windows]:
    """Yield the windows per token. A call may bear a token in doubt, which nobody asks for: that is not lost."""
    for token in call.rerun:
        asked = intersect(call.span.windows, before.by_token.get(token, EMPTY))
        yield subtract(asked, now.by_token.get(token, EMPTY))
