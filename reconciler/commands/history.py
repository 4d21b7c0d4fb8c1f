"""`history`: which call triggered what, and why."""

from __future__ import annotations

from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.gather import work_tree_config
from reconciler.commands.state import open_branch, open_checkout
from reconciler.core import wallclock
from reconciler.core.ledger import Ledger
from reconciler.core.window import overlaps
from reconciler.errors import ExitCode, UsageFailure
from reconciler.render.history import history_document, history_text
from reconciler.render.problems import json_text


def run(root: Path, table: str, at: str | None, output: str, console: Console) -> ExitCode:
    """Show the triggers of a table on every target; with `at` those that hold this instant."""
    instant = _instant(at) if at is not None else None
    checkout = open_checkout(root)
    config = work_tree_config(root)
    snapshot = open_branch(checkout, config, console).read()
    targets = sorted({*config.targets, *(target for target, _ in snapshot.ledger_names)})
    ledgers = [ledger for target in targets if (ledger := snapshot.ledger((target, table)))]
    if not ledgers:
        known = sorted({name for _, name in snapshot.ledger_names})
        raise UsageFailure(
            f"nothing was ever triggered for {table}",
            f"tables with a history: {', '.join(known[:10]) or 'none yet'}{' and more' if len(known) > 10 else ''}",
        )
    if instant is not None:
        ledgers = [_at(ledger, instant) for ledger in ledgers]
    if output == "json":
        console.result(json_text(history_document(table, at, ledgers)))
    else:
        console.result(history_text(table, at, ledgers, console.paint))
    return ExitCode.DONE


def _instant(text: str) -> int:
    try:
        return wallclock.parse(text)
    except ValueError as error:
        raise UsageFailure(f"--at {text!r} {error}", "write it like '2026-01-20 05:00:00'") from None


def _at(ledger: Ledger, instant: int) -> Ledger:
    point = ((instant, instant + 1),)
    triggers = tuple(trigger for trigger in ledger.triggers if overlaps(trigger.span.windows, point))
    return Ledger(ledger.target, ledger.table, triggers, ledger.head)
