"""The commands that look after the state: resolve, state verify, state compact, state import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Call, FilePath, examples, formats, passing, scope
from reconciler.cli.root import cli

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import ExitCode


@cli.command(
    epilog=examples(
        "reconciler resolve",
        "reconciler resolve 3f9a1c2b4d5e6f70 --as triggered --reason 'seen in the scheduler'",
        "reconciler resolve --journal journal.jsonl",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--as", "became", type=click.Choice(["triggered", "not-triggered"]), help="What became of the calls.")
@click.option("--reason", metavar="TEXT", help="How you know; it is recorded with your name.")
@click.option("--journal", type=FilePath(), metavar="FILE", help="Settle by a journal that CI kept.")
@click.option("--run-ended", is_flag=True, help="The journal is whole, and its run has ended: it was killed.")
@passing
def resolve(
    call: Call, ids: tuple[str, ...], became: str | None, reason: str | None, journal: Path | None, run_ended: bool
) -> ExitCode:
    """Settle what is in doubt; without arguments, list it.

    A call recorded as triggered is done. One recorded as not-triggered is owed again, and the next apply makes it.
    """
    from reconciler.commands import resolve as command

    options = command.ResolveOptions(call.root, ids, became, reason, journal, run_ended)
    return command.run(options, call.terminal)


@cli.group()
def state() -> None:
    """Look after the state: check all of it, fold what is old, adopt what was triggered before."""


@state.command(epilog=examples("reconciler state verify", "reconciler state verify --since 3f9a1c2b --format json"))
@click.option("--since", metavar="COMMIT", help="Take the state's history up to this commit as it is.")
@formats("text", "json")
@passing
def verify(call: Call, since: str | None, output: str) -> ExitCode:
    """Read every state file, and compare it with every version that it ever had.

    A ledger that was cut, edited, removed or rewritten at any time is named with the commit that did it.
    """
    from reconciler.commands import verify as command

    return command.run(call.root, since, output, call.terminal)


@state.command(
    epilog=examples(
        "reconciler state compact --dry-run",
        "reconciler state compact --keep 20 --table 'sales.*'",
        "reconciler state compact --before 2026-01-01",
    )
)
@click.option(
    "--keep", type=click.IntRange(min=1), metavar="N", help="The newest N lines of each stay; 100 if not said."
)
@click.option("--before", metavar="TIME", help="Instead, fold what was triggered before this time (UTC).")
@scope
@click.option("--dry-run", is_flag=True, help="Only show what would be folded.")
@passing
def compact(
    call: Call, keep: int | None, before: str | None, table: str | None, target: str | None, dry_run: bool
) -> ExitCode:
    """Fold the old lines of ledgers into the windows that they cover.

    Plans stay as they are, byte for byte; a plan that has nothing cached reads less. The lines stay in the branch's
    history: history, status, report and state verify read them there. At least the last line of a ledger is never
    folded, and a ledger that would save less than a fifth is left as it is.

    Older versions of the reconciler refuse a ledger that was compacted: let everybody upgrade first.
    """
    from reconciler.commands import compact as command
    from reconciler.commands.gather import Scope

    options = command.CompactOptions(call.root, keep, before, Scope(table, target), dry_run)
    return command.run(options, call.terminal)


@state.command(
    "import",
    epilog=examples(
        "reconciler state import past.csv --dry-run",
        "reconciler state import past.csv --reason 'curl commands of 2026, from the wiki'",
        "reconciler state import calls.jsonl --review adopt-past --reason 'from the shell history'",
    ),
)
@click.argument("files", nargs=-1, required=True, type=FilePath(exists=True, dir_okay=False), metavar="FILE...")
@click.option("--reason", metavar="TEXT", help="How you know; it is recorded with your name.")
@click.option("--review", metavar="BRANCH", help="Put the commit on this new branch instead, for others to review.")
@click.option("--dry-run", is_flag=True, help="Only show what would be recorded.")
@click.option("--yes", is_flag=True, help="Do not ask. In a pipe nobody is asked anyway.")
@passing
def state_import(
    call: Call, files: tuple[Path, ...], reason: str | None, review: str | None, dry_run: bool, yes: bool
) -> ExitCode:
    """Adopt calls that were made by hand before.

    They are recorded as triggered, so that apply does not make them again. Nothing is called.

    A FILE is CSV with a header (.csv) or JSON Lines (.jsonl, .ndjson), one call a line. Its fields are tableName, and
    startTime and endTime or scheduleTimes, as they were sent (in CSV, several scheduleTimes have ';' between them);
    where wanted also target, tenantId, traceId, and triggeredAt in UTC. So a line may be the very body that curl sent.

    What a ledger covers already is left out: the same file again changes nothing.
    """
    from reconciler.commands import state_import as command

    options = command.ImportOptions(call.root, files, reason, review, dry_run, yes)
    return command.run(options, call.terminal)
