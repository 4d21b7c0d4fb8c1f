"""Tables that look as if they had changed their name: what was triggered under the old one must not be repeated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from reconciler.core.request import Place
from reconciler.errors import Problem, Severity

Name = tuple[str, str]
"""A target's name and a table's, as the state's folders and files spell them."""


class Mention(Protocol):
    """A request, or a call of the past: what names a table, and where that is written."""

    @property
    def target(self) -> str: ...

    @property
    def table(self) -> str: ...

    @property
    def place(self) -> Place: ...


def renamed(
    mentions: Iterable[Mention], ledgers: Collection[Name], targets: Collection[str], elsewhere: Mapping[Name, str]
) -> Iterator[Problem]:
    """Yield a problem for every table that is named, has no ledger, and seems to have one under another name.

    A ledger of the same table under a target that is no longer configured is an error: a renamed target would trigger
    everything again. One whose name differs in case or backticks only is a warning, and so is one under another root:
    `elsewhere` names the root of such a ledger.
    """
    first: dict[Name, Mention] = {}
    for mention in mentions:
        first.setdefault((mention.target, mention.table), mention)
    spelled = {(target, folded(table)): table for target, table in ledgers}
    orphaned = {table: target for target, table in ledgers if target not in targets}
    for (target, table), mention in sorted(first.items(), key=lambda item: item[0]):
        if (target, table) in ledgers:
            continue
        if table in orphaned:
            yield _under_another_target(mention, orphaned[table])
        elif other := spelled.get((target, folded(table))):
            yield _problem(
                mention,
                "warning",
                f"{table} has no ledger, but {other} has one: if they are the same table, it would be triggered again",
                f"spell it {other}, unless these are two tables",
            )
        elif (target, table) in elsewhere:
            yield _under_another_root(mention, elsewhere[target, table])


def _under_another_target(mention: Mention, old: str) -> Problem:
    table, target = mention.table, mention.target
    return _problem(
        mention,
        "error",
        f"{table} has its ledger under the target {old}, which is not configured any more, none under {target}",
        f"if {old} is now called {target}, call it {old} again: a new name would trigger everything again; if it is "
        f"another scheduler, keep {old} in targets of reconciler.yaml beside it",
    )


def _under_another_root(mention: Mention, root: str) -> Problem:
    return _problem(
        mention,
        "warning",
        f"{mention.table} has a ledger under the root {root or '.'}, and none here: if it is the same table of the "
        "same scheduler, it would be triggered again",
        "declare a table in one root only; to move it, move its ledger too, in a commit on the state branch",
    )


def _problem(mention: Mention, severity: Severity, message: str, hint: str) -> Problem:
    place = mention.place
    return Problem(place.file, place.line, place.column, "", message, hint, severity)


def folded(table: str) -> str:
    """Return what two table names share that differ only in case or backticks."""
    return table.replace("`", "").casefold()
