"""Snapshots: what a commit's tree holds, without reading anything twice, and without keeping what is gone."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from reconciler.core.change import Change, Entry
from reconciler.core.ledger import Coverage
from reconciler.state.branch import StateBranch
from reconciler.state.git import Git
from reconciler.state.git_command import Answer
from reconciler.state.json_lines import DamagedState
from reconciler.state.snapshot import GitSnapshot, WrittenLedger, ledger_path
from tests.state.records import (
    OTHER_RUN,
    RUN,
    TABLE,
    TARGET,
    bare_remote,
    hours,
    intent,
    points,
    repository,
    sh,
    trigger,
)

KEY = (TARGET, TABLE)
OTHER = (TARGET, "c.d.Other")
FIRST = Change(entries=(Entry(KEY, trigger(hours(1, 2))),), intents=(intent(points(7)), intent(points(8))))
SECOND = Change(entries=(Entry(KEY, trigger(points(7))),), settled=(intent(points(7)),))
THIRD = Change(entries=(Entry(OTHER, trigger(points(8), OTHER[1])),), settled=(intent(points(8)),))


class Listened(Git):
    """Git that remembers what it was asked."""

    def ask(self, *arguments: str, stdin: bytes = b"", timeout: float = 120.0) -> Answer:
        self.asked.append(arguments[0])
        return super().ask(*arguments, stdin=stdin, timeout=timeout)

    def stream(self, *arguments: str, stdin: bytes = b"", timeout: float = 3600.0) -> Generator[bytes, None, None]:
        self.asked.append(arguments[0])
        return super().stream(*arguments, stdin=stdin, timeout=timeout)

    def ask_remote(self, *arguments: str, timeout: float = 60.0) -> Answer:
        self.asked.append(arguments[0])
        return super().ask_remote(*arguments, timeout=timeout)

    @property
    def asked(self) -> list[str]:
        found: list[str] = self.__dict__.setdefault("_asked", [])
        return found


@pytest.fixture
def git(folder: Path) -> Listened:
    made = repository(folder / "clone")
    bare_remote(made)
    found = Listened.find(made.top)
    assert isinstance(found, Listened)
    return found


def branch(git: Git) -> StateBranch:
    return StateBranch(git, "triggers", "state", "origin", warn=pytest.fail)


def committed(git: Git, *changes: Change) -> GitSnapshot:
    state = branch(git)
    snapshot = state.read()
    for change in changes:
        settled = " ".join(intent.call.id for intent in change.settled)
        after = state.commit(snapshot, change, f"Settled {settled}\n")
        assert isinstance(after, GitSnapshot)
        snapshot = after
    return snapshot


def said(snapshot: GitSnapshot) -> tuple[object, ...]:
    """Return all that a snapshot says."""
    files = {path: (snapshot.entry(path), snapshot.content(path)) for path in snapshot.paths}
    return snapshot.commit, snapshot.intents, snapshot.ledger(KEY), snapshot.ledger(OTHER), files


@pytest.mark.parametrize("changes", [[FIRST], [FIRST, SECOND], [FIRST, SECOND, THIRD]])
def test_a_snapshot_after_a_commit_says_what_a_fresh_one_says(git: Listened, changes: list[Change]) -> None:
    after = committed(git, *changes)
    assert said(after) == said(branch(git).read()) == said(branch(git).at(after.commit))


def test_what_was_written_is_not_read_again(git: Listened) -> None:
    state = branch(git)
    base = state.read()
    git.asked.clear()
    for change in (FIRST, SECOND, THIRD):
        after = state.commit(base, change, "m\n")
        assert isinstance(after, GitSnapshot)
        said(after)
        base = after
    assert "cat-file" not in git.asked


def test_a_commit_on_a_tip_costs_five_git_commands(git: Listened) -> None:
    state = branch(git)
    base = state.commit(state.read(), FIRST, "m\n")
    assert isinstance(base, GitSnapshot)
    git.asked.clear()
    assert isinstance(state.commit(base, SECOND, "m\n"), GitSnapshot)
    assert git.asked == ["fast-import", "push", "ls-remote", "update-ref", "diff-tree"]


def test_a_snapshot_forgets_what_is_no_longer_in_the_tree(git: Listened) -> None:
    base, after = committed(git, FIRST), committed(git, SECOND, THIRD)
    entries = {entry for entry in map(after.entry, after.paths) if entry}
    assert all(entry.oid in after.shelf.contents for entry in entries)
    gone = base.entry(ledger_path("triggers/.state", KEY))
    assert gone is not None
    assert gone.oid not in after.shelf.contents
    assert not after.shelf.pending


def test_what_git_has_counts_and_not_what_was_meant(git: Listened) -> None:
    base = committed(git, FIRST)
    path = ledger_path("triggers/.state", KEY)
    data = base.content(path)
    assert data
    commit = git.write_commit(base.commit, {path: data}, "m", "refs/reconciler/building/test")
    other = WrittenLedger(data + b"{}\n", KEY, Coverage("head", 0, ()))
    after = base.followed_by(commit, {path: other, "triggers/.state/prod/gone.jsonl": other})
    assert after.content(path) == data
    assert after.ledger(KEY) == base.ledger(KEY)
    assert after.paths == base.paths


def test_a_snapshot_after_a_commit_knows_files_of_others_that_changed(git: Listened) -> None:
    base = committed(git, FIRST)
    path = ledger_path("triggers/.state", KEY)
    commit = git.write_commit(base.commit, {path: b"{}\n"}, "m", "refs/reconciler/building/test")
    assert base.followed_by(commit, {}).content(path) == b"{}\n"


def test_a_repository_with_sha256_ids_is_served_alike(folder: Path) -> None:
    top = folder / "long-ids"
    top.mkdir()
    sh(top, "init", "-q", "--object-format=sha256", "--template=")
    found = Listened.find(top)
    assert isinstance(found, Listened)
    state = StateBranch(found, "triggers", "state", None, warn=pytest.fail)
    after = state.commit(state.read(), FIRST, "m\n")
    assert isinstance(after, GitSnapshot)
    assert len(after.intents) == 2
    assert "cat-file" not in found.asked


def test_a_copy_of_another_tables_ledger_or_of_another_runs_intents_is_damage(git: Listened) -> None:
    """Both lie in the same bytes as the file that they were copied from, which was read already."""
    snapshot = committed(git, FIRST)
    ledger, pending = (next(path for path in snapshot.paths if part in path) for part in (TABLE, "pending/"))
    copies = {
        ledger_path(snapshot.folder, OTHER): snapshot.content(ledger),
        pending.replace(RUN, OTHER_RUN): snapshot.content(pending),
    }
    commit = git.write_commit(snapshot.commit, copies, "m\n", "refs/heads/made")
    after = GitSnapshot.load(git, commit, snapshot.folder)
    assert after.ledger(KEY) is not None
    with pytest.raises(DamagedState):
        after.ledger(OTHER)
    with pytest.raises(DamagedState):
        assert after.intents
