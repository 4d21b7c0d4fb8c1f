"""Settled tables: what is told from memory is what planning would say, whatever else has changed meanwhile."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from reconciler.cache import Cache
from reconciler.commands.settled import Settled
from reconciler.core.call import Range
from reconciler.core.ledger import Ledger, Lines
from reconciler.core.needs import Table
from reconciler.core.planner import plan_table
from reconciler.core.request import Rerun, Rules
from reconciler.core.schedule import Every, Schedule
from tests.core.worlds import World, intent, ledger, request, target, trigger, worlds
from tests.examples import examples

EVERYWHERE = Settled(Cache(None))
"""One memory for all worlds: what one of them leaves there must never be told of another."""


def named(table: Table) -> Table:
    """Return the table with a ledger as the state gives it: its lines have a name."""
    if table.ledger is None:
        return table
    lines = tuple(table.ledger.triggers)
    return replace(table, ledger=Ledger("prod", "a.b", Lines(len(lines), lambda: lines, name=repr(lines)), repr(lines)))


@settings(max_examples=examples(120), deadline=None)
@given(worlds())
def test_a_table_known_to_be_settled_has_the_plan_that_planning_gives(world: World) -> None:
    table = named(world.table)
    planned = plan_table(table, world.approvals)
    assert EVERYWHERE.plan_of(table) in (None, planned)
    EVERYWHERE.keep(table, planned)
    kept = EVERYWHERE.plan_of(table)
    nothing = not planned.calls and not table.intents and table.ledger is not None
    assert kept == (planned if nothing else None)


DONE = Table(
    target(),
    "a.b",
    (request("m.yaml#1", ((0, 10),)),),
    ledger(trigger(Range((0, 10), "inclusive"))),
    (),
    now=100,
    rules=Rules(Schedule("test", Every(3))),
)


def _kept(table: Table) -> Settled:
    settled = Settled(Cache(None))
    settled.keep(table, plan_table(table, {}))
    return settled


def test_what_it_was_found_from_has_to_be_the_same() -> None:
    table = named(DONE)
    settled = _kept(table)
    assert settled.plan_of(table) == plan_table(table, {})
    (asked,) = table.requests
    for other in (
        replace(table, requests=(replace(asked, windows=((0, 11),)),)),
        replace(table, requests=(replace(asked, key="m.yaml#2"),)),
        replace(table, requests=(replace(asked, rerun=Rerun("red", "because")),)),
        replace(table, requests=(asked, asked)),
        replace(table, rules=Rules(Schedule("test", Every(3, 1)))),
        replace(table, rules=Rules(Schedule("test", Every(3), ((0, 2),)))),
        replace(table, rules=Rules()),
        replace(table, target=replace(table.target, name="other")),
        replace(table, name="a.c"),
        named(replace(table, ledger=ledger(trigger(Range((0, 9), "inclusive"))))),
        replace(table, intents=(intent(Range((20, 30), "inclusive")),)),
    ):
        assert settled.plan_of(other) is None


def test_the_hour_and_what_a_target_takes_do_not_matter() -> None:
    table = named(DONE)
    settled = _kept(table)
    other = replace(table, now=5, target=replace(table.target, points_per_call=1, tenant="another"))
    assert settled.plan_of(other) == plan_table(other, {})


def test_of_lines_that_git_does_not_have_nothing_is_kept() -> None:
    added = (trigger(Range((0, 10), "inclusive")),)
    assert DONE.ledger is not None
    for known in (DONE.ledger, named(DONE).ledger):
        table = replace(DONE, ledger=known.grown(added, known.head) if known else None)
        assert _kept(table).plan_of(table) is None
