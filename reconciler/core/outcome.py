"""What became of a call: four types, because four things must be done about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Triggered:
    """The scheduler said that it accepted the trigger. It says no more than that."""

    trace_id: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The scheduler said no. `target_wide` where every later call to the target would hear the same (401, 403).

    `retry_after` is the seconds to wait where the answer was 429, None for every other refusal.
    """

    error: str
    trace_id: str | None = None
    target_wide: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request provably never left."""

    error: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may have left, and no answer proves what became of it: in doubt."""

    error: str


Outcome = Triggered | Rejected | NotSent | Unknown
