"""One POST from end to end: the rules, the fault, the record, the answer. Knows no sockets."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import assert_never

from reconciler.core.call import Method
from reconciler.scheduler.emulator.database import Database
from reconciler.scheduler.emulator.envelope import Reply, accepted, new_trace_id, refused
from reconciler.scheduler.emulator.faults import Arrival, Fault, Faults
from reconciler.scheduler.emulator.rows import CallRow
from reconciler.scheduler.emulator.rules import Refused, Terms, Trigger, read_trigger

# Enough of a refused body to see what was wrong with it; what is taken is kept whole.
_REFUSED_BODY = 2_000


@dataclass(frozen=True, slots=True)
class Post:
    """A POST to one of the two endpoints. `headers` maps lower-case names to all values given."""

    method: Method
    headers: Mapping[str, Sequence[str]]
    body: bytes


class Service:
    """Takes calls, from several threads at once; `say` gets one plain line for each."""

    def __init__(self, database: Database, terms: Terms, faults: Faults, say: Callable[[str], None]) -> None:
        self.database = database
        self._terms = terms
        self._faults = faults
        self._say = say
        self._lock = Lock()
        self._number = 0
        self._attempts: dict[str, int] = {}

    def handle(self, post: Post) -> Reply:
        """Run or refuse a call, record it, and return how to answer."""
        trace_id = new_trace_id()
        try:
            return self._handle(post, trace_id)
        except sqlite3.Error as error:
            message = f"the emulator's database failed: {error}"
            self._say(f"{now()} {post.method} - 0 instances error: {message}")
            return refused(500, message, trace_id)

    def _handle(self, post: Post, trace_id: str) -> Reply:
        body = post.body.decode("utf-8", "replace")
        call = CallRow(now(), post.method.value, "", "", body, trace_id, "triggered", "", 0)
        try:
            trigger = read_trigger(post.method, post.headers, post.body, self._terms)
        except Refused as refusal:
            answer = "rejected" if refusal.status == 200 else f"refused {refusal.status}"
            call = replace(call, body=body[:_REFUSED_BODY], answer=answer, reason=refusal.message)
            self._record(call, "", ())
            return refused(refusal.status, refusal.message, trace_id)
        arrival = self._arrive(post, trigger)
        fault = self._faults.decide(arrival)
        instants = trigger.instants if fault is None or fault.runs else ()
        call = replace(call, tenant=trigger.tenant, table=trigger.table, instances=len(instants))
        self._record(replace(call, answer=fault.value) if fault else call, arrival.digest, instants)
        return self._answer(fault, trace_id)

    def _arrive(self, post: Post, trigger: Trigger) -> Arrival:
        digest = _digest(post)
        with self._lock:
            self._number += 1
            seen = self._attempts.get(digest)
            attempt = 1 + (self.database.attempts(digest) if seen is None else seen)
            self._attempts[digest] = attempt
            number = self._number
        return Arrival(number, attempt, trigger.method, trigger.tenant, trigger.table, trigger.instants, digest)

    def _record(self, call: CallRow, digest: str, instants: Sequence[int]) -> None:
        self.database.record(call, digest, instants)
        why = f": {call.reason}" if call.reason else ""
        table = call.table or "-"
        self._say(f"{call.received_at} {call.method} {table} {call.instances} instances {call.answer}{why}")

    def _answer(self, fault: Fault | None, trace_id: str) -> Reply:
        match fault:
            case None:
                return accepted(trace_id)
            case Fault.LATE:
                return replace(accepted(trace_id), delay=self._faults.late)
            case Fault.HALF | Fault.LOST | Fault.REFUSE:
                return replace(accepted(trace_id), sent="half" if fault is Fault.HALF else "nothing")
            case Fault.ERROR | Fault.RAN_ERROR:
                return refused(500, "internal error, made on demand", trace_id)
            case Fault.REJECT:
                return refused(200, "rejected on demand", trace_id)
            case Fault.THROTTLE:
                reply = refused(429, "too many calls, said on demand", trace_id)
                return replace(reply, headers=(*reply.headers, ("Retry-After", "1")))
        assert_never(fault)


def now() -> str:
    """Return the time in UTC, `2026-01-20T01:02:03.456Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _digest(post: Post) -> str:
    return hashlib.sha256(f"{post.method} ".encode() + post.body).hexdigest()
