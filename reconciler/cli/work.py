"""The commands of every day: validate, plan, apply, status, history, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Call, FilePath, examples, formats, passing, scope, sharding
from reconciler.cli.root import cli

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.sharding import Shard
    from reconciler.errors import ExitCode


@cli.command(
    epilog=examples("reconciler validate", "reconciler validate --format github", "reconciler validate triggers/sales")
)
@click.argument("paths", nargs=-1, type=FilePath(), metavar="[PATH]...")
@formats("text", "json", "github", "gitlab", "sarif")
@click.option("--base", metavar="REF", help="Also report what this branch does to state files and guards, since REF.")
@passing
def validate(call: Call, paths: tuple[Path, ...], output: str, base: str | None) -> ExitCode:
    """Report every problem of every file at once.

    The whole root is always checked; with PATHs, only problems in these files and folders are reported.
    """
    from reconciler.commands import validate as command

    return command.run(call.root, paths, output, call.terminal, base=base)


@cli.command(
    epilog=examples(
        "reconciler plan",
        "reconciler plan --format json --exit-code",
        "reconciler plan --save plan.json",
        "reconciler plan --format html --out plan.html",
        "reconciler plan --explain catalog.sales.orders --at '2026-01-20 05:00:00'",
    )
)
@formats("text", "markdown", "json", "html")
@click.option("--out", type=FilePath(), metavar="FILE", help="Write the plan there, not to the terminal.")
@click.option("--save", type=FilePath(), metavar="FILE", help="Save it, for one `apply FILE`.")
@click.option("--base", metavar="REF", help="Show only what this branch adds over its merge base with REF.")
@click.option("--explain", metavar="TABLE", help="Say why this table is called, covered, held or in doubt.")
@click.option("--at", metavar="TIME", help="With --explain: why this one schedule time is.")
@scope
@click.option("--exit-code", is_flag=True, help="Exit with 4, 5 or 7 where calls are pending, held or in doubt.")
@passing
def plan(
    call: Call,
    output: str,
    out: Path | None,
    save: Path | None,
    base: str | None,
    explain: str | None,
    at: str | None,
    table: str | None,
    target: str | None,
    exit_code: bool,
) -> int:
    """Show what apply would do. Calls no scheduler and needs no credential.

    Where reviews approve reruns, it asks GitHub or GitLab about those that are open, if it finds a token.
    """
    answers = None
    if output != "html" and not (out or save or base is not None or explain is not None or at is not None):
        from reconciler.commands.answers import Answers, Asked

        answers = Answers.to(Asked(call.folder, output, table, target, exit_code), call.terminal)
        given = answers.again(call.terminal) if answers else None
        if given is not None:
            return given
    from reconciler.commands import plan as command  # only now: all of this takes longer than the answer given again
    from reconciler.commands.gather import Scope

    options = command.PlanOptions(call.root, output, out, save, Scope(table, target), exit_code, base)
    if explain is not None or at is not None:
        from reconciler.commands import explain as explaining

        return explaining.run(options, explain, at, call.terminal)
    return command.run(options, call.terminal, answers)


@cli.command(
    epilog=examples(
        "reconciler apply",
        "reconciler apply plan.json",
        "reconciler apply --yes --format json",
        "reconciler apply --shard 3/8",
    )
)
@click.argument("plan_file", required=False, type=FilePath(), metavar="[PLANFILE]")
@click.option("--yes", is_flag=True, help="Do not ask. In a pipe nobody is asked anyway.")
@click.option("--no-push", is_flag=True, help="Keep the state on the local branch; push it yourself afterwards.")
@scope
@sharding
@click.option("--branch", metavar="NAME", help="The manifests' branch, where HEAD is detached and CI does not say.")
@formats("text", "json", "markdown")
@click.option(
    "--out",
    type=FilePath(),
    metavar="FILE",
    help="Write the result there, in that format; the terminal shows text.",
)
@passing
def apply(
    call: Call,
    plan_file: Path | None,
    yes: bool,
    no_push: bool,
    table: str | None,
    target: str | None,
    shard: Shard | None,
    branch: str | None,
    output: str,
    out: Path | None,
) -> ExitCode:
    """Make the calls that are owed, and commit what became of them.

    Manifests are those of the commit at HEAD, which its upstream must hold too. With a saved plan: exactly its calls,
    or exit code 8.
    """
    from reconciler.commands import apply as command
    from reconciler.commands.gather import Scope

    tables = Scope(table, target)
    options = command.ApplyOptions(call.root, plan_file, yes, not no_push, tables, branch, output, out, shard)
    return command.run(options, call.terminal)


@cli.command(
    epilog=examples(
        "reconciler status", "reconciler status --table 'sales.*' --format json", "reconciler status --format csv"
    )
)
@formats("text", "json", "csv")
@scope
@click.option("--exit-code", is_flag=True, help="Exit with 4, 5 or 7 where calls are pending, held or in doubt.")
@passing
def status(call: Call, output: str, table: str | None, target: str | None, exit_code: bool) -> ExitCode:
    """Show per table what is asked, triggered, missing, held and in doubt, with a timeline.

    Tables that need somebody come first. The timeline is as wide as the terminal, in a pipe as COLUMNS says.
    """
    from reconciler.commands import status as command
    from reconciler.commands.gather import Scope

    return command.run(call.root, output, Scope(table, target), call.terminal, exit_code=exit_code)


@cli.command(
    epilog=examples(
        "reconciler history catalog.sales.orders",
        "reconciler history catalog.sales.orders --at '2026-01-20 05:00:00'",
        "reconciler history catalog.sales.orders --format csv",
    )
)
@click.argument("table")
@click.option("--at", metavar="TIME", help="Who triggered this schedule time: calls, requests, commits, pull requests.")
@formats("text", "json", "csv")
@passing
def history(call: Call, table: str, at: str | None, output: str) -> ExitCode:
    """Show which call triggered what: by which manifest, commit and approver, with which traceId.

    All calls are listed oldest first, with what superseded them. With --at, what holds there now comes first, then what
    it superseded; who wrote the requests is read from git, pull requests from what commits say.
    """
    from reconciler.commands import history as command

    return command.run(call.root, table, at, output, call.terminal)


@cli.command(
    epilog=examples(
        "reconciler report --out report.html", "reconciler report --format svg --table 'sales.*' --out sales.svg"
    )
)
@click.option("--format", "output", type=click.Choice(["html", "svg"]), default="html", show_default=True)
@click.option("--out", type=FilePath(), metavar="FILE", help="Write it there, not to standard output.")
@scope
@passing
def report(call: Call, output: str, out: Path | None, table: str | None, target: str | None) -> ExitCode:
    """Write a page with a timeline per table: what was triggered, runs again, is owed, held or in doubt.

    One file that fetches nothing. Needs no credential. With svg: a picture for a README or a wiki.
    """
    from reconciler.commands import report as command
    from reconciler.commands.gather import Scope

    return command.run(command.ReportOptions(call.root, output, out, Scope(table, target)), call.terminal)
