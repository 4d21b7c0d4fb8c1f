"""The data of a page of timelines: an index of all tables, and shards of what is known of some of them, packed.

The page's script reads the index whole, for search and filters, and of the shards those of the rows that it shows.
Each is JSON, deflated (zlib's format) and in base64: nothing in it can end the element that holds it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from reconciler.core.config import Target
from reconciler.core.text import printable
from reconciler.core.timeline import URGENCY, Standing, Timeline
from reconciler.core.window import Window
from reconciler.render.report_columns import Words, columns_of
from reconciler.render.words import calls_by_status

TABLES = 64
"""How many tables a shard holds at most."""
SIZE = 128 * 1024
"""Bytes of JSON after which a shard takes no further table."""
_DAY = 86_400
_SAMPLES = 30


@dataclass(frozen=True, slots=True)
class Row:
    """What the index says of a table. `shard` and `place` are where the rest lies; `window` is where it has anything.

    `statuses` has a bit for each of `URGENCY`, also where others hide all of it; `counts` its calls of each. `made` are
    the calls for it that were triggered: without those that calls for tables upstream covered. `instances` are how many
    were triggered, and asked for; None without a schedule.
    """

    urgency: tuple[bool, bool, bool]
    target: Target
    table: str
    now: int
    owners: tuple[str, ...]
    files: tuple[str, ...]
    asked: int
    counts: tuple[int, ...]
    made: int
    instances: tuple[int, int] | None
    shard: int
    place: int
    statuses: int
    window: Window | None

    @property
    def needy(self) -> bool:
        """Whether anything is in doubt, held or owed."""
        return any(self.counts[:3])

    @classmethod
    def of(cls, standing: Standing, timeline: Timeline, shard: int, place: int) -> Row:
        """Return what the index keeps of a table."""
        table, plan = standing.table, standing.plan
        known = plan.instances
        counts = calls_by_status(standing)
        return cls(
            urgency=standing.urgency,
            target=table.target,
            table=table.name,
            now=table.now,
            owners=standing.owners,
            files=tuple(sorted({text for one in table.requests for text in (one.place.file, one.manifest)})),
            asked=len(table.requests),
            counts=tuple(counts[status] for status in URGENCY),
            made=standing.made,
            instances=(known.triggered, known.asked) if known else None,
            shard=shard,
            place=place,
            statuses=sum(1 << at for at, one in enumerate(URGENCY) if one in timeline.statuses or counts[one]),
            window=timeline.window,
        )


@dataclass(frozen=True, slots=True)
class Packed:
    """What a page holds: the index and the shards as text. `rows` are in the order of the page."""

    index: str
    shards: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(slots=True)
class Packing:
    """Takes tables one by one and keeps of each but its columns. `live` are the runs under way."""

    live: frozenset[str] = frozenset()
    shards: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    days: Counter[int] = field(default_factory=Counter)
    _words: Words = field(default_factory=Words)
    _tables: list[str] = field(default_factory=list)
    _size: int = 0

    def add(self, standing: Standing) -> None:
        """Take a table."""
        timeline = standing.timeline
        text = _json(columns_of(standing.table, timeline, self._words, self.live))
        self.rows.append(Row.of(standing, timeline, len(self.shards), len(self._tables)))
        self.days.update(_days(timeline))
        self._tables.append(text)
        self._size += len(text)
        if len(self._tables) >= TABLES or self._size >= SIZE:
            self._close()

    def end(self) -> Packed:
        """Return all that was taken, the tables in need first."""
        if self._tables:
            self._close()
        rows = tuple(sorted(self.rows, key=lambda row: (row.urgency, row.target.name, row.table)))
        index = _json({**_index(rows), "view": first_view(self.days)})
        return Packed(packed(index), tuple(self.shards), rows)

    def _close(self) -> None:
        words = f'"texts":{_json(self._words.texts)},"lists":{_json(self._words.lists)}'
        self.shards.append(packed(f'{{{words},"tables":[{",".join(self._tables)}]}}'))
        self._words, self._tables, self._size = Words(), [], 0


def packed(text: str) -> str:
    """Return text deflated, in base64."""
    return base64.b64encode(zlib.compress(text.encode("ascii"), 6)).decode("ascii")


def unpacked(text: str) -> str:
    """The inverse of `packed`."""
    return zlib.decompress(base64.b64decode(text)).decode("ascii")


def first_view(days: Counter[int]) -> Window | None:
    """Return what a page shows at first: all, unless most lies in the last third; None where there is nothing.

    `days` counts, by day since 1970, where pieces of timelines start and end. One trigger that is ten years old shall
    not squeeze the rest into a corner: at most a tenth is left out, before the longest gap.
    """
    if not days:
        return None
    sure = sorted(days)
    left, start, gap = days.total() // 10, sure[0], 0
    for before, day in pairwise(sure):
        left -= days[before]
        if left < 0:
            break
        if day - before > gap:
            start, gap = day, day - before
    if (sure[-1] - start) * 3 >= sure[-1] - sure[0]:
        start = sure[0]
    return start * _DAY, (sure[-1] + 1) * _DAY


def _days(timeline: Timeline) -> Iterator[int]:
    """Yield the days that pieces begin and end on, and some in between: a long piece counts for more than a point."""
    for segment in timeline.segments:
        first, last = segment.window[0] // _DAY, (segment.window[1] - 1) // _DAY
        yield from range(first, last, max(1, (last - first) // _SAMPLES))
        yield last


def _index(rows: Sequence[Row]) -> dict[str, object]:
    words = Words()
    targets = {row.target.name: row for row in rows}
    names = sorted(targets)
    at = {name: place for place, name in enumerate(names)}
    return {
        "targets": [[printable(name), printable(targets[name].target.time_zone), targets[name].now] for name in names],
        "name": [printable(row.table) for row in rows],
        "target": [at[row.target.name] for row in rows],
        "owners": [words.listed(row.owners) for row in rows],
        "files": [words.listed(row.files) for row in rows],
        "shard": [row.shard for row in rows],
        "place": [row.place for row in rows],
        "statuses": [row.statuses for row in rows],
        "counts": [row.counts for row in rows],
        "asked": [row.asked for row in rows],
        "window": [row.window or () for row in rows],
        "instances": [row.instances or () for row in rows],
        "texts": words.texts,
        "lists": words.lists,
    }


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
