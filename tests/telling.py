"""Progress that remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.core.progress import Count


@dataclass(slots=True)
class Told:
    """What was told, and how far it came: `planning table`, `fetching main from origin`. `open` is not over yet."""

    all: dict[str, Count] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    @contextmanager
    def counting(self, doing: str, total: int, noun: str) -> Iterator[Count]:
        with self._telling(f"{doing} {noun}", total) as count:
            yield count

    @contextmanager
    def waiting(self, doing: str) -> Iterator[None]:
        with self._telling(doing, 0):
            yield

    @contextmanager
    def _telling(self, what: str, total: int) -> Iterator[Count]:
        count = self.all[what] = Count(total)
        self.open.append(what)
        try:
            yield count
        finally:
            self.open.remove(what)
