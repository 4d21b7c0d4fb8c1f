"""The commands to begin with: init, new."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import click

from reconciler.cli.options import Call, FilePath, T, examples, passing
from reconciler.cli.root import cli

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.commands.questions import Question
    from reconciler.errors import ExitCode


@cli.command(
    epilog=examples(
        "reconciler init --approver dana --approver @acme/data-platform",
        "reconciler init --forge gitlab --approver dana --url https://anymetrics.internal:8083 "
        "--tenant tn_1 --time-zone Asia/Shanghai",
    )
)
@click.option("--forge", type=click.Choice(["github", "gitlab"]), help="Whose CI and reviews; default: by the remote.")
@click.option("--url", metavar="URL", help="The scheduler, or `embedded` (the default): the emulator that comes along.")
@click.option("--tenant", metavar="ID", help="The scheduler's tenant.")
@click.option("--time-zone", metavar="ZONE", help="Whose wall clock the schedule times are, such as Asia/Shanghai.")
@click.option("--approver", "approvers", multiple=True, metavar="NAME", help="Who approves reruns: logins and teams.")
@click.option("--tool", metavar="SOURCE", help="Where CI gets this tool from: OWNER/REPO@COMMIT, or a git URL@COMMIT.")
@click.option("--branch", metavar="NAME", help="The branch that is applied; default: the one here, or main.")
@click.option(
    "--report",
    type=click.Choice(["artifact", "pages", "none"]),
    help="Where the jobs leave the report after each apply: with the run (the default), on Pages, or nowhere.",
)
@passing
def init(
    call: Call,
    forge: Literal["github", "gitlab"] | None,
    url: str | None,
    tenant: str | None,
    time_zone: str | None,
    approvers: tuple[str, ...],
    tool: str | None,
    branch: str | None,
    report: Literal["artifact", "pages", "none"] | None,
) -> ExitCode:
    """Make this repository ready: a config, jobs that plan and apply, and who owns what.

    Asks on a terminal for what is not given. What is there is kept: nothing is overwritten, and what could not be
    added to a file is printed. Prints the next three steps.
    """
    from reconciler.commands import init as command

    options = command.InitOptions(call.root, forge, url, tenant, time_zone, approvers, tool, branch, report=report)
    return command.run(_asked(call, options, command.questions, command.answered), call.terminal)


@cli.command(
    epilog=examples(
        "reconciler new default_catalog.sales.FACT_SALES --start '2026-01-20 01:00:00' --end '2026-01-20 05:00:00'",
        "reconciler new sales.orders --at '2026-01-20 00:00:00' --rerun late-files --reason 'files arrived late'",
    )
)
@click.argument("table", metavar="TABLE")
@click.option("--start", metavar="TIME", help="The first schedule time of a range.")
@click.option("--end", metavar="TIME", help="The last schedule time of a range, included.")
@click.option("--at", multiple=True, metavar="TIME", help="A single schedule time; may be given several times.")
@click.option(
    "--schedule", metavar="TEXT", help="When it runs: Quartz as the scheduler has it, cron, or an interval: 1h."
)
@click.option("--rerun", metavar="TOKEN", help="Make it a rerun: of what was triggered already.")
@click.option("--reason", metavar="TEXT", help="Why; reviewers read it. A rerun needs one.")
@click.option("--owner", metavar="NAME", help="Who looks after the table.")
@click.option("--target", metavar="NAME", help="The target; default: the config's.")
@click.option("--name", metavar="NAME", help="The manifest's name; default: made from the table's.")
@click.option("--file", type=FilePath(), metavar="FILE", help="Where to write it, below the root.")
@passing
def new(
    call: Call,
    table: str,
    start: str | None,
    end: str | None,
    at: tuple[str, ...],
    schedule: str | None,
    rerun: str | None,
    reason: str | None,
    owner: str | None,
    target: str | None,
    name: str | None,
    file: Path | None,
) -> ExitCode:
    """Write a manifest for TABLE. It is checked before it is written, and nothing is overwritten.

    Asks on a terminal for the times that are not given.
    """
    from reconciler.commands import new as command

    options = command.NewOptions(call.root, table, name, target, start, end, at, rerun, reason, owner, file, schedule)
    return command.run(_asked(call, options, command.questions, command.answered), call.terminal)


def _asked(
    call: Call,
    options: T,
    questions: Callable[[T], tuple[Question, ...]],
    answered: Callable[[T, str, str], T],
) -> T:
    """Ask a person for what is open. In a pipe nobody is asked: the command knows what to make of that."""
    while call.terminal.interactive and (open_questions := questions(options)):
        asked = open_questions[0]
        text: str = click.prompt(asked.text, default=asked.default, err=True)
        options = answered(options, asked.option, text)
    return options
