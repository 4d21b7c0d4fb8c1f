"""Ledger files: what is written is read back, and no damage passes for anything else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.core.call import Range
from reconciler.core.ledger import CoveredBy
from reconciler.state.json_lines import DamagedState
from reconciler.state.ledger_file import append, is_shortened, ledger_name, read_ledger, table_named
from tests.state.records import TABLE, TARGET, hours, points, trigger

pytestmark = pytest.mark.claim("damaged and tampered state: noticed, with file and line")

TRIGGERS = (trigger(hours(1, 2)), trigger(points(4, 5)), trigger(Range(hours(7, 8).window, "exclusive")))
FILE = append(None, TARGET, TABLE, TRIGGERS)
LINES = FILE.split(b"\n")[:-1]


def read(data: bytes) -> tuple[object, ...]:
    return tuple(read_ledger("p", data, TARGET, TABLE).triggers)


def place(data: bytes) -> int:
    """Return the line at which a damaged file is found out."""
    with pytest.raises(DamagedState) as damage:
        read(data)
    assert damage.value.problem.file == "p"
    return damage.value.problem.line


def joined(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def test_what_is_written_is_read_back() -> None:
    assert read(FILE) == TRIGGERS


def test_lines_appended_one_by_one_make_the_same_file() -> None:
    data = None
    for each in TRIGGERS:
        data = append(data, TARGET, TABLE, [each])
    assert data == FILE


def test_a_line_has_the_documented_fields_and_only_an_exclusive_range_says_so() -> None:
    header, first, second, third = map(json.loads, LINES)
    assert header == {"version": 1, "target": TARGET, "tableName": TABLE}
    common = ["rerun", "requests", "approvedBy", "traceId", "triggeredAt", "run", "commit", "prev"]
    assert list(first) == ["id", "method", "startTime", "endTime", *common]
    assert list(second) == ["id", "method", "scheduleTimes", *common]
    assert list(third) == ["id", "method", "startTime", "endTime", "rangeEnd", *common]


COVERED = replace(TRIGGERS[1], covered_by=CoveredBy("c.d.ABOVE", "0123456789abcdef"))
COVERED_FILE = append(FILE, TARGET, TABLE, [COVERED])


def test_a_covered_line_says_by_which_call_and_leaves_the_lines_before_as_they_are() -> None:
    assert read(COVERED_FILE) == (*TRIGGERS, COVERED)
    assert COVERED_FILE.startswith(FILE)
    assert b"coveredBy" not in FILE
    line = json.loads(COVERED_FILE.split(b"\n")[-2])
    assert line["coveredBy"] == {"tableName": "c.d.ABOVE", "id": "0123456789abcdef"}
    assert list(line)[-3:] == ["commit", "coveredBy", "prev"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"tableName":"c.d.ABOVE","id":"0123456789abcdef"}', b"null"),
        (b'{"tableName":"c.d.ABOVE","id":"0123456789abcdef"}', b"{}"),
        (b'{"tableName":"c.d.ABOVE",', b"{"),
        (b'"id":"0123456789abcdef"}', b'"id":1}'),
        (b'"id":"0123456789abcdef"}', b'"id":"0123456789abcdef","run":"x"}'),
        (b'"c.d.ABOVE"', b'"c.d.T"'),
        (b'"c.d.ABOVE"', b"null"),
    ],
)
def test_a_covered_line_that_names_no_call_of_another_table_is_found_out(old: bytes, new: bytes) -> None:
    damaged = COVERED_FILE.replace(old, new, 1)
    assert damaged != COVERED_FILE
    assert place(damaged) == 5


def test_an_edited_line_is_found_out_by_the_next() -> None:
    assert place(FILE.replace(b"01:00:00", b"00:00:00", 1)) == 3


def test_lines_removed_added_or_reordered_are_found_out() -> None:
    header, first, second, third = LINES
    assert place(joined(header, second, third)) == 2
    assert place(joined(header, first, third)) == 3
    assert place(joined(header, second, first, third)) == 2
    assert place(joined(header, first, first, second, third)) == 3


@pytest.mark.parametrize("cut", range(1, len(LINES[-1]) + 1))
def test_a_last_line_that_is_cut_short_is_found_out(cut: int) -> None:
    assert place(FILE[:-cut]) == 4


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("marker", [b"<<<<<<< HEAD", b"=======", b">>>>>>> theirs"])
def test_conflict_markers_are_found_out(at: int, marker: bytes) -> None:
    lines = [*LINES[: at - 1], marker, *LINES[at - 1 :]]
    assert place(joined(*lines)) == at


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"\n", b"\r\n", 1),
        (b'"version":1', b'"version":2', 2),
        (b'"version":1', b'"version":3', 1),
        (b'"version":1', b'"version":true', 1),
        (b'"version":1', b'"version":1.0', 1),
        (b'"target":"prod"', b'"target":"test"', 1),
        (b'"tableName":"c.d.T"', b'"tableName":"c.d.t"', 1),
        (b'{"id":', b'{"run":"x","id":', 2),
        (b'"rerun":[]', b'"rerun":null', 2),
        (b'"rerun":[]', b'"rerun": []', 2),
        (b'"traceId":"fbb0.1"', b'"traceId":1', 2),
        (b'"traceId":"fbb0.1",', b'"traceId":"fbb0.1","note":"x",', 2),
        (b"2026-01-20 01:00:00", b"2026-01-20 25:00:00", 2),
        (b'"method":"scheduleTimeRange"', b'"method":"scheduleTime"', 2),
        (b'"rangeEnd":"exclusive"', b'"rangeEnd":"inclusive"', 4),
        (b'"traceId":"fbb0.1"', b'"traceId":NaN', 2),
        (b'"run":', b'"\xff":', 2),
    ],
)
def test_a_value_that_was_changed_is_found_out_where_it_stands(old: bytes, new: bytes, line: int) -> None:
    damaged = FILE.replace(old, new) if old == b"\n" else FILE.replace(old, new, 1)
    assert damaged != FILE
    assert place(damaged) == line


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n", b"[]\n", b"{}\n", b"null\n", b"{" * 100_000 + b"\n"])
def test_what_is_no_ledger_is_never_read_as_an_empty_one(data: bytes) -> None:
    assert place(data) == 1


def test_a_file_has_the_tables_own_name_where_file_systems_take_it() -> None:
    assert ledger_name("c.d.`T`") == "c.d.`T`.jsonl"
    long = [ledger_name("é" * 120 + end) for end in ("a", "b")]
    assert len(set(long)) == 2
    assert all(len(name.encode()) <= 255 for name in long)


def test_a_shortened_name_is_told_whole_by_the_files_first_line() -> None:
    table = "é" * 120
    file = ledger_name(table)
    assert is_shortened(file)
    assert not is_shortened(ledger_name("c.d.`T`"))
    assert table_named(file, append(None, TARGET, table, ())) == table


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]\n",
        b"{",
        b'{"tableName":1}\n',
        b'{"tableName":"another"}\n',
        b"\xff\n",
        b"[" * 200_000,
        b'{"tableName":"\\ud800"}\n',
    ],
)
def test_where_the_first_line_says_something_else_the_file_name_has_to_do(data: bytes) -> None:
    file = ledger_name("é" * 120)
    assert table_named(file, data) == file.removesuffix(".jsonl")
