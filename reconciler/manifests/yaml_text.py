"""The strict YAML loader: parser events straight to text, lists and mappings with their places.

Scalars stay as they are written: nothing becomes a date, a number, a boolean or null here. What makes a file mean
something else than what a reviewer reads is refused: anchors, aliases, merge keys, tags, directives, keys twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from reconciler.errors import Failure, Problem
from reconciler.manifests.frames import DROPPED, OpenList, OpenMapping, is_bracket, last_line, start_of
from reconciler.manifests.marks import Document, unpack
from reconciler.manifests.quoting import code_point, escaped
from reconciler.manifests.syntax import explain
from reconciler.manifests.text import decode, hidden_character

if TYPE_CHECKING:
    from yaml.events import CollectionEndEvent, DocumentStartEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

DEEPEST = 32
"""How many lists and mappings may lie inside one another."""

_REPORTED = 50
_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds. A document that no value can be made of is missing from `documents`, not from `problems`."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


def load(file: str, data: bytes, where_empty: str | None = None) -> Loaded:
    """Read all documents of one file, whose content is `data`; `file` is only its name in problems.

    `where_empty` is the way out of a file that holds nothing, where that is no manifest.

    Never raises for what the file holds. Raises Failure where PyYAML came without libyaml: its own Python parser
    recurses and reads other things, so it is no substitute.
    """
    if not yaml.__with_libyaml__:
        raise Failure(
            "PyYAML was built without libyaml here",
            "install a PyYAML wheel that has it: pip install --force-reinstall pyyaml",
        )
    text = decode(file, data)
    if not isinstance(text, str):
        return Loaded((), text)
    reader = _Reader(file, where_empty)
    try:
        reader.read(text)
    except yaml.YAMLError as error:
        line, column, message, hint = explain(error, text)
        reader.problems.append(Problem(file, line, column, "", message, hint))
    except _StopReading:
        pass  # the reason is the last of the problems
    return Loaded(tuple(reader.documents), tuple(reader.problems))


class _StopReading(Exception):
    """The rest of the file is not worth reading, or dangerous to."""


class _Reader:
    """Takes the events of one file, one after another; nothing here recurses."""

    def __init__(self, file: str, where_empty: str | None) -> None:
        self.file = file
        self.where_empty = where_empty
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self.top = OpenList(0)
        self.open: list[OpenList | OpenMapping] = []
        self.sound = True
        self.last: yaml.Event | None = None

    def read(self, text: str) -> None:
        # Names of anchors, aliases and tags are never shown: an unquoted credential may look like one.
        # `yaml.parse` is the documented door; its CLoader is libyaml's parser.
        for event in yaml.parse(text, Loader=yaml.CLoader):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent):
                self._start(event, OpenMapping(start_of(event)))
            elif isinstance(event, yaml.SequenceStartEvent):
                self._start(event, OpenList(start_of(event)))
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._start_document(event)
            elif isinstance(event, yaml.DocumentEndEvent):
                self._end_document()
        if not self.documents and not self.problems:
            self._refuse(0, "the file holds no document", self.where_empty or "write a manifest into it, or delete it")

    def _scalar(self, event: ScalarEvent) -> None:
        self.last = event
        style, value, at = event.style, event.value, start_of(event)
        mark = at | (not style)
        if event.anchor is not None or event.tag is not None:
            self._decorated(event, mark)
        if style == '"':
            self._escapes(value, mark)
        frame = self.open[-1]
        if isinstance(frame, OpenMapping) and frame.key is None:
            self._key(frame, value, mark)
        else:
            frame.take(value, mark)

    def _key(self, frame: OpenMapping, key: str, mark: int) -> None:
        plain = mark & 1
        frame.key = DROPPED
        if not key or (plain and key in _NULLS):
            self._refuse(mark, "a key is empty", "write a name before the colon, or remove the line")
        elif plain and key == "<<":
            self.sound = False
            self._refuse(mark, "merge keys (`<<`) are not read", "write the keys out here")
        elif key in frame.marks.keys:
            line, _ = unpack(frame.marks.keys[key])
            self._refuse(mark, f"the key `{escaped(key)}` is given twice, first in line {line}", "keep one of the two")
        else:
            frame.marks.keys[key] = mark
            frame.key = key

    def _start(self, event: MappingStartEvent | SequenceStartEvent, frame: OpenList | OpenMapping) -> None:
        at = frame.marks.at
        if event.anchor is not None or event.tag is not None:
            self._decorated(event, at)
        parent = self.open[-1]
        if isinstance(parent, OpenMapping) and parent.key is None:
            self.sound = False
            self._refuse(
                at,
                "a key is a list or a mapping, not text",
                "write a plain name before the colon; quote it if it starts with [ or {",
            )
        self.open.append(frame)
        if len(self.open) - 1 > DEEPEST:
            self._refuse(
                at,
                f"lists and mappings lie more than {DEEPEST} deep",
                "no manifest needs that; look for a bracket or an indentation too many",
            )
            raise _StopReading

    def _end(self, event: CollectionEndEvent) -> None:
        done, frame = self.open.pop(), self.open[-1]
        if is_bracket(event):
            self.last = event
        if isinstance(done, OpenMapping):
            done.marks.last = last_line(self.last)
        if isinstance(frame, OpenMapping) and frame.key is None:
            frame.key = DROPPED
        else:
            frame.take(done.value, done.marks)

    def _alias(self, event: yaml.AliasEvent) -> None:
        mark = start_of(event)
        self.sound = False
        self._refuse(mark, "an alias (`*name`) is not read", "write the value out here; quote text that starts with *")
        frame = self.open[-1]
        if isinstance(frame, OpenMapping) and frame.key is None:
            frame.key = DROPPED
        else:
            frame.take("", mark)

    def _start_document(self, event: DocumentStartEvent) -> None:
        self.top = OpenList(start_of(event))
        self.open = [self.top]
        self.sound = True
        if event.version or event.tags:
            self._refuse(
                self.top.marks.at, "YAML directives (%YAML, %TAG) are not read", "remove the line that starts with %"
            )
        if self.documents and not event.explicit:
            self._refuse(
                start_of(event), "a document starts without `---`", "write `---` on a line of its own before it"
            )

    def _end_document(self) -> None:
        value, mark = self.top.value[0], self.top.marks.items[0]
        if isinstance(value, str) and isinstance(mark, int) and mark & 1 and value in _NULLS:
            hint = self.where_empty or "write a manifest, or remove the `---` before or after it"
            self._refuse(self.top.marks.at, "the document is empty", hint)
        elif self.sound:
            self.documents.append(Document(self.file, value, mark))

    def _decorated(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, mark: int) -> None:
        if event.anchor is not None:
            self._refuse(
                mark,
                "an anchor (`&name`) is not read",
                "remove it, and write the value out where it is used",
            )
        if event.tag is not None:
            self.sound = False
            self._refuse(mark, "a tag (`!name`) is not read", "remove it; every value is read as text")

    def _escapes(self, value: str, mark: int) -> None:
        char = hidden_character(value)
        if char is not None:
            self._refuse(
                mark,
                f"an escape in the quoted text makes {code_point(char)}, which cannot be seen",
                "write visible characters only",
            )

    def _refuse(self, mark: int, message: str, hint: str) -> None:
        line, column = unpack(mark)
        if len(self.problems) >= _REPORTED:
            message, hint = "there are more problems; the rest of the file was not read", "mend those above first"
            self.problems.append(Problem(self.file, line, column, "", message, hint))
            raise _StopReading
        self.problems.append(Problem(self.file, line, column, "", message, hint))
