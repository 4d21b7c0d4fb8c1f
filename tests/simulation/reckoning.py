"""What must be true when a run ends, and when everything has ended."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.ledger import doubts, windows_of
from reconciler.core.outcome import Triggered, Unknown
from reconciler.core.report import Report
from reconciler.core.request import Request
from reconciler.core.settlement import Sending
from reconciler.core.window import subtract, union
from tests.simulation.promises import Promise
from tests.simulation.world import World


def check_report(world: World, report: Report) -> None:
    """Check that what a run reports is what the state says, unless it reports that it could not write it."""
    if report.unrecorded:
        return
    left = {intent.call.id for intent in world.tip.intents if intent.run == report.run}
    for result in report.results:
        name = (report.run, result.call.id)
        if isinstance(result.outcome, Triggered):
            world.require(name in world.recorded, Promise.KNOWN_RECORDED, name)
        elif not isinstance(result.outcome, Unknown) and report.failure is None:
            world.require(result.call.id not in left, Promise.REFUSED_OWED, f"{name}: {result.outcome}")


def check_end(world: World, here: Iterable[str], tables: Iterable[str]) -> None:
    """Check that a clean apply left nothing but doubt; `here` are the runs whose machines live on."""
    for run in here:
        _check_journaled(world, run)
    for table in tables:
        _check_known(world, table)
    for request in world.requests:
        _check_asked(world, request)


def _check_journaled(world: World, run: str) -> None:
    """Where the machine is there, only calls that were under way stay in doubt."""
    for intent in world.tip.intents:
        if intent.run == run:
            last = world.journaled.get((run, intent.call.id))
            world.require(not isinstance(last, Triggered), Promise.KNOWN_RECORDED, f"{intent.call.id} of {run}")
            world.require(isinstance(last, Sending | Unknown), Promise.IN_FLIGHT, f"{intent.call.id} of {run}: {last}")


def _check_known(world: World, table: str) -> None:
    """Whatever ran is a line or in doubt, with its tokens, or with more of them."""
    for (name, second), times in world.ran.items():
        if name == table:
            known = [*world.lines.get((name, second), ()), *world.doubtful(name, second)]
            for _, tokens in times:
                world.require(any(tokens <= some for some in known), Promise.RAN_KNOWN, f"{name} {second} {times}")


def _check_asked(world: World, request: Request) -> None:
    """Whatever is asked for, and approved where it has to be, is a line or in doubt."""
    ledger = world.tip.ledger((request.target, request.table))
    mine = [part for intent in world.tip.intents for part in intent.parts if part.call.table == request.table]
    if request.rerun is None:
        taken = union(window for doubt in doubts(ledger, mine) for window in doubt.windows)
        left = subtract(subtract(request.windows, ledger.covered if ledger else ()), taken)
    elif request.rerun.token in world.approved:
        token = request.rerun.token
        taken = windows_of(intent.call.span for intent in mine if token in intent.call.rerun)
        left = subtract(subtract(request.windows, ledger.bearing.get(token, ()) if ledger else ()), taken)
    else:
        left = ()
    world.require(not left, Promise.FORGOTTEN, f"{left} of {request}")
