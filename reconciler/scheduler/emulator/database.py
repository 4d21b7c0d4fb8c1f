"""What ran, and every call: one SQLite database, safe to use from several threads and processes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from threading import Lock
from typing import Any

from reconciler.core.wallclock import LAST, render
from reconciler.errors import Failure
from reconciler.scheduler.emulator.rows import CallRow, Cell, Instance, TableRow, Totals

# "rcne" in ASCII: how a database of the emulator is told from any other.
_APPLICATION = 0x72636E65
_VERSION = 1
_BUSY_SECONDS = 20.0

_SCHEMA = (
    """CREATE TABLE instances (
        table_name TEXT NOT NULL, tenant TEXT NOT NULL, schedule_time TEXT NOT NULL,
        runs INTEGER NOT NULL, first_run_at TEXT NOT NULL, last_run_at TEXT NOT NULL, trace_id TEXT NOT NULL,
        PRIMARY KEY (table_name, tenant, schedule_time)) WITHOUT ROWID""",
    """CREATE TABLE calls (
        digest TEXT NOT NULL, received_at TEXT NOT NULL, method TEXT NOT NULL, tenant TEXT NOT NULL,
        table_name TEXT NOT NULL, body TEXT NOT NULL, trace_id TEXT NOT NULL, answer TEXT NOT NULL,
        reason TEXT NOT NULL, instances INTEGER NOT NULL, id INTEGER PRIMARY KEY)""",
    "CREATE INDEX calls_digest ON calls (digest)",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
)

# The columns are the fields of CallRow and Instance, in their order.
_CALL = "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
_RUN = """INSERT INTO instances VALUES (?, ?, ?, 1, ?, ?, ?)
    ON CONFLICT DO UPDATE SET runs = runs + 1, last_run_at = excluded.last_run_at, trace_id = excluded.trace_id"""

_TABLES = """SELECT table_name, tenant, count(*), sum(runs), sum(runs > 1), max(last_run_at), min(schedule_time),
    max(schedule_time) FROM instances"""

_CELLS = """SELECT number, min(schedule_time), max(schedule_time), count(*), max(runs) FROM parts CROSS JOIN instances
    ON table_name = ? AND tenant = ? AND schedule_time >= first AND schedule_time < next
    GROUP BY number ORDER BY number"""


class Database:
    """One file, or memory where `path` is None. A file that is missing is made; its folder must exist.

    Raises Failure where the file cannot be opened or is not a database of the emulator; it is then left as it was.
    Close it when done.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = Lock()
        where = "its memory database" if path is None else str(path)
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise _unusable(where, str(error)) from None
        try:
            self._prepare(where)
        except BaseException as error:
            self._connection.close()
            if isinstance(error, sqlite3.Error):
                raise _unusable(where, str(error)) from None
            raise

    def _prepare(self, where: str) -> None:
        with self._transaction():
            application, version, objects = (
                self._number("PRAGMA application_id"),
                self._number("PRAGMA user_version"),
                self._number("SELECT count(*) FROM sqlite_master"),
            )
            if (application, version, objects) == (0, 0, 0):
                for statement in _SCHEMA:
                    self._connection.execute(statement)
            elif application != _APPLICATION:
                raise _unusable(where, "it is another program's database")
            elif version != _VERSION:
                raise _unusable(where, f"its version is {version}, this emulator reads {_VERSION}")
        # After the check only: the switch to WAL is written into the file, and a foreign file is not ours to change.
        self._use_wal()
        self._connection.execute("PRAGMA synchronous = FULL")

    def _use_wal(self) -> None:
        # SQLite waits for every other lock by itself, not for this one, and others may open a new file just now.
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def record(self, call: CallRow, digest: str, instants: Sequence[int]) -> None:
        """Write a call and run its instants (wall-clock seconds), all or nothing; durable on return."""
        at = call.received_at
        with self._transaction():
            self._connection.execute(_CALL, (digest, *astuple(call)[:-1]))
            self._connection.executemany(
                _RUN, ((call.table, call.tenant, render(time), at, at, call.trace_id) for time in instants)
            )

    def instances(self, table: str | None = None, limit: int = -1, offset: int = 0) -> tuple[Instance, ...]:
        """Return instances by table, tenant and time: of one table or of all. A negative limit is none."""
        which = "" if table is None else "WHERE table_name = ?"
        rows = self._rows(
            f"SELECT * FROM instances {which} ORDER BY table_name, tenant, schedule_time LIMIT ? OFFSET ?",  # noqa: S608
            (limit, offset) if table is None else (table, limit, offset),
        )
        return tuple(Instance(*row) for row in rows)

    def calls(self) -> tuple[CallRow, ...]:
        """Return all calls, the oldest first."""
        return self.latest_calls(-1)[::-1]

    def latest_calls(self, limit: int) -> tuple[CallRow, ...]:
        """Return the last calls, the newest first. A negative limit is none."""
        rows = self._rows(
            "SELECT * FROM calls ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return tuple(CallRow(*row[1:]) for row in rows)

    def runs(self, table: str, time: str) -> int:
        """Return how often a table's instance ran, 0 for never. `time` is as the vendor writes it."""
        return sum(
            row[0]
            for row in self._rows(
                "SELECT runs FROM instances WHERE table_name = ? AND schedule_time = ?", (table, time)
            )
        )

    def version(self) -> int:
        """Return a number that changes with all that pages show: what runs is recorded together with its call."""
        return int(self._rows("SELECT coalesce(max(id), 0) FROM calls")[0][0])

    def totals(self) -> Totals:
        """Return the totals of all tables together."""
        (row,) = self._rows(
            """SELECT (SELECT count(*) FROM calls), count(DISTINCT table_name || char(0) || tenant), count(*),
            coalesce(sum(runs), 0), coalesce(sum(runs > 1), 0) FROM instances"""
        )
        return Totals(*row)

    def tables(self, limit: int = -1, offset: int = 0) -> tuple[TableRow, ...]:
        """Return the totals of tables, by name and tenant. A negative limit is none."""
        rows = self._rows(
            f"{_TABLES} GROUP BY table_name, tenant ORDER BY table_name, tenant LIMIT ? OFFSET ?", (limit, offset)
        )
        return tuple(TableRow(*row) for row in rows)

    def table(self, name: str) -> tuple[TableRow, ...]:
        """Return the totals of one table, by tenant."""
        rows = self._rows(f"{_TABLES} WHERE table_name = ? GROUP BY table_name, tenant ORDER BY tenant", (name,))
        return tuple(TableRow(*row) for row in rows)

    def cells(self, tables: Sequence[TableRow], window: tuple[int, int], cells: int) -> tuple[Cell, ...]:
        """Return where instances are, on so many cells of a window of wall-clock seconds, by table, tenant and cell.

        Cells without an instance are left out. Each is looked up on its own: many times faster than to sort by cell.
        """
        start, length = window[0], window[1] - window[0]
        edges = [_edge(start - number * -length // cells) for number in range(cells + 1)]
        parts = tuple(value for number in range(cells) for value in (number, edges[number], edges[number + 1]))
        query = f"WITH parts (number, first, next) AS (VALUES {', '.join(['(?, ?, ?)'] * cells)}) {_CELLS}"
        return tuple(
            Cell(table.table, table.tenant, *row)
            for table in tables
            for row in self._rows(query, (*parts, table.table, table.tenant))
        )

    def answers(self) -> tuple[tuple[str, int], ...]:
        """Return how many calls had each answer, by its name."""
        rows = self._rows("SELECT answer, count(*) FROM calls GROUP BY answer ORDER BY answer")
        return tuple((str(answer), int(count)) for answer, count in rows)

    def attempts(self, digest: str) -> int:
        """Return how many calls of this digest were recorded."""
        return int(self._rows("SELECT count(*) FROM calls WHERE digest = ?", (digest,))[0][0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])


def _unusable(where: str, reason: str) -> Failure:
    return Failure(
        f"the emulator cannot use {where}: {reason}",
        "name a file that does not exist yet, in a folder that does, or one that an emulator made",
    )


def _edge(second: int) -> str:
    return render(second) if second <= LAST else ":"  # which sorts after every time
