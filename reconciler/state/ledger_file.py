"""The ledger file of a table: a header, then one trigger a line, each line holding the hash of the one before."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.call import Method, RangeEnd, Span, read_span
from reconciler.core.ledger import Coverage, CoveredBy, Ledger, Trigger
from reconciler.state.fold_line import COMPACTED, WHOLE, Fold, header, read_fold
from reconciler.state.json_lines import (
    DamagedState,
    optional_text,
    read_lines,
    refuse_other_keys,
    text_field,
    texts_field,
    write_lines,
)

_SPAN_KEYS = frozenset({"method", "startTime", "endTime", "scheduleTimes", "rangeEnd"})
_KEYS = _SPAN_KEYS | {
    *("id", "rerun", "requests", "approvedBy", "traceId"),
    *("triggeredAt", "run", "commit", "coveredBy", "prev"),
}
_FORMS = {
    Method.RANGE: {"method", "startTime", "endTime"},
    Method.TIMES: {"method", "scheduleTimes"},
}
_LONGEST_NAME = 200
_SHORTENED = re.compile(r"~[0-9a-f]{32}\.jsonl\Z")


def ledger_name(table: str) -> str:
    """Return the file name of a table's ledger: the table's own name, shortened only where file systems need it."""
    name = table.encode()
    if len(name) <= _LONGEST_NAME:
        return f"{table}.jsonl"
    start = name[: _LONGEST_NAME - 50].decode("utf-8", "ignore")
    return f"{start}~{hashlib.sha256(name).hexdigest()[:32]}.jsonl"


def is_shortened(file: str) -> bool:
    """Say whether the file name of a ledger may be a shortened one: then its first line names the table."""
    return _SHORTENED.search(file) is not None


def table_named(file: str, data: bytes) -> str:
    """Return the table of a ledger by the name of its file, or by its first line where that name is shortened.

    What is no ledger's first line is not judged here: then the name of the file has to do.
    """
    try:
        header = json.loads(data.split(b"\n", 1)[0])
        table = header.get("tableName") if isinstance(header, dict) else None
        if isinstance(table, str) and ledger_name(table) == file:
            return table
    except (ValueError, RecursionError):  # half a character in a name is a ValueError too
        pass
    return file.removesuffix(".jsonl")


def read_span_fields(value: dict[str, object]) -> Span:
    """Read what `core.call.span_fields` wrote. Raises ValueError for anything else."""
    range_end: RangeEnd = "inclusive"
    if "rangeEnd" in value:
        if value["rangeEnd"] != "exclusive":
            raise ValueError("rangeEnd is not exclusive")
        range_end = "exclusive"
    span = read_span(value, range_end)
    keys = value.keys() & _SPAN_KEYS - {"rangeEnd"}
    if (
        value.get("method") != span.method
        or keys != _FORMS[span.method]
        or (range_end == "exclusive" and span.method is not Method.RANGE)
    ):
        raise ValueError("its method and its times do not fit together")
    return span


def append(data: bytes | None, target: str, table: str, triggers: Iterable[Trigger]) -> bytes:
    """Return the ledger file with triggers appended; None is a ledger that does not exist yet.

    `data` has to be a ledger that `read_file` accepts.
    """
    data = data or header(WHOLE, target, table)
    prev = head_of(data)
    lines = [data]
    for trigger in triggers:
        line = write_lines([{**trigger.fields(), "prev": prev}])
        prev = _digest(line.rstrip(b"\n"))
        lines.append(line)
    return b"".join(lines)


def head_of(data: bytes) -> str:
    """Return the SHA-256 of the last line of a ledger file, which the next line will hold."""
    return _digest(data.rstrip(b"\n").rsplit(b"\n", 1)[-1])


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """What a ledger file says: its lines, and what stands for those before them. None: there are none before them."""

    fold: Fold | None
    triggers: tuple[Trigger, ...]
    head: str

    @property
    def coverage(self) -> Coverage:
        """What all lines cover, those that are folded too."""
        before = self.fold.covers if self.fold else Coverage("", 0, ())
        return before.grown(self.triggers, self.head)


def read_ledger(path: str, data: bytes, target: str, table: str) -> Ledger:
    """Read a ledger file that has all its lines. Raises DamagedState, with file and line, where it has not."""
    file = read_file(path, data, target, table)
    if file.fold:
        raise DamagedState(path, COMPACTED, "lines are folded here, where all of them have to be")
    return Ledger(target, table, file.triggers, file.head)


def read_file(path: str, data: bytes, target: str, table: str) -> LedgerFile:
    """Read a ledger file. Raises DamagedState, with file and line, where any of it cannot be trusted."""
    (first, fields), *rest = read_lines(path, data, (WHOLE, COMPACTED))
    version = COMPACTED if fields["version"] == COMPACTED else WHOLE
    if first + b"\n" != header(version, target, table):
        raise DamagedState(path, 1, f"its first line does not name the table {table} on the target {target}")
    fold = None
    if version == COMPACTED:
        fold = _fold(path, first, [line for line, _ in rest])
        rest = rest[1:]
    prev = fold.covers.head if fold else _digest(first)
    triggers = []
    for number, (line, value) in enumerate(rest, 1 + version):
        try:
            triggers.append(_trigger(value, table))
        except ValueError as error:
            raise DamagedState(path, number, str(error)) from None
        if value["prev"] != prev:
            raise DamagedState(path, number, "the chain is broken: a line before it was edited, removed or added")
        prev = _digest(line)
    return LedgerFile(fold, tuple(triggers), prev)


def _fold(path: str, first: bytes, rest: list[bytes]) -> Fold:
    if len(rest) < 2:
        raise DamagedState(path, 2, "no line stands after those that are folded, or none says what these were")
    try:
        return read_fold(first + b"\n", rest[0])
    except ValueError as error:
        raise DamagedState(path, 2, str(error)) from None


def _trigger(value: dict[str, object], table: str) -> Trigger:
    refuse_other_keys(value, _KEYS)
    text_field(value, "prev")
    return Trigger(
        id=text_field(value, "id"),
        span=read_span_fields(value),
        rerun=texts_field(value, "rerun"),
        requests=texts_field(value, "requests"),
        approved_by=texts_field(value, "approvedBy"),
        trace_id=optional_text(value, "traceId"),
        triggered_at=text_field(value, "triggeredAt"),
        run=text_field(value, "run"),
        commit=text_field(value, "commit"),
        covered_by=_covered_by(value["coveredBy"], table) if "coveredBy" in value else None,
    )


def _covered_by(value: object, table: str) -> CoveredBy:
    if not isinstance(value, dict) or value.keys() != {"tableName", "id"}:
        raise ValueError("coveredBy does not name a table and a call")
    found = CoveredBy(text_field(value, "tableName"), text_field(value, "id"))
    if found.table == table:
        raise ValueError("coveredBy names the table itself")
    return found
