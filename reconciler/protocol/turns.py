"""Whose turn it is: tables take turns, and a table's calls wait until those that it depends on are done."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Container, Iterable, Iterator
from itertools import chain

from reconciler.core.call import Call
from reconciler.core.change import Key
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.planner import TablePlan
from reconciler.core.report import Result, Skipped
from reconciler.core.request import Dependency


class Turns:
    """The calls of one plan that are still to be made, given out in the order in which they may be.

    A table is done when every call that the plan has ready for it was triggered, and every table that it depends on is
    done. A table whose calls end otherwise holds all that depend on it, however indirectly.

    There is no deadlock. Of the tables that still have calls, each waits for others only, and dependencies make no
    circle: so one of them waits for none. Its calls are given out, and each gets a result, by which the table comes to
    its end: done, or failed. Either frees those that wait for it: to be made, or to be skipped.
    """

    def __init__(self, tables: Iterable[TablePlan], calls: Iterable[Call], results: Iterable[Result] = ()) -> None:
        """`calls` are those to be made of what `tables` have ready, in their order.

        `results` say what this run knows already of others among them, which count for the tables that wait; one
        without a result was not agreed to.
        """
        self._calls: dict[Key, deque[Call]] = defaultdict(deque)
        for call in calls:
            self._calls[call.target, call.table].append(call)
        planned = {(table.target.name, table.table): table for table in tables}
        self._open = {key: {call.id for call in table.ready} for key, table in planned.items()}
        self._needs = {key: _needs(key, table, planned) for key, table in planned.items()}
        self._dependents: dict[Key, list[Key]] = defaultdict(list)
        for key, needs in self._needs.items():
            for upstream in needs:
                self._dependents[upstream].append(key)
        self._held: dict[Key, Skipped] = {}
        self._turn: deque[Key] = deque()
        self._begin(planned.values(), {result.call.id: result for result in results})

    def __iter__(self) -> Iterator[Call]:
        """Yield the calls that were not given out, a table's after another's."""
        return chain.from_iterable(self._calls.values())

    def __len__(self) -> int:
        return sum(map(len, self._calls.values()))

    def next(self) -> tuple[Call, Skipped | None] | None:
        """Take the call whose turn it is, and why it is not to be made, if it is not.

        None where no call is left, or where those that are wait for calls that were given out.
        """
        if not self._turn:
            return None
        key = self._turn.popleft()
        call = self._calls[key].popleft()
        if self._calls[key]:
            self._turn.append(key)
        return call, self._held.get(key)

    def drain(self) -> tuple[Call, ...]:
        """Take all calls that are left."""
        left = tuple(self)
        self._calls.clear()
        self._turn.clear()
        return left

    def note(self, result: Result) -> None:
        """Hear what became of a call: others may go now, or never."""
        key = (result.call.target, result.call.table)
        if key not in self._open:
            return
        if isinstance(result.outcome, Triggered):
            self._open[key].discard(result.call.id)
            self._check_done(key)
        else:
            self._fail(key, f"of which a call {_fate(result.outcome)}")

    def _begin(self, tables: Iterable[TablePlan], results: dict[str, Result]) -> None:
        coming = {call.id for call in self}
        for key, needs in self._needs.items():
            if not needs and key in self._calls:
                self._turn.append(key)
        for table in tables:
            key = (table.target.name, table.table)
            for call in table.ready:
                if call.id in results:
                    self.note(results[call.id])
                elif call.id not in coming:
                    self._fail(key, "of which a call is new, and nobody agreed to it")
            self._check_done(key)

    def _check_done(self, key: Key) -> None:
        """Let those go that waited for `key` alone, if it is done."""
        done = [key]
        while done:
            upstream = done.pop()
            if self._open[upstream] or self._needs[upstream]:
                continue
            for table in self._dependents.pop(upstream, ()):
                del self._needs[table][upstream]
                if not self._needs[table] and table in self._calls:
                    self._turn.append(table)
                done.append(table)

    def _fail(self, failed: Key, why: str) -> None:
        """Hold whatever depends on `failed`: its calls are given out to be skipped."""
        ended: list[tuple[Key, Dependency | None]] = [(failed, None)]
        while ended:
            upstream, root = ended.pop()
            for table in self._dependents.pop(upstream, ()):
                if table in self._held:
                    continue
                needed = self._needs[table][upstream]
                self._held[table] = Skipped(_waiting(needed, root or needed, why), "dependency")
                if table in self._calls:
                    self._turn.append(table)
                ended.append((table, root or needed))


def _needs(key: Key, table: TablePlan, planned: Container[Key]) -> dict[Key, Dependency]:
    """Return what a table depends on, of what is planned: the rest is out of this run's scope."""
    return {one.key: one for one in reversed(table.depends_on) if one.key != key and one.key in planned}


def _waiting(needed: Dependency, root: Dependency, why: str) -> str:
    between = "" if root == needed else f", which waits for {_named(root)}"
    return f"waits for {_named(needed)}{between}, {why}"


def _named(needed: Dependency) -> str:
    return f"{needed.manifest} ({needed.key[1]})"


def _fate(outcome: Outcome | Skipped) -> str:
    match outcome:
        case Triggered():
            return "was triggered"
        case Rejected(error):
            return f"was rejected: {error}"
        case NotSent(error):
            return f"was not sent: {error}"
        case Unknown(error):
            return f"is in doubt: {error}"
        case Skipped(reason, because):
            return f"is held: {reason}" if because else f"was skipped: {reason}"
