"""That state only ever grew: what this clone has seen of it, and a mark on the remote that each apply moves along.

A fresh clone has seen nothing. The mark, a ref beside the branches, tells it how far state has come: that a branch
without state is one that lost it, and that one which does not hold the marked commit was rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from reconciler.errors import Failure, InvalidInput
from reconciler.state.git import Git
from reconciler.state.growth import vanished_intents
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

    @property
    def mark_ref(self) -> str:
        """The ref that says how far this branch has come."""
        return f"{self.marks}{self.branch}"

    def marked(self, refs: Mapping[str, str]) -> dict[str, str]:
        """Return the branches that refs mark for this root, and the commits that they had come to."""
        return {ref.removeprefix(self.marks): oid for ref, oid in sorted(refs.items()) if ref.startswith(self.marks)}

    def mark(self, commit: str) -> Failure | None:
        """Mark that this root's state has come to `commit`. Returns a Failure, not raised, where there stays no mark.

        A mark that is further on already stays where it is.
        """
        try:
            if self.remote is None:
                self.git.set_ref(self.mark_ref, commit)
                return None
            words = self.git.push(self.remote, commit, self.mark_ref)
            if self.git.remote_tip(self.remote, self.mark_ref) is not None:
                return None
        except Failure as failure:
            words = failure.message
        return Failure(
            f"{self.remote or 'git'} does not take the ref {self.mark_ref} ({words})",
            "it marks how far state has come; without it a fresh clone cannot tell a deleted or rewritten state branch "
            "from a sound one: let this account push refs/reconciler/*, and protect the branch",
        )

    def outdates(self, tip: str | None, marked: Mapping[str, str], seen: str | None) -> bool:
        """Say whether the tip has moved since it was asked for: `seen` here, or the mark, is newer."""
        known = (seen, marked.get(self.branch))
        return tip is not None and any(oid and oid != tip and self.git.is_ancestor(tip, oid) for oid in known)

    def check(
        self,
        tip: str | None,
        snapshot: GitSnapshot,
        marked: Mapping[str, str],
        seen: str | None,
        checked: str | None,
    ) -> None:
        """Raise InvalidInput where the state is gone, moved or rewritten; tell `snapshot` of ledgers that shrank.

        `seen` is what this clone had seen before the tip was asked for. `checked` is the mark that an earlier tip was
        compared with, in this process: what this clone has seen since stands for it.
        """
        others = sorted(set(marked) - {self.branch})
        if others and not snapshot.ledger_names:
            raise InvalidInput(
                f"the state of this root is on the branch {others[0]}, and the config names {self.branch}",
                f"set state.branch back to {others[0]}, or move the state first: {self._copy(others[0])}",
            )
        mark = marked.get(self.branch)
        if tip is None:
            self._check_gone(seen, mark)
            return
        if seen is not None and seen != tip:
            self._check_grown(seen, "seen before", tip, snapshot, self._accept(seen, mark, tip))
        stands = mark == checked and mark and seen and self.git.is_ancestor(mark, seen)
        if mark is not None and mark not in (tip, seen) and not stands:
            self._check_grown(mark, "where its mark is", tip, snapshot, self._accept(seen, mark, tip))
        if snapshot.ledger_names:
            self._check_moved(tip, others)
        else:
            self._check_emptied(tip, snapshot)
            self._check_roots(tip)

    def _check_gone(self, seen: str | None, mark: str | None) -> None:
        """Raise where there was a branch once. The mark is as far as any clone's last whole apply had come."""
        if seen is not None:
            raise InvalidInput(
                f"the state branch {self.branch} is gone, though this clone has seen it at {seen[:12]}",
                f"without it everything would be triggered again; restore it: {self._restore(seen)}",
            )
        if mark is not None:
            forget = (
                f"git push {self.remote} --delete {self.mark_ref}"
                if self.remote
                else f"git update-ref -d {self.mark_ref}"
            )
            raise InvalidInput(
                f"the state branch {self.branch} is gone, though there was one: its mark is at {mark[:12]}",
                f"without it everything would be triggered again; restore it: {self._restore(mark, self.mark_ref)}\n"
                "A run that was killed since may have come further: `git for-each-ref refs/reconciler` shows what a "
                f"clone has seen.\nOnly where everything is to be triggered again on purpose, forget it: {forget}",
            )

    def _check_grown(self, old: str, how: str, tip: str, snapshot: GitSnapshot, accept: str) -> None:
        """Raise where the tip's history lacks `old`, and tell of ledgers that lost lines of it.

        Where history is cut, a commit that it lacks proves nothing: then the files alone tell.
        """
        if self.git.is_ancestor(old, tip) or self.git.is_cut(tip):
            earlier = GitSnapshot.load(self.git, old, snapshot.folder)
            snapshot.compare_with(earlier, f"where all that is missing since then is to stay so: {accept}")
            self._check_intents(old, snapshot, accept)
            return
        restore = self._restore(old, None if how == "seen before" else self.mark_ref)
        if self.git.head_branch() == f"refs/heads/{self.branch}":  # manifests live there too: nothing of them goes back
            restore = f"git checkout {old} -- {snapshot.folder}, commit that, and accept the new history"
        else:
            restore += " --force"
        raise InvalidInput(
            f"the state branch {self.branch} was rewritten: {old[:12]}, {how}, is not in the history of {tip[:12]}",
            f"compare the two; where the old one is right, restore it: {restore}; where the new one is, "
            f"accept it: {accept}",
        )

    def _check_intents(self, old: str, snapshot: GitSnapshot, accept: str) -> None:
        """Raise where calls in doubt were removed since `old` and nothing says what became of them."""
        problems = vanished_intents(self.git, snapshot, old)
        if problems:
            ways = [
                f"{problem.hint.splitlines()[0]}\nwhere all that is missing since then is to stay so: {accept}"
                for problem in problems
            ]
            told = (replace(problem, hint=hint) for problem, hint in zip(problems, ways, strict=True))
            raise InvalidInput("calls in doubt were removed from the state", "", tuple(told))

    def _accept(self, seen: str | None, mark: str | None, tip: str) -> str:
        """Return the command that makes `tip` what this clone and the mark know."""
        move = f"git push {self.remote} --force {tip}:{self.mark_ref}"
        steps = [f"git update-ref -d {self.seen}"] if seen else []
        if mark is not None:
            steps.append(move if self.remote else f"git update-ref {self.mark_ref} {tip}")
        return " && ".join(steps)

    def _restore(self, commit: str, ref: str | None = None) -> str:
        """Return the command that brings the branch back to a commit that is here, or that the remote's `ref` holds."""
        if self.remote is None:
            return f"git branch {self.branch} {commit}"
        fetch = f"git fetch {self.remote} {ref} && " if ref else ""
        return f"{fetch}git push {self.remote} {commit}:refs/heads/{self.branch}"

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
