"""The command line's top: the options before the command, and what every command is told."""

from __future__ import annotations

import click

from reconciler import __version__
from reconciler.cli.options import Call, ask
from reconciler.commands.terminal import Terminal

EXIT_CODES = """\b
Exit codes:
  0  done, or nothing to do          5  something is held
  1  an error of the environment     6  something was rejected or not sent
  2  wrong usage                     7  something is in doubt
  3  manifests or state are invalid  8  the plan or the checkout is stale
  4  changes are pending (plan --exit-code)
"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reconciler")
@click.option(
    "--root",
    type=click.Path(),
    default="triggers",
    show_default=True,
    help="The folder that holds reconciler.yaml and the manifests.",
)
@click.option("-v", "--verbose", count=True, help="Show every point and body; on a bug, where it happened.")
@click.option("-q", "--quiet", count=True, help="Only results, warnings and errors.")
@click.pass_context
def cli(context: click.Context, root: str, verbose: int, quiet: int) -> None:
    """GitOps for backfills: manifests in git say which schedule times a table must have been triggered for.

    The reconciler subtracts what was triggered already, makes only the calls that are missing, and commits the state
    back. Nothing is triggered twice by accident.
    """
    call = context.ensure_object(Call)
    call.folder = root
    call.command = context.invoked_subcommand
    call.terminal = Terminal(verbose - quiet, ask)
