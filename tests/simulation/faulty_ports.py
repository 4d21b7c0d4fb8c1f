"""Faults in what a run stands on: pushes, the journal, how an answer is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.change import Change, Overtaken, Snapshot
from reconciler.core.outcome import Outcome, Rejected, Triggered
from reconciler.errors import Failure
from reconciler.scheduler.answer import judge
from tests.protocol.ports import Revision
from tests.simulation.process import Process


class NoIntents(Process):
    """Calls are made without an intent."""

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        return super().commit(base, replace(change, intents=()), message)


class TrustedExitCode(Process):
    """A push of which nothing is known counts as landed."""

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        try:
            return super().commit(base, change, message)
        except Failure:
            return Revision.of(base, change, "believed")


class SentThoughOvertaken(Process):
    """A push that lost the race counts as landed."""

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        landed = super().commit(base, change, message)
        return Revision.of(base, change, "believed") if isinstance(landed, Overtaken) else landed


class ForcedPush(Process):
    """A push overwrites what another run wrote."""

    def commit(self, base: Snapshot, change: Change, message: str) -> Snapshot | Overtaken:
        landed = super().commit(base, change, message)
        if isinstance(landed, Overtaken):
            self.world.move(Revision.of(base, change, "forced"), change, self.run)
            return self.world.tip
        return landed


class JournalAfterTheCall(Process):
    """The journal hears of a call only when its answer is there."""

    def sending(self, call_id: str, at: str) -> None:
        self.step("writes no line yet")


class FullDiskIgnored(Process):
    """A line that the disk did not take does not keep the call from being made."""

    def sending(self, call_id: str, at: str) -> None:
        try:
            super().sending(call_id, at)
        except OSError:
            self.step("ignores the full disk")


class JournalDropped(Process):
    """The journal goes at the end of every run, also where git does not know all that it says."""

    def close(self, *, keep: bool) -> None:
        super().close(keep=False)


def fail_all_errors(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Every status but 200 is a refusal."""
    return judge(status, headers, body) if status == 200 else Rejected(f"HTTP {status}")


def refuse_unclear(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """A 200 that does not say that the call was accepted is a refusal."""
    outcome = judge(status, headers, body)
    return outcome if status != 200 or isinstance(outcome, Triggered) else Rejected("not accepted")


def accept_any_200(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """A 200 is an acceptance, whatever it says."""
    return Triggered(None) if status == 200 else judge(status, headers, body)
