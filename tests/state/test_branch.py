"""The state branch: compare-and-swap, growth, and pushes of which nobody knows what became of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.core.change import Change, Entry, Overtaken
from reconciler.errors import Failure, InvalidInput, Stale
from reconciler.state.branch import StateBranch
from reconciler.state.git import Entry as TreeEntry
from reconciler.state.git import Git
from reconciler.state.snapshot import GitSnapshot
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
STATE = "refs/heads/state"
FIRST = Change(entries=(Entry(KEY, trigger(hours(1, 2))),))
SECOND = Change(entries=(Entry(KEY, trigger(points(7))),))


@pytest.fixture
def git(folder: Path) -> Git:
    found = repository(folder / "clone")
    bare_remote(found)
    return found


def branch(git: Git, *, remote: str | None = "origin", push: bool = True, name: str = "state") -> StateBranch:
    said: list[str] = []
    return StateBranch(git, "triggers", name, remote, push=push, warn=said.append, sleep=lambda _: None)


def second_clone(git: Git) -> Git:
    top = git.top.parent / "second"
    sh(git.top.parent, "clone", "-q", os.fspath(git.top.parent / "remote.git"), os.fspath(top))
    return Git.find(top)


def landed(state: StateBranch, change: Change) -> GitSnapshot:
    snapshot = state.commit(state.read(), change, "Message\n")
    assert isinstance(snapshot, GitSnapshot)
    return snapshot


def lines(snapshot: GitSnapshot) -> int:
    ledger = snapshot.ledger(KEY)
    return len(ledger.triggers) if ledger else 0


def hook(git: Git, name: str, script: str) -> None:
    path = git.top.parent / "remote.git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class Busy(Git):
    """A repository in which something happens once, before the files of a commit are listed."""

    meanwhile: Callable[[], object] | None = None

    def files(self, commit: str, folder: str) -> tuple[TreeEntry, ...]:
        happens, self.meanwhile = self.meanwhile, None
        if happens:
            happens()
        return super().files(commit, folder)


@pytest.mark.parametrize("remote", ["origin", None])
def test_another_run_in_this_clone_may_come_on_while_the_state_is_read(git: Git, remote: str | None) -> None:
    other = branch(git, remote=remote)
    landed(other, FIRST)
    busy = Busy(git.top, git.common_dir)
    busy.meanwhile = lambda: landed(other, SECOND)
    mine = branch(busy, remote=remote)
    assert lines(mine.read()) == 1
    assert lines(mine.read()) == 2


def test_a_tip_that_is_here_is_held_only_with_all_that_it_has(git: Git) -> None:
    first, second = (landed(branch(git), change).commit for change in (FIRST, SECOND))
    assert first
    assert second
    assert git.holds(second, first)
    (git.top.parent / "other").mkdir()
    other = Git.begin(git.top.parent / "other", "main")
    sh(other.top, "fetch", "-q", os.fspath(git.top), first)
    assert not other.holds(second, first)
    commit = sh(git.top, "cat-file", "commit", second)
    (other.top / "commit").write_text(f"{commit}\n")
    assert sh(other.top, "hash-object", "-t", "commit", "-w", "--literally", "commit") == second
    assert not other.holds(second, first)


@pytest.mark.parametrize("remote", ["origin", None])
def test_what_is_committed_is_read_back(git: Git, remote: str | None) -> None:
    state = branch(git, remote=remote)
    assert (state.read().commit, state.read().ledger(KEY)) == (None, None)
    snapshot = landed(state, FIRST + Change(intents=(intent(points(7)),)))
    again = branch(git, remote=remote).read()
    assert (again.commit, lines(again), again.intents) == (snapshot.commit, 1, (intent(points(7)),))
    after = landed(state, Change(settled=again.intents))
    assert after.intents == ()
    assert after.paths == {f"triggers/.state/{TARGET}/{TABLE}.jsonl"}


def test_a_change_of_nothing_makes_no_commit(git: Git) -> None:
    state = branch(git)
    base = landed(state, FIRST)
    assert state.commit(base, Change(), "m") is base
    gone = Change(settled=(intent(points(9), run=OTHER_RUN),))
    assert state.commit(base, gone, "m") is base


@pytest.mark.parametrize("remote", ["origin", None])
def test_of_two_that_start_from_one_tip_the_second_is_overtaken(git: Git, remote: str | None) -> None:
    landed(branch(git, remote=remote), FIRST)
    one, two = branch(git, remote=remote), branch(second_clone(git) if remote else git, remote=remote)
    mine, theirs = one.read(), two.read()
    assert isinstance(one.commit(mine, SECOND, "m"), GitSnapshot)
    assert two.commit(theirs, SECOND, "Another run") == Overtaken()
    assert lines(two.read()) == 2


def test_of_two_first_commits_only_one_lands(git: Git) -> None:
    one, two = branch(git), branch(second_clone(git))
    mine, theirs = one.read(), two.read()
    assert isinstance(one.commit(mine, FIRST, "m"), GitSnapshot)
    assert two.commit(theirs, FIRST, "Another run") == Overtaken()
    assert lines(two.read()) == 1


def test_a_push_that_landed_though_the_server_died_has_landed(git: Git) -> None:
    hook(git, "post-update", 'kill -9 "$(cat /proc/$PPID/stat | cut -d" " -f4)" "$PPID"')
    snapshot = landed(branch(git), FIRST)
    assert sh(git.top, "ls-remote", "origin", STATE).split()[0] == snapshot.commit


def test_a_push_that_did_not_land_is_tried_again_with_the_same_commit(git: Git) -> None:
    counter = git.top.parent / "counter"
    hook(git, "pre-receive", f"cat >> '{counter.name}'; [ $(wc -l < '{counter.name}') -ge 3 ]")
    snapshot = landed(branch(git), Change(intents=(intent(points(7)),)))
    tried = (git.top.parent / "remote.git" / counter.name).read_text().split("\n")[:-1]
    assert {line.split()[1] for line in tried} == {snapshot.commit}
    assert [line.split()[2] for line in tried].count("refs/heads/state") == 3


def test_a_remote_that_keeps_refusing_is_a_failure_and_nothing_landed(git: Git) -> None:
    hook(git, "pre-receive", "echo protected >&2; exit 1")
    state = branch(git)
    with pytest.raises(Failure, match="does not take the push") as failure:
        state.commit(state.read(), FIRST, "m")
    assert "let this account push" in failure.value.hint
    assert state.read().commit is None
    assert sh(git.top, "for-each-ref", "refs/reconciler/building", "refs/reconciler/incoming") == ""


def test_a_push_that_another_run_has_built_on_has_landed(git: Git) -> None:
    """Our commit landed, the answer was lost, and somebody was quick: the tip is theirs, our commit below it."""
    state = branch(git)
    base = landed(state, FIRST)
    script = "read old new ref || exit 0; case $ref in refs/heads/*) ;; *) exit 0;; esac; "
    script += 'next=$(git commit-tree -p "$new" -m x "$new^{tree}"); git update-ref "$ref" "$next"; exit 1'
    environment = "GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x; "
    hook(git, "post-receive", f"export {environment}{script}")
    snapshot = state.commit(base, SECOND, "m")
    assert isinstance(snapshot, GitSnapshot)
    (git.top.parent / "remote.git" / "hooks" / "post-receive").unlink()
    assert lines(state.read()) == 2


def test_a_branch_that_is_gone_or_was_rewritten_is_refused(git: Git) -> None:
    state = branch(git)
    first = landed(state, FIRST).commit
    second = landed(state, SECOND).commit
    sh(git.top, "push", "-q", "--force", "origin", f"{first}:{STATE}")
    with pytest.raises(InvalidInput, match="rewritten"):
        state.read()
    sh(git.top, "push", "-q", "origin", f":{STATE}")
    with pytest.raises(InvalidInput, match="gone"):
        state.read()
    sh(git.top, "push", "-q", "origin", f"{second}:{STATE}")
    assert lines(state.read()) == 2


def test_a_ledger_that_lost_a_line_is_damaged_though_its_chain_is_whole(git: Git) -> None:
    state = branch(git)
    base = landed(state, FIRST + SECOND)
    data = base.content(f"triggers/.state/{TARGET}/{TABLE}.jsonl")
    assert data
    shorter = data[: data[:-1].rindex(b"\n") + 1]
    path = f"triggers/.state/{TARGET}/{TABLE}.jsonl"
    commit = git.write_commit(base.commit, {path: shorter}, "m", "refs/reconciler/building/test")
    git.push("origin", commit, STATE)
    with pytest.raises(InvalidInput, match=r"\.state/prod/c\.d\.T\.jsonl:3"):
        state.read().ledger(KEY)


def test_nothing_is_ever_appended_to_a_damaged_ledger(git: Git) -> None:
    state = branch(git)
    path = f"triggers/.state/{TARGET}/{TABLE}.jsonl"
    git.push("origin", git.write_commit(None, {path: b"{}\n"}, "m", "refs/reconciler/building/test"), STATE)
    snapshot = state.read()
    with pytest.raises(InvalidInput, match=r"\.state/prod"):
        state.commit(snapshot, FIRST, "m")


def test_state_that_was_kept_here_has_to_be_pushed_before_more_is(git: Git) -> None:
    landed(branch(git, push=False), FIRST)
    with pytest.raises(Stale, match="has not"):
        branch(git).read()
    git.push("origin", str(git.commit_of(STATE)), STATE)
    assert lines(branch(git).read()) == 1


def test_state_kept_here_and_state_pushed_by_others_are_not_mixed(git: Git) -> None:
    landed(branch(git), FIRST)
    local = branch(git, push=False)
    landed(local, SECOND)
    landed(branch(second_clone(git)), Change(intents=(intent(points(9), run=RUN),)))
    with pytest.raises(Stale, match="both moved on"):
        local.read()


def test_on_the_branch_that_is_checked_out_the_work_tree_follows_and_edits_stay(git: Git) -> None:
    (git.top / "mine").write_text("1")
    sh(git.top, "add", "mine")
    sh(git.top, "commit", "-q", "-m", "x")
    (git.top / "mine").write_text("2")
    landed(branch(git, remote=None, name="main"), FIRST)
    assert (git.top / "triggers/.state" / TARGET / f"{TABLE}.jsonl").is_file()
    assert sh(git.top, "status", "--porcelain") == " M mine"


def test_where_the_work_tree_cannot_follow_a_person_is_told(git: Git) -> None:
    said: list[str] = []
    state = StateBranch(git, "triggers", "main", None, warn=said.append)
    path = git.top / "triggers/.state" / TARGET / f"{TABLE}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert isinstance(state.commit(state.read(), FIRST, "m"), GitSnapshot)
    assert path.read_text() == "mine"
    assert "git checkout HEAD -- triggers/.state" in said[0]


@pytest.mark.parametrize("remote", ["origin", None])
def test_a_proposal_is_a_new_branch_on_top_of_the_state_and_moves_no_other(git: Git, remote: str | None) -> None:
    state = branch(git, remote=remote)
    base = landed(state, FIRST)
    commit = state.propose(base, SECOND, "Message\n", "review")
    assert commit
    assert branch(git, remote=remote).read().commit == base.commit
    assert sh(git.top, "rev-parse", f"{commit}^") == base.commit
    assert lines(state.at(commit)) == 2
    place = git.top.parent / "remote.git" if remote else git.top
    assert sh(place, "rev-parse", "refs/heads/review") == commit
    assert state.propose(base, FIRST, "Message\n", "review") is None
    assert sh(place, "rev-parse", "refs/heads/review") == commit


def test_a_proposal_that_is_refused_is_a_failure(git: Git) -> None:
    hook(git, "pre-receive", "echo protected >&2; exit 1")
    state = branch(git)
    with pytest.raises(Failure, match="does not take the push to review"):
        state.propose(state.read(), FIRST, "Message\n", "review")


class Slow(Git):
    """Git whose remote tells its refs one after the other, so slowly that the first answers may be old."""

    old: list[str]

    def remote_refs(self, remote: str, *patterns: str) -> dict[str, str]:
        now = super().remote_refs(remote, *patterns)
        return {**now, STATE: self.old.pop()} if self.old else now


def test_a_tip_that_moves_while_the_remote_is_asked_is_asked_for_again(git: Git) -> None:
    """The mark may be newer than the tip that was told before it: nothing was rewritten then."""
    state = branch(git)
    old = landed(state, FIRST).commit
    new = landed(state, SECOND).commit
    state.keep_mark(new)
    assert old
    second_clone(git)
    slow = Slow.find(git.top.parent / "second")
    assert isinstance(slow, Slow)
    sh(slow.top, "fetch", "-q", "origin", f"{STATE}:refs/reconciler/remotes/origin/state")
    slow.set_ref("refs/reconciler/remotes/origin/state", old)
    slow.old = [old]
    assert branch(slow).read().commit == new
    assert slow.old == []


def test_a_memory_that_cannot_be_written_is_no_failure_of_a_push_that_landed(git: Git) -> None:
    state = branch(git)
    first = landed(state, FIRST)
    lock = git.common_dir / "refs/reconciler/remotes/origin/state.lock"
    lock.touch()
    after = state.commit(first, SECOND, "Message\n")
    assert isinstance(after, GitSnapshot)
    assert lines(after) == 2
    lock.unlink()
    assert lines(branch(git).read()) == 2
