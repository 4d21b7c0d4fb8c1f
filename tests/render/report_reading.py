"""Reads a page of timelines back: its elements, its data blocks, and columns as the script reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import accumulate
from typing import Any

from reconciler.render.report_data import unpacked


@dataclass(slots=True, eq=False)
class Reading(HTMLParser):
    """A page: its tags, its text outside of scripts and styles, the text by element id, and what scripts hold."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    by_id: dict[str, str] = field(default_factory=dict)
    _open: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    @classmethod
    def of(cls, page: str) -> Reading:
        found = cls()
        found.feed(page)
        found.close()
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        if tag == "script":
            self.scripts.append((named, ""))
        if tag not in {"meta", "input", "br", "wbr"}:
            self._open.append((tag, named.get("id")))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] in {"script", "style"}:
            if self._open[-1][0] == "script":
                attributes, before = self.scripts[-1]
                self.scripts[-1] = (attributes, before + data)
            return
        self.text += data
        for _, name in self._open:
            if name:
                self.by_id[name] = self.by_id.get(name, "") + data

    def data(self, name: str) -> Any:
        """Return what a data block holds."""
        (text,) = [text for attributes, text in self.scripts if attributes.get("id") == name]
        return json.loads(unpacked(text))

    def tables(self) -> list[Any]:
        """Return the columns of all tables, in the order of the index."""
        index = self.data("index")
        shards = {name: self.data(f"shard-{name}") for name in set(index["shard"])}
        return [shards[shard]["tables"][place] for shard, place in zip(index["shard"], index["place"], strict=True)]


Piece = tuple[tuple[int, int], int, int | None, int | None, int, tuple[int, ...]]


def pieces(packed: Any) -> list[Piece]:
    """Return segments as the page's script reads them: window, last, number, instances, look, facts."""
    found: list[Piece] = []
    end = following = at = 0
    numbers = iter(packed["number"])
    before: list[int] = []
    for place, gap in enumerate(packed["gap"]):
        start = end + gap
        end = start + packed["length"][place]
        instances = packed["instances"][place] or None
        number = None
        if instances:
            number = following + next(numbers)
            following = number + instances
        many = packed["many"][place]
        steps = packed["facts"][at : at + many]
        at += many
        before = [step + (before[i] if i < len(before) else 0) for i, step in enumerate(steps)]
        found.append(
            ((start, end), end - packed["rest"][place], number, instances, packed["look"][place], tuple(before))
        )
    return found


def spans(packed: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Return the times of triggers as the script reads them: what their bodies held."""
    found: list[tuple[str, tuple[int, ...]]] = []
    times = iter(packed["times"])
    before = 0
    for points in packed["points"]:
        if points <= 0:
            start = before + next(times)
            end = start + next(times)
            found.append(("scheduleTimeRange", (start, end if points else end - 1)))
            before = start
        else:
            held = tuple(accumulate((next(times) for _ in range(points)), initial=before))[1:]
            found.append(("scheduleTime", held))
            before = held[0]
    return found
