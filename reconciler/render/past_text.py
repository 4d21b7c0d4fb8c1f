"""What an import will adopt, for the person who is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from reconciler.core.call import describe
from reconciler.core.config import Target
from reconciler.core.past import Adoption, PastCall
from reconciler.core.text import count, printable
from reconciler.core.wallclock import render
from reconciler.render.paint import Paint
from reconciler.render.plan_text import target_line

_TABLES = 20
_ALL_POINTS = 1_000_000


def adoption_text(adoption: Adoption, targets: Mapping[str, Target], paint: Paint, *, verbose: bool) -> str:
    """Return a block a target, a line a table, then the totals. With `verbose`, every call is shown."""
    lines: list[str] = []
    for target, some in groupby(adoption.fresh, key=lambda past: past.target):
        lines += [target_line(targets[target], paint), ""]
        tables = [list(calls) for _, calls in groupby(some, key=lambda past: past.table)]
        shown = tables if verbose else tables[:_TABLES]
        for calls in shown:
            lines += _table_lines(calls, paint, verbose)
        if len(shown) < len(tables):
            lines.append(f"  and {count(len(tables) - len(shown), 'more table')}: reconciler -v shows all")
        lines.append("")
    return "\n".join([*lines, totals(adoption)]) + "\n"


def _table_lines(calls: Sequence[PastCall], paint: Paint, verbose: bool) -> Iterator[str]:
    first = min(past.call.span.windows[0][0] for past in calls)
    last = max(past.call.span.windows[-1][1] - 1 for past in calls)
    span = render(first) if first == last else f"{render(first)} .. {render(last)}"
    yield f"  {paint.bold(calls[0].table)}  {paint.green(count(len(calls), 'call'))}  {span}"
    if verbose:
        for past in calls:
            place = f"{past.place.file}:{past.place.line}"
            yield f"    {describe(past.call.span, _ALL_POINTS)}  {paint.dim(printable(place))}"


def totals(adoption: Adoption) -> str:
    """Return the adoption in one line."""
    tables = count(len({past.key for past in adoption.fresh}), "table")
    parts = [f"{count(len(adoption.fresh), 'call')} to record for {tables}"] if adoption.fresh else ["Nothing to do"]
    left = [f"{count(adoption.known, 'call')} recorded already"] if adoption.known else []
    left += [f"{count(adoption.repeated, 'call')} named twice"] if adoption.repeated else []
    return (": " if not adoption.fresh else "; ").join([*parts, ", ".join(left)] if left else parts) + "."
