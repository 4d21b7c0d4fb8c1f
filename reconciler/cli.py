"""The command line: options in, exit code out. The only module that knows click."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import click

from reconciler import __version__
from reconciler.commands.terminal import Terminal
from reconciler.core.text import count
from reconciler.errors import ExitCode, Failure, InvalidInput

# Each command imports its module when it runs: `--help` pays for click alone.

F = TypeVar("F", bound=Callable[..., object])

_EXIT_CODES = """\b
Exit codes:
  0  done, or nothing to do          5  something is held
  1  an error of the environment     6  something was rejected or not sent
  2  wrong usage                     7  something is in doubt
  3  manifests or state are invalid  8  the plan or the checkout is stale
  4  changes are pending (plan --exit-code)
"""


def _ask(question: str) -> bool:
    return click.confirm(question, default=False, err=True)


@dataclass(slots=True)
class _Call:
    """What the options before the command say."""

    root: Path = Path("triggers")
    command: str | None = None
    terminal: Terminal = field(default_factory=lambda: Terminal(0, _ask))


_pass = click.make_pass_decorator(_Call)


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _scope(command: F) -> F:
    """Add the options that choose tables."""
    target = click.option("--target", metavar="NAME", help="Only tables of this target.")
    table = click.option("--table", metavar="GLOB", help="Only tables whose name matches, such as 'sales.*'.")
    return table(target(command))


def _format(*names: str) -> Callable[[F], F]:
    return click.option("--format", "output", type=click.Choice(names), default="text", show_default=True)


@click.group(epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reconciler")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=Path("triggers"),
    show_default=True,
    help="The folder that holds reconciler.yaml and the manifests.",
)
@click.option("-v", "--verbose", count=True, help="Show every point and body; on a bug, where it happened.")
@click.option("-q", "--quiet", count=True, help="Only results, warnings and errors.")
@click.pass_context
def cli(context: click.Context, root: Path, verbose: int, quiet: int) -> None:
    """GitOps for backfills: manifests in git say which schedule times a table must have been triggered for.

    The reconciler subtracts what was triggered already, makes only the calls that are missing, and commits the state
    back. Nothing is triggered twice by accident.
    """
    call = context.ensure_object(_Call)
    call.root = root
    call.command = context.invoked_subcommand
    call.terminal = Terminal(verbose - quiet, _ask)


@cli.command(
    epilog=_examples("reconciler validate", "reconciler validate --format github", "reconciler validate triggers/sales")
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@_format("text", "json", "github")
@_pass
def validate(call: _Call, paths: tuple[Path, ...], output: str) -> ExitCode:
    """Report every problem of every file at once.

    The whole root is always checked; with PATHs, only problems in these files and folders are reported.
    """
    from reconciler.commands import validate as command

    return command.run(call.root, paths, output, call.terminal)


@cli.command(
    epilog=_examples("reconciler plan", "reconciler plan --format json --exit-code", "reconciler plan --save plan.json")
)
@_format("text", "json")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the plan there, not to the terminal."
)
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Save it, for `apply FILE`.")
@_scope
@click.option("--exit-code", is_flag=True, help="Exit with 4, 5 or 7 where calls are pending, held or in doubt.")
@_pass
def plan(
    call: _Call,
    output: str,
    out: Path | None,
    save: Path | None,
    table: str | None,
    target: str | None,
    exit_code: bool,
) -> ExitCode:
    """Show what apply would do. Needs no credential, and no network beyond git."""
    from reconciler.commands import plan as command
    from reconciler.commands.gather import Scope

    options = command.PlanOptions(call.root, output, out, save, Scope(table, target), exit_code)
    return command.run(options, call.terminal)


@cli.command(epilog=_examples("reconciler apply", "reconciler apply plan.json", "reconciler apply --yes --format json"))
@click.argument("plan_file", required=False, type=click.Path(path_type=Path), metavar="[PLANFILE]")
@click.option("--yes", is_flag=True, help="Do not ask. In a pipe nobody is asked anyway.")
@click.option("--no-push", is_flag=True, help="Keep the state on the local branch; push it yourself afterwards.")
@_scope
@click.option("--branch", metavar="NAME", help="The manifests' branch, where HEAD is detached and CI does not say.")
@_format("text", "json")
@_pass
def apply(
    call: _Call,
    plan_file: Path | None,
    yes: bool,
    no_push: bool,
    table: str | None,
    target: str | None,
    branch: str | None,
    output: str,
) -> ExitCode:
    """Make the calls that are owed, and commit what became of them.

    Manifests are those of the commit at HEAD, which its upstream must hold too. With a saved plan: exactly its calls,
    or exit code 8.
    """
    from reconciler.commands import apply as command
    from reconciler.commands.gather import Scope

    options = command.ApplyOptions(call.root, plan_file, yes, not no_push, Scope(table, target), branch, output)
    return command.run(options, call.terminal)


@cli.command(epilog=_examples("reconciler status", "reconciler status --table 'sales.*' --format json"))
@_format("text", "json")
@_scope
@click.option("--exit-code", is_flag=True, help="Exit with 4, 5 or 7 where calls are pending, held or in doubt.")
@_pass
def status(call: _Call, output: str, table: str | None, target: str | None, exit_code: bool) -> ExitCode:
    """Show per table what is asked, triggered, missing, held and in doubt."""
    from reconciler.commands import status as command
    from reconciler.commands.gather import Scope

    return command.run(call.root, output, Scope(table, target), call.terminal, exit_code=exit_code)


@cli.command(epilog=_examples("reconciler history catalog.sales.orders --at '2026-01-20 05:00:00'"))
@click.argument("table")
@click.option("--at", metavar="TIME", help="Only calls that triggered this schedule time.")
@_format("text", "json")
@_pass
def history(call: _Call, table: str, at: str | None, output: str) -> ExitCode:
    """Show which call triggered what: by which manifest, commit and approver, with which traceId."""
    from reconciler.commands import history as command

    return command.run(call.root, table, at, output, call.terminal)


@cli.command(
    epilog=_examples(
        "reconciler resolve",
        "reconciler resolve 3f9a1c2b4d5e6f70 --as triggered --reason 'seen in the scheduler'",
        "reconciler resolve --journal journal.jsonl",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--as", "became", type=click.Choice(["triggered", "not-triggered"]), help="What became of the calls.")
@click.option("--reason", metavar="TEXT", help="How you know; it is recorded with your name.")
@click.option("--journal", type=click.Path(path_type=Path), metavar="FILE", help="Settle by a journal that CI kept.")
@click.option("--run-ended", is_flag=True, help="The journal is whole, and its run has ended: it was killed.")
@_pass
def resolve(
    call: _Call, ids: tuple[str, ...], became: str | None, reason: str | None, journal: Path | None, run_ended: bool
) -> ExitCode:
    """Settle what is in doubt; without arguments, list it.

    A call recorded as triggered is done. One recorded as not-triggered is owed again, and the next apply makes it.
    """
    from reconciler.commands import resolve as command

    options = command.ResolveOptions(call.root, ids, became, reason, journal, run_ended)
    return command.run(options, call.terminal)


@cli.group()
def state() -> None:
    """Look after the state: check all of it, adopt what was triggered before."""


@state.command(epilog=_examples("reconciler state verify", "reconciler state verify --since 3f9a1c2b --format json"))
@click.option("--since", metavar="COMMIT", help="Take the state's history up to this commit as it is.")
@_format("text", "json")
@_pass
def verify(call: _Call, since: str | None, output: str) -> ExitCode:
    """Read every state file, and compare it with every version that it ever had.

    A ledger that was cut, edited, removed or rewritten at any time is named with the commit that did it.
    """
    from reconciler.commands import verify as command

    return command.run(call.root, since, output, call.terminal)


@state.command(
    "import",
    epilog=_examples(
        "reconciler state import past.csv --dry-run",
        "reconciler state import past.csv --reason 'curl commands of 2026, from the wiki'",
        "reconciler state import calls.jsonl --review adopt-past --reason 'from the shell history'",
    ),
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE..."
)
@click.option("--reason", metavar="TEXT", help="How you know; it is recorded with your name.")
@click.option("--review", metavar="BRANCH", help="Put the commit on this new branch instead, for others to review.")
@click.option("--dry-run", is_flag=True, help="Only show what would be recorded.")
@click.option("--yes", is_flag=True, help="Do not ask. In a pipe nobody is asked anyway.")
@_pass
def state_import(
    call: _Call, files: tuple[Path, ...], reason: str | None, review: str | None, dry_run: bool, yes: bool
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


@cli.command(epilog=_examples("reconciler schema backfill > backfill.v1.schema.json"))
@click.argument("kind", type=click.Choice(["backfill", "config"]), default="backfill")
@_pass
def schema(call: _Call, kind: Literal["backfill", "config"]) -> ExitCode:
    """Print the JSON Schema of manifests, or of the config."""
    from reconciler.commands import schema as command

    return command.run(kind, call.terminal)


@cli.command(
    epilog=_examples(
        "reconciler emulator --port 8083 --db emulator.db",
        "reconciler emulator --latency 0.2 --faults lost=0.05,reject=0.1",
    )
)
@click.option("--port", type=click.IntRange(0, 65535), default=8083, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--db", type=click.Path(path_type=Path), metavar="FILE", help="Keep instances in this SQLite file.")
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
@_pass
def emulator(
    call: _Call,
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


@cli.command(epilog=_examples("reconciler demo", "reconciler demo --dir /tmp/backfills"))
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), metavar="DIR", help="A folder to make; default: a new one."
)
@_pass
def demo(call: _Call, folder: Path | None) -> ExitCode:
    """Play the whole story in a scratch repository, on the embedded scheduler."""
    from reconciler.commands import demo as command

    return command.run(folder, call.terminal)


def main() -> None:
    """Run the command line; every expected failure ends as a message and its exit code, never as a traceback."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (closed by the caller: >&-)
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal's encoding cannot show is escaped, never fatal
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C; apply has its own way to stop
    call = _Call()
    try:
        code = cli.main(obj=call, standalone_mode=False)
    except Failure as failure:
        code = _tell(failure, call)
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except click.exceptions.Abort:
        call.terminal.warning("Stopped.")
        code = ExitCode.UNEXPECTED
    except BrokenPipeError:  # the reader of our output has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.UNEXPECTED
    except OSError as error:
        file = f": {error.filename}" if error.filename else ""
        call.terminal.warning(f"error: {error.strerror or type(error).__name__}{file}")
        code = ExitCode.UNEXPECTED
    except Exception as error:  # noqa: BLE001  (the one boundary: a bug is told as one)
        if call.terminal.verbose:
            traceback.print_exc()
        name = type(error).__name__
        call.terminal.warning(f"error: unexpected {name}: this is a bug; `reconciler -v …` shows where")
        code = ExitCode.UNEXPECTED
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # all is done: the exit code shall say so
    if call.terminal.trouble is not None:
        call.terminal.warning(f"error: the output could not be written: {call.terminal.trouble.strerror}")
        code = max(code or ExitCode.DONE, ExitCode.UNEXPECTED)
    sys.exit(int(code or ExitCode.DONE))


def _tell(failure: Failure, call: _Call) -> ExitCode:
    if isinstance(failure, InvalidInput) and failure.problems:
        from reconciler.render.paint import Paint
        from reconciler.render.problems import problems_text

        paint = Paint(enabled=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
        call.terminal.warning(problems_text(failure.problems, os.fspath(call.root), paint))
        tail = "" if call.command in ("history", "resolve", "state") else "; nothing was triggered"
        call.terminal.warning(f"{count(len(failure.problems), 'problem')}{tail}")
    else:
        hint = "".join(f"    {line}\n" for line in failure.hint.splitlines())
        call.terminal.warning(f"error: {failure.message}\n{hint}")
    return failure.code
