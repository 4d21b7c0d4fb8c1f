"""The commands around it: schema, emulator, demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from reconciler.cli.options import Call, FilePath, examples, passing
from reconciler.cli.root import cli

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import ExitCode


@cli.command(epilog=examples("reconciler schema backfill > backfill.v1.schema.json"))
@click.argument("kind", type=click.Choice(["backfill", "config"]), default="backfill")
@passing
def schema(call: Call, kind: Literal["backfill", "config"]) -> ExitCode:
    """Print the JSON Schema of manifests, or of the config."""
    from reconciler.commands import schema as command

    return command.run(kind, call.terminal)


@cli.command(
    epilog=examples(
        "reconciler emulator --port 8083 --db emulator.db",
        "reconciler emulator --latency 0.2 --faults lost=0.05,reject=0.1",
    )
)
@click.option("--port", type=click.IntRange(0, 65535), default=8083, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--db", type=FilePath(), metavar="FILE", help="Keep instances in this SQLite file.")
@click.option("--tenant", metavar="ID", help="Refuse every other tenant.")
@click.option("--every", default="1h", show_default=True, help="The schedule of every table: 15m, 1h, 1d …")
@click.option("--range-end", type=click.Choice(["inclusive", "exclusive"]), default="inclusive", show_default=True)
@click.option(
    "--latency", type=click.FloatRange(0, 600), default=0.0, metavar="SECONDS", help="Answer only after this."
)
@click.option(
    "--faults", metavar="SPEC", help="Odds of faults: lost=0.02,error=0.01,reject=0.05,late=0.01,refuse=0.01 …"
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed, the same faults.")
@passing
def emulator(
    call: Call,
    port: int,
    host: str,
    db: Path | None,
    tenant: str | None,
    every: str,
    range_end: Literal["inclusive", "exclusive"],
    latency: float,
    faults: str | None,
    seed: int,
) -> ExitCode:
    """Run a stand-in for the scheduler: its two endpoints, and a page that shows what ran and how often."""
    from reconciler.commands import emulator as command

    options = command.EmulatorOptions(port, host, db, tenant, every, range_end, latency, faults, seed)
    return command.run(options, call.terminal)


@cli.command(
    epilog=examples("reconciler demo", "reconciler demo --dir /tmp/backfills", "reconciler demo --watch --pause 3")
)
@click.option("--dir", "folder", type=FilePath(), metavar="DIR", help="A folder to make; default: a new one.")
@click.option(
    "--watch", is_flag=True, help="Serve a page that shows what the scheduler runs, live; wait between chapters."
)
@click.option(
    "--pause",
    type=click.FloatRange(0, 600),
    metavar="SECONDS",
    help="Wait so long between chapters; with --watch on a terminal the default is to wait for Enter.",
)
@passing
def demo(call: Call, folder: Path | None, watch: bool, pause: float | None) -> ExitCode:
    """Play the whole story in a scratch repository, on the embedded scheduler.

    It ends with something of every kind to see: triggered, rerun, owed, held and in doubt, also as a picture.
    """
    from reconciler.commands import demo as command
    from reconciler.commands.watching import Watching

    return command.run(folder, Watching(watch, pause), call.terminal)
