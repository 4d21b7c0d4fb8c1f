"""The one door to git: a scrubbed environment, odd paths, commits without index or work tree."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from reconciler.errors import Failure, InvalidInput
from reconciler.state.git import Git
from tests.state.records import bare_remote, repository, sh

BUILDING = "refs/reconciler/building/test"
ODD = ("a b/c.yaml", 'q"uote\\.yaml', "tab\there", "new\nline", "déjà", "-rf", "$(touch x)", "per%cent", "a~`b`")


@pytest.fixture
def git(folder: Path) -> Git:
    return repository(folder / "clone")


def test_a_folder_in_no_repository_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not in a git repository"):
        Git.find(tmp_path)


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"]
)
def test_what_a_hooks_environment_says_decides_nothing(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = repository(folder / "mine"), repository(folder / "other")
    monkeypatch.setenv(name, os.fspath(other.top / ".git"))
    found = Git.find(mine.top)
    assert found.top == mine.top
    commit = found.write_commit(None, {"a": b"x"}, "m", BUILDING)
    monkeypatch.delenv(name, raising=False)
    assert mine.commit_of(commit) == commit
    assert other.commit_of(commit) is None


def test_odd_paths_and_any_bytes_are_written_and_read_back(git: Git) -> None:
    files: dict[str, bytes | None] = {path: os.urandom(40) + b"\n\0done\n" for path in ODD}
    files["empty"] = b""
    commit = git.write_commit(None, files, "m", BUILDING)
    entries = git.files(commit, "")
    assert dict(zip((entry.path for entry in entries), git.blobs(e.oid for e in entries), strict=True)) == files
    assert {entry.mode for entry in entries} == {"100644"}
    assert not (git.top / "x").exists()


def test_a_commit_keeps_what_it_does_not_name_and_touches_no_index_and_no_branch(git: Git) -> None:
    (git.top / "staged").write_text("s")
    sh(git.top, "add", "staged")
    before = (sh(git.top, "status", "--porcelain"), sh(git.top, "for-each-ref", "refs/heads"))
    first = git.write_commit(None, {"a/b": b"1", "a/c": b"2"}, "m", BUILDING)
    second = git.write_commit(first, {"a/b": None, "d": b"3"}, "m", BUILDING)
    assert [entry.path for entry in git.files(second, "")] == ["a/c", "d"]
    assert [entry.path for entry in git.files(second, "a")] == ["a/c"]
    assert git.is_ancestor(first, second)
    assert not git.is_ancestor(second, first)
    assert (sh(git.top, "status", "--porcelain"), sh(git.top, "for-each-ref", "refs/heads")) == before


def test_a_stale_index_lock_stops_no_commit(git: Git) -> None:
    (git.top / ".git" / "index.lock").write_text("")
    assert git.write_commit(None, {"a": b"x"}, "m", BUILDING)


def test_a_commit_has_the_users_name_or_one_of_its_own(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    def committer() -> str:
        commit = Git.find(git.top).write_commit(None, {"a": b"x"}, "Subject\n\nBody ü\n", BUILDING)
        return sh(git.top, "log", "-1", "--format=%cn <%ce>|%an|%s|%b", commit)

    assert committer().strip() == "Tess Ter <tess@example.org>|Tess Ter|Subject|Body ü"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("EMAIL", "")
    sh(git.top, "config", "user.useConfigOnly", "true")
    assert git.identity() is None
    assert committer().startswith("backfill-reconciler <")


def test_a_ref_moves_only_from_where_it_was(git: Git) -> None:
    first = git.write_commit(None, {"a": b"1"}, "m", BUILDING)
    second = git.write_commit(first, {"a": b"2"}, "m", BUILDING)
    ref = "refs/heads/state"
    assert git.move_ref(ref, first, None)
    assert not git.move_ref(ref, second, None)
    assert not git.move_ref(ref, second, second)
    assert git.move_ref(ref, second, first)
    assert git.commit_of(ref) == second
    git.drop_ref(ref)
    assert git.commit_of(ref) is None


def test_a_push_is_a_compare_and_swap_and_its_words_prove_nothing(git: Git) -> None:
    bare_remote(git)
    ref = "refs/heads/state"
    first = git.write_commit(None, {"a": b"1"}, "m", BUILDING)
    other = git.write_commit(None, {"a": b"2"}, "m", BUILDING)
    assert git.remote_tip("origin", ref) is None
    git.push("origin", first, ref)
    assert git.push("origin", other, ref)
    assert git.remote_tip("origin", ref) == first
    git.push("origin", first, ref)
    assert git.remote_tip("origin", ref) == first


def test_a_remote_that_does_not_answer_is_a_failure_without_its_password(git: Git) -> None:
    sh(git.top, "remote", "add", "origin", "http://me:hunter2@127.0.0.1:1/x.git")
    with pytest.raises(Failure) as failure:
        git.remote_tip("origin", "refs/heads/main")
    assert "hunter2" not in str(failure.value) + failure.value.hint


def test_a_missing_blob_is_a_failure_not_an_empty_file(git: Git) -> None:
    with pytest.raises(Failure):
        list(git.blobs(["0" * 39 + "1"]))


def test_revisions_that_look_like_options_name_nothing(git: Git) -> None:
    assert git.commit_of("--all") is None
    assert git.commit_of("HEAD") == sh(git.top, "rev-parse", "HEAD")


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="this machine shows no signal masks")
def test_a_ctrl_c_reaches_us_and_never_a_git_that_is_starting(git: Git) -> None:
    """Between fork and session of its own git is in our process group: the signal has to be blocked by then."""
    shown = git.ask("-c", "alias.mask=!grep SigBlk /proc/$PPID/status", "mask")
    blocked = int(shown.text.split()[1], 16)
    assert blocked & 1 << signal.SIGINT - 1
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
