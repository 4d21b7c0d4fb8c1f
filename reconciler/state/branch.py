"""The state branch: read at its tip, changed by commits on top of it, pushed as a compare-and-swap."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from reconciler.cache import Cache
from reconciler.core.change import Change, Key, Overtaken, entries_by_key, remaining
from reconciler.core.ledger import Coverage, Intent
from reconciler.errors import Failure, Stale
from reconciler.state.continuity import Continuity
from reconciler.state.git import Git
from reconciler.state.ledger_file import append, head_of
from reconciler.state.pending_file import write_pending
from reconciler.state.shelf import Shelf
from reconciler.state.snapshot import (
    GitSnapshot,
    Written,
    WrittenIntents,
    WrittenLedger,
    ledger_path,
    pending_path,
    state_folder,
)
from reconciler.state.swap import ask_tip, swap

_MOVES = 10
"""How often a tip that moves while it is asked for is asked for again: with many appliers at once it often does."""


class StateBranch:
    """Where state lies: a branch of a remote, or of this repository where there is none (or nothing is to be pushed).

    `root` is the root's path from the repository's top, "" for the top itself. `warn` hears what a person should know.
    """

    def __init__(
        self,
        git: Git,
        root: str,
        branch: str,
        remote: str | None,
        *,
        push: bool = True,
        cache: Cache | None = None,
        warn: Callable[[str], None],
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.git = git
        self.root = root
        self.ref = f"refs/heads/{branch}"
        self.remote = remote
        self.pushes = remote is not None and push
        self._shelf = Shelf(cache if cache is not None else Cache(None))
        self._memory = Continuity(git, root, branch, remote if self.pushes else None)
        self._local: str | None = None
        self._mark: str | None = None
        self._grown: str | None = None
        self._sound = True
        self._warn = warn
        self._sleep = sleep or git.patience.sleep

    @property
    def folder(self) -> str:
        """The folder of the state files, from the repository's top."""
        return state_folder(self.root)

    def path_of(self, key: Key) -> str:
        """Return the path of a table's ledger, from the repository's top."""
        return ledger_path(self.folder, key)

    @property
    def where(self) -> str:
        """The branch, as messages name it."""
        return f"{self.remote}/{self.name}" if self.pushes else self.name

    def at(self, commit: str | None) -> GitSnapshot:
        """Return the state at a commit that is here."""
        return GitSnapshot.load(self.git, commit, self.folder, self._shelf)

    def read(self) -> GitSnapshot:
        """Return the state at the branch's tip. No branch is no state, but only where none was ever seen.

        Raises InvalidInput where the branch is gone, was rewritten or lost lines since this clone last saw it, or
        where its pending files are damaged; Failure where the remote does not answer.
        """
        # Looked up before the tip is asked for: another run in this clone may note a newer one meanwhile.
        seen = self.git.commit_of(self._memory.seen)
        tip, marked = self._tip(seen)
        for _ in range(_MOVES):
            if not self._moved(tip, marked, seen):
                break
            tip, marked = self._tip(seen)
        snapshot = self.at(tip)
        self._memory.check(tip, snapshot, marked, seen, self._grown)
        self._mark = marked.get(self.name, self._mark)
        self._grown = None if snapshot.shrunk else marked.get(self.name)
        self._sound = not snapshot.shrunk
        if tip is not None and not snapshot.shrunk:
            self.git.set_ref(self._memory.seen, tip)
        return snapshot

    def _moved(self, tip: str | None, marked: Mapping[str, str], seen: str | None) -> bool:
        """Say whether the tip has moved since it was asked for.

        Brings the marked commit here where the tip's history does not: it was rewritten, or is cut in this clone.
        """
        mark = marked.get(self.name)
        if tip and mark and self.remote and self.git.commit_of(mark) is None:
            fetched = self.git.fetch(self.remote, self._memory.mark_ref, shallow=self.git.is_cut(tip))
            return fetched != mark or self._memory.outdates(tip, marked, seen)
        return self._memory.outdates(tip, marked, seen)

    def _tip(self, seen: str | None) -> tuple[str | None, dict[str, str]]:
        """Return the tip that counts, and the branches that are marked as holding this root's state, with the marks.

        `seen` is what this clone has seen last, and so is here.
        """
        self._local = local = self.git.commit_of(self.ref)
        if self.remote is None:
            return local, self._memory.marked(self.git.local_refs(self._memory.marks))
        refs = self.git.remote_refs(self.remote, self.ref, f"{self._memory.marks}*")
        tip = self._fetch(self.remote, refs.get(self.ref), seen)
        return (self._pushed(tip, local) if self.pushes else self._kept(tip, local)), self._memory.marked(refs)

    def _pushed(self, tip: str | None, local: str | None) -> str | None:
        if local and local != tip and self.git.commits_since(tip, local, self.folder):
            if tip is not None and not self.git.is_ancestor(tip, local):
                raise self._diverged(tip)
            raise Stale(
                f"the local branch {self.name} holds state that {self.remote} has not",
                f"push it first: git push {self.remote} {self.name}",
            )
        return tip

    def _kept(self, tip: str | None, local: str | None) -> str | None:
        """Return the newer of the local branch and the remote's, where nothing is to be pushed."""
        if local is None or tip is None or self.git.is_ancestor(tip, local):
            return local or tip
        if self.git.is_ancestor(local, tip):
            return tip
        raise self._diverged(tip)

    def _diverged(self, tip: str) -> Stale:
        return Stale(
            f"the local branch {self.name} and the one on {self.remote} have both moved on",
            f"each records calls that the other lacks: see `git log {self.name} ^{tip}`. Take what only the local one "
            f"triggered out of the manifests, then delete it: git branch -D {self.name}",
        )

    @property
    def name(self) -> str:
        """The branch's own name."""
        return self.ref.removeprefix("refs/heads/")

    def _fetch(self, remote: str, tip: str | None, seen: str | None) -> str | None:
        """Bring the remote's tip here and return it, or a newer one. What lost a race has brought it here already."""
        if tip is None or tip == seen or (seen and self.git.holds(tip, seen)):
            return tip
        return self.git.fetch(remote, self.ref)

    def commit_saying(self, words: str, commit: str | None, since: str | None) -> str | None:
        """Return a commit in the state's history up to `commit`, younger than `since`, whose message has `words`.

        Where `since` is not here, all of the history is looked through.
        """
        if commit is None:
            return None
        without = [f"^{since}"] if since and self.git.commit_of(since) else []
        found = self.git.run("rev-list", "--max-count=1", "--fixed-strings", f"--grep={words}", commit, *without)
        return found.decode().strip() or None

    def commit(self, base: GitSnapshot, change: Change, message: str) -> GitSnapshot | Overtaken:
        """Write `change` on top of `base` and publish it: a new snapshot, or Overtaken where another run was first.

        What became of a push is decided by asking the remote for its tip, never by git's exit code. Raises Failure
        where the remote keeps refusing, or does not answer, so that nothing is known.
        """
        return self.commit_files(base, self._files(base, change), message)

    def commit_files(
        self, base: GitSnapshot, files: Mapping[str, Written | None], message: str
    ) -> GitSnapshot | Overtaken:
        """Do the same for state files as they are to be, by path; None where one is to go."""
        if not files:
            return base
        contents = {path: file.data if file else None for path, file in files.items()}
        with self._written(base, contents, message) as (commit, refs):
            if not self._publish(commit, base.commit):
                return Overtaken()
            if not base.shrunk:
                refs[self._memory.seen] = commit
        if self._mark is None:
            self.keep_mark(commit)
        return base.followed_by(commit, files)

    def propose(self, base: GitSnapshot, change: Change, message: str, branch: str) -> str | None:
        """Write `change` on top of `base` to a new branch, for review, and return the commit; the state stays as it is.

        None where there is such a branch. Raises Failure where the remote keeps refusing, or does not answer.
        """
        ref = f"refs/heads/{branch}"
        contents = {path: file.data if file else None for path, file in self._files(base, change).items()}
        with self._written(base, contents, message) as (commit, _):
            if not self.pushes or self.remote is None:
                return commit if self.git.move_ref(ref, commit, None) else None
            if (
                ask_tip(self.git, self.remote, ref, self._sleep) is not None
            ):  # a push could move it, where it is below the state
                return None
            return commit if swap(self.git, self.remote, ref, None, commit, self._sleep) else None

    @contextmanager
    def _written(
        self, base: GitSnapshot, files: Mapping[str, bytes | None], message: str
    ) -> Iterator[tuple[str, dict[str, str | None]]]:
        """Yield a commit of `files` on top of `base`, and the refs of ours that are set (None: dropped) afterwards.

        One of them keeps the commit alive until then.
        """
        building = f"refs/reconciler/building/{os.getpid()}"
        refs: dict[str, str | None] = {building: None}
        try:
            yield self.git.write_commit(base.commit, files, message, building), refs
        finally:
            self._remember(refs)

    def _remember(self, refs: Mapping[str, str | None]) -> None:
        """Set refs of ours. What has landed has landed: that this clone cannot note it is no failure of it."""
        try:
            self.git.set_refs(refs)
        except Failure as failure:
            self._warn(f"warning: {failure.message}\n    {failure.hint}")

    def keep_mark(self, commit: str | None) -> None:
        """Move the mark along to `commit`; warns, once a run, where there is none and the remote takes none.

        To be called when a run ends: then a fresh clone knows how far it came. Where a ledger has lost lines the mark
        stays: it is what remembers them.
        """
        if commit is None or self._mark == commit or not self._sound:
            return
        failure = self._memory.mark(commit)
        if failure is not None and self._mark is None:
            self._warn(f"warning: {failure.message}\n    {failure.hint}")
        self._mark = commit

    def _files(self, base: GitSnapshot, change: Change) -> dict[str, Written | None]:
        files: dict[str, Written | None] = {}
        added = {ledger_path(self.folder, key): (key, some) for key, some in entries_by_key(change.entries).items()}
        before = base.read(added)
        for path, (key, triggers) in added.items():
            ledger = base.ledger(key)  # raises where it is damaged: nothing is ever appended to such a file
            data = append(before.get(path), *key, triggers)
            covers = ledger.coverage if ledger else Coverage.of((), "")
            files[path] = WrittenLedger(data, key, covers.grown(triggers, head_of(data)))
        for run in dict.fromkeys(intent.run for intent in (*change.settled, *change.intents)):
            path = pending_path(self.folder, run)
            kept = remaining((i for i in base.intents if i.run == run), change.settled)
            intents: tuple[Intent, ...] = kept + tuple(i for i in change.intents if i.run == run)
            if intents:
                files[path] = WrittenIntents(write_pending(intents), intents)
            elif path in base.paths:
                files[path] = None
        return {path: file for path, file in files.items() if file is None or file.data != base.content(path)}

    def _publish(self, commit: str, parent: str | None) -> bool:
        if not self.pushes or self.remote is None:
            return self._publish_here(commit)
        if not swap(self.git, self.remote, self.ref, parent, commit, self._sleep):
            return False
        self._take_along(commit, parent)
        return True

    def _take_along(self, commit: str, parent: str | None) -> None:
        """Move the local branch too where the manifests' branch holds the state and was not behind."""
        if self._local is not None and self._local == parent and self.git.head_branch() == self.ref:
            self._publish_here(commit)

    def _publish_here(self, commit: str) -> bool:
        if not self.git.move_ref(self.ref, commit, self._local):
            return False
        why = self.git.follow(self._local, commit) if self.git.head_branch() == self.ref else None
        if why:
            self._warn(
                f"warning: the branch {self.name} has moved on, but the work tree could not follow: {why}\n"
                f"    bring the state files back with: git checkout HEAD -- {self.folder}"
            )
        self._local = commit
        return True
