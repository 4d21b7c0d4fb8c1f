"""`report`: one page with a timeline per table, for people who look before they read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.gather import Scope, work_tree_manifests
from reconciler.commands.outfile import check_files
from reconciler.commands.pages import about, in_order, moment, refuse_terminal, write, write_failure
from reconciler.commands.sheets import sheet_of
from reconciler.commands.state import Gathered, code_of, gather, open_checkout, tell_blocked, tell_settlement
from reconciler.commands.tables import Tables
from reconciler.core.progress import each
from reconciler.core.timeline import Standing
from reconciler.errors import ExitCode, Failure
from reconciler.render.problems import problems_text
from reconciler.state.checkout import Checkout


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The options of `report`; `out` is the file to write, None for standard output."""

    root: Path
    format: str
    out: Path | None
    scope: Scope


def run(options: ReportOptions, console: Console) -> ExitCode:
    """Write the report. Needs no credential.

    Raises Failure where manifests or state cannot be read; the page says so, too.
    """
    if options.format == "html":
        refuse_terminal(options.out, "reconciler report --out report.html")
    check_files((options.out,), options.root)
    try:
        return _run(options, console)
    except Failure as failure:
        if options.format == "html":
            write_failure("No report", failure, options.root, options.out, console)
        raise


def _run(options: ReportOptions, console: Console) -> ExitCode:
    checkout = open_checkout(options.root, console.progress)
    manifests = work_tree_manifests(options.root, console.progress, checkout)
    found = gather(checkout, manifests, options.scope, console)
    tell_settlement(found.settlement, console)
    tables = Tables.of(found)
    undeclared, damage = tables.undeclared(options.scope)
    found = replace(found, problems=tuple(sorted((*found.problems, *damage))))
    console.warning(problems_text(found.problems, os.fspath(options.root), console.paint.off()))
    standings = in_order((*tables.planned(), *undeclared))
    write(options.out, _text(options, found, checkout, standings, console), len(standings), console)
    tell_blocked(found, console)
    return code_of(found, exit_code=False)


def _text(
    options: ReportOptions, found: Gathered, checkout: Checkout, standings: Sequence[Standing], console: Console
) -> str:
    if options.format == "svg":
        from reconciler.render.timeline_svg import timelines_svg

        errors = sum(1 for problem in found.problems if problem.severity == "error")
        return timelines_svg(standings, moment(), errors)
    from reconciler.render.report_page import report_page

    subject = about("report", found, sheet_of(found), checkout, options.root)
    with each(console.progress, "drawing", standings, "table") as some:
        return report_page(subject, some)
