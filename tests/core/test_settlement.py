"""What a journal proves, and only that."""

from __future__ import annotations

import pytest

from reconciler.core.call import Range
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.settlement import Event, JournalReading, Sending, settle
from tests.core import worlds

AT = "2026-01-20T05:00:07Z"
INTENT = worlds.intent(Range((0, 3601), "inclusive"), ("red",))


def _reading(what: Outcome | Sending | None, *, live: bool = False, begun: bool = True) -> JournalReading:
    return JournalReading("run", live, begun, {INTENT.call.id: Event(AT, what)} if what else {})


def test_an_accepted_call_becomes_a_line_with_its_own_time_and_trace() -> None:
    change = settle([INTENT], [_reading(Triggered("trace"))])
    (entry,) = change.entries
    assert (entry.key, entry.trigger.trace_id, entry.trigger.triggered_at) == (("prod", "a.b"), "trace", AT)
    assert entry.trigger.rerun == ("red",)
    assert change.settled == (INTENT,)


@pytest.mark.parametrize("what", [None, Rejected("no"), NotSent("no")])
def test_a_call_that_was_refused_or_never_sent_is_owed_again(what: Outcome | None) -> None:
    change = settle([INTENT], [_reading(what)])
    assert change.entries == ()
    assert change.settled == (INTENT,)


@pytest.mark.parametrize("what", [Sending(), Unknown("lost")])
def test_a_call_that_was_under_way_stays_in_doubt(what: Outcome | Sending) -> None:
    assert not settle([INTENT], [_reading(what)])


def test_a_run_that_lives_is_left_alone() -> None:
    assert not settle([INTENT], [_reading(None, live=True)])


def test_a_journal_without_a_first_line_proves_nothing() -> None:
    assert not settle([INTENT], [_reading(None, begun=False)])


def test_a_run_without_a_journal_here_is_left_alone() -> None:
    assert not settle([INTENT], [JournalReading("other", live=False, begun=True, events={})])
