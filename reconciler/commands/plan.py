"""`plan`: what apply would do."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.commands.comparison import Comparison, compare, only_added
from reconciler.commands.console import Console
from reconciler.commands.gather import Scope, work_tree_manifests
from reconciler.commands.outfile import check_files
from reconciler.commands.pages import about, in_order, refuse_terminal, write, write_failure
from reconciler.commands.saved_plan import save
from reconciler.commands.sheets import sheet_of
from reconciler.commands.state import Gathered, code_of, gather, open_checkout, tell_blocked, tell_settlement
from reconciler.commands.tables import Tables
from reconciler.core.progress import each
from reconciler.errors import ExitCode, Failure, InvalidInput, UsageFailure
from reconciler.render.plan_json import plan_document, problems_document
from reconciler.render.plan_markdown import failure_markdown, plan_markdown
from reconciler.render.plan_text import guards_text, plan_text
from reconciler.render.problems import json_text, problems_text


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The options of `plan`; `out` and `save` are files to write, `base` names what the branch is compared with."""

    root: Path
    format: str
    out: Path | None
    save: Path | None
    scope: Scope
    exit_code: bool
    base: str | None = None


def run(options: PlanOptions, console: Console) -> ExitCode:
    """Show the plan. Raises Failure; for programs and pages, why there is no plan is written there too."""
    if options.base is not None and options.save:
        raise UsageFailure(
            "a plan against a base cannot be saved: it is not all that apply would do", "leave --base out, or --save"
        )
    if options.format == "html":
        refuse_terminal(options.out, "reconciler plan --format html --out plan.html")
    check_files((options.out, options.save), options.root)
    try:
        found, compared = _gather(options, console)
    except Failure as failure:
        _write_failure(options, console, failure)
        raise
    console.warning(problems_text(found.problems, os.fspath(options.root), console.paint.off()))
    if options.format == "html":
        _write_page(options, console, found, compared)
    else:
        _write(options, console, _text(options, console, found, compared))
    tell_blocked(found, console)
    if options.save:
        save(options.save, found.plan, options.scope, console)
        console.message(f"Saved. Apply exactly this with: reconciler apply {options.save}")
    return code_of(found, options.exit_code)


def _text(options: PlanOptions, console: Console, found: Gathered, compared: Comparison | None) -> str:
    told = compared.told if compared else ()
    if options.format == "json":
        return json_text(plan_document(found.plan, found.problems))
    if options.format == "markdown":
        return plan_markdown(sheet_of(found, told, compared.base.ref if compared else None))
    paint = console.paint.off() if options.out else console.paint
    return guards_text(told, paint) + plan_text(found.plan, paint, verbose=console.verbose, live=found.live)


def _write_page(options: PlanOptions, console: Console, found: Gathered, compared: Comparison | None) -> None:
    """Write the page of timelines: of the tables that have calls, or calls in doubt."""
    from reconciler.render.report_page import report_page

    tables = Tables.of(found)
    others = () if compared else tables.undeclared(options.scope)[0]  # a branch adds nothing to what it does not name
    known = (*tables.planned(), *others)
    concerned = in_order(one for one in known if one.plan.calls or one.plan.all_doubts or one.carried)
    sheet = sheet_of(found, compared.told if compared else (), compared.base.ref if compared else None)
    subject = about("plan", found, sheet, open_checkout(options.root), options.root)
    with each(console.progress, "drawing", concerned, "table") as some:
        text = report_page(subject, some)
    write(options.out, text, len(concerned), console)


def _write_failure(options: PlanOptions, console: Console, failure: Failure) -> None:
    """Write why there is no plan, in the formats that others read."""
    problems = failure.problems if isinstance(failure, InvalidInput) else ()
    if options.format == "json" and problems:
        _write(options, console, json_text(problems_document(problems)))
    elif options.format == "markdown":
        _write(options, console, failure_markdown("No plan", failure, os.fspath(options.root)))
    elif options.format == "html":
        write_failure("No plan", failure, options.root, options.out, console)


def _gather(options: PlanOptions, console: Console) -> tuple[Gathered, Comparison | None]:
    """Return what the plan is made of, and how the branch compares with the base, where there is one."""
    checkout = open_checkout(options.root, console.progress)
    manifests = work_tree_manifests(options.root, console.progress)
    compared = (
        compare(checkout, options.base, manifests.config, manifests.declared) if options.base is not None else None
    )
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
    if compared is None:
        return found, None
    found = only_added(found, checkout, compared.base, console)
    problems = compared.problems if options.format == "json" else compared.findings
    return replace(found, problems=tuple(sorted((*found.problems, *problems)))), compared


def _write(options: PlanOptions, console: Console, text: str) -> None:
    if options.out:
        console.save(options.out, text)
    else:
        console.result(text)
