"""Tables that wait for others: nothing is ready while anything above it is held, in doubt, or not done here."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Range
from reconciler.core.change import Key
from reconciler.core.dependencies import hold_dependents, upstreams
from reconciler.core.ledger import Doubt
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.policy import Because, Held
from reconciler.core.request import Dependency
from tests.core import worlds

_MOST = 6
_STATES = ("ready", "nothing", "approval", "window", "doubt", "blocked", "outside")


def _key(number: int) -> Key:
    return "prod", f"t{number}"


def _plan(number: int, state: str, above: frozenset[int]) -> TablePlan:
    call = replace(worlds.call(Range((0, 10), "inclusive")), table=f"t{number}")
    hold: Held | None = None
    if state in ("approval", "window"):
        because: Because = "approval" if state == "approval" else "window"
        hold = Held(because, "wait")
    calls = () if state == "nothing" else (PlannedCall(call, hold),)
    doubts = (Doubt(worlds.intent(call.span), ((0, 10),)),) if state == "doubt" else ()
    depends_on = tuple(Dependency(f"m{one}", _key(one)) for one in sorted(above))
    return TablePlan(worlds.target(), f"t{number}", None, calls, doubts, (), depends_on)


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[list[str], list[frozenset[int]]]:
    """Draw states of tables, and for each the tables with a smaller number that it waits for."""
    states = draw(st.lists(st.sampled_from(_STATES), min_size=1, max_size=_MOST))
    above = [
        draw(st.frozensets(st.integers(0, at - 1), max_size=3)) if at else frozenset() for at in range(len(states))
    ]
    return states, above


@settings(max_examples=400)
@given(_graphs())
def test_a_call_is_ready_only_where_nothing_above_it_is_left_undone(
    graph: tuple[list[str], list[frozenset[int]]],
) -> None:
    states, above = graph
    plans = {_key(at): _plan(at, state, above[at]) for at, state in enumerate(states) if state != "blocked"}
    blocked = frozenset(_key(at) for at, state in enumerate(states) if state == "blocked")
    outside = {_key(at) for at, state in enumerate(states) if state == "outside"}
    held = hold_dependents(plans, blocked, lambda key: key not in outside)

    stuck: list[bool] = []
    for at, state in enumerate(states):
        waits = any(stuck[one] for one in above[at])
        undone = state in {"approval", "window", "doubt", "blocked", "outside"}
        stuck.append(undone or (waits and state == "ready"))
        if state in {"ready", "outside", "doubt"}:
            (planned,) = held[_key(at)].calls
            assert (planned.held is not None) == waits


def test_the_message_names_the_manifest_the_table_and_what_is_wrong() -> None:
    plans = {_key(0): _plan(0, "approval", frozenset()), _key(1): _plan(1, "ready", frozenset({0}))}
    (planned,) = hold_dependents(plans, frozenset(), lambda _: True)[_key(1)].calls
    assert planned.held == Held("dependency", "waits for m0 (t0), of which 1 call is held (approval): see there")


def test_the_message_names_the_table_further_up_that_all_of_them_wait_for() -> None:
    plans = {_key(at): _plan(at, "ready" if at else "approval", frozenset({at - 1} if at else ())) for at in range(4)}
    held = hold_dependents(plans, frozenset(), lambda _: True)
    (planned,) = held[_key(3)].calls
    message = "waits for m2 (t2), which waits for m0 (t0), of which 1 call is held (approval): see there"
    assert planned.held == Held("dependency", message)


def test_what_waits_for_hours_alone_is_held_by_these_hours() -> None:
    plans = {
        _key(0): _plan(0, "window", frozenset()),
        _key(1): _plan(1, "ready", frozenset({0})),
        _key(2): _plan(2, "ready", frozenset({1})),
    }
    held = hold_dependents(plans, frozenset(), lambda _: True)
    assert [plan.calls[0].held and plan.calls[0].held.because for plan in held.values()] == ["window"] * 3


def test_a_hold_of_its_own_stays() -> None:
    plans = {_key(0): _plan(0, "doubt", frozenset()), _key(1): _plan(1, "approval", frozenset({0}))}
    (planned,) = hold_dependents(plans, frozenset(), lambda _: True)[_key(1)].calls
    assert planned.held == Held("approval", "wait")


def test_upstreams_are_found_however_far() -> None:
    depends_on = {_key(at + 1): (Dependency("m", _key(at)),) for at in range(5000)}
    assert len(upstreams([_key(5000)], depends_on)) == 5000


def _hold_below(state: str) -> Held | None:
    """Return why a table is held that waits for one in `state` which is not among the tables chosen."""
    plans = {_key(0): _plan(0, state, frozenset()), _key(1): _plan(1, "ready", frozenset({0}))}
    (planned,) = hold_dependents(plans, frozenset(), lambda key: key != _key(0))[_key(1)].calls
    return planned.held


def test_a_table_outside_of_the_choice_that_owes_nothing_holds_nobody() -> None:
    assert _hold_below("nothing") is None


def test_a_table_outside_of_the_choice_that_owes_calls_holds_by_day_as_by_night() -> None:
    by_day, by_night = _hold_below("window"), _hold_below("ready")
    assert by_night
    assert by_night.because == "dependency"
    assert by_day == by_night
