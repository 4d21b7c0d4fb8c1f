"""The port through which work that may take long tells how far it is, whoever hears of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Count:
    """How far work is. Who does it counts here; who shows it looks now and then, from another thread."""

    total: int
    done: int = 0


class Progress(Protocol):
    """Hears of work for as long as a block runs. Blocks may lie in each other: the innermost is what goes on now."""

    def counting(self, doing: str, total: int, noun: str) -> AbstractContextManager[Count]:
        """Tell of work with a known end: `planning`, 1200, `table`."""

    def waiting(self, doing: str) -> AbstractContextManager[None]:
        """Tell of work whose end nobody knows: `fetching main from origin`."""


class _Silent:
    """Tells nobody."""

    def counting(self, doing: str, total: int, noun: str) -> AbstractContextManager[Count]:  # noqa: ARG002
        return nullcontext(Count(total))

    def waiting(self, doing: str) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()


SILENT: Progress = _Silent()


@contextmanager
def each(progress: Progress, doing: str, items: Collection[T], noun: str) -> Iterator[Iterator[T]]:
    """Yield an iterator over items, and tell how many of them are done; as a block, for it ends with an exception too.

    Nothing but a number is counted for each of them, so that it costs next to nothing.
    """
    with progress.counting(doing, len(items), noun) as count:
        yield _counted(items, count)


def _counted(items: Collection[T], count: Count) -> Iterator[T]:
    for item in items:
        yield item
        count.done += 1
