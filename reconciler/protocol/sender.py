"""Makes calls: several tables at once, a table's own calls one after another, paced, each one journaled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from reconciler.core.call import Call
from reconciler.core.change import Key
from reconciler.core.config import Target
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.report import Result, Skipped
from reconciler.protocol.pacing import Hours, Pace, Pause
from reconciler.protocol.ports import Clock, JournalPort, SchedulerPort

_RETRY_PAUSES = (0.5, 1.0, 2.0)
_WAKE = 0.2
_MOST_PAUSING = 128
"""Threads of a target whose tables pause."""


class Sender:
    """Sends batches to the schedulers. A failure stops its table, a refused credential its target."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        schedulers: Mapping[str, SchedulerPort],
        journal: JournalPort,
        clock: Clock,
        on_result: Callable[[Result], None],
        pool: Callable[[int], Executor] = ThreadPoolExecutor,
    ) -> None:
        """`schedulers` are the targets to call; `on_result` hears of each result, from the thread that made the call.

        `pool` makes what runs a target's tables side by side, given how many at once.
        """
        self._schedulers = schedulers
        self._journal = journal
        self._clock = clock
        self._on_result = on_result
        self._stopped_tables: dict[Key, str] = {}
        self._stopped_targets: dict[str, str] = {}
        self._halted: str | None = None
        self._deaf: Exception | None = None
        called = {name: targets[name] for name in schedulers}
        self._paces = {name: Pace(target.calls_per_second, clock) for name, target in called.items()}
        self._pauses = {name: Pause(target.pause, clock) for name, target in called.items()}
        self._hours = {name: Hours(target, clock) for name, target in called.items()}
        self._slots = {name: threading.Semaphore(target.concurrency) for name, target in called.items()}
        self._batch: Sequence[Call] = ()
        self._jobs: Sequence[Future[list[Result]]] = ()
        self._pools = {name: pool(_threads(target)) for name, target in called.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.halt("the run ended unexpectedly")
        for pool in self._pools.values():
            pool.shutdown()
        if error is None and self._deaf is not None:
            raise self._deaf

    def stopped(self, call: Call) -> Skipped | None:
        """Say why `call` must not be tried any more in this run, None where it may."""
        table = self._stopped_tables.get((call.target, call.table))
        reason = self._halted or self._stopped_targets.get(call.target) or table
        return Skipped(reason) if reason else self._hours[call.target].closed

    def halt(self, reason: str) -> None:
        """Let no further call of this run begin; those that have begun get their results."""
        self._halted = self._halted or reason

    def begin(self, calls: Sequence[Call]) -> None:
        """Begin to make the calls of a batch, and return."""
        tables: dict[Key, list[Call]] = {}
        for call in calls:
            tables.setdefault((call.target, call.table), []).append(call)
        self._batch = calls
        self._jobs = [self._pools[target].submit(self._send_table, queue) for (target, _), queue in tables.items()]

    def end(self) -> tuple[Result, ...]:
        """Wait until every call of the batch has a result, and return them in the order given."""
        while wait(self._jobs, timeout=_WAKE).not_done:
            pass  # a wait without an end can sleep through a signal that comes just before it
        results = {result.call.id: result for job in self._jobs for result in job.result()}
        return tuple(results[call.id] for call in self._batch)

    def _send_table(self, calls: Sequence[Call]) -> list[Result]:
        results = []
        for call in calls:
            result = Result(call, self._attempt(call), self._clock.utc())
            self._note(call, result.outcome)
            results.append(result)
            self._tell(result)
        return results

    def _tell(self, result: Result) -> None:
        """Tell the listener; one that breaks must not cost the run what it knows, so it is heard of at the end."""
        try:
            self._on_result(result)
        except Exception as error:  # noqa: BLE001
            self._deaf = self._deaf or error

    def _note(self, call: Call, outcome: Outcome | Skipped) -> None:
        """Remember what must not be tried any more after this outcome."""
        match outcome:
            case Rejected(error, target_wide=True):
                self._stopped_targets[call.target] = f"the target {call.target} refused the credential: {error}"
            case Rejected(error) | NotSent(error):
                self._stopped_tables[call.target, call.table] = f"an earlier call for this table failed: {error}"
            case Unknown(error):
                self._stopped_tables[call.target, call.table] = f"an earlier call for this table is in doubt: {error}"
            case Triggered() | Skipped():
                pass

    def _attempt(self, call: Call) -> Outcome | Skipped:
        """Make a call, again where the scheduler asked to wait (429) or the request provably never left."""
        outcome: Outcome | None = None
        for pause in (*_RETRY_PAUSES, None):
            sent = self.stopped(call) or self._when_it_may(call)
            if isinstance(sent, Skipped):
                return outcome or sent
            outcome = sent
            match outcome:
                case NotSent() if pause is not None:
                    self._clock.wait(pause * (0.5 + self._clock.jitter()))
                case Rejected(retry_after=seconds) if seconds is not None and pause is not None:
                    self._clock.wait(max(seconds, pause))
                case _:
                    break
        return outcome or Skipped("not tried")

    def _when_it_may(self, call: Call) -> Outcome | Skipped:
        """Make a call once its table's pause is over and the target has a slot, if it still may be made by then."""
        self._pauses[call.target].wait((call.target, call.table), lambda: self.stopped(call))
        return self._journaled(call)

    def _pace(self, call: Call) -> Skipped | None:
        self._paces[call.target].wait()
        return Skipped("the run was interrupted before this call") if self._clock.wait(0) else None

    def _journaled(self, call: Call) -> Outcome | Skipped:
        """Make a call in a slot of its target, and journal what became of it while another one has the slot."""
        with self._slots[call.target]:
            outcome = self._pace(call) or self.stopped(call) or self._posted(call)
        if isinstance(outcome, Skipped):
            return outcome
        try:
            self._journal.outcome(call.id, outcome, self._clock.utc())
        except OSError as error:
            self._halted = f"the journal cannot be written ({error.strerror}): no further call is made"
        return outcome

    def _posted(self, call: Call) -> Outcome | Skipped:
        """Make a call once the journal says that it is about to be made."""
        try:
            self._journal.sending(call.id, self._clock.utc())
        except OSError as error:
            self._halted = f"the journal cannot be written ({error.strerror}): no call is made without it"
            return Skipped(self._halted)
        try:
            outcome = self._schedulers[call.target].post(call)
        except Exception as error:  # noqa: BLE001  (whatever went wrong, the request may have left)
            outcome = Unknown(f"unexpected {type(error).__name__} while calling")
        finally:
            self._pauses[call.target].begin((call.target, call.table))
        if isinstance(outcome, Rejected) and outcome.target_wide:
            self._note(call, outcome)  # at once: whoever gets the slot next must not try that credential, too
        return outcome


def _threads(target: Target) -> int:
    """Return how many tables' calls are prepared at once.

    More than the target has slots: one that waits for the disk, or only for its pause, must not keep another from
    being called.
    """
    return max(2 * target.concurrency, _MOST_PAUSING if target.pause else 0)
