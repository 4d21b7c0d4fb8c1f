"""That state only ever grew: what this clone has seen of it, and a mark on the remote that it exists at all.

A fresh clone has seen nothing. The mark, a ref beside the branches that the first apply leaves, tells it that a branch
without state is one that lost it, and not one that never had any.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.errors import Failure, InvalidInput
from reconciler.state.git import Git
from reconciler.state.snapshot import GitSnapshot, state_folder

_MARKS = "refs/reconciler/state"


@dataclass(frozen=True, slots=True)
class Continuity:
    """The memory of one root's state branch. `remote` is None where state is not pushed."""

    git: Git
    root: str
    branch: str
    remote: str | None

    @property
    def seen(self) -> str:
        """The ref of this clone that holds the newest tip that it has seen."""
        return (
            f"refs/reconciler/remotes/{self.remote}/{self.branch}"
            if self.remote
            else f"refs/reconciler/heads/{self.branch}"
        )

    @property
    def marks(self) -> str:
        """The folder of refs that says on which branches this root has kept state."""
        return f"{_MARKS}/{quote(self.root or '.', safe='').replace('.', '%2E').replace('~', '%7E')}/"

    def marked(self, refs: Collection[str]) -> tuple[str, ...]:
        """Return the branches that refs mark for this root."""
        return tuple(sorted(ref.removeprefix(self.marks) for ref in refs if ref.startswith(self.marks)))

    def mark(self, commit: str) -> Failure | None:
        """Leave the mark that this root has state here. Returns a Failure, not raised, where the remote takes none."""
        ref = f"{self.marks}{self.branch}"
        if self.remote is None:
            self.git.set_ref(ref, commit)
            return None
        words = self.git.push(self.remote, commit, ref)
        if self.git.remote_tip(self.remote, ref) is not None:
            return None
        return Failure(
            f"{self.remote} does not take the ref {ref} ({words})",
            "it marks that state exists; without it a fresh clone cannot tell a deleted state branch from none: let "
            "this account push refs/reconciler/*, and protect the branch from deletion",
        )

    def check(self, tip: str | None, snapshot: GitSnapshot, marked: Collection[str]) -> None:
        """Raise InvalidInput where the state is gone, moved or rewritten; tell `snapshot` of ledgers that shrank."""
        others = sorted(set(marked) - {self.branch})
        if others and not snapshot.ledger_names:
            raise InvalidInput(
                f"the state of this root is on the branch {others[0]}, and the config names {self.branch}",
                f"set state.branch back to {others[0]}, or move the state first: {self._copy(others[0])}",
            )
        seen = self.git.commit_of(self.seen)
        if seen is not None and seen != tip:
            self._check_seen(seen, tip, snapshot)
        if tip is None:
            self._check_marks(marked)
        elif snapshot.ledger_names:
            self._check_moved(tip, others)
        else:
            self._check_emptied(tip, snapshot)
            self._check_roots(tip)

    def _check_seen(self, seen: str, tip: str | None, snapshot: GitSnapshot) -> None:
        target = f"{seen}:refs/heads/{self.branch}"
        restore = f"git push {self.remote} {target}" if self.remote else f"git branch {self.branch} {seen}"
        if tip is None:
            raise InvalidInput(
                f"the state branch {self.branch} is gone, though this clone has seen it at {seen[:12]}",
                f"without it everything would be triggered again; restore it: {restore}",
            )
        if not self.git.is_ancestor(seen, tip) and not self.git.is_shallow():
            raise InvalidInput(
                f"the state branch {self.branch} was rewritten: {seen[:12]}, seen before, is not in the history of "
                f"{tip[:12]}",
                f"compare the two; where the old one is right, restore it: {restore} --force; where the new one is, "
                f"accept it: git update-ref -d {self.seen}",
            )
        snapshot.compare_with(GitSnapshot.load(self.git, seen, snapshot.folder))

    def _check_marks(self, marked: Collection[str]) -> None:
        mark = f"{self.marks}{self.branch}"
        forget = f"git push {self.remote} --delete {mark}" if self.remote else f"git update-ref -d {mark}"
        if self.branch in marked:
            raise InvalidInput(
                f"the state branch {self.branch} is gone, though there was one",
                "without it everything would be triggered again: push it back from a clone that has seen it "
                "(`git for-each-ref refs/reconciler` shows it there).\n"
                f"Only where everything is to be triggered again on purpose, forget it: {forget}",
            )

    def _check_emptied(self, tip: str, snapshot: GitSnapshot) -> None:
        """Raise where the branch holds no ledger, and its own history does: a first apply may end without any."""
        pending = f"{snapshot.folder}/pending/"
        lost = sorted(path for path in self.git.paths_ever(tip, snapshot.folder) if not path.startswith(pending))
        if lost:
            raise InvalidInput(
                f"the state branch {self.branch} holds no ledger any more, though there was {lost[0]}",
                "without it everything would be triggered again: put the ledgers back as they were before the commit "
                f"that removed them, which `git log -- {snapshot.folder}` shows on that branch",
            )

    def _check_moved(self, tip: str, others: Sequence[str]) -> None:
        """Raise where another branch that holds this root's state has what this one has not: then it moved there."""
        for other in others:
            theirs = self._tip_of(other)
            if theirs is not None and not self.git.is_ancestor(theirs, tip):
                raise InvalidInput(
                    f"the config names the state branch {self.branch}, but {other} holds newer state of this root",
                    f"set state.branch back to {other}, or bring {self.branch} up to it: {self._copy(other)}",
                )

    def _tip_of(self, branch: str) -> str | None:
        ref = f"refs/heads/{branch}"
        if self.remote is None:
            return self.git.commit_of(ref)
        if self.git.remote_tip(self.remote, ref) is None:
            return None
        return self.git.fetch(self.remote, ref)

    def _copy(self, other: str) -> str:
        """Return the command that brings the state from another branch to the configured one."""
        fetched = f"git fetch {self.remote} {other} && " if self.remote else ""
        source = "FETCH_HEAD" if self.remote else other
        if self.git.head_branch() == f"refs/heads/{self.branch}":
            return f"{fetched}git checkout {source} -- {state_folder(self.root)}, and commit that"
        if self.remote is None:
            return f"git branch --force {self.branch} {other}"
        return f"{fetched}git push {self.remote} FETCH_HEAD:refs/heads/{self.branch}"

    def _check_roots(self, tip: str) -> None:
        """Raise where the state is that of another root, and that root is gone: then it was renamed to this one."""
        mine = state_folder(self.root)
        paths = (f"/{file.path}" for file in self.git.files(tip, ""))
        folders = {path.split("/.state/")[0][1:] for path in paths if "/.state/" in path}
        for root in sorted(folders - {self.root}):
            if not self._is_root(root):
                old, new = root or ".", self.root or "."
                theirs = state_folder(root)
                raise InvalidInput(
                    f"the state branch holds state of the root {old}, which is gone, and none of {new}",
                    f"if the root was renamed, rename its state too, in a commit on {self.branch}: "
                    f"{f'mkdir -p {self.root} && ' if self.root else ''}git mv {theirs} {mine}\n"
                    f"If {old} was retired, and {new} is another root, remove its state there: git rm -r {theirs}",
                )

    def _is_root(self, folder: str) -> bool:
        """Say whether a folder is a root still, in the work tree or in HEAD (a sparse work tree lacks some)."""
        path = f"{folder}/reconciler.yaml" if folder else "reconciler.yaml"
        return (self.git.top / path).exists() or bool(self.git.files("HEAD", path))
