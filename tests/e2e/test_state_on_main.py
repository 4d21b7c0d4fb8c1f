"""State on the manifests' own branch: the files lie in the tree, and nothing else differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.counting import Counting
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between, hours
from tests.e2e.nursery import Nursery
from tests.e2e.workplace import Workplace

CONFIG = {"state": {"branch": "main"}}
LEDGER = f".state/prod/{SALES}.jsonl"


@pytest.fixture(params=[True, False], ids=["with a remote", "without a remote"])
def home(request: pytest.FixtureRequest, folder: Path, nursery: Nursery, scheduler: Counting) -> Workplace:
    place = Workplace.make(folder, nursery, scheduler.url, remote=request.param)
    place.state = "main"
    place.configure(scheduler.url, **CONFIG)  # type: ignore[arg-type]
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    return place


def test_the_state_is_committed_to_the_branch_and_known_to_the_next_apply(home: Workplace, scheduler: Counting) -> None:
    assert home.apply().code == 0
    assert len(home.ledger(SALES)) == 1
    assert "Nothing to do" in home.apply().out
    assert scheduler.runs(SALES) == hours(1, 5)
    assert home.git("status", "--porcelain") == ""


def test_the_next_commit_of_the_user_loses_no_state(home: Workplace, scheduler: Counting) -> None:
    assert home.apply().code == 0
    if home.remote:
        home.git("pull", "-q", "--ff-only")
    home.declare("fact.yaml", backfill("fact", between(1, 8)))
    assert home.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 8)
    assert len(home.ledger(SALES)) == 2


def test_edits_index_and_untracked_files_of_the_user_stay(home: Workplace) -> None:
    notes, staged = home.top / "notes.txt", home.top / "staged.txt"
    notes.write_text("one\n")
    home.publish()
    notes.write_text("one\ntwo\n")
    staged.write_text("staged\n")
    home.git("add", "staged.txt")
    (home.top / "untracked.txt").write_text("u\n")
    assert home.apply().code == 0
    assert home.git("status", "--porcelain").splitlines() == [" M notes.txt", "A  staged.txt", "?? untracked.txt"]
    assert notes.read_text() == "one\ntwo\n"
    if not home.remote:
        assert (home.base / LEDGER).is_file()


def test_without_a_remote_the_work_tree_follows(folder: Path, nursery: Nursery, scheduler: Counting) -> None:
    place = Workplace.make(folder, nursery, scheduler.url, remote=False)
    place.state = "main"
    place.configure(scheduler.url, **CONFIG)  # type: ignore[arg-type]
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    assert (place.base / LEDGER).read_bytes() == place.state_files()[f"prod/{SALES}.jsonl"]
    assert not (place.base / ".state" / "pending").exists()


def test_with_a_remote_the_work_tree_follows_where_it_is_safe(
    folder: Path, nursery: Nursery, scheduler: Counting
) -> None:
    place = Workplace.make(folder, nursery, scheduler.url)
    place.state = "main"
    place.configure(scheduler.url, **CONFIG)  # type: ignore[arg-type]
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    assert (place.base / LEDGER).is_file()
    assert place.git("status", "--porcelain", "--branch").splitlines() == ["## main...origin/main"]


def test_a_stale_copy_in_the_work_tree_is_not_what_counts(home: Workplace, scheduler: Counting) -> None:
    """A checkout that lacks the state commits plans against the branch, and its own commits do not undo state."""
    if not home.remote:
        pytest.skip("needs a second clone")
    other = home.clone("other")
    assert home.apply().code == 0
    assert "Nothing to do" in other.apply().out
    other.git("pull", "-q", "--rebase")
    other.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    assert other.apply().code == 0
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS)) == (hours(1, 5), hours(2, 2))


def test_a_revert_of_a_state_commit_is_noticed(home: Workplace, scheduler: Counting) -> None:
    assert home.apply().code == 0
    if home.remote:
        home.git("pull", "-q", "--ff-only")
    home.git("rm", "-q", "-r", f"{home.root}/.state")
    home.publish()
    lost = home.apply()
    assert (lost.code, scheduler.runs(SALES)) == (3, hours(1, 5))
    assert "ledger" in lost.err
