"""What superseded a trigger, against an oracle that looks at each instant on its own."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from reconciler.core.authorship import Commit
from reconciler.core.call import Range, Times
from reconciler.core.needs import Table
from reconciler.core.request import Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.succession import around, stretches, successions
from tests.core.worlds import World, ledger, request, target, trigger, worlds

HOUR = 3600


def _over(table: Table, second: int) -> tuple[int, ...]:
    lines = table.ledger.triggers if table.ledger else ()
    return tuple(at for at, line in enumerate(lines) if any(a <= second < b for a, b in line.span.windows))


@settings(max_examples=300)
@given(worlds())
def test_each_instant_is_in_the_stretch_of_its_triggers_and_no_longer_one_is(world: World) -> None:
    table = world.table
    for second in world.instants:
        lines = _over(table, second)
        found = around(table, second)
        assert (found.lines if found else ()) == lines
        if found and (found.number is not None or table.rules.schedule is None):
            same = [each for each in world.instants if found.first <= each <= found.last]
            assert all(_over(table, each) == lines for each in same)
            beside = [each for each in world.instants if each < found.first][-1:]
            beside += [each for each in world.instants if each > found.last][:1]
            assert all(_over(table, each) != lines for each in beside)


@settings(max_examples=300)
@given(worlds())
def test_a_trigger_is_superseded_by_those_that_came_next_over_its_instants(world: World) -> None:
    table = world.table
    lines = table.ledger.triggers if table.ledger else ()
    found = successions(table)
    assert len(found) == len(lines)
    next_ones: list[set[int]] = [set() for _ in lines]
    holding: set[int] = set()
    for second in world.instants:
        here = _over(table, second)
        for one, other in pairwise(here):
            next_ones[one].add(other)
        holding |= set(here[-1:])
    on_schedule = [any(at in _over(table, second) for second in world.instants) for at in range(len(lines))]
    for at, each in enumerate(found):
        assert {lines[other] for other in next_ones[at]} <= set(each.by)
        if on_schedule[at] and table.rules.schedule is None:
            assert each.whole == (at not in holding)


def test_a_range_whose_instants_were_all_triggered_again_as_points_is_superseded_whole() -> None:
    schedule = Schedule("hourly", Every(HOUR))
    asked = request("m.yaml#1", ((0, 24 * HOUR),))
    lines = ledger(
        trigger(Range((HOUR, 3 * HOUR + 1), "inclusive")),
        trigger(Times((HOUR, 2 * HOUR))),
        trigger(Times((3 * HOUR,)), ("late",)),
    )
    table = Table(target(), "a.b", (asked,), lines, (), 0, Rules(schedule))
    assert [(len(each.by), each.whole) for each in successions(table)] == [(2, True), (0, False), (0, False)]
    assert [(each.first, each.last, each.instances) for each in stretches(table)] == [
        (HOUR, 2 * HOUR, 2),
        (3 * HOUR, 3 * HOUR, 1),
    ]
    unknown = Table(target(), "a.b", (asked,), lines, (), 0)
    first, *_ = successions(unknown)
    assert (len(first.by), first.whole) == (2, False)


@pytest.mark.parametrize(
    ("subject", "body", "name"),
    [
        ("Merge pull request #12 from acme/late", "Late files\n", "#12"),
        ("Late files (#13)", "", "#13"),
        ('Revert "Late files (#13)" (#14)', "", "#14"),
        ("Merge branch 'late' into 'main'", "Late files\n\nSee merge request acme/backfills!15\n", "acme/backfills!15"),
        ("Late files", "See merge request !16", "!16"),
        ("Fix (#12) again", "see #12", None),
        ("Merge branch 'main' into late", "", None),
        ("Late files (#0)", "They say: See merge request !16 for more", None),
        ("", "", None),
    ],
)
def test_a_message_names_the_pull_request_as_forges_write_it(subject: str, body: str, name: str | None) -> None:
    assert Commit("id", "Dana", "2026-01-20", subject, body).names == name
