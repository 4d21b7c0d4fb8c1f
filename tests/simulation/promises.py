"""What must never break, by name; each is checked at the moment when it could."""

from __future__ import annotations

from enum import StrEnum


class Promise(StrEnum):
    """The invariants. Each has a mutant that breaks it, so that none of them is blind."""

    NEVER_TWICE = "never twice"
    APPROVED = "only approved reruns run"
    DURABLE = "an intent is durable before its call is made"
    AHEAD = "intents are written one batch ahead at most"
    AS_PLANNED = "what was planned is what is sent"
    AGREED = "only what was agreed to is made"
    HELD = "what is held is not made"
    JOURNALED = "the journal hears of a call before it is made"
    HONEST_JOURNAL = "the journal says what was answered"
    DOUBT_NOT_SENT = "what is in doubt is not sent again"
    DONE_NOT_SENT = "what was triggered is not intended again"
    TABLE_STOPS = "a failure stops its table"
    UPSTREAM_FIRST = "a table's calls wait for those that it depends on"
    HOURS = "no call starts outside of the target's hours"
    TARGET_STOPS = "a refused credential stops its target"
    INTERRUPT = "an interrupted run makes no call"
    GROWS = "state only grows"
    EXECUTED = "triggered means executed"
    RECORDED_AS_MADE = "a line says what was sent"
    RECORDED_ONCE = "a call has one line"
    TOGETHER = "a call and what it covers are recorded in one commit"
    DOUBT_STAYS = "what may have run stays in doubt"
    LIVING = "a living run settles its own calls"
    KNOWN_RECORDED = "a known answer is recorded"
    REFUSED_OWED = "what was refused is owed again"
    IN_FLIGHT = "in doubt only what was in flight"
    RAN_KNOWN = "what ran is known"
    FORGOTTEN = "none forgotten"


class BrokenPromise(BaseException):
    """An invariant does not hold. Not an Exception, so that no code under test takes it for trouble on the network."""

    def __init__(self, promise: Promise, detail: str) -> None:
        super().__init__(f"{promise}: {detail}")
        self.promise = promise
