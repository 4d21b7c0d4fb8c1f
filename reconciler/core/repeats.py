"""That no instant was triggered twice for the same reason: what a ledger itself can tell of the promise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.ledger import Ledger
from reconciler.core.window import Window


@dataclass(frozen=True, slots=True)
class Repeat:
    """Two triggers of a ledger, by their position from 0, that hold the same seconds for the same rerun tokens."""

    first: int
    second: int
    window: Window


def repeats(ledger: Ledger) -> Iterator[Repeat]:
    """Yield the overlaps of triggers that bear equal sets of rerun tokens, by time: none where the promise was kept.

    An instant is triggered once without a token, and once for each set of tokens: a line bears all that it satisfied.
    The order of lines does not matter, since a resolved call is written long after it ran. Imported lines do not count:
    they tell what people did by hand.
    """
    spans: dict[frozenset[str], list[tuple[int, int, int]]] = defaultdict(list)
    for position, trigger in enumerate(ledger.triggers):
        if trigger.imported:
            continue
        spans[frozenset(trigger.rerun)] += [(start, end, position) for start, end in trigger.span.windows]
    for windows in spans.values():
        last_end, last = 0, -1
        for start, end, position in sorted(windows):
            if start < last_end:
                yield Repeat(min(last, position), max(last, position), (start, min(end, last_end)))
            if end > last_end:
                last_end, last = end, position
