"""What the commands of the command line share: their common options, and the process's console."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.commands.terminal import Terminal

if TYPE_CHECKING:
    from reconciler.core.sharding import Shard

# Each command imports its module when it runs: `--help` pays for click alone.

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


def ask(question: str) -> bool:
    """Ask a person a question that yes or no answers."""
    return click.confirm(question, default=False, err=True)


@dataclass(slots=True)
class Call:
    """What the options before the command say."""

    root: Path = Path("triggers")
    command: str | None = None
    terminal: Terminal = field(default_factory=lambda: Terminal(0, ask))


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
