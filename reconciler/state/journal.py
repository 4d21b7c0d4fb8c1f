"""The journal of a run: a line before and after each POST, synced to disk, under a lock while the run lives.

What a dead run's journal says settles its intents on the same machine: a call without a `sending` line was never
made, since that line is on disk before the request leaves.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.core.call import canonical
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.settlement import Event, JournalReading, Sending
from reconciler.errors import Failure, InvalidInput
from reconciler.state.durable_lines import DurableLines

_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")
_KEPT_DAYS = 30
_ENDED = canonical({"event": "ended"}).encode()


def is_run(text: str) -> bool:
    """Say whether `text` is a run's name, and so safe as a file's."""
    return _RUN.fullmatch(text) is not None


class Journal:
    """The journal of the run that is under way in this process. Safe to use from several threads."""

    def __init__(self, folder: Path, run: str, started_at: str) -> None:
        """Create and lock the journal of `run`. Raises Failure where the disk does not take it."""
        self.path = folder / f"{run}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
            self._lines = DurableLines(self._file)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            inode = os.fstat(self._file).st_ino
            self._append({"version": 1, "run": run, "startedAt": started_at, "pid": os.getpid(), "inode": inode})
            _sync_folder(folder)
        except OSError as error:
            raise Failure(
                f"the journal {self.path} cannot be written: {error.strerror}",
                "no call was made; see that the folder is one, that you may write there, and that the disk has space",
            ) from None

    def sending(self, call_id: str, at: str) -> None:
        """Make durable that a call is about to be made. Raises OSError where it cannot: the call must not be made."""
        self._append({"event": "sending", "id": call_id, "at": at})

    def outcome(self, call_id: str, outcome: Outcome, at: str) -> None:
        """Make durable what became of a call. Raises OSError where it cannot."""
        self._append({"event": "outcome", "id": call_id, "at": at, **_outcome_fields(outcome)})

    def _append(self, event: Mapping[str, object]) -> None:
        self._lines.append((canonical(event) + "\n").encode())

    def close(self, *, keep: bool) -> None:
        """End the run in order: the lock goes, and with `keep` False the file too, since git knows all that it says.

        A file that cannot be removed does no harm, and must not hide what the run has to tell.
        """
        if not keep:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        elif not self._lines.broken:
            with suppress(OSError):  # the line is a help for copies of the file, and proves nothing by its absence
                self._append({"event": "ended"})
        os.close(self._file)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _outcome_fields(outcome: Outcome) -> dict[str, object]:
    match outcome:
        case Triggered(trace_id):
            return {"outcome": "triggered", "traceId": trace_id}
        case Rejected(error, trace_id):
            return {"outcome": "rejected", "error": error, "traceId": trace_id}
        case NotSent(error):
            return {"outcome": "notSent", "error": error}
        case Unknown(error):
            return {"outcome": "unknown", "error": error}


def read_journals(folder: Path) -> Iterator[JournalReading]:
    """Yield what the journals of this clone say, oldest run first; those of runs that live are marked so.

    A journal that was copied here, with its clone perhaps while the run went on, proves nothing: it is left out.
    Raises InvalidInput where a journal is damaged anywhere but in its last line, which a crash may cut short.
    """
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        if is_run(path.stem):
            with suppress(FileNotFoundError):  # its run ended just now, and took it along
                reading, original = _read(path)
                if original:
                    yield reading


def read_journal(path: Path) -> JournalReading:
    """Read one journal, a copy too. Raises InvalidInput where it is none, or damaged before its last line."""
    try:
        return _read(path)[0]
    except OSError as error:
        raise InvalidInput(f"{path}: the journal cannot be read: {error.strerror}", "check the path") from None


def _read(path: Path) -> tuple[JournalReading, bool]:
    """Return what a journal says, and whether it is the very file that its run wrote, and no copy."""
    with path.open("rb") as file:
        data = file.read()
        live = _is_locked(file.fileno())  # after reading: a run that began meanwhile holds its lock by now
        inode = os.fstat(file.fileno()).st_ino
    *lines, _ = data.split(b"\n")  # what follows the last newline was cut short by a crash: it was never synced
    ended = bool(lines) and lines[-1] == _ENDED
    lines = lines[:-1] if ended else lines
    events: dict[str, Event] = {}
    run: object = None
    original = False
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            if number == 1:
                run = value["run"] if value["version"] == 1 else None
                original = value["inode"] == inode
            else:
                events[value["id"]] = _event(value)
        except (ValueError, KeyError, TypeError):
            raise _damaged(path, number) from None
    if lines and not (isinstance(run, str) and is_run(run)):
        raise _damaged(path, 1)
    reading = JournalReading(run if isinstance(run, str) else path.stem, live, bool(lines), events, ended)
    return reading, original


def _damaged(path: Path, number: int) -> InvalidInput:
    return InvalidInput(
        f"{path}:{number}: this is not a line that a journal of the reconciler holds",
        "if it lies in the clone's journal folder, move it away: what it would have settled stays in doubt until "
        "`reconciler resolve ID --as ...`; for --journal, give the file that the run left",
    )


def _event(value: Mapping[str, str]) -> Event:
    return Event(value["at"], Sending() if value["event"] == "sending" else _outcome(value))


def _outcome(value: Mapping[str, str]) -> Outcome:
    match value["outcome"]:
        case "triggered":
            return Triggered(value["traceId"])
        case "rejected":
            return Rejected(value["error"], value["traceId"])
        case "notSent":
            return NotSent(value["error"])
        case "unknown":
            return Unknown(value["error"])
        case _:
            raise ValueError("unknown outcome")


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def prune_journals(folder: Path, in_doubt: frozenset[str]) -> None:
    """Remove journals that nobody needs: of runs with nothing in doubt, untouched for a month.

    Not sooner: an intent whose push looked lost may still land, and then its journal says that no call was made.
    """
    oldest = time.time() - _KEPT_DAYS * 86_400
    for path in folder.glob("*.jsonl") if folder.is_dir() else ():
        with suppress(OSError):
            if is_run(path.stem) and path.stem not in in_doubt and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
