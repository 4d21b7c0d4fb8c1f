"""Processes of the command line, forked from one that has its imports done: real ones, at a third of the price.

Run as a script it is the nursery: it takes orders on a socket, a line of JSON each, and answers with the pid of the
new process, then with its exit code (negative for a signal). As a module it is the client.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PRELOAD = ("reconciler.cli", "git.cmd", "git.exc", "httpx", "httpcore", "ssl", "importlib.readers")
_PRELOAD_ALL_OF = ("reconciler.commands", "reconciler.review")


@dataclass(slots=True)
class Process:
    """A process of the command line. Its output goes to files, so it never waits for a reader."""

    pid: int
    _line: socket.socket
    _out: Path
    _err: Path

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait_until_said(self, text: str, timeout: float = 10) -> None:
        """Return once `text` is on its standard error."""
        deadline = time.monotonic() + timeout
        while not self._err.exists() or text not in self._err.read_text("utf-8"):
            assert time.monotonic() < deadline, f"it never said {text!r}"
            time.sleep(0.02)

    def wait(self, timeout: float = 60) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        self._line.settimeout(timeout)
        with self._line, self._line.makefile() as answers:
            code = int(answers.readline())
        return code, self._out.read_text("utf-8"), self._err.read_text("utf-8")


class Nursery:
    """Starts processes. `folder` is where its socket and their output lie."""

    def __init__(self, folder: Path, *within: str | Path) -> None:
        """`within` is a command that runs the one that follows it in other surroundings, such as `unshare`."""
        self._folder = folder
        self._count = 0
        self._socket = folder / "orders"
        command = [*within, sys.executable, __file__, self._socket]
        self._nursery = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        return self._nursery.pid

    def start(self, arguments: Sequence[str], folder: Path, env: Mapping[str, str]) -> Process:
        self._count += 1
        out, err = (self._folder / f"{self._count}.{name}" for name in ("out", "err"))
        order = {"argv": arguments, "cwd": os.fspath(folder), "env": env, "out": os.fspath(out), "err": os.fspath(err)}
        line = self._connect()
        line.sendall(json.dumps(order).encode() + b"\n")
        pid = b""
        while not pid.endswith(b"\n"):
            pid += line.recv(1)
        return Process(int(pid), line, out, err)

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + 120
        while True:
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(30)
            try:
                line.connect(os.fspath(self._socket))
            except (FileNotFoundError, ConnectionRefusedError):
                line.close()
                assert time.monotonic() < deadline, "the nursery does not answer"
                assert self._nursery.poll() is None, "the nursery has died"
                time.sleep(0.02)
            else:
                return line

    def close(self) -> None:
        self._nursery.terminate()
        self._nursery.wait()


@dataclass(slots=True)
class _Ending:
    """Ends a process without taking its memory to pieces: to copy all that the nursery shares was most of its time.

    `leave` runs after all other exit functions. Where a thread still runs, or output cannot be written, Python's own
    ending goes on, as what that does then is a part of the story.
    """

    code: int | None = None

    def leave(self) -> None:
        if self.code is None or threading.active_count() > 1:
            return
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return
        os._exit(self.code)


def _preload() -> None:
    import importlib
    import pkgutil

    for name in _PRELOAD:
        importlib.import_module(name)
    for name in _PRELOAD_ALL_OF:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__, f"{name}."):
            importlib.import_module(module.name)


def _serve(path: str) -> None:
    ending = _Ending()
    atexit.register(ending.leave)  # the first to be registered is the last to run
    _preload()
    gc.freeze()  # a child that collects garbage need not copy all of this
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    server.settimeout(5)
    parent = os.getppid()
    while os.getppid() == parent:  # it must not outlive tests that were killed
        try:
            line, _ = server.accept()
        except TimeoutError:
            continue
        line.setblocking(True)
        if os.fork() == 0:
            server.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _keep(line, ending)
        line.close()
    return None


def _keep(line: socket.socket, ending: _Ending) -> None:
    """Start the process that is ordered, and tell its pid and its end; in that process, be the command line."""
    with line.makefile() as orders:
        order = json.loads(orders.readline())
    pid = os.fork()
    if pid == 0:
        line.close()
        return _become(order, ending)
    line.sendall(b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    line.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(order: dict[str, Any], ending: _Ending) -> None:
    from reconciler.cli import main

    for descriptor, path in ((1, order["out"]), (2, order["err"])):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.argv = ["reconciler", *order["argv"]]
    try:
        main()
    except SystemExit as end:
        ending.code = int(end.code or 0)
        raise


if __name__ == "__main__":
    sys.path[0] = os.fspath(Path(__file__).parents[2])
    _serve(sys.argv[1])
