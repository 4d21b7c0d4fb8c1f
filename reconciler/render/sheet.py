"""What Markdown is made of: a plan with all that a reviewer should see beside it, and how much of it finds room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.core.call import Call
from reconciler.core.change import Key
from reconciler.core.ledger import Trigger
from reconciler.core.plan import Plan
from reconciler.core.request import Request
from reconciler.core.timeline import Standing
from reconciler.errors import Problem

ROOM = 60_000
"""Bytes of UTF-8 that a comment may take: GitHub refuses more than 65,536 characters, and a caller adds a mark."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A plan, and what a reviewer should see beside it.

    `requests` has every declared request by its key. `before` has, by the id of a call that bears rerun tokens, what
    the ledger says was triggered there before, oldest first. `problems` are warnings of manifests and errors of state
    that stop single tables. `guards` says what this branch lowers, a sentence each. `base` names what the branch is
    compared with, where only what it adds is shown. `live` are the runs under way. `pulls` has, by a request's key, the
    pull requests by which it was approved. `standings` are those of the tables that have calls.
    """

    plan: Plan
    requests: Mapping[str, Request]
    before: Mapping[str, tuple[Trigger, ...]]
    problems: tuple[Problem, ...] = ()
    guards: tuple[str, ...] = ()
    base: str | None = None
    live: frozenset[str] = frozenset()
    pulls: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    standings: Mapping[Key, Standing] = field(default_factory=dict)

    def asked(self, call: Call) -> tuple[Request, ...]:
        """Return the requests that a call satisfies, as far as they are declared."""
        return tuple(self.requests[key] for key in call.requests if key in self.requests)


def size(text: str) -> int:
    """Return the bytes that a text takes with the blank line after it; none where there is no text."""
    return len(text.encode()) + 2 if text else 0


def fitting(lines: Iterable[str], room: int) -> list[str]:
    """Return the lines from the front that `room` bytes hold. No line after the first that does not fit is made."""
    taken: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        taken.append(line)
    return taken


def joined(*blocks: str) -> str:
    """Return the blocks that are not empty, a blank line between them: Markdown keeps them apart."""
    return "\n\n".join(block for block in blocks if block) + "\n"
