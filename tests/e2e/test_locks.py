"""What `kill -9` leaves in a clone: locks that nobody holds, and a work tree that has to be as it was."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.counting import Counting, Gate, no_fault
from tests.e2e.manifests import SALES, backfill, between, hours
from tests.e2e.nursery import Nursery
from tests.e2e.settling import settle_by_hand
from tests.e2e.workplace import Workplace

DONE = hours(1, 5)
WAY_OUT = "remove that file, then run again"


@pytest.fixture
def ready(place: Workplace) -> Workplace:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    return place


def alone(folder: Path, nursery: Nursery, scheduler: Counting, **config: object) -> Workplace:
    """Make a workplace without a remote."""
    place = Workplace.make(folder, nursery, scheduler.url, remote=False)
    place.configure(scheduler.url, **config)  # type: ignore[arg-type]
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    return place


def lock(place: Workplace, name: str) -> Path:
    """Leave a lock of git in a clone, as a git process does that was killed."""
    path = place.top / ".git" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_a_lock_on_the_index_stops_no_apply_and_is_left_where_it_is(ready: Workplace, scheduler: Counting) -> None:
    held = lock(ready, "index")
    assert ready.apply().code == 0
    assert (scheduler.runs(SALES), held.exists(), ready.pending()) == (DONE, True, [])
    assert "Nothing to do" in ready.apply().out


def test_a_lock_on_the_index_keeps_a_work_tree_from_following_and_the_message_names_it(
    folder: Path, nursery: Nursery, scheduler: Counting
) -> None:
    """State on the manifests' own branch: HEAD moves on, and the files in the work tree cannot."""
    place = alone(folder, nursery, scheduler, state={"branch": "main"})
    held = lock(place, "index")
    locked = place.apply()
    assert (locked.code, scheduler.runs(SALES), held.exists()) == (0, DONE, True)
    assert "index.lock" in locked.err
    assert "git checkout HEAD -- triggers/.state" in locked.err
    held.unlink()
    place.git("checkout", "HEAD", "--", "triggers/.state")
    assert "Nothing to do" in place.apply().out
    assert scheduler.runs(SALES) == DONE


@pytest.mark.parametrize("name", ["refs/reconciler/remotes/origin/reconciler-state", "packed-refs"])
def test_a_lock_on_refs_of_a_clone_loses_and_doubles_nothing_and_the_way_out_is_said(
    ready: Workplace, scheduler: Counting, name: str
) -> None:
    held = lock(ready, name)
    locked = ready.apply()
    said = held.name in locked.err and WAY_OUT in locked.err
    assert said if locked.code else scheduler.runs(SALES) == DONE
    assert held.exists()
    held.unlink()
    after = ready.apply()
    assert after.code == 0
    assert scheduler.runs(SALES) == DONE
    assert (len(ready.ledger(SALES)), ready.pending()) == (1, [])


def test_a_lock_that_comes_between_a_call_and_its_outcome_costs_no_outcome(
    ready: Workplace, scheduler: Counting
) -> None:
    held: list[Path] = []

    def decide(_: object) -> None:
        held.append(lock(ready, "refs/reconciler/remotes/origin/reconciler-state"))

    scheduler.decide = decide
    locked = ready.apply()
    assert (locked.code, len(ready.ledger(SALES)), ready.pending()) == (0, 1, [])
    assert WAY_OUT in locked.err  # a warning: what landed has landed
    held[0].unlink()
    scheduler.decide = no_fault
    assert ready.apply().code == 0
    assert (scheduler.runs(SALES), len(ready.ledger(SALES)), ready.pending()) == (DONE, 1, [])


def test_a_lock_on_the_local_state_branch_is_no_race_with_another_run(
    folder: Path, nursery: Nursery, scheduler: Counting
) -> None:
    place = alone(folder, nursery, scheduler)
    held = lock(place, "refs/heads/reconciler-state")
    locked = place.apply()
    assert (locked.code, scheduler.calls) == (1, 0)
    assert "reconciler-state.lock" in locked.err
    assert WAY_OUT in locked.err
    held.unlink()
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), len(place.ledger(SALES)), place.pending()) == (DONE, 1, [])


def test_outcomes_that_a_lock_kept_from_the_local_state_branch_are_recorded_later(
    folder: Path, nursery: Nursery, scheduler: Counting
) -> None:
    place = alone(folder, nursery, scheduler)

    def decide(_: object) -> None:
        lock(place, "refs/heads/reconciler-state")

    scheduler.decide = decide
    locked = place.apply()
    assert (locked.code, len(place.pending()), len(place.journals())) == (7, 1, 1)
    assert WAY_OUT in locked.err
    (place.top / ".git/refs/heads/reconciler-state.lock").unlink()
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), len(place.ledger(SALES)), place.pending()) == (DONE, 1, [])


def test_a_lock_on_the_remotes_state_branch_gets_no_call_made(ready: Workplace, scheduler: Counting) -> None:
    assert ready.remote
    held = ready.remote / "refs/heads/reconciler-state.lock"
    held.write_bytes(b"")
    locked = ready.apply()
    assert (locked.code, scheduler.calls) == (1, 0)
    assert "reconciler-state.lock" in locked.err
    held.unlink()
    assert ready.apply().code == 0
    assert scheduler.runs(SALES) == DONE


def edit(place: Workplace) -> None:
    """Leave edits of other files: staged, not staged, both at once, deleted, new."""
    for name in ("changed", "staged", "both", "deleted"):
        (place.top / name).write_text("one\n")
    place.publish()
    for name in ("changed", "staged", "both", "added"):
        (place.top / name).write_bytes(b"two\r\n\0")
    place.git("add", "staged", "both", "added")
    (place.top / "both").write_text("three")
    (place.top / "deleted").unlink()
    (place.top / "untracked").write_text("u")


def tree(place: Workplace) -> Mapping[str, bytes]:
    """Return every file of the work tree outside the state folder, and what is staged of them."""
    files = (path for path in place.top.rglob("*") if path.is_file())
    paths = ((path.relative_to(place.top).as_posix(), path) for path in files)
    kept = {name: path.read_bytes() for name, path in paths if not name.startswith((".git/", "triggers/.state/"))}
    staged = place.git("ls-files", "--stage", "-z", "--", ":!triggers/.state")
    return {**kept, "the index": staged.encode("utf-8", "surrogateescape")}


@pytest.mark.parametrize("at_call", [1, 2])
@pytest.mark.parametrize("branch", ["reconciler-state", "main"])
@pytest.mark.parametrize("remote", [True, False], ids=["with a remote", "without a remote"])
def test_edits_of_other_files_are_the_same_to_the_byte_after_an_apply_that_was_killed(
    folder: Path, nursery: Nursery, scheduler: Counting, remote: bool, branch: str, at_call: int
) -> None:
    place = Workplace.make(folder, nursery, scheduler.url, remote=remote)
    place.state = branch
    place.configure(scheduler.url, state={"branch": branch, "batch": 1})
    place.declare("fact.yaml", backfill("fact", between(1, 5)), backfill("other", between(1, 5), table="c.d.OTHER"))
    edit(place)
    before = tree(place)
    gate = Gate()
    scheduler.decide = lambda arrival: gate.decide(arrival) if arrival.number == at_call else None
    process = place.start("apply")
    assert gate.reached.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gate.open()
    assert tree(place) == before
    scheduler.decide = no_fault
    assert place.apply().code == 7
    settle_by_hand(place, scheduler)
    assert place.apply().code == 0
    assert tree(place) == before
    assert (scheduler.runs(SALES), scheduler.runs("c.d.OTHER")) == (DONE, DONE)
