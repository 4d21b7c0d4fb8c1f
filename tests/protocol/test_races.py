"""Lost races: pauses that grow, and an end by time, however many races that takes."""

from __future__ import annotations

import pytest

from reconciler.errors import Stale
from reconciler.protocol.races import Races
from tests.protocol.ports import Clock


def test_pauses_grow_up_to_a_bound_and_begin_anew_once_a_race_is_won() -> None:
    clock = Clock()
    races = Races(clock)
    for _ in range(8):
        races.lost(with_outcomes=False)
    assert clock.waited == sorted(clock.waited)
    assert clock.waited[-1] == clock.waited[-2] <= 8.0
    races.won()
    races.lost(with_outcomes=False)
    assert clock.waited[-1] == clock.waited[0]


@pytest.mark.parametrize(("with_outcomes", "least"), [(False, 300), (True, 900)])
def test_a_run_gives_up_by_time_and_later_where_it_knows_of_calls(with_outcomes: bool, least: int) -> None:
    clock = Clock()
    races = Races(clock)

    def lose() -> None:
        for _ in range(10_000):
            races.lost(with_outcomes=with_outcomes)

    with pytest.raises(Stale, match="other runs changed the state"):
        lose()
    assert least < clock.now < least + 10


def test_pauses_are_as_long_as_the_tries_of_a_far_remote_need() -> None:
    near, far = Clock(), Clock()
    for clock, one_try in ((near, 0.1), (far, 1.0)):
        races = Races(clock)
        for _ in range(3):
            races.lost(with_outcomes=False)
            clock.now += one_try
    assert near.waited[0] == far.waited[0]
    assert near.waited[1:] < far.waited[1:]


def test_many_races_lost_in_a_short_time_are_no_reason_to_give_up() -> None:
    clock = Clock()
    races = Races(clock)
    for _ in range(1000):
        races.lost(with_outcomes=False)
        clock.now = 0.0


def test_a_won_race_starts_the_time_anew() -> None:
    clock = Clock()
    races = Races(clock)
    for _ in range(100):
        races.lost(with_outcomes=False)
        clock.now += 100
        races.won()
