"""The command line: options in, exit code out. The only package that knows click, and the one boundary."""

from __future__ import annotations

import io
import os
import signal
import sys

from reconciler.cli import review, start, state, tools, work
from reconciler.cli.options import Call
from reconciler.cli.root import cli

__all__ = ["main", "review", "start", "state", "tools", "work"]


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
        code: int | None = cli.main(obj=call, standalone_mode=False)
    except Exception as error:  # noqa: BLE001  (the one boundary)
        from reconciler.cli.boundary import end

        code = end(error, call)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # all is done: the exit code shall say so
    call.terminal.close()
    if call.terminal.trouble is not None:
        call.terminal.warning(f"error: the output could not be written: {call.terminal.trouble.strerror}")
        code = max(code or 0, 1)
    sys.exit(int(code or 0))
