"""The parts that a history is played with: the real protocol, or one with a fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.change import Change, Snapshot
from reconciler.core.needs import Table
from reconciler.core.planner import TablePlan, plan_table
from reconciler.core.policy import Approval
from reconciler.core.settlement import settle
from reconciler.protocol.apply import Applier
from reconciler.protocol.sender import Sender
from reconciler.scheduler.answer import judge
from tests.simulation.process import Judge, Process
from tests.simulation.promises import Promise
from tests.simulation.world import Odds

FAULTS = Odds(
    crash=0.015, mute=0.02, no_objects=0.01, unclear=0.05, full=0.01, signal=0.002, closing=0.002, not_sent=0.05,
    refused=0.05, throttled=0.03, late=0.05, lost=0.05, muddled=0.08, copies=0.1,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """The protocol's parts, each of which a mutant may replace; and the one promise to watch for, all by default."""

    applier: type[Applier[Snapshot]] = Applier
    sender: type[Sender] = Sender
    settler: Callable[..., Change] = settle
    planner: Callable[[Table, dict[str, Approval]], TablePlan] = plan_table
    process: type[Process] = Process
    judge: Judge = judge
    odds: Odds = FAULTS
    only: Promise | None = None
