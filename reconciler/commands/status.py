"""`status`: per table what is asked, triggered, missing, held and in doubt, with a timeline."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.gather import Scope, work_tree_manifests
from reconciler.commands.state import Gathered, code_of, gather, open_checkout, tell_settlement
from reconciler.commands.tables import Tables
from reconciler.core.plan import Plan
from reconciler.errors import ExitCode, InvalidInput
from reconciler.render.problems import json_text, problems_text
from reconciler.render.status import Listed, Screen, status_text
from reconciler.render.status_data import status_csv, status_document
from reconciler.render.strip import WORDS


def run(root: Path, output: str, scope: Scope, console: Console, *, exit_code: bool) -> ExitCode:
    """Show the status of every declared table. Raises Failure where manifests or state cannot be read."""
    try:
        return _show(root, output, scope, console, exit_code)
    except InvalidInput as invalid:
        if output == "json" and invalid.problems:
            nothing = Plan(state=None, tables=())
            console.result(json_text(status_document(nothing, Listed(()), invalid.problems)))
        raise


def _show(root: Path, output: str, scope: Scope, console: Console, exit_code: bool) -> ExitCode:
    checkout = open_checkout(root, console.progress)
    manifests = work_tree_manifests(root, console.progress, checkout)
    found = gather(checkout, manifests, scope, console)
    console.warning(problems_text(found.problems, os.fspath(root), console.paint.off()))
    tell_settlement(found.settlement, console)
    damaged = (key for key in found.planner.blocked if key in scope)
    console.result(_text(output, found, Listed.of(Tables.of(found).planned(), damaged), console))
    return code_of(found, exit_code)


def _text(output: str, found: Gathered, listed: Listed, console: Console) -> str:
    match output:
        case "json":
            return json_text(status_document(found.plan, listed, found.problems))
        case "csv":
            return status_csv(listed)
        case _:
            screen = Screen(console.columns, console.paint, console.shows("".join(WORDS)))
            return status_text(found.plan, listed, screen, found.live)
