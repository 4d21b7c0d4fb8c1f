"""Layers say of every second what a timeline says of it, without the facts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings

from reconciler.core.layers import layers_of
from reconciler.core.planner import plan_table
from reconciler.core.timeline import URGENCY, Standing, Status
from tests.core.worlds import World, worlds


def told(standing: Standing, second: int) -> list[Status]:
    """Return what the layers hold at a second, the most urgent first."""
    found = layers_of(standing)
    schedule = found.schedule
    on = schedule is not None and schedule.holds(second)
    number = schedule.before(second) if schedule else 0
    return [
        layer.status
        for layer in found.layers
        if any(start <= (number if on else second) < end for start, end in (layer.numbers if on else layer.seconds))
    ]


@settings(max_examples=400)
@given(worlds())
def test_the_first_layer_over_an_instant_is_what_the_timeline_says(world: World) -> None:
    standing = Standing(world.table, plan_table(world.table, world.approvals))
    segments = standing.timeline.segments
    scheduled = world.table.rules.schedule is not None and bool(world.table.requests)
    for second in world.instants:
        here = [each for each in segments if each.first <= second <= each.last]
        status = [each.status for each in here if (each.number is not None) == scheduled]
        assert told(standing, second)[:1] == status


@settings(max_examples=200)
@given(worlds())
def test_layers_are_in_the_order_of_urgency_and_hold_something(world: World) -> None:
    found = layers_of(Standing(world.table, plan_table(world.table, world.approvals)))
    places = [URGENCY.index(layer.status) for layer in found.layers]
    assert places == sorted(set(places))
    assert all(layer.numbers or layer.seconds for layer in found.layers)
    for layer in found.layers:
        for windows in (layer.numbers, layer.seconds):
            assert all(one[1] <= other[0] for one, other in pairwise(windows))
