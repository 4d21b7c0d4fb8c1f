"""The statuses and calls of a table in words: the same in every picture."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.text import count
from reconciler.core.timeline import URGENCY, Segment, Standing, Status
from reconciler.core.wallclock import render

WORDS: Mapping[Status, str] = {
    "inDoubt": "in doubt",
    "held": "held",
    "owed": "owed",
    "rerun": "rerun",
    "triggered": "triggered",
}
MARKS: Mapping[Status, str] = {"inDoubt": "?", "held": "!", "owed": "+", "rerun": "~", "triggered": ""}
"""What stands for a status beside its colour and pattern, as in the text of a plan."""

_REQUESTS = 3


def calls_by_status(standing: Standing) -> dict[Status, int]:
    """Return how many calls of a table there are of each status, those that calls upstream cover included."""
    lines = standing.table.ledger.triggers if standing.table.ledger else ()
    planned = [*standing.plan.calls, *(one.made for one in standing.upstream)]
    return {
        "inDoubt": len(standing.plan.all_doubts),
        "held": sum(1 for one in planned if one.held),
        "owed": sum(1 for one in planned if not one.held),
        "rerun": sum(1 for line in lines if line.rerun),
        "triggered": sum(1 for line in lines if not line.rerun),
    }


def own_calls_by_status(standing: Standing) -> dict[Status, int]:
    """Return how many calls there are for the table itself, so that those of several tables add up."""
    lines = [line for line in (standing.table.ledger.triggers if standing.table.ledger else ()) if not line.covered_by]
    return {
        "inDoubt": len(standing.plan.doubts),
        "held": standing.held,
        "owed": len(standing.plan.ready),
        "rerun": sum(1 for line in lines if line.rerun),
        "triggered": sum(1 for line in lines if not line.rerun),
    }


def calls_text(counts: Mapping[Status, int]) -> str:
    """Return `1 in doubt · 3 owed · 12 triggered`, the most urgent first; nothing where there are no calls."""
    return " · ".join(f"{counts[status]:,} {WORDS[status]}" for status in URGENCY if counts[status])


def segments_text(segments: tuple[Segment, ...], requests: tuple[str, ...]) -> str:
    """Return what a bar is, in one line: status, span, instances, the requests behind it. There is a segment."""
    first, last = min(each.first for each in segments), max(each.last for each in segments)
    span = render(first) if first == last else f"{render(first)} to {render(last)}"
    status = WORDS[segments[0].status] + (", triggered before" if segments[0].again else "")
    instances = [each.instances for each in segments if each.instances is not None]
    held = f", {count(sum(instances), 'instance')}" if len(instances) == len(segments) else ""
    more = " and more" if len(requests) > _REQUESTS else ""
    asked = f" – {', '.join(requests[:_REQUESTS])}{more}" if requests else ""
    return f"{status}: {span}{held}{asked}"
