"""`state verify`: what it says of a sound state, and of one that somebody changed."""

from __future__ import annotations

import pytest

from tests.e2e.counting import Counting
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between
from tests.e2e.workplace import Workplace

FILE = f"prod/{SALES}.jsonl"


@pytest.fixture
def applied(place: Workplace) -> Workplace:
    """Return a workplace after three applies, with two ledgers."""
    for last in (2, 4):
        place.declare("fact.yaml", backfill("fact", between(1, last)))
        assert place.apply().code == 0
    place.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    assert place.apply().code == 0
    return place


def test_before_the_first_apply_there_is_nothing_to_verify(place: Workplace) -> None:
    verified = place.run("state", "verify")
    assert (verified.code, verified.out) == (0, "There is no state yet.\n")


@pytest.mark.parametrize("fresh", [False, True])
def test_a_sound_state_is_said_to_be_sound(applied: Workplace, fresh: bool) -> None:
    place = applied.clone("fresh") if fresh else applied
    verified = place.run("state", "verify")
    assert verified.code == 0
    assert "2 ledgers with 3 triggers, 0 intents pending, 6 commits" in verified.out
    document = place.run("state", "verify", "--format", "json").json
    assert {name: document[name] for name in ("version", "state", "triggers", "problems")} == {
        "version": 1,
        "state": applied.tip(),
        "triggers": 3,
        "problems": [],
    }


def test_a_past_that_was_changed_is_found_where_no_clone_and_no_mark_remembers_it(applied: Workplace) -> None:
    data = applied.state_files()[FILE]
    applied.put_state({FILE: data[: data[:-1].rindex(b"\n") + 1]})
    culprit = applied.tip()
    assert culprit
    applied.git("push", "-q", "origin", ":refs/reconciler/state/triggers/reconciler-state")
    fresh = applied.clone("fresh")
    verified = fresh.run("state", "verify")
    assert verified.code == 3
    assert f"triggers/.state/{FILE}:3:1" in verified.err
    assert culprit[:12] in verified.err
    assert fresh.run("state", "verify", "--format", "json").json["problems"][0]["line"] == 3
    assert fresh.run("state", "verify", "--since", culprit).code == 0
    assert fresh.run("state", "verify", "--since", "nothing").code == 2


def test_with_state_on_the_manifests_branch_its_history_is_verified_too(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, state={"branch": "main"})
    place.state = "main"
    place.declare("fact.yaml", backfill("fact", between(1, 2)))
    assert place.apply().code == 0
    assert place.run("state", "verify").code == 0
    shallow = place.clone("shallow", "--depth=1")
    assert "git fetch --unshallow" in shallow.run("state", "verify").out
