"""All state files of a snapshot, read whole: every ledger, every pending file, and what is neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.change import Key
from reconciler.core.ledger import Coverage, Intent, Ledger
from reconciler.core.progress import SILENT, Progress, each
from reconciler.core.repeats import repeats
from reconciler.core.text import count
from reconciler.core.wallclock import render
from reconciler.errors import NotHere, Problem
from reconciler.state.compacted import Parts
from reconciler.state.fold_line import COMPACTED, WHOLE
from reconciler.state.json_lines import DamagedState, read_lines
from reconciler.state.ledger_file import read_file, read_ledger
from reconciler.state.snapshot import GitSnapshot, ledger_path

_NOWHERE = (
    "the history of the state branch has to hold them: find out who wrote this line, with git log -p on that branch, "
    "and put the file back as it was before"
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What the files of a snapshot hold, in ledgers that can be trusted, and every problem of theirs."""

    ledgers: int
    triggers: int
    intents: tuple[Intent, ...]
    problems: tuple[Problem, ...]
    unread: int = 0
    """How many ledgers stand for lines that are not in this clone."""


def verify_files(snapshot: GitSnapshot, progress: Progress = SILENT) -> Verified:
    """Read every state file. A file that cannot be trusted is a problem, and does not hide the others."""
    ledgers: dict[str, Ledger] = {}
    unread: dict[str, NotHere] = {}
    triggers = 0
    intents: list[Intent] = []
    problems: list[Problem] = []
    with each(progress, "verifying", sorted(snapshot.paths), "state file") as paths:
        for path in paths:
            try:
                if path.startswith(f"{snapshot.folder}/pending/"):
                    intents += snapshot.intents_of(path)
                elif path.removeprefix(f"{snapshot.folder}/").count("/") == 1 and path.endswith(".jsonl"):
                    parts, key = _parts(snapshot, path)
                    ledger = _ledger(snapshot, parts, path, key)
                    if isinstance(ledger, NotHere):
                        unread[path] = ledger
                    else:
                        ledgers[path] = ledger
                        problems += _repeats(snapshot, path, ledger)
                    triggers += parts.total
                else:
                    problems.append(_stranger(snapshot, path))
            except DamagedState as damage:
                problems.append(damage.problem)
    problems += _unread(snapshot, unread)
    problems += [damage.problem for path, damage in snapshot.shrunk.items() if path not in snapshot.paths]
    problems += _uncovered(snapshot, ledgers)
    return Verified(len(ledgers) + len(unread), triggers, tuple(intents), tuple(problems), len(unread))


def _parts(snapshot: GitSnapshot, path: str) -> tuple[Parts, Key]:
    """Take the ledger at a path apart, whichever table it says it is of; the path has to be that table's."""
    short = snapshot.short(path)
    data = snapshot.content(path) or b""
    (_, header), *_ = read_lines(short, data, (WHOLE, COMPACTED))
    target, table = header.get("target"), header.get("tableName")
    if not isinstance(target, str) or not isinstance(table, str):
        raise DamagedState(short, 1, "its first line names no target and table")
    if ledger_path(snapshot.folder, (target, table)) != path:
        raise DamagedState(short, 1, f"its first line names the table {table} on {target}, and its path another")
    if path in snapshot.shrunk:
        raise snapshot.shrunk[path]
    read_file(short, data, target, table)
    return Parts.of(short, data), (target, table)


def _ledger(snapshot: GitSnapshot, parts: Parts, path: str, key: Key) -> Ledger | NotHere:
    """Read each line of a ledger, whatever was known before: of those that are folded, what git has of them."""
    try:
        data = snapshot.whole(path)
    except NotHere as failure:
        return failure
    ledger = read_ledger(parts.path, data, *key)
    if parts.fold:
        covers = parts.fold.covers
        if Coverage.of(ledger.triggers[: covers.lines], covers.head) != covers:
            raise DamagedState(parts.path, 2, "it does not say what the lines cover that it stands for")
    return ledger


def _unread(snapshot: GitSnapshot, unread: Mapping[str, NotHere]) -> Iterator[Problem]:
    """Yield that folded lines could not be compared with what they were: one problem, however many ledgers.

    A shallow clone may lack them; any other has them, or they never were.
    """
    shallow = bool(snapshot.details.git.shallow_ends())
    for path, failure in list(unread.items())[:1]:
        more = f"; so it is with {count(len(unread) - 1, 'more ledger')}" if len(unread) > 1 else ""
        yield Problem(
            file=snapshot.short(path),
            line=2,
            column=1,
            path="",
            message=f"the lines that it stands for are not in this clone, and were not verified{more}",
            hint=failure.hint.splitlines()[0] if shallow else _NOWHERE,
            severity="warning" if shallow else "error",
        )


def _repeats(snapshot: GitSnapshot, path: str, ledger: Ledger) -> Iterator[Problem]:
    found = list(repeats(ledger))
    if found:
        first, second = found[0].first + 2, found[0].second + 2  # line 1 is the header
        instant = render(found[0].window[0])
        yield Problem(
            file=snapshot.short(path),
            line=second,
            column=1,
            path="",
            message=f"this line and line {first} both triggered {instant}, and no rerun asked for it"
            + (f"; {count(len(found), 'such overlap')} in this ledger" if len(found) > 1 else ""),
            hint=f"see who made them: reconciler history {ledger.table} --at '{instant}'",
            severity="warning",
        )


def _uncovered(snapshot: GitSnapshot, ledgers: Mapping[str, Ledger]) -> Iterator[Problem]:
    """Yield the lines that are covered by a call which its own table's ledger does not have: they come together.

    Of a ledger that is there and cannot be trusted, or not be read whole, nothing is said here.
    """
    made = {(path, line.run, line.id) for path, ledger in ledgers.items() for line in ledger.triggers}
    for path, ledger in ledgers.items():
        for number, line in enumerate(ledger.triggers, 2):  # line 1 is the header
            by = line.covered_by
            above = ledger_path(snapshot.folder, (ledger.target, by.table)) if by else path
            damaged = above in snapshot.paths and above not in ledgers
            if by and not damaged and (above, line.run, by.id) not in made:
                yield Problem(
                    file=snapshot.short(path),
                    line=number,
                    column=1,
                    path="",
                    message=f"this line is covered by call {by.id} of {by.table}, of which that ledger says nothing",
                    hint=f"both lines were written in one commit: see `git log -p -- '*{above}'` on the state branch, "
                    "and put that file back as it was, with what came after at its end",
                )


def _stranger(snapshot: GitSnapshot, path: str) -> Problem:
    return Problem(
        file=snapshot.short(path),
        line=0,
        column=0,
        path="",
        message="this is no file of the reconciler's",
        hint="it is read by nobody; remove it from the state branch if you did not put it there",
        severity="warning",
    )
