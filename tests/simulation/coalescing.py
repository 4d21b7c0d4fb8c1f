"""Plans of two tables, one downstream of the other, with the calls that the upstream's calls do anyway left out."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.call import Call
from reconciler.core.planner import TablePlan
from reconciler.core.window import subtract


def coalesced(upstream: TablePlan, downstream: TablePlan) -> tuple[TablePlan, TablePlan]:
    """Let each call that is ready downstream be covered by the first ready one upstream that holds all its seconds."""
    covers: dict[str, list[Call]] = {}
    for call in downstream.ready:
        above = next((up for up in upstream.ready if not subtract(call.span.windows, up.span.windows)), None)
        if above is not None:
            covers.setdefault(above.id, []).append(call)
    gone = {call.id for some in covers.values() for call in some}
    calls = tuple(
        replace(planned, call=replace(planned.call, covers=tuple(covers.get(planned.call.id, ()))))
        if planned.held is None
        else planned
        for planned in upstream.calls
    )
    left = tuple(planned for planned in downstream.calls if planned.held or planned.call.id not in gone)
    return replace(upstream, calls=calls), replace(downstream, calls=left)
