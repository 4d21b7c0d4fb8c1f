"""What the commands of the command line share: their common options, and the process's console."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.commands.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.sharding import Shard

    _Paths = click.Path[Path]
else:
    _Paths = click.Path

# Each command imports its module when it runs, and what it needs of the standard library: `--help` pays for click.

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


def ask(question: str) -> bool:
    """Ask a person a question that yes or no answers."""
    return click.confirm(question, default=False, err=True)


class Call:
    """What the options before the command say."""

    def __init__(self) -> None:
        self.folder = "triggers"
        self.command: str | None = None
        self.terminal = Terminal(0, ask)

    @property
    def root(self) -> Path:
        """The root's folder."""
        from pathlib import Path

        return Path(self.folder)


class FilePath(_Paths):
    """The type of options that name files."""

    def coerce_path_result(self, value: str | os.PathLike[str]) -> Path:
        from pathlib import Path

        return Path(value)


passing = click.make_pass_decorator(Call)


def examples(*lines: str) -> str:
    """Return the end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def scope(command: F) -> F:
    """Add the options that choose tables."""
    target = click.option("--target", metavar="NAME", help="Only tables of this target.")
    table = click.option("--table", metavar="GLOB", help="Only tables whose name matches, such as 'sales.*'.")
    return table(target(command))


def sharding(command: F) -> F:
    """Add the option that takes one of several shards."""
    words = "Only the tables of shard I of N, where N appliers run at once."
    return click.option("--shard", metavar="I/N", callback=_shard, help=words)(command)


def _shard(_context: click.Context, _option: click.Parameter, text: str | None) -> Shard | None:
    from reconciler.core.sharding import Shard

    try:
        return Shard.parse(text) if text is not None else None
    except ValueError as error:
        raise click.BadParameter(f"{error}: name one of N shards as I/N, from 1/N to N/N, such as 3/8") from None


def formats(*names: str) -> Callable[[F], F]:
    """Add `--format` with these names; the option is called `output` here."""
    return click.option("--format", "output", type=click.Choice(names), default="text", show_default=True)
