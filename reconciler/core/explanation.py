"""Why the instants of a table are called, covered, held or in doubt: what is said of them, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.core.facts import Line, Upstream
from reconciler.core.ledger import Doubt
from reconciler.core.needs import Table
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.request import Request

Verdict = Literal["called", "held", "covered", "inDoubt", "coveredBy", "notAsked", "notScheduled"]


@dataclass(frozen=True, slots=True)
class Agreed:
    """The request whose approval counts for a rerun token, and who gave it."""

    request: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A line satisfies the request."""

    request: Request
    line: Line


@dataclass(frozen=True, slots=True)
class Unclear:
    """A call that would satisfy the request is in doubt."""

    request: Request
    doubt: Doubt


@dataclass(frozen=True, slots=True)
class Owed:
    """Nothing satisfies the request, and it may be made: `calls` do it. `agreed` is None where it is no rerun."""

    request: Request
    agreed: Agreed | None
    calls: tuple[PlannedCall, ...]


@dataclass(frozen=True, slots=True)
class ByUpstream:
    """Nothing satisfies the request yet, and calls for tables upstream will."""

    request: Request
    agreed: Agreed | None
    calls: tuple[Upstream, ...]


@dataclass(frozen=True, slots=True)
class Unapproved:
    """Nothing satisfies the request, and nobody approved it: `message` says what is missing."""

    request: Request
    message: str
    calls: tuple[PlannedCall, ...]


@dataclass(frozen=True, slots=True)
class NoInstant:
    """The request asks for a time that the table's schedule does not have."""

    request: Request


Reason = Done | Unclear | Owed | ByUpstream | Unapproved | NoInstant


@dataclass(frozen=True, slots=True)
class Piece:
    """Instants of which the same is true, from `first` to `last`, both included; seconds without a schedule.

    `instances` is None without a schedule. `reasons` has one for each request over it, the rest is all that lies there.
    """

    first: int
    last: int
    instances: int | None
    verdict: Verdict
    reasons: tuple[Reason, ...]
    lines: tuple[Line, ...]
    doubts: tuple[Doubt, ...]
    calls: tuple[PlannedCall, ...]
    upstream: tuple[Upstream, ...]


@dataclass(frozen=True, slots=True)
class Instant:
    """A time that was asked about. `on_schedule` is None where no schedule is known for it.

    `before` and `after` are the nearest instants where it is none, `skipped` and `doubled` what the clock does to it.
    """

    second: int
    on_schedule: bool | None
    before: int | None = None
    after: int | None = None
    skipped: bool = False
    doubled: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a table's time is as the plan has it: `pieces` by time. `instant` is the one that was asked about, if any."""

    table: Table
    plan: TablePlan
    instant: Instant | None
    pieces: tuple[Piece, ...]

    @property
    def strays(self) -> tuple[Doubt, ...]:
        """What is in doubt of the table, and lies in no piece: the schedule has no instant there any more."""
        shown = {doubt.intent for piece in self.pieces for doubt in piece.doubts}
        return () if self.instant else tuple(doubt for doubt in self.plan.doubts if doubt.intent not in shown)
