"""The threads of a simulated process: the tables of a batch, made while the process pushes, as a seed decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.core.call import Call
from reconciler.core.report import Result, Skipped
from reconciler.protocol.ports import SenderPort
from tests.simulation.process import Process


class Workers(Executor):
    """Gives a process jobs that it works on while it pushes, or when it waits for them at the latest."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        job = partial(fn, *args, **kwargs)
        self._process.jobs.append(lambda: future.set_result(job()))
        return future


@dataclass(slots=True)
class Working:
    """A sender whose process finishes its jobs before it waits for their results."""

    sender: SenderPort
    process: Process

    def begin(self, calls: Sequence[Call]) -> None:
        self.sender.begin(calls)

    def halt(self, reason: str) -> None:
        self.sender.halt(reason)

    def end(self) -> tuple[Result, ...]:
        while self.process.jobs:
            self.process.work()
        return self.sender.end()

    def stopped(self, call: Call) -> Skipped | None:
        return self.sender.stopped(call)
