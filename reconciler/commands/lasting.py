"""Which plans last: no later moment changes them, nor anything else but what `answers` looks at again."""

from __future__ import annotations

import importlib.util
import os
import sys
import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from reconciler.commands.state import Gathered
from reconciler.core.change import Change
from reconciler.core.config import ForgeApprovals
from reconciler.state.branch import StateBranch
from reconciler.state.continuity import Continuity
from reconciler.state.glance import Clone, StateAt

_SECOND = 1_000_000_000
_STEP = timedelta(hours=6)
"""No zone changes its offset and changes it back within six hours."""
_STEPS = 28


class Basis(NamedTuple):
    """What a plan rests on beside what a glance sees: how long, where the state is, and the files of the code."""

    until: int
    state: StateAt
    code: tuple[str, ...]


def lasting(found: Gathered, clone: Clone, now: int, *, whole: bool) -> Basis | None:
    """Return what a plan rests on, None where it may not be shown again.

    `now` is the moment before it was made, in nanoseconds since 1970; `whole` says that all tables are in scope.
    """
    branch = found.branch
    here = (
        os.fspath(branch.git.top),
        os.fspath(branch.git.common_dir),
        os.path.join(clone.top, branch.root).rstrip("/"),
    )
    if here != tuple(clone) or not (_sound(found) and _timeless(found, whole=whole) and _unreviewed(found)):
        return None
    zones = sorted({target.time_zone for target in found.planner.manifests.config.targets.values()})
    modules = frozenset(_modules())
    if not all(map(os.path.exists, modules)):  # those of an archive, of which no file tells
        return None
    code = tuple(sorted({*modules, *_zone_files(zones)}))
    return Basis(_steady_until(zones, now), _state(branch, found.snapshot.commit), code)


def _sound(found: Gathered) -> bool:
    """Say whether nothing is wrong, in doubt or under way, and the state says by itself that it is this root's."""
    snapshot = found.snapshot
    errors = any(problem.severity == "error" for problem in found.problems)
    settled = found.settlement == Change() and not found.live
    mine = snapshot.commit is None or bool(snapshot.ledger_names)
    return mine and settled and not (errors or found.planner.blocked or snapshot.intents or snapshot.shrunk)


def _timeless(found: Gathered, *, whole: bool) -> bool:
    """Say whether no later moment changes the plan: what the clock has reached, it has reached.

    What waits for another table may wait for its future, which is seen where that table is in scope.
    """
    lasts = {"approval", "limit", "dependency"} if whole else {"approval", "limit"}
    holds = {planned.held.because for planned in found.plan.held if planned.held}
    return holds <= lasts and all(target.window is None for target in found.planner.manifests.config.targets.values())


def _unreviewed(found: Gathered) -> bool:
    """Say whether no forge was asked: reviews do not approve reruns, or every rerun is done."""
    manifests = found.planner.manifests
    if not isinstance(manifests.config.approvals, ForgeApprovals):
        return True
    done = {key for table in found.plan.tables for key in table.covered}
    return all(request.key in done for request in manifests.declared.requests if request.rerun)


def _state(branch: StateBranch, tip: str | None) -> StateAt:
    memory = Continuity(branch.git, branch.root, branch.name, branch.remote)
    return StateAt(branch.remote, branch.ref, memory.seen, memory.marks, memory.mark_ref, tip)


def _steady_until(zones: Iterable[str], now: int) -> int:
    """Return the moment up to which no zone's wall clock jumps, for all that is known, a week on at the most.

    A clock that goes back has not reached what it had reached.
    """
    begin = datetime.fromtimestamp(now // _SECOND, UTC)
    ends = [begin + _STEPS * _STEP]
    for zone in map(zoneinfo.ZoneInfo, zones):
        moments = [begin + number * _STEP for number in range(_STEPS + 1)]
        offsets = [moment.astimezone(zone).utcoffset() for moment in moments]
        same = next((number for number, offset in enumerate(offsets) if offset != offsets[0]), len(offsets))
        ends.append(moments[same - 1])
    return int(min(ends).timestamp()) * _SECOND


def _modules() -> Iterator[str]:
    """Yield the files of all modules that are imported, but for Python's own, and what lies beside ours."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and name.partition(".")[0] not in sys.stdlib_module_names:
            yield file
    package = Path(__file__).parents[1]
    schemas = package / "schemas" if (package / "schemas").is_dir() else package.parent / "schemas"
    yield from map(os.fspath, schemas.glob("*.json"))
    yield sys.executable


def _zone_files(zones: Iterable[str]) -> Iterator[str]:
    """Yield where the data of time zones is looked for, whether it is there or not."""
    spec = importlib.util.find_spec("tzdata")
    own = [os.path.join(os.path.dirname(spec.origin), "zoneinfo")] if spec and spec.origin else []
    for zone in zones:
        yield from (os.path.join(folder, *zone.split("/")) for folder in (*zoneinfo.TZPATH, *own))
