"""CSV or JSON Lines to rows of named values, each with the place where it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from reconciler.errors import Problem
from reconciler.manifests.quoting import listed, quoted
from reconciler.manifests.words import nearest

SEPARATOR = ";"
"""What stands between the times of one cell of CSV."""

# Possessive, so that a line that is no CSV is refused in one pass.
_CELL = re.compile(r' *+(?:"((?:[^"]++|"")*+)" *+|([^",]*+))(,|\Z)')
_SPAN_COLUMNS = "startTime and endTime, or scheduleTimes"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value: text, a list of texts, or whatever else JSON may hold. `column` counts from 1."""

    value: object
    column: int


@dataclass(frozen=True, slots=True)
class Row:
    """One call, as a line of the file has it. A field that is left empty is not among the cells."""

    line: int
    cells: Mapping[str, Cell]


Rows = Iterator[Row | Problem]
Reader = Callable[[str, str, Collection[str]], Rows]
"""Takes the file's name for problems, its text, and the fields that there are."""


def reader_of(name: str) -> Reader | None:
    """Return what reads a file of this name: CSV or JSON Lines, by its ending; None for any other."""
    lower = name.lower()
    if lower.endswith(".csv"):
        return read_csv
    return read_json_lines if lower.endswith((".jsonl", ".ndjson")) else None


def _problem(file: str, line: int, column: int, message: str, hint: str, path: str = "") -> Problem:
    return Problem(file, line, column, path, message, hint)


def read_csv(file: str, text: str, fields: Collection[str]) -> Rows:
    """Yield the rows below the header, in which columns may stand in any order. A row is one line.

    Blanks around a cell do not count; a line without any value is skipped. Where the header is wrong, nothing else is
    read.
    """
    lines = text.split("\n")
    header = _cells(lines[0].rstrip("\r"))
    if isinstance(header, int):
        yield _unreadable(file, 1, header)
        return
    names = [str(cell.value) for cell in header]
    wrong = list(_check_header(file, header, fields))
    yield from wrong
    if wrong:
        return
    for number, line in enumerate(lines[1:], 2):
        cells = _cells(line.rstrip("\r"))
        if isinstance(cells, int):
            yield _unreadable(file, number, cells)
        elif not any(cell.value for cell in cells):
            continue
        elif len(cells) != len(names):
            message = f"the line has {len(cells)} cells, the header {len(names)}"
            yield _problem(file, number, 1, message, "put a value that holds a comma into double quotes")
        else:
            filled = {name: cell for name, cell in zip(names, cells, strict=True) if cell.value}
            yield Row(number, {name: _listed(name, cell) for name, cell in filled.items()})


def _cells(line: str) -> list[Cell] | int:
    """Return the cells of a line, or the column from which on it is no CSV."""
    cells: list[Cell] = []
    at = 0
    while True:
        match = _CELL.match(line, at)
        if match is None:
            return at + 1
        inner, plain, end = match.groups()
        if inner is None:
            cells.append(Cell(plain.rstrip(" "), match.start(2) + 1))
        else:
            cells.append(Cell(inner.replace('""', '"'), match.start(1) + 1))
        if not end:
            return cells
        at = match.end()


def _listed(name: str, cell: Cell) -> Cell:
    if name != "scheduleTimes":
        return cell
    return Cell([time.strip(" ") for time in str(cell.value).split(SEPARATOR)], cell.column)


def _unreadable(file: str, line: int, column: int) -> Problem:
    hint = "put the whole value into double quotes, and write a double quote inside it twice"
    return _problem(file, line, column, "a double quote is not closed on its line, or stands inside a value", hint)


def _check_header(file: str, header: list[Cell], fields: Collection[str]) -> Iterator[Problem]:
    names = [str(cell.value) for cell in header]
    if not any(names):
        yield _problem(file, 1, 1, "the first line is empty", f"name the columns there: {listed(fields)}")
        return
    if len(names) == 1 and any(sign in names[0] for sign in ";\t"):
        yield _problem(file, 1, 1, "the columns are not separated by commas", "save the file as CSV with commas")
        return
    for at, cell in enumerate(header):
        name = names[at]
        if name not in fields:
            near = nearest(name, fields)
            hint = f"did you mean {near}? " if near else ""
            message = f"there is no column {quoted(name)}" if name else "a column has no name"
            yield _problem(file, 1, cell.column, message, f"{hint}columns are {listed(fields)}")
        elif name in names[:at]:
            yield _problem(file, 1, cell.column, f"the column {name} is there twice", "remove one of them")
    if set(names) <= set(fields) and "tableName" not in names:
        yield _problem(file, 1, 1, "the column tableName is missing", "add it: each call names its table")
    if set(names) <= set(fields) and not ({"startTime", "endTime"} <= set(names) or "scheduleTimes" in names):
        yield _problem(file, 1, 1, f"the columns {_SPAN_COLUMNS} are missing", "add them: each call names its times")


def read_json_lines(file: str, text: str, fields: Collection[str]) -> Rows:
    """Yield the objects, one a line; empty lines are skipped, and null is no value."""
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line.strip(" \t"):
            yield from _object(file, number, line, fields)


def _object(file: str, number: int, line: str, fields: Collection[str]) -> Rows:
    try:
        value = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        column = error.colno if isinstance(error, json.JSONDecodeError) else 1
        yield _problem(file, number, column, "the line is not JSON", "write one JSON object a line, as it was sent")
        return
    if not isinstance(value, dict):
        yield _problem(file, number, 1, "the line is not a JSON object", "write one JSON object a line, as it was sent")
        return
    cells: dict[str, Cell] = {}
    wrong = False
    for name, at, cell in _members(line):
        if name not in fields:
            near = nearest(name, fields)
            hint = f"did you mean {near}? " if near else ""
            yield _problem(file, number, at, f"there is no field {quoted(name)}", f"{hint}fields are {listed(fields)}")
            wrong = True
        elif name in cells:
            yield _problem(file, number, at, f"the field {name} is there twice", "remove one of them")
            wrong = True
        else:
            cells[name] = cell
    if not wrong:
        yield Row(number, {name: cell for name, cell in cells.items() if cell.value is not None})


def _members(line: str) -> Iterator[tuple[str, int, Cell]]:
    """Yield the name, its column, and the value of each member of a line that is known to be a JSON object."""
    at = _skip(line, line.index("{") + 1)
    while line[at] != "}":
        name, end = _DECODER.raw_decode(line, at)
        start = _skip(line, _skip(line, end) + 1)
        value, end = _DECODER.raw_decode(line, start)
        yield str(name), at + 1, Cell(value, start + 1)
        at = _skip(line, end)
        if line[at] == ",":
            at = _skip(line, at + 1)


def _skip(line: str, at: int) -> int:
    while line[at : at + 1] in (" ", "\t"):
        at += 1
    return at


def _refuse(name: str) -> object:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
