"""Tables that look as if they had changed their name: what was triggered under the old one must not be repeated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from reconciler.core.request import Request
from reconciler.errors import Problem

Name = tuple[str, str]
"""A target's name and a table's, as the state's folders and files spell them."""


def renamed(requests: Iterable[Request], ledgers: Collection[Name], targets: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for every declared table without a ledger that seems to have one under another name.

    A ledger of the same table under a target that is no longer configured is an error: a renamed target would trigger
    everything again. One whose name differs in case or backticks only is a warning.
    """
    first: dict[Name, Request] = {}
    for request in requests:
        first.setdefault((request.target, request.table), request)
    folded = {(target, _fold(table)): table for target, table in ledgers}
    orphaned = {table: target for target, table in ledgers if target not in targets}
    for (target, table), request in sorted(first.items()):
        if (target, table) in ledgers:
            continue
        if table in orphaned:
            old = orphaned[table]
            yield _problem(
                request,
                "error",
                f"{table} has its ledger under the target {old}, which is not configured any more, none under {target}",
                f"if {old} is now called {target}, call it {old} again: a new name would trigger everything again; "
                f"if it is another scheduler, keep {old} in targets of reconciler.yaml beside it",
            )
        elif other := folded.get((target, _fold(table))):
            yield _problem(
                request,
                "warning",
                f"{table} has no ledger, but {other} has one: if they are the same table, it would be triggered again",
                f"spell it {other}, unless these are two tables",
            )


def _problem(request: Request, severity: str, message: str, hint: str) -> Problem:
    place = request.place
    return Problem(
        place.file,
        place.line,
        place.column,
        "",
        message,
        hint,
        "error" if severity == "error" else "warning",
    )


def _fold(table: str) -> str:
    return table.replace("`", "").casefold()
