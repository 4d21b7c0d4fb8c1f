"""`plan --explain`: why the instants of one table are called, covered, held or in doubt."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from glob import escape

from reconciler.commands.console import Console
from reconciler.commands.gather import Scope, work_tree_manifests
from reconciler.commands.outfile import check_files
from reconciler.commands.plan import PlanOptions
from reconciler.commands.state import Gathered, blocked_tables, code_of, gather, open_checkout, tell_settlement
from reconciler.commands.tables import Tables
from reconciler.core import wallclock
from reconciler.core.change import Key
from reconciler.core.explain import explain
from reconciler.core.explanation import Explanation
from reconciler.core.plan import make_plan
from reconciler.core.text import printable
from reconciler.errors import ExitCode, InvalidInput, UsageFailure
from reconciler.manifests.words import nearest
from reconciler.render.explain_json import explain_document
from reconciler.render.explain_text import explanation_text
from reconciler.render.problems import json_text, problems_text
from reconciler.state.snapshot import ledger_path


@dataclass(frozen=True, slots=True)
class _Explained:
    """A table's explanation, and its ledger's file: in the root, and in the state's commit."""

    told: Explanation
    file: str
    path: str


def run(options: PlanOptions, name: str | None, at: str | None, console: Console) -> ExitCode:
    """Explain a table on every target, or the one in scope; `at` is one schedule time.

    Raises UsageFailure where there is no such table, InvalidInput where manifests or state as a whole are invalid.
    """
    if name is None:
        raise UsageFailure("--at is for --explain", "name the table: plan --explain TABLE --at TIME")
    _check(options)
    second = _second(at) if at is not None else None
    check_files((options.out,), options.root)
    try:
        return _run(options, name, second, console)
    except InvalidInput as invalid:
        if options.format == "json" and invalid.problems:
            _write(options, console, json_text(explain_document(None, (), invalid.problems)))
        raise


def _check(options: PlanOptions) -> None:
    if options.format == "markdown":
        raise UsageFailure("--explain is not written as Markdown", "--format text or json")
    if options.save:
        raise UsageFailure(
            "--explain makes no plan that could be applied, so there is nothing to save", "leave one of the two out"
        )
    if options.base is not None:
        raise UsageFailure(
            "--explain tells of all that is owed, --base only of what a branch adds", "leave one of the two out"
        )
    if options.scope.table is not None:
        raise UsageFailure("--explain names its table itself", "leave --table out; --target chooses one of several")


def _second(text: str) -> int:
    try:
        return wallclock.parse(text)
    except ValueError as error:
        raise UsageFailure(f"--at {text!r} {error}", "write it like '2026-01-20 05:00:00'") from None


def _run(options: PlanOptions, name: str, second: int | None, console: Console) -> ExitCode:
    checkout = open_checkout(options.root, console.progress)
    manifests = work_tree_manifests(options.root, console.progress, checkout)
    manifests.tables(Scope(target=options.scope.target))  # a target that does not exist is refused
    found = gather(checkout, manifests, Scope(), console)  # what holds a table, or runs it too, may be any other
    tables = Tables.of(found)
    keys = _keys(tables, name, options.scope)
    _, problems = blocked_tables(found.snapshot, manifests, Scope(escape(name), options.scope.target))
    explained = [_explained(tables, key, second) for key in keys if key not in found.planner.blocked]
    plan = make_plan(found.plan.state, (each.told.plan for each in explained))
    mine = replace(found, plan=plan, problems=tuple(sorted((*manifests.warnings, *problems))))
    console.warning(problems_text(mine.problems, os.fspath(options.root), console.paint.off()))
    tell_settlement(found.settlement, console)
    _write(options, console, _text(options, console, mine, explained))
    for target, table in keys:
        if (target, table) in found.planner.blocked:
            console.warning(f"{printable(table)} on {target} is not explained, because of the problems above.")
    return code_of(mine, options.exit_code)


def _keys(tables: Tables, name: str, scope: Scope) -> list[Key]:
    """Return the tables of that name, by target: those of manifests, and those that only the state knows."""
    known = tables.known
    keys = sorted(key for key in known if key[1] == name and scope.target in {None, key[0]})
    if keys:
        return keys
    names = {table for target, table in known if scope.target in {None, target}}
    near = nearest(name, names)
    listed = sorted(names)
    where = f" on {scope.target}" if scope.target else ""
    raise UsageFailure(
        f"no table is named {printable(name)}{where}",
        f"did you mean {printable(near)}?"
        if near
        else f"the tables: {', '.join(map(printable, listed[:10])) or 'none yet'}{' and more' if listed[10:] else ''}",
    )


def _explained(tables: Tables, key: Key, second: int | None) -> _Explained:
    snapshot = tables.found.snapshot
    path = ledger_path(snapshot.folder, key)
    found = tables.standing(key)
    approvals = tables.found.planner.approvals_of(found.table)
    told = explain(found.table, found.plan, approvals, found.carried, second)
    return _Explained(told, snapshot.short(path), path)


def _text(options: PlanOptions, console: Console, found: Gathered, explained: list[_Explained]) -> str:
    if options.format == "json":
        tables = ((each.told, each.file) for each in explained)
        return json_text(explain_document(found.plan.state, tables, found.problems))
    paint = console.paint.off() if options.out else console.paint
    branch = f" on {found.planner.manifests.config.state.branch}"
    return "".join(explanation_text(each.told, each.path + branch, paint) for each in explained)


def _write(options: PlanOptions, console: Console, text: str) -> None:
    if options.out:
        console.save(options.out, text)
    else:
        console.result(text)
