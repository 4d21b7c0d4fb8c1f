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
from reconciler.errors import Failure, NotHere
from reconciler.protocol.audit import batch_message, compose
from reconciler.protocol.left import held_since, untried
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
        self._under_way = False
        self._plan = plan
        self._turns = Turns(plan.tables, plan.ready)
        failure = None
        try:
            while self._step():
                pass
        except Failure as error:
            self._sender.halt(f"nothing more can be recorded: {error}")
            self._finish()
            if not self._results:
                raise
            failure = error
        now = self._clock.utc()
        left = untried((*self._batch, *self._turns), self._results, str(failure or "not tried"), now)
        return Report(
            run=self._run.name,
            commit=self._snapshot.commit,
            results=(*self._results, *left, *held_since(plan, self._plan, self._results, now)),
            unrecorded=bool(self._unrecorded),
            failure=failure,
            stale=self._stale,
        )

    def _step(self) -> bool:
        """Commit what is known and the next batch's intents, then make that batch; False when all is done.

        The calls of the batch before may be under way meanwhile, so that they and the push take their time together.
        """
        if not self._looks_ahead():
            self._finish()
        self._batch = batch = tuple(islice(self._next_calls(), self._run.batch))
        outcomes = self._outcomes(self._unrecorded)
        change = self._settlement + outcomes + Change(intents=tuple(self._intents(batch)))
        if not change:
            self._unrecorded = ()  # nothing but calls in doubt, whose intents say all there is
            return self._finish()
        message = self._message(self._unrecorded, outcomes, self._settlement, batch)
        landed = self._state.commit(self._snapshot, change, message)
        if isinstance(landed, Overtaken):
            self._finish()
            self._plan_again()
            return True
        self._snapshot = landed
        self._settlement, self._unrecorded = Change(), ()
        self._races.won()
        self._finish()
        self._begin(batch)
        return True

    def _looks_ahead(self) -> bool:
        """Say whether a batch is intended before the last one has ended.

        Not where batches are single calls, the strictest way; nor where the run is to stop, and one push says it all.
        """
        return self._run.batch > 1 and not self._clock.wait(0)

    def _begin(self, batch: tuple[Call, ...]) -> None:
        """Let a batch be made whose intents have landed."""
        if batch:
            self._sender.begin(batch)
            self._under_way = True

    def _finish(self) -> bool:
        """Wait for the calls that are under way, and keep what became of them; False where there are none."""
        if not self._under_way:
            return False
        self._under_way = False
        results = self._sender.end()
        self._unrecorded += results
        for result in results:
            self._keep(result)
        return True

    def _next_calls(self) -> Iterator[Call]:
        """Take the calls that may be tried now, and skip those that may not be any more.

        What waits for calls of this batch, or of one under way, is left for a later one: they run side by side.
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

        What it covers has its lines then, too: they are written in one commit. Where a compacted ledger's old lines
        are out of reach the answer is no: a line twice does no harm, a line too few would be a call made twice.
        """
        ledger = self._snapshot.ledger(key_of(intent))
        lines = reversed(ledger.triggers if ledger else ())
        try:
            return any((line.run, line.id, line.covered_by) == (intent.run, intent.call.id, None) for line in lines)
        except NotHere:
            return False

    def _message(self, results: Sequence[Result], outcomes: Change, settlement: Change, batch: Sequence[Call]) -> str:
        told = {result.call.id for result in results}
        reran = tuple(intent.call for intent in outcomes.settled if intent.call.id not in told)
        subject, lines = batch_message(results, reran, settlement, batch)
        trailers = (("Run", self._run.name), ("By", self._run.by), ("Manifests", self._run.commit), *self._run.trailers)
        return compose(subject, lines, trailers)
