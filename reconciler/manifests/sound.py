"""The quick way to read a file that is in order: parser events straight to typed values, without marks.

It says nothing about a file that is not: whatever the strict reader (`yaml_text`) would refuse is left to that. So this
reader may give up too often, which only costs time, but never too seldom; a test holds it against the strict one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from reconciler.manifests.frames import is_bracket, last_line
from reconciler.manifests.marks import Path
from reconciler.manifests.text import hidden_character
from reconciler.manifests.typed import NULLS, Form, Typed, scalar
from reconciler.manifests.yaml_text import DEEPEST

if TYPE_CHECKING:
    from yaml import Mark

_ODD_KEYS = NULLS | {"<<"}
_IN_ENTRY = 4
"""How many lists and mappings are open in one of a manifest's requests."""
_ITEM = "(item)"  # compared by identity: the key while a list is being read
_TOLD = frozenset({_ITEM, "spec", "limits"})
"""The keys of those mappings whose place is told."""


class Sound:
    """A document whose text is in order: its typed value, and where some of its parts are written.

    `starts` are line and column of the mappings with the keys `spec` and `limits`, of the last where there are several.
    `entries` are line, column and last line of each mapping in a list of the third level: the requests of a manifest,
    where its shape is right.
    """

    __slots__ = ("entries", "starts", "value")

    def __init__(self) -> None:
        self.value: Typed = None
        self.starts: dict[str, tuple[int, int]] = {}
        self.entries: list[tuple[int, int, int]] = []

    def places(self) -> dict[Path, tuple[int, int, int]]:
        """Return line, column and last line of what a manifest's requests tell of, by path."""
        found: dict[Path, tuple[int, int, int]] = {
            ("spec", "requests", at): place for at, place in enumerate(self.entries)
        }
        if "spec" in self.starts:
            found["spec",] = (*self.starts["spec"], 0)
        if "limits" in self.starts:
            found["spec", "limits"] = (*self.starts["limits"], 0)
        return found


class _Left(Exception):
    """The file is left to the strict reader."""


def read_sound(text: str, form: Form) -> list[Sound]:
    """Return the documents of a file, none where its text might have a problem. `form` is that of its documents."""
    if not yaml.__with_libyaml__:
        return []
    reader = _Reader(text, form)
    try:
        reader.read()
    except (yaml.YAMLError, _Left):
        return []
    return reader.documents


class _Reader:
    """Takes the events of one file. What is open and innermost is `items` or `members`; `key` None: a key comes next.

    The form is that of the innermost, too.
    """

    __slots__ = (
        "decorated",
        "document",
        "documents",
        "escapes",
        "form",
        "items",
        "key",
        "last",
        "members",
        "open",
        "text",
        "whole",
    )

    def __init__(self, text: str, form: Form) -> None:
        self.text = text
        self.whole = form
        # What makes anchors, tags and characters that cannot be seen is looked for once: few files have it.
        self.decorated = "&" in text or "!" in text
        self.escapes = "\\" in text
        self.documents: list[Sound] = []
        self.document = Sound()
        self.items: list[Typed] = []
        self.members: dict[str, Typed] = {}
        self.key: str | None = _ITEM
        self.form = form
        self.open: list[tuple[list[Typed], dict[str, Typed], str | None, Form, bool | None]] = []
        self.last: Event | None = None

    def read(self) -> None:
        # The parser of `yaml.CLoader`, asked for its events without the two calls that `yaml.parse` makes for each.
        turns, unusual = _TURNS, self.decorated or self.escapes
        items, members, key, numbers = self.items, self.members, self.key, False
        for event in iter(yaml.CLoader(self.text).get_event, None):
            if type(event) is not ScalarEvent:
                self.key = key
                turns[type(event)](self, event)
                items, members, key, numbers = self.items, self.members, self.key, self.form.numbers
                continue
            if unusual:
                self._check(event)
            self.last = event
            value: Typed = event.value
            if key is None:
                key = event.value
                if key in members or key in _ODD_KEYS:
                    raise _Left
                continue
            if not event.style:
                value = None if value in NULLS else self._number(event.value, key) if numbers else value
            if key is _ITEM:
                items.append(value)
            else:
                members[key] = value
                key = None

    def _check(self, event: ScalarEvent) -> None:
        self._undecorated(event)
        if event.style == '"' and hidden_character(event.value) is not None:
            raise _Left

    def _undecorated(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        if event.anchor is not None or event.tag is not None:
            raise _Left

    def _number(self, text: str, key: str) -> Typed:
        return scalar(text, (self.form.item if key is _ITEM else self.form.member(key)).types)

    def mapping(self, event: MappingStartEvent) -> None:
        members: dict[str, Typed] = {}
        if self.key in _TOLD:
            self._tell(event, self.key)
        self._start(event, members)
        self.members, self.key = members, None

    def sequence(self, event: SequenceStartEvent) -> None:
        items: list[Typed] = []
        self._start(event, items)
        self.items, self.key = items, _ITEM

    def _tell(self, event: MappingStartEvent, key: str | None) -> None:
        mark = cast("Mark", event.start_mark)
        if key is not _ITEM:
            self.document.starts[cast("str", key)] = (mark.line + 1, mark.column + 1)
        elif len(self.open) == _IN_ENTRY - 1:
            self.document.entries.append((mark.line + 1, mark.column + 1, 0))

    def _start(self, event: MappingStartEvent | SequenceStartEvent, value: list[Typed] | dict[str, Typed]) -> None:
        """Put an empty list or mapping in its place, and open it."""
        key, form, within = self.key, self.form, self.open
        if key is None or len(within) >= DEEPEST:
            raise _Left
        if self.decorated:
            self._undecorated(event)
        if key is _ITEM:
            self.items.append(value)
            within.append((self.items, self.members, _ITEM, form, event.flow_style))
            self.form = form.item
        else:
            self.members[key] = value
            within.append((self.items, self.members, None, form, event.flow_style))
            self.form = form.member(key)

    def end(self, event: MappingEndEvent | SequenceEndEvent) -> None:
        within = len(self.open)
        self.items, self.members, self.key, self.form, flow = self.open.pop()
        if flow and is_bracket(event):
            self.last = event
        if within == _IN_ENTRY and self.key is _ITEM and type(event) is MappingEndEvent:
            line, column, _ = self.document.entries[-1]
            self.document.entries[-1] = (line, column, last_line(self.last))

    def begin(self, event: DocumentStartEvent) -> None:
        if event.version or event.tags or (self.documents and not event.explicit):
            raise _Left
        self.document, self.items, self.key, self.form = Sound(), [], _ITEM, Form(frozenset(), items=self.whole)

    def finish(self, _: Event) -> None:
        self.document.value = self.items[0]
        if not isinstance(self.document.value, dict):
            raise _Left
        self.documents.append(self.document)

    def leave(self, _: Event) -> None:
        raise _Left

    def go_on(self, _: Event) -> None:
        pass


_TURNS = cast(
    "Mapping[type[Event], Callable[[_Reader, Event], None]]",
    {
        MappingStartEvent: _Reader.mapping,
        SequenceStartEvent: _Reader.sequence,
        MappingEndEvent: _Reader.end,
        SequenceEndEvent: _Reader.end,
        AliasEvent: _Reader.leave,
        DocumentStartEvent: _Reader.begin,
        DocumentEndEvent: _Reader.finish,
        StreamStartEvent: _Reader.go_on,
        StreamEndEvent: _Reader.go_on,
    },
)
