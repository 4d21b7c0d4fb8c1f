"""`state import --review`: the past as a commit on a branch of its own, which lands by a fast-forward."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.counting import Counting
from tests.e2e.manifests import SALES, at, backfill, between, hours
from tests.e2e.nursery import Nursery
from tests.e2e.pasts import MARK, WHY, adopt, body, past
from tests.e2e.workplace import Ended, Workplace


def propose(place: Workplace, *calls: dict[str, object], branch: str = "adopt-past") -> Ended:
    return place.run("state", "import", past(place, *calls), *WHY, "--review", branch)


@pytest.mark.parametrize("before", [False, True])
def test_a_review_lands_by_the_command_that_is_shown(place: Workplace, scheduler: Counting, before: bool) -> None:
    if before:
        place.declare("fact.yaml", backfill("fact", at(9)))
        assert place.apply().code == 0
    place.declare("fact.yaml", backfill("fact", between(1, 6), at(9)))
    tip = place.tip()
    proposed = propose(place, body(1, 5))
    assert (proposed.code, place.tip()) == (0, tip)
    assert ("pull request into reconciler-state" in proposed.out) == before
    (command,) = (line for line in proposed.out.splitlines() if line.startswith("  git fetch"))
    for part in command.split(" && "):
        place.git(*part.split()[1:])
    assert place.tip() == place.tip("adopt-past")
    assert adopt(place, body(1, 5)).out.startswith("Nothing to do")
    fresh = place.clone("fresh")
    assert fresh.apply().code == 0
    assert scheduler.runs(SALES) == hours(6, 6) | hours(9, 9)
    assert MARK in place.git("ls-remote", "origin")
    assert place.apply().code == 0


def test_a_review_does_not_land_on_a_state_that_has_moved(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", at(9)))
    assert propose(place, body(1, 5)).code == 0
    assert place.apply().code == 0
    tip = place.tip()
    place.git("fetch", "-q", "origin", "adopt-past")
    with pytest.raises(AssertionError, match="rejected"):
        place.git("push", "origin", f"FETCH_HEAD:refs/heads/{place.state}")
    assert place.tip() == tip


def test_a_review_moves_no_branch_that_is_there(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", at(9)))
    assert place.apply().code == 0
    place.git("fetch", "-q", "origin", place.state)
    place.git("push", "-q", "origin", "FETCH_HEAD:refs/heads/theirs")
    refused = propose(place, body(1, 5), branch="theirs")
    assert (refused.code, place.tip("theirs")) == (2, place.tip())
    assert "the branch theirs exists already" in refused.err


def test_a_review_leaves_no_trace_that_passes_for_state(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert propose(place, body(1, 3)).code == 0
    assert place.git("for-each-ref", "refs/reconciler") == ""
    assert "refs/reconciler" not in place.git("ls-remote", "origin")
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 5)


@pytest.mark.parametrize("branch", ["reconciler-state", "main"])
def test_without_a_remote_a_review_is_local(folder: Path, nursery: Nursery, scheduler: Counting, branch: str) -> None:
    place = Workplace.make(folder, nursery, scheduler.url, remote=False)
    place.state = branch
    place.configure(scheduler.url, state={"branch": branch})
    place.declare("fact.yaml", backfill("fact", between(1, 6)))
    proposed = propose(place, body(1, 5))
    assert proposed.code == 0
    (command,) = (line for line in proposed.out.splitlines() if line.startswith("  git "))
    place.git(*command.split()[1:])
    assert len(place.ledger(SALES)) == 1
    assert propose(place, body(1, 6)).code == 2
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(6, 6)
