"""What a journal proves, and only that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.call import Call, Range
from reconciler.core.change import Change, Changed, Key
from reconciler.core.ledger import CoveredBy, Ledger, Trigger, doubts
from reconciler.core.needs import Table
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.plan import make_plan
from reconciler.core.planner import plan_table
from reconciler.core.settlement import Event, JournalReading, Sending, settle, settled_by_reruns
from reconciler.errors import InvalidInput
from tests.core import worlds
from tests.protocol.ports import Empty, Revision

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


# calls that cover others

SPAN = Range((0, 3601), "inclusive")
COVER = Call("prod", "c.d", "tn", SPAN, (), ("below.yaml#1",), ())
COVERING = replace(INTENT, call=replace(INTENT.call, covers=(COVER,)))
PART = COVERING.parts[1]


def _state(above: tuple[Trigger, ...] = (), below: tuple[Trigger, ...] = ()) -> Revision:
    ledgers = {("prod", "a.b"): Ledger("prod", "a.b", above, "h"), ("prod", "c.d"): Ledger("prod", "c.d", below, "h")}
    return Revision("tip", (COVERING,), ledgers)


def test_an_accepted_call_and_what_it_covers_become_lines_of_their_tables_with_one_time_and_trace() -> None:
    change = settle([COVERING], [_reading(Triggered("trace"))])
    assert [entry.key for entry in change.entries] == [("prod", "a.b"), ("prod", "c.d")]
    assert {(e.trigger.trace_id, e.trigger.triggered_at, e.trigger.run) for e in change.entries} == {
        ("trace", AT, "run")
    }
    above, below = (entry.trigger for entry in change.entries)
    assert (above.covered_by, below.covered_by) == (None, CoveredBy("a.b", COVERING.call.id))
    assert (below.id, below.rerun, below.requests) == (COVER.id, (), ("below.yaml#1",))
    assert change.settled == (COVERING,)
    assert [entry.key for entry in change.made] == [("prod", "a.b")]


def test_what_a_call_in_doubt_covers_is_in_doubt_in_its_own_table_and_is_not_owed_there() -> None:
    asked = (replace(worlds.request("below.yaml#1", ((0, 3601), (7200, 7201))), table="c.d"),)
    table = Table(worlds.target(), "c.d", asked, None, (PART,), 10**10)
    plan = make_plan("tip", [plan_table(table, {})])
    assert [call.span.windows for call in plan.ready] == [((7200, 7201),)]
    assert [(doubt.intent, doubt.windows) for doubt in plan.doubts] == [(COVERING, ((0, 3601),))]


def test_a_doubt_is_told_once_of_the_table_that_was_called() -> None:
    tables = [
        Table(worlds.target(), name, (), None, (part,), 10**10)
        for name, part in zip(("a.b", "c.d"), COVERING.parts, strict=True)
    ]
    plan = make_plan("tip", [plan_table(table, {}) for table in tables])
    assert [doubt.intent for doubt in plan.doubts] == [COVERING]
    assert [len(table.doubts) for table in plan.tables] == [1, 0]
    assert plan.orphans == ()


def test_only_a_rerun_of_the_table_itself_settles_what_is_in_doubt_of_it() -> None:
    above, below = worlds.trigger(SPAN, ("again", "red")), worlds.trigger(SPAN, ("again",))
    assert settled_by_reruns(_state(), [COVERING]) == ()
    assert settled_by_reruns(_state(above=(above,)), [COVERING]) == ()
    assert settled_by_reruns(_state(below=(below,)), [COVERING]) == ()
    assert settled_by_reruns(_state((above,), (below,)), [COVERING]) == (COVERING,)
    assert doubts(_state(above=(above,)).ledger(("prod", "c.d")), [PART])


def test_a_snapshot_with_a_change_on_top_has_the_covered_lines_too() -> None:
    change = settle([COVERING], [_reading(Triggered("trace"))])
    ledger = Changed(Empty(), Change(entries=change.entries)).ledger(("prod", "c.d"))
    assert ledger is not None
    assert ledger.covered == ((0, 3601),)


class Damaged(Empty):
    """A state of which a ledger cannot be trusted."""

    def ledger(self, key: Key) -> Ledger | None:
        raise InvalidInput("damaged", "")


def test_a_ledger_downstream_that_cannot_be_trusted_settles_nothing_and_stops_nobody() -> None:
    assert settled_by_reruns(Damaged(), [COVERING]) == ()
