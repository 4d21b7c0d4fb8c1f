"""The command line: options in, exit code out. The only package that knows click, and the one boundary."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback

import click

from reconciler.cli import review, start, state, tools, work
from reconciler.cli.options import Call
from reconciler.cli.root import cli
from reconciler.errors import ExitCode, Failure, InvalidInput

__all__ = ["main", "review", "start", "state", "tools", "work"]

_TAILS = {"history": "", "resolve": "", "state": "", "init": "; nothing was written", "new": "; nothing was written"}
"""What is said after the number of problems."""


def main() -> None:
    """Run the command line; every expected failure ends as a message and its exit code, never as a traceback."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (closed by the caller: >&-)
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal's encoding cannot show is escaped, never fatal
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C; apply has its own way to stop
    call = Call()
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
    call.terminal.close()
    if call.terminal.trouble is not None:
        call.terminal.warning(f"error: the output could not be written: {call.terminal.trouble.strerror}")
        code = max(code or ExitCode.DONE, ExitCode.UNEXPECTED)
    sys.exit(int(code or ExitCode.DONE))


def _tell(failure: Failure, call: Call) -> ExitCode:
    if isinstance(failure, InvalidInput) and failure.problems:
        from reconciler.render.paint import Paint
        from reconciler.render.problems import how_many, problems_text

        paint = Paint(enabled=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
        call.terminal.warning(problems_text(failure.problems, os.fspath(call.root), paint))
        tail = _TAILS.get(call.command or "", "; nothing was triggered")
        call.terminal.warning(f"{how_many(failure.problems)}{tail}")
    else:
        hint = "".join(f"    {line}\n" for line in failure.hint.splitlines())
        call.terminal.warning(f"error: {failure.message}\n{hint}")
    return failure.code
