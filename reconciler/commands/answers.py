"""Plans that were shown before, shown again where nothing has changed that a plan depends on.

That is, and so it is made sure of:

- the options, the folder, the user, all of the environment, the terminal, Python and where it finds modules: the key;
- the bytes below the root, those that git ignores too; the index, the attributes that may turn bytes into others, where
  a shallow clone was cut: the files' times (`state/file_times.py`);
- HEAD, git's settings, the state's branch, what this clone has seen of it, its mark: git (`state/glance.py`);
- journals: there is none, before and after;
- the code of the tool and of all that it imported, and the time zones' data: the files' times;
- the clock: kept is only what no later moment changes, until a target's wall clock jumps, for a week at the most;
- reviews: kept is only a plan for which no forge was asked.

A plan of which anything else could be told is not kept, and where anything is unclear, it is made anew. An ordinary
plan would change nothing here: its only mark is where the state was seen, and that is where it stands.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reconciler.cache import Cache, key_of
from reconciler.state.file_times import Unclear, look_at
from reconciler.state.glance import Clone, Sight, StateAt, glance

if TYPE_CHECKING:
    from reconciler.commands.state import Gathered
    from reconciler.commands.terminal import Terminal

_WITHOUT_MEANING = frozenset({"_", "OLDPWD", "SHLVL"})
"""Variables that a shell changes with every command."""


class Asked(NamedTuple):
    """The options of a plan whose answer may be kept."""

    root: str
    format: str
    table: str | None
    target: str | None
    exit_code: bool


class Answer(NamedTuple):
    """What a plan said, and what that rests on. Times are in nanoseconds since 1970; `code` lists files by which
    the tool and the zones' data are known.
    """

    since: int
    until: int
    sight: str
    state: StateAt
    code: list[str]
    code_looks: str
    warnings: str
    result: str
    exit_code: int


class Answers:
    """The answers of one clone, and what there is to see of it now."""

    def __init__(self, clone: Clone, key: bytes, cache: Cache) -> None:
        self.clone = clone
        self._key = key
        self._cache = cache
        self._now = time.time_ns()
        self._sight: Sight | None = None

    @classmethod
    def to(cls, asked: Asked, terminal: Terminal) -> Answers | None:
        """Return the answers to a question; None where none is given again."""
        try:
            clone = Clone.of(asked.root)
            if clone.journals:
                return None
            cache = Cache(Path(clone.git, "reconciler", "cache", "answers"))
            return cls(clone, key_of(*(repr(part).encode() for part in _basis(asked, clone, terminal))), cache)
        except (Unclear, OSError, ValueError):
            return None

    def again(self, terminal: Terminal) -> int | None:
        """Give the answer that was given before, and return its exit code; None where something may have changed."""
        try:
            answer = self._kept()
            self._sight, in_place = glance(self.clone, answer.state if answer else None)
            if answer is None or not in_place or not self._holds(answer, self._sight):
                return None
        except (Unclear, OSError, ValueError, KeyError, TypeError, OverflowError):
            return None
        terminal.warning(answer.warnings)
        terminal.result(answer.result)
        return answer.exit_code

    def _kept(self) -> Answer | None:
        value = self._cache.get(self._key)
        if value is None:
            return None
        fields = json.loads(value)
        answer = Answer(**{**fields, "state": StateAt(**fields["state"])})
        return answer if answer.since <= self._now < answer.until else None

    def _holds(self, answer: Answer, sight: Sight) -> bool:
        same = answer.sight == sight.digest.hex() and answer.code_looks == look_at(answer.code).digest.hex()
        return same and not self.clone.journals

    def keep(self, found: Gathered, whole: bool, warnings: str, result: str, code: int) -> None:
        """Keep an answer where the next one would be the same as long as all that it rests on is."""
        from reconciler.commands.lasting import lasting

        sight, self._sight = self._sight, None
        if sight is None or sight.settled > self._now or self.clone.journals:
            return
        try:
            basis = lasting(found, self.clone, self._now, whole=whole)
            if basis is None:
                return
            looks = look_at(basis.code)
        except (Unclear, OSError, OverflowError):
            return
        if looks.settled > self._now:
            return
        answer = Answer(
            since=self._now,
            until=basis.until,
            sight=sight.digest.hex(),
            state=basis.state,
            code=list(basis.code),
            code_looks=looks.digest.hex(),
            warnings=warnings,
            result=result,
            exit_code=int(code),
        )
        fields = {**answer._asdict(), "state": basis.state._asdict()}
        self._cache.put(self._key, json.dumps(fields).encode())
        self._cache.save(whole=True)


def _basis(asked: Asked, clone: Clone, terminal: Terminal) -> tuple[object, ...]:
    """Return all that an answer depends on and that costs nothing to know."""
    environment = sorted(item for item in os.environ.items() if item[0] not in _WITHOUT_MEANING)
    python = (sys.version, sys.executable, sys.path, sys.flags, sys.warnoptions, __file__)
    streams = [(each.isatty(), each.encoding, each.errors) for each in (sys.stdout, sys.stderr)]
    shown = (terminal.verbose, terminal.quiet, terminal.coloured, terminal.columns, streams)
    return tuple(asked), tuple(clone), os.getcwd(), os.getuid(), environment, python, shown
