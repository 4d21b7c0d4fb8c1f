"""`plan`: what apply would do."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.commands.console import Console
from reconciler.commands.gather import Scope, work_tree_manifests
from reconciler.commands.outfile import check_files
from reconciler.commands.state import Gathered, code_of, gather, open_checkout, tell_blocked, tell_settlement
from reconciler.core.progress import each
from reconciler.errors import ExitCode, Failure, InvalidInput, UsageFailure
from reconciler.render.problems import json_text, problems_text

if TYPE_CHECKING:  # each format, and each option, imports what it needs
    from reconciler.commands.answers import Answers
    from reconciler.commands.comparison import Comparison


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


def run(options: PlanOptions, console: Console, answers: Answers | None = None) -> ExitCode:
    """Show the plan, and give it to `answers` to keep where it is no file and no comparison.

    Raises Failure; for programs and pages, why there is no plan is written there too.
    """
    if options.base is not None and options.save:
        raise UsageFailure(
            "a plan against a base cannot be saved: it is not all that apply would do", "leave --base out, or --save"
        )
    if options.format == "html":
        from reconciler.commands.pages import refuse_terminal

        refuse_terminal(options.out, "reconciler plan --format html --out plan.html")
    check_files((options.out, options.save), options.root)
    try:
        found, compared, committed = _gather(options, console)
    except Failure as failure:
        _write_failure(options, console, failure)
        raise
    problems = problems_text(found.problems, os.fspath(options.root), console.paint.off())
    text = ""
    console.warning(problems)
    if options.format == "html":
        _write_page(options, console, found, compared)
    else:
        text = _text(options, console, found, compared)
        _write(options, console, text)
    tell_blocked(found, console)
    if options.save:
        from reconciler.commands.saved_plan import save

        save(options.save, found.plan, options.scope, console)
        console.message(f"Saved. Apply exactly this with: reconciler apply {options.save}")
    code = code_of(found, options.exit_code)
    if answers is not None and committed:
        answers.keep(found, options.scope == Scope(), problems, text, code)
    return code


def _text(options: PlanOptions, console: Console, found: Gathered, compared: Comparison | None) -> str:
    told = compared.told if compared else ()
    if options.format == "json":
        from reconciler.render.plan_json import plan_document

        return json_text(plan_document(found.plan, found.problems))
    if options.format == "markdown":
        from reconciler.commands.sheets import sheet_of
        from reconciler.render.plan_markdown import plan_markdown

        return plan_markdown(sheet_of(found, told, compared.base.ref if compared else None))
    from reconciler.render.plan_text import guards_text, plan_text

    paint = console.paint.off() if options.out else console.paint
    return guards_text(told, paint) + plan_text(found.plan, paint, verbose=console.verbose, live=found.live)


def _write_page(options: PlanOptions, console: Console, found: Gathered, compared: Comparison | None) -> None:
    """Write the page of timelines: of the tables that have calls, or calls in doubt."""
    from reconciler.commands.pages import about, in_order, write
    from reconciler.commands.sheets import sheet_of
    from reconciler.commands.tables import Tables
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
        from reconciler.render.plan_json import problems_document

        _write(options, console, json_text(problems_document(problems)))
    elif options.format == "markdown":
        from reconciler.render.plan_markdown import failure_markdown

        _write(options, console, failure_markdown("No plan", failure, os.fspath(options.root)))
    elif options.format == "html":
        from reconciler.commands.pages import write_failure

        write_failure("No plan", failure, options.root, options.out, console)


def _gather(options: PlanOptions, console: Console) -> tuple[Gathered, Comparison | None, bool]:
    """Return what the plan is made of, how the branch compares with the base, where there is one, and whether HEAD
    holds the very manifests that the work tree holds.
    """
    checkout = open_checkout(options.root, console.progress)
    manifests = work_tree_manifests(options.root, console.progress, checkout)
    compared = None
    if options.base is not None:
        from reconciler.commands.comparison import compare

        compared = compare(checkout, options.base, manifests.config, manifests.declared)
    found = gather(checkout, manifests, options.scope, console)
    tell_settlement(found.settlement, console)
    changed = checkout.uncommitted(manifests.files)
    absent = checkout.absent(manifests.files, changed)
    if absent:
        console.warning(
            f"Not in this work tree, so not in this plan, and yet in what apply does: {', '.join(absent[:5])}"
        )
    if changed:
        more = f" and {len(changed) - 5:,} more" if len(changed) > 5 else ""
        console.message(f"Not committed yet, which apply insists on: {', '.join(changed[:5])}{more}")
    if compared is None:
        return found, None, not (changed or absent)
    from reconciler.commands.comparison import only_added

    found = only_added(found, checkout, compared.base, console)
    problems = compared.problems if options.format == "json" else compared.findings
    return replace(found, problems=tuple(sorted((*found.problems, *problems)))), compared, False


def _write(options: PlanOptions, console: Console, text: str) -> None:
    if options.out:
        console.save(options.out, text)
    else:
        console.result(text)
