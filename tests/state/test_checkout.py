"""The checkout: what HEAD holds, what is not committed, and which branch and remote it belongs to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import Failure, InvalidInput, Stale, UsageFailure
from reconciler.manifests.root import is_manifest_path
from reconciler.state.checkout import Checkout
from tests.state.records import bare_remote, repository, sh


@pytest.fixture
def checkout(folder: Path) -> Checkout:
    git = repository(folder / "clone")
    root = git.top / "tri ggers"
    write(root / "reconciler.yaml", "c")
    write(root / "sales" / "é\t.yaml", "m")
    write(root / "README.md", "r")
    write(root / ".state" / "prod" / "t.jsonl", "s")
    sh(git.top, "add", "--all")
    sh(git.top, "commit", "-q", "-m", "x")
    return Checkout.of(root, is_manifest_path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_manifests_are_those_of_the_commit_by_path_below_the_root(checkout: Checkout) -> None:
    write(checkout.git.top / checkout.prefix / "later.yaml", "l")
    assert checkout.manifests(checkout.head()) == {"reconciler.yaml": b"c", "sales/é\t.yaml": b"m"}


def test_a_symlink_in_the_root_is_refused(checkout: Checkout) -> None:
    (checkout.git.top / checkout.prefix / "more").symlink_to("/etc")
    sh(checkout.git.top, "add", "--all")
    sh(checkout.git.top, "commit", "-q", "-m", "x")
    with pytest.raises(InvalidInput, match="not a plain file"):
        checkout.manifests(checkout.head())


def test_uncommitted_are_manifests_alone(checkout: Checkout) -> None:
    root = checkout.git.top / checkout.prefix
    assert checkout.uncommitted(()) == ()
    write(root / "README.md", "other")
    write(root / ".state" / "prod" / "t.jsonl", "other")
    write(checkout.git.top / "outside.yaml", "o")
    assert checkout.uncommitted(()) == ()
    write(root / "sales" / "é\t.yaml", "other")
    write(root / "deep" / "new.yml", "n")
    (root / "reconciler.yaml").unlink()
    assert set(checkout.uncommitted(())) >= {"sales/é\t.yaml", "reconciler.yaml"}


def test_a_manifest_that_git_ignores_is_not_committed(checkout: Checkout) -> None:
    write(checkout.git.top / ".git" / "info" / "exclude", "*.yaml\n")
    write(checkout.git.top / checkout.prefix / "quiet.yaml", "x")
    assert checkout.uncommitted(["quiet.yaml", "reconciler.yaml"]) == ("quiet.yaml",)


def test_the_branch_is_heads_or_what_is_named_or_what_ci_says(checkout: Checkout) -> None:
    assert checkout.branch(None, {"GITHUB_REF": "refs/heads/x"}) == "main"
    assert checkout.branch("main", {}) == "main"
    with pytest.raises(UsageFailure, match="main is checked out"):
        checkout.branch("other", {})
    sh(checkout.git.top, "checkout", "-q", "--detach")
    assert checkout.branch("named", {"GITHUB_REF": "refs/heads/x"}) == "named"
    assert checkout.branch(None, {"GITHUB_REF": "refs/heads/feature/x"}) == "feature/x"
    assert checkout.branch(None, {"CI_COMMIT_BRANCH": "x"}) == "x"


@pytest.mark.parametrize("said", ["", "refs/pull/7/merge", "refs/tags/v1", "-x", "a b", "a..b", "a\nb", "refs/heads/"])
def test_what_is_no_branch_is_refused_on_a_detached_head(checkout: Checkout, said: str) -> None:
    sh(checkout.git.top, "checkout", "-q", "--detach")
    with pytest.raises(UsageFailure, match="detached"):
        checkout.branch(None, {"GITHUB_REF": said})


def test_the_states_remote_is_the_one_named_or_origin_or_the_only_one(checkout: Checkout) -> None:
    top = checkout.git.top
    assert checkout.remote() is None
    sh(top, "remote", "add", "hub", "x")
    assert checkout.remote() == "hub"
    sh(top, "remote", "add", "lab", "y")
    with pytest.raises(Failure, match="several remotes"):
        checkout.remote()
    sh(top, "remote", "add", "origin", "z")
    assert checkout.remote() == "origin"
    sh(top, "config", "branch.main.remote", "lab")
    assert checkout.remote() == "origin"
    sh(top, "config", "reconciler.remote", "lab")
    assert checkout.remote() == "lab"
    sh(top, "config", "reconciler.remote", "gone")
    with pytest.raises(Failure, match="names gone"):
        checkout.remote()


def test_head_has_to_hold_the_manifests_of_its_upstream(checkout: Checkout) -> None:
    git, top = checkout.git, checkout.git.top
    bare_remote(git)
    checkout.check_upstream(checkout.head(), "main", "origin")
    write(top / "notes.txt", "n")
    sh(top, "add", "--all")
    sh(top, "commit", "-q", "-m", "No manifest")
    checkout.check_upstream(checkout.head(), "main", "origin")
    write(top / checkout.prefix / "new.yaml", "n")
    sh(top, "add", "--all")
    sh(top, "commit", "-q", "-m", "A manifest")
    with pytest.raises(Stale, match="does not hold the manifests"):
        checkout.check_upstream(checkout.head(), "main", "origin")
    with pytest.raises(Stale, match="not on origin"):
        checkout.check_upstream(checkout.head(), "feature", "origin")


def test_the_upstream_may_have_another_name(checkout: Checkout) -> None:
    top = checkout.git.top
    bare_remote(checkout.git)
    sh(top, "checkout", "-q", "-b", "here")
    sh(top, "push", "-q", "-u", "origin", "here:there")
    checkout.check_upstream(checkout.head(), "here", "origin")


def test_a_repository_without_a_commit_is_refused(folder: Path) -> None:
    sh(folder, "init", "-q")
    with pytest.raises(InvalidInput, match="no commit"):
        Checkout.of(folder, is_manifest_path).head()
    with pytest.raises(InvalidInput, match="no folder"):
        Checkout.of(folder / "missing", is_manifest_path)


def test_a_root_that_is_reached_by_a_link_is_the_folder_it_names(checkout: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(checkout.git.top)
    assert Checkout.of(link / checkout.prefix, is_manifest_path).prefix == checkout.prefix
    assert os.path.samefile(Checkout.of(link, is_manifest_path).git.top, checkout.git.top)
