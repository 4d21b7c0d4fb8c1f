"""Lists and mappings while they are being read, and where in the text the parser's events lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifests.marks import ListMarks, MapMarks, Mark, Value, pack

if TYPE_CHECKING:
    import yaml
    from yaml.events import CollectionEndEvent

DROPPED = "(dropped)"  # compared by identity: the key of a value that is read and forgotten


class OpenList:
    """A list that is being read."""

    __slots__ = ("marks", "value")

    def __init__(self, at: int) -> None:
        self.value: list[Value] = []
        self.marks = ListMarks(at, [])

    def take(self, value: Value, mark: Mark) -> None:
        self.value.append(value)
        self.marks.items.append(mark)


class OpenMapping:
    """A mapping that is being read; `key` is None while the next event is a key."""

    __slots__ = ("key", "marks", "value")

    def __init__(self, at: int) -> None:
        self.value: dict[str, Value] = {}
        self.marks = MapMarks(at, {}, {})
        self.key: str | None = None

    def take(self, value: Value, mark: Mark) -> None:
        key, self.key = self.key, None
        if key is not None and key is not DROPPED:
            self.value[key] = value
            self.marks.values[key] = mark


def start_of(event: yaml.Event) -> int:
    """Return the packed place where an event starts."""
    mark = event.start_mark
    return pack(mark.line, mark.column, False) if mark is not None else 0


def is_bracket(event: CollectionEndEvent) -> bool:
    """Say whether a bracket ends the collection; where only indentation does, nothing of it is on that line."""
    start, end = event.start_mark, event.end_mark
    return start is not None and end is not None and start.index < end.index


def last_line(event: yaml.Event | None) -> int:
    """Return the line, counted from 1, that holds the end of a scalar or a bracket."""
    mark = event.end_mark if event is not None else None
    if mark is None:
        return 0
    return mark.line if mark.column == 0 else mark.line + 1  # a block scalar ends where the next line begins
