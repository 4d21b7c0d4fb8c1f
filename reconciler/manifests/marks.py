"""A YAML document as plain values, beside it where each value and each key is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from reconciler.manifests.quoting import escaped

Value: TypeAlias = "str | list[Value] | dict[str, Value]"
"""What the loader makes of YAML: text, lists, mappings, and nothing else."""

Path = tuple[str | int, ...]
"""The way to a value inside a document: keys, and positions in lists from 0."""

_COLUMN_BITS = 21  # 1 MiB may be one line


@dataclass(slots=True)
class ListMarks:
    """Where a list starts, and the marks of its items."""

    at: int
    items: list[Mark]


@dataclass(slots=True)
class MapMarks:
    """Where a mapping starts, where its keys are, the marks of its values, and its last line, counted from 1."""

    at: int
    keys: dict[str, int]
    values: dict[str, Mark]
    last: int = 0


Mark: TypeAlias = int | ListMarks | MapMarks
"""The marks of a value; for a scalar it is the packed place alone."""


def pack(line: int, column: int, plain: bool) -> int:
    """Pack a place, counted from 0, and whether a scalar is written without quotes."""
    return (line << _COLUMN_BITS | column) << 1 | plain


def unpack(mark: Mark) -> tuple[int, int]:
    """Return line and column, counted from 1."""
    place = (mark if isinstance(mark, int) else mark.at) >> 1
    return (place >> _COLUMN_BITS) + 1, (place & ((1 << _COLUMN_BITS) - 1)) + 1


def is_plain(mark: Mark) -> bool:
    """Say whether the mark is of a scalar without quotes."""
    return isinstance(mark, int) and bool(mark & 1)


class Places(Protocol):
    """A document that knows where its values are written."""

    @property
    def file(self) -> str: ...

    def place(self, path: Path) -> tuple[int, int]:
        """Return line and column of the value at `path`, or of the nearest value around it where there is none."""

    def span(self, path: Path) -> tuple[int, int, int]:
        """Return line and column of the value at `path`, and its last line."""


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a file."""

    file: str
    value: Value
    marks: Mark

    def mark(self, path: Path) -> Mark:
        """Return the marks of the value at `path`, or of the nearest value around it where there is none."""
        mark = self.marks
        for step in path:
            if isinstance(mark, MapMarks) and step in mark.values:
                mark = mark.values[str(step)]
            elif isinstance(mark, ListMarks) and isinstance(step, int) and step < len(mark.items):
                mark = mark.items[step]
            else:
                break
        return mark

    def place(self, path: Path) -> tuple[int, int]:
        """Return line and column of the value at `path`."""
        return unpack(self.mark(path))

    def last_line(self, path: Path) -> int:
        """Return the last line of the mapping at `path`: comments and empty lines after it are not part of it."""
        mark = self.mark(path)
        return mark.last if isinstance(mark, MapMarks) else unpack(mark)[0]

    def span(self, path: Path) -> tuple[int, int, int]:
        """Return line and column of the value at `path`, and its last line."""
        return (*self.place(path), self.last_line(path))

    def key_place(self, path: Path, key: str) -> tuple[int, int]:
        """Return line and column of `key` in the mapping at `path`."""
        mark = self.mark(path)
        if isinstance(mark, MapMarks) and key in mark.keys:
            return unpack(mark.keys[key])
        return unpack(mark)


def render_path(path: Path) -> str:
    """Write a path as messages do: `spec.requests[1].timeRange.endTime`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{escaped(step, 40)}" if text else escaped(step, 40)
    return text
