"""The apply protocol: intents are durable before a call is made, outcomes after; what is unclear stays in doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic

from reconciler.core.call import Call
from reconciler.core.change import Change, Changed, Entry, Overtaken, Snapshot, entries_of, key_of, keys_of
from reconciler.core.ledger import Intent
from reconciler.core.outcome import Triggered, Unknown
from reconciler.core.plan import Plan
from reconciler.core.report import Report, Result, Skipped
from reconciler.core.settlement import settled_by_reruns
from reconciler.errors import Failure
from reconciler.protocol.audit import batch_message, compose
from reconciler.protocol.ports import Clock, S, SenderPort, StatePort
from reconciler.protocol.races import Races
from reconciler.protocol.turns import Turns


@dataclass(frozen=True, slots=True)
class Run:
    """One apply: its name, who runs it, the manifests' commit, calls per batch, and which calls were agreed to.

    `agreed` holds what a person saw, the `agreement` of each call, None where nobody was asked: then what is owed is
    made.
    `trailers` are names and values that its commit messages bear too.
    """

    name: str
    by: str
    commit: str
    batch: int
    agreed: frozenset[str] | None
    trailers: tuple[tuple[str, str], ...] = ()


def _unheard(_: Result) -> None:
    return


class Applier(Generic[S]):
    """One run of the protocol. `planner` and `settler` are pure functions of a snapshot."""

    def __init__(
        self,
        run: Run,
        state: StatePort[S],
        planner: Callable[[Snapshot], Plan],
        settler: Callable[[Snapshot], Change],
        sender: SenderPort,
        clock: Clock,
        on_skipped: Callable[[Result], None] = _unheard,
    ) -> None:
        """`on_skipped` hears of each call that is not given to the sender, which tells of all others."""
        self._run = run
        self._state = state
        self._planner = planner
        self._settler = settler
        self._sender = sender
        self._clock = clock
        self._on_skipped = on_skipped
        self._results: list[Result] = []
        self._races = Races(clock)
        self._stale = False

    def execute(self, snapshot: S, settlement: Change, plan: Plan) -> Report:
        """Carry out `plan`, which was made of `snapshot` with `settlement` on top.

        Raises Failure where it ends before any call was made; later failures are part of the report.
        """
        self._snapshot = snapshot
        self._settlement = settlement
        self._unrecorded: tuple[Result, ...] = ()
        self._batch: tuple[Call, ...] = ()
        self._plan = plan
        self._turns = Turns(plan.tables, plan.ready)
        failure = None
        try:
            while self._step():
                pass
        except Failure as error:
            if not self._results:
                raise
            failure = error
        left = (*self._untried(str(failure or "not tried")), *self._held_since(plan))
        return Report(
            run=self._run.name,
            commit=self._snapshot.commit,
            results=(*self._results, *left),
            unrecorded=bool(self._unrecorded),
            failure=failure,
            stale=self._stale,
        )

    def _step(self) -> bool:
        """Commit what is known together with the next batch's intents, then make that batch; False when all is done."""
        self._batch = batch = tuple(islice(self._next_calls(), self._run.batch))
        outcomes = self._outcomes(self._unrecorded)
        change = self._settlement + outcomes + Change(intents=tuple(self._intents(batch)))
        if not change:
            self._unrecorded = ()  # nothing but calls in doubt, whose intents say all there is
            return False
        message = self._message(self._unrecorded, outcomes, self._settlement, batch)
        landed = self._state.commit(self._snapshot, change, message)
        if isinstance(landed, Overtaken):
            self._plan_again()
            return True
        self._snapshot = landed
        self._settlement, self._unrecorded = Change(), ()
        self._races.won()
        if batch:
            self._unrecorded = self._sender.send(batch)
            for result in self._unrecorded:
                self._keep(result)
        return True

    def _next_calls(self) -> Iterator[Call]:
        """Take the calls that may be tried now, and skip those that may not be any more.

        What waits for calls of this batch is left for a later one: the calls of a batch run side by side.
        """
        while not self._clock.wait(0):
            taken = self._turns.next()
            if taken is None:
                return
            call, held = taken
            skipped = self._sender.stopped(call) or held
            if skipped:
                self._skip(call, skipped)
            else:
                yield call
        for call in self._turns.drain():
            self._skip(call, Skipped("the run was interrupted"))

    def _skip(self, call: Call, skipped: Skipped) -> None:
        result = Result(call, skipped, self._clock.utc())
        self._keep(result)
        self._on_skipped(result)

    def _keep(self, result: Result) -> None:
        self._results.append(result)
        self._turns.note(result)

    def _untried(self, reason: str) -> Iterator[Result]:
        """Yield a result for each call that the run did not come to."""
        done = {result.call.id for result in self._results}
        for call in (*self._batch, *self._turns):
            if call.id not in done:
                yield Result(call, Skipped(reason), self._clock.utc())

    def _held_since(self, first: Plan) -> Iterator[Result]:
        """Yield a result for each call that a later plan held, so that nothing owed is lost from the report."""
        known = {planned.call.id for planned in first.held} | {result.call.id for result in self._results}
        for planned in self._plan.held:
            if planned.held and planned.call.id not in known:
                yield Result(planned.call, Skipped(planned.held.message, planned.held.because), self._clock.utc())

    def _plan_again(self) -> None:
        """Another run was first: take its state, and plan anew what is owed then.

        Outcomes fit on any tip. They count as recorded, and are with the next commit, together with its intents.
        """
        self._races.lost(with_outcomes=bool(self._unrecorded))
        self._snapshot = self._state.read()
        self._settlement = self._settler(self._snapshot)
        noted = self._settlement + self._outcomes(self._unrecorded)
        self._plan = plan = self._planner(Changed(self._snapshot, noted))
        tried = {result.call.id for result in self._results}
        owed = [call for call in plan.ready if call.id not in tried]
        agreed = self._run.agreed
        coming = [call for call in owed if agreed is None or call.agreement in agreed]
        self._turns = Turns(plan.tables, coming, self._results)
        known = {result.call.agreement for result in self._results} | {one.call.agreement for _, one in plan.calls}
        self._stale = self._stale or len(coming) < len(owed) or bool((agreed or frozenset()) - known)

    def _intents(self, batch: Sequence[Call]) -> Iterator[Intent]:
        since = self._clock.utc()
        for call in batch:
            yield Intent(call, self._run.name, self._run.by, since, self._run.commit)

    def _outcomes(self, results: Sequence[Result]) -> Change:
        """Return the change that records `results`: lines for what was accepted; intents stay only where in doubt."""
        mine = {intent.call.id: intent for intent in self._snapshot.intents if intent.run == self._run.name}
        entries: list[Entry] = []
        settled: list[Intent] = []
        for result in results:
            call = result.call
            intent = mine.get(call.id) or Intent(call, self._run.name, self._run.by, result.at, self._run.commit)
            if isinstance(result.outcome, Triggered) and (call.id in mine or not self._is_recorded(intent)):
                entries += entries_of(intent, result.outcome.trace_id, result.at)
            if not isinstance(result.outcome, Unknown):
                settled.append(intent)
        change = Change(tuple(entries), tuple(settled))
        reran = {entry.key for entry in entries if entry.trigger.rerun}
        older = [i for i in self._snapshot.intents if not reran.isdisjoint(keys_of(i)) and i not in settled]
        return change + Change(settled=settled_by_reruns(Changed(self._snapshot, change), older))

    def _is_recorded(self, intent: Intent) -> bool:
        """Say whether a call has its line: somebody may have settled it by a copy of this run's journal.

        What it covers has its lines then, too: they are written in one commit.
        """
        ledger = self._snapshot.ledger(key_of(intent))
        lines = ledger.triggers if ledger else ()
        return any((line.run, line.id, line.covered_by) == (intent.run, intent.call.id, None) for line in lines)

    def _message(self, results: Sequence[Result], outcomes: Change, settlement: Change, batch: Sequence[Call]) -> str:
        told = {result.call.id for result in results}
        reran = tuple(intent.call for intent in outcomes.settled if intent.call.id not in told)
        subject, lines = batch_message(results, reran, settlement, batch)
        trailers = (("Run", self._run.name), ("By", self._run.by), ("Manifests", self._run.commit), *self._run.trailers)
        return compose(subject, lines, trailers)
