"""`plan`: what apply would do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.gather import Scope, work_tree_manifests
from reconciler.commands.saved_plan import save
from reconciler.commands.state import Gathered, code_of, gather, open_checkout, tell_blocked, tell_settlement
from reconciler.errors import ExitCode, InvalidInput
from reconciler.render.plan_json import plan_document, problems_document
from reconciler.render.plan_text import plan_text
from reconciler.render.problems import json_text, problems_text


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The options of `plan`; `out` and `save` are files to write."""

    root: Path
    format: str
    out: Path | None
    save: Path | None
    scope: Scope
    exit_code: bool


def run(options: PlanOptions, console: Console) -> ExitCode:
    """Show the plan. Raises Failure; problems of manifests come as one JSON document with `--format json`."""
    try:
        found = _gather(options, console)
    except InvalidInput as invalid:
        if options.format == "json" and invalid.problems:
            _write(options, console, json_text(problems_document(invalid.problems)))
        raise
    console.warning(problems_text(found.problems, os.fspath(options.root), console.paint.off()))
    if options.format == "json":
        text = json_text(plan_document(found.plan, found.problems))
    else:
        paint = console.paint.off() if options.out else console.paint
        text = plan_text(found.plan, paint, verbose=console.verbose, live=found.live)
    _write(options, console, text)
    tell_blocked(found, console)
    if options.save:
        save(options.save, found.plan, options.scope)
        console.message(f"Saved. Apply exactly this with: reconciler apply {options.save}")
    return code_of(found, options.exit_code)


def _gather(options: PlanOptions, console: Console) -> Gathered:
    checkout = open_checkout(options.root)
    manifests = work_tree_manifests(options.root)
    found = gather(checkout, manifests, options.scope, console)
    tell_settlement(found.settlement, console)
    changed = checkout.uncommitted(manifests.files)
    absent = checkout.absent(manifests.files, changed)
    if absent:
        console.warning(
            f"Not in this work tree, so not in this plan, and yet in what apply does: {', '.join(absent[:5])}"
        )
    if changed:
        console.message(f"Not committed yet, which apply insists on: {', '.join(changed[:5])}")
    return found


def _write(options: PlanOptions, console: Console, text: str) -> None:
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    else:
        console.result(text)
