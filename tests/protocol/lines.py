"""A scheduler with prepared answers, a journal in memory, and a sender between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from reconciler.core.call import Call, Times
from reconciler.core.config import Target
from reconciler.core.outcome import Outcome, Triggered
from reconciler.core.report import Result
from reconciler.protocol.sender import Sender
from tests.core import worlds
from tests.protocol.ports import Clock


@dataclass
class Line:
    """A scheduler that gives prepared answers, in order, and triggers everything after that."""

    answers: list[Outcome] = field(default_factory=list)
    posted: list[Call] = field(default_factory=list)
    during: Callable[[Call], None] = lambda _call: None

    def post(self, call: Call) -> Outcome:
        self.posted.append(call)
        self.during(call)
        return self.answers.pop(0) if self.answers else Triggered("trace")


@dataclass
class Lines:
    """A journal in memory; from the line `full_at` on, the disk is full."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    full_at: int = 10**6

    def _write(self, event: str, call_id: str) -> None:
        if len(self.lines) >= self.full_at:
            raise OSError(28, "No space left on device")
        self.lines.append((event, call_id))

    def sending(self, call_id: str, at: str) -> None:
        self._write("sending", call_id)

    def outcome(self, call_id: str, outcome: Outcome, at: str) -> None:
        self._write("outcome", call_id)


def call(table: str, number: int, target: str = "prod") -> Call:
    return Call(target, table, "tn", Times((number * 3600,)), (), ("m#1",), ())


def send(
    scheduler: Line, calls: list[Call], journal: Lines | None = None, clock: Clock | None = None, **target: object
) -> tuple[Result, ...]:
    aim: Target = replace(worlds.target(), **target)  # type: ignore[arg-type]
    with Sender({"prod": aim}, {"prod": scheduler}, journal or Lines(), clock or Clock(), lambda _: None) as sender:
        return made(sender, calls)


def made(sender: Sender, calls: Sequence[Call]) -> tuple[Result, ...]:
    """Make a batch and wait for it."""
    sender.begin(calls)
    return sender.end()


def labels(results: tuple[Result, ...]) -> list[str]:
    return [result.label for result in results]
