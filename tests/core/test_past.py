"""Past calls against a ledger: what is to be recorded, what is known, what is in dispute."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from reconciler.core.call import Call, Range, Span, Times
from reconciler.core.change import Key
from reconciler.core.ledger import Intent, Ledger, Trigger
from reconciler.core.past import PastCall, adopt, reference
from reconciler.core.request import Place

KEY = ("prod", "c.d.T")
AT = "2026-01-21T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Known:
    """A state of one table."""

    covers: tuple[Span, ...] = ()
    intents: tuple[Intent, ...] = ()
    commit: str | None = None

    def ledger(self, key: Key) -> Ledger | None:
        assert key == KEY
        lines = tuple(past(span).entry("run", "commit").trigger for span in self.covers)
        return Ledger(*key, lines, "") if lines else None


def hours(start: int, end: int) -> Range:
    return Range((start, end), "inclusive")


def call(span: Span) -> Call:
    return Call(*KEY, "tn_1", span, (), (reference("p.csv", 2),), ())


def past(span: Span) -> PastCall:
    return PastCall(call(span), None, AT, Place("p.csv", 2, 1))


def intent(span: Span) -> Intent:
    return Intent(call(span), "run", "Tess", AT, "commit")


@pytest.mark.parametrize(
    ("span", "known", "expected"),
    [
        (hours(10, 20), Known(), (1, 0, 0)),
        (hours(10, 20), Known((hours(10, 20),)), (0, 1, 0)),
        (hours(10, 20), Known((hours(0, 15), hours(15, 30))), (0, 1, 0)),
        (hours(10, 20), Known((hours(0, 19),)), (1, 0, 0)),
        (Times((3, 9)), Known((hours(0, 5),)), (1, 0, 0)),
        (Times((3, 9)), Known((hours(0, 5), hours(9, 10))), (0, 1, 0)),
        (hours(10, 20), Known(intents=(intent(hours(0, 10)),)), (1, 0, 0)),
        (hours(10, 20), Known(intents=(intent(hours(0, 11)),)), (0, 0, 1)),
        (hours(10, 20), Known((hours(0, 30),), (intent(hours(0, 11)),)), (0, 1, 0)),
    ],
)
def test_a_past_call_is_recorded_unless_it_is_known_or_in_dispute(
    span: Span, known: Known, expected: tuple[int, int, int]
) -> None:
    found = adopt([past(span)], known)
    assert (len(found.fresh), found.known, len(found.disputed)) == expected


def test_what_a_file_says_twice_is_recorded_once_and_overlaps_as_they_were_sent() -> None:
    found = adopt([past(hours(0, 10)), past(hours(5, 8)), past(hours(0, 10))], Known())
    assert [one.call.span for one in found.fresh] == [hours(0, 10), hours(5, 8)]
    assert found.repeated == 1


@pytest.mark.parametrize(
    ("requests", "imported"),
    [
        (("import:past.csv:3",), "past.csv:3"),
        ((reference("a:1.yaml#b.csv", 12),), "a:1.yaml#b.csv:12"),
        (("sales/fact.yaml#2",), None),
        (("import:past.csv:3/fact.yaml#2",), None),
        (("import:past.csv:3", "import:past.csv:4"), None),
        ((), None),
    ],
)
def test_a_line_that_was_imported_says_so_and_no_other_does(requests: tuple[str, ...], imported: str | None) -> None:
    trigger: Trigger = past(hours(1, 2)).entry("run", "commit").trigger
    assert replace(trigger, requests=requests).imported == imported
