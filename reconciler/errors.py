"""Every expected failure and its exit code.

Failure                     1   an environment that does not answer: git, disk, network
├── UsageFailure            2   the command line asks for what there is not
├── InvalidInput            3   manifests, config or state are invalid; carries every problem
├── NotHere                 1   this clone does not have a part of the history
├── ForgeFailure            1   GitHub or GitLab gives no usable answer: what hangs on it is held
│   ├── ForgeUnreachable    1   and will give none, whatever it is asked
│   └── CommitUnknown       1   it has no such commit
└── Stale                   8   the saved plan, the checkout or the race for the state branch is lost
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Severity = Literal["error", "warning"]


class ExitCode(IntEnum):
    """What the process says when it ends; where several apply, the highest wins."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    INVALID = 3
    PENDING = 4
    HELD = 5
    NOT_TRIGGERED = 6
    IN_DOUBT = 7
    STALE = 8


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and the way out.

    `file` is relative to the root ("" for none), `line` and `column` count from 1 (0 for the whole file),
    `path` is the value's place inside the document, such as `spec.requests[1].timeRange`. Problems sort by place; those
    of one value stay in the order in which they were found.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str
    severity: Severity = "error"

    def __lt__(self, other: Problem) -> bool:
        return self._place < other._place

    @property
    def _place(self) -> tuple[str, int, int, str, str]:
        return self.file, self.line, self.column, self.path, "" if self.line else self.message


class Failure(Exception):
    """An expected failure: what is wrong, and the way out."""

    code: ExitCode = ExitCode.UNEXPECTED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageFailure(Failure):
    """The command line asks for something that does not exist."""

    code = ExitCode.USAGE


class InvalidInput(Failure):
    """Manifests, config or state are invalid. `problems` holds all of them, warnings included."""

    code = ExitCode.INVALID

    def __init__(self, message: str, hint: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, hint)
        self.problems = problems


class NotHere(Failure):
    """What is asked for lies in git's history, and this clone does not have that part of it."""


class ForgeFailure(Failure):
    """The forge, GitHub or GitLab, gives no usable answer: no token, no right to see it, a limit, the network."""


class ForgeUnreachable(ForgeFailure):
    """The forge does not answer, or not now, or not here: whatever else it is asked, it says the same."""


class CommitUnknown(ForgeFailure):
    """The forge has no such commit: it was not pushed."""


class Stale(Failure):
    """What was reviewed is no longer what would happen, or another run won the race for the state branch."""

    code = ExitCode.STALE
