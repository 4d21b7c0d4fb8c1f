"""The commands of reviews: comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Call, FilePath, examples, passing
from reconciler.cli.root import cli

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import ExitCode


@cli.command(
    epilog=examples(
        "reconciler plan --format markdown --out plan.md; reconciler comment plan.md",
        "reconciler comment apply.md --pull-request 12",
    )
)
@click.argument("file", type=FilePath(), metavar="FILE")
@click.option("--pull-request", "number", type=click.IntRange(1), metavar="N", help="Default: the one that CI is at.")
@passing
def comment(call: Call, file: Path, number: int | None) -> ExitCode:
    """Write FILE, a plan or a result in Markdown, as the one comment on a pull request (or merge request).

    The comment is made, or brought up to date. The token is GITHUB_TOKEN or GITLAB_TOKEN, or the one that the config
    names. Where it may not write, as on a fork, the summary of the GitHub job gets the text; a
    GitLab job goes on without.
    """
    from reconciler.commands import comment as command

    return command.run(command.CommentOptions(call.root, file, number), call.terminal)
