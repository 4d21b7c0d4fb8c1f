"""The one boundary: whatever ends a command becomes a message and an exit code. Imported where something does."""

from __future__ import annotations

import os
import sys
import traceback

import click

from reconciler.cli.options import Call
from reconciler.errors import ExitCode, Failure, InvalidInput
from reconciler.render.paint import Paint
from reconciler.render.problems import how_many, problems_text

_TAILS = {"history": "", "resolve": "", "state": "", "init": "; nothing was written", "new": "; nothing was written"}
"""What is said after the number of problems."""


def end(error: Exception, call: Call) -> ExitCode:
    """Tell of what ended a command, and return the exit code."""
    match error:
        case Failure():
            return _tell(error, call)
        case click.ClickException():
            error.show()
            return ExitCode.USAGE
        case click.exceptions.Abort():
            call.terminal.warning("Stopped.")
        case BrokenPipeError():  # the reader of our output has left, as `| head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        case OSError():
            file = f": {error.filename}" if error.filename else ""
            call.terminal.warning(f"error: {error.strerror or type(error).__name__}{file}")
        case _:  # a bug is told as one
            if call.terminal.verbose:
                traceback.print_exception(error)
            name = type(error).__name__
            call.terminal.warning(f"error: unexpected {name}: this is a bug; `reconciler -v …` shows where")
    return ExitCode.UNEXPECTED


def _tell(failure: Failure, call: Call) -> ExitCode:
    if isinstance(failure, InvalidInput) and failure.problems:
        paint = Paint(enabled=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
        call.terminal.warning(problems_text(failure.problems, os.fspath(call.root), paint))
        tail = _TAILS.get(call.command or "", "; nothing was triggered")
        call.terminal.warning(f"{how_many(failure.problems)}{tail}")
    else:
        hint = "".join(f"    {line}\n" for line in failure.hint.splitlines())
        call.terminal.warning(f"error: {failure.message}\n{hint}")
    return failure.code
