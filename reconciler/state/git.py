"""A git repository as the reconciler uses it: fixed plumbing commands, a few a method.

Nothing that a manifest says becomes an argument here: callers pass full ref names, object ids, remote names that
git's own config gave, and paths below `--`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reconciler.core.progress import SILENT, Progress
from reconciler.errors import Failure, InvalidInput
from reconciler.state.batch import Batch
from reconciler.state.fast_import import commit_stream
from reconciler.state.git_command import Answer, GitCommand, way_out
from reconciler.state.patience import Patience

_LOCAL = 120.0
_LONG = 3600.0
_NETWORK = 60.0
_LOCK_PAUSES = (0.0, 0.2, 0.5, 1.0)


_ANONYMOUS = "backfill-reconciler <backfill-reconciler@localhost>"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree: mode (`100644`, `120000` for a symlink, …), object id, path from the repository's top."""

    mode: str
    oid: str
    path: str


class Git:
    """One repository. Every method is a few fixed git commands."""

    def __init__(self, top: Path, common_dir: Path, progress: Progress = SILENT) -> None:
        """`progress` hears of what may take long."""
        self.top = top
        self.common_dir = common_dir
        self.progress = progress
        self.patience = Patience()
        self._command = GitCommand(top)

    @classmethod
    def find(cls, folder: Path, progress: Progress = SILENT) -> Git:
        """Return the repository that holds `folder`. Raises InvalidInput where there is none."""
        where = ("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir")
        answer = GitCommand(folder).execute(where, b"", _LOCAL, Patience())
        if answer.status == 128 and "not a git repository" in answer.words:
            raise InvalidInput(
                f"{folder} is not in a git repository",
                "the reconciler keeps its state in git: run `git init` and commit, or name another folder with --root",
            )
        lines = answer.text.split("\n")
        if answer.status or len(lines) != 2:
            raise Failure(
                f"git cannot open the repository of {folder}: {answer.words}", "see what `git status` says there"
            )
        return cls(Path(lines[0]), Path(lines[1]), progress)

    @classmethod
    def begin(cls, folder: Path, branch: str) -> Git:
        """Make a folder that is in no repository an empty one, on `branch`. Raises Failure where git cannot."""
        order = ("init", "--quiet", f"--initial-branch={branch}")
        answer = GitCommand(folder).execute(order, b"", _LOCAL, Patience())
        if answer.status:
            raise Failure(
                f"git cannot make a repository of {folder}: {answer.words}",
                way_out(answer.words, "see what `git init` says there"),
            )
        return cls.find(folder)

    def ask(self, *arguments: str, stdin: bytes = b"", timeout: float = _LOCAL) -> Answer:
        """Run a git command and return what it said, whatever its exit status."""
        return self._command.execute(arguments, stdin, timeout, Patience())

    def ask_remote(self, *arguments: str, timeout: float = _NETWORK) -> Answer:
        """Run a git command that talks to a remote; one that is to stop waiting ends it early."""
        return self._command.execute(arguments, b"", timeout, self.patience)

    def run(self, *arguments: str, stdin: bytes = b"", timeout: float = _LOCAL) -> bytes:
        """Run a git command that has to succeed. Raises Failure with git's last words where it does not."""
        answer = self.ask(*arguments, stdin=stdin, timeout=timeout)
        if answer.status:
            words = answer.words or "no reason given"
            raise Failure(f"git {arguments[0]} failed: {words}", way_out(words, "see what `git fsck` says"))
        return answer.out

    def stream(self, *arguments: str, stdin: bytes = b"", timeout: float = _LONG) -> Generator[bytes, None, None]:
        """Run a git command that has to succeed, and yield what it prints as it comes. Raises Failure."""
        return self._command.stream(arguments, stdin, timeout, Patience())

    def commit_of(self, revision: str) -> str | None:
        """Return the commit that a full ref name, an object id or HEAD names, or None."""
        answer = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
        return answer.text if answer.status == 0 else None

    def head_branch(self) -> str | None:
        """Return the full ref name of the branch that is checked out, None on a detached HEAD."""
        answer = self.ask("symbolic-ref", "--quiet", "HEAD")
        return answer.text if answer.status == 0 else None

    def setting(self, name: str) -> str | None:
        """Return the value of a git setting, None where it is not set."""
        answer = self.ask("config", "--get", name)
        return answer.text if answer.status == 0 else None

    def remotes(self) -> tuple[str, ...]:
        return tuple(self.run("remote").decode().split())

    def is_ancestor(self, old: str, new: str) -> bool:
        """Say whether `new` holds the whole history of `old`; both are commits that are here."""
        return self.ask("merge-base", "--is-ancestor", old, new).status == 0

    def holds(self, commit: str, known: str) -> bool:
        """Say whether a commit is here with all that it has beyond `known`, whether or not a ref leads to it."""
        return self.ask("rev-list", "--quiet", "--objects", commit, f"^{known}").status == 0

    def is_cut(self, commit: str) -> bool:
        """Say whether history ends where a shallow clone was cut: there a missing ancestor proves nothing."""
        ends = self.shallow_ends()
        roots = self.run("rev-list", "--max-parents=0", commit).decode().split() if ends else []
        return not ends.isdisjoint(roots)

    def shallow_ends(self) -> frozenset[str]:
        """Return the commits at which a shallow clone was cut, none in a whole one."""
        shallow = self.common_dir / "shallow"
        return frozenset(shallow.read_text("ascii").split() if shallow.exists() else ())

    def files(self, commit: str, folder: str) -> tuple[Entry, ...]:
        """Return all files below a folder of a commit ("" for the top), sorted by path."""
        out = self.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", folder or ".")
        entries = []
        for record in out.split(b"\0")[:-1]:
            meta, path = record.split(b"\t", 1)
            mode, _, oid = meta.decode().split(" ")
            entries.append(Entry(mode, oid, path.decode("utf-8", "surrogateescape")))
        return tuple(entries)

    def changes(self, old: str | None, new: str, folder: str) -> dict[str, Entry | None]:
        """Return the files below a folder in which two commits differ, by path: what `new` has, None where nothing."""
        if old is None:
            return {entry.path: entry for entry in self.files(new, folder)}
        out = self.run("diff-tree", "-r", "-z", "--no-renames", "--end-of-options", old, new, "--", folder)
        fields = out.split(b"\0")[:-1]
        found: dict[str, Entry | None] = {}
        for meta, raw in zip(fields[::2], fields[1::2], strict=True):
            _, mode, _, oid, status = meta.decode().split(" ")
            path = raw.decode("utf-8", "surrogateescape")
            found[path] = None if status == "D" else Entry(mode, oid, path)
        return found

    def blobs(self, oids: Iterable[str]) -> Iterator[bytes]:
        """Yield the contents of blobs in the order asked. Raises Failure where one is missing."""
        wanted = list(oids)
        for oid, data in zip(wanted, self.blobs_here(wanted), strict=True):
            if data is None:
                raise Failure(f"git has no file with the id {oid}", "the repository is incomplete: fetch it again")
            yield data

    def blobs_here(self, oids: Iterable[str]) -> Iterator[bytes | None]:
        """Yield the contents of blobs in the order asked, None for what is not here, or is no blob."""
        wanted = list(oids)
        if not wanted:
            return
        feed = "".join(oid + "\n" for oid in wanted).encode()
        with closing(self.stream("cat-file", "--batch", stdin=feed)) as pieces:
            batch = Batch(pieces)
            for _ in wanted:
                yield batch.next()

    def remote_refs(self, remote: str, *patterns: str) -> dict[str, str]:
        """Return the refs of a remote that match full names or globs. Raises Failure without an answer."""
        with self.progress.waiting(f"asking {remote} for its branches"):
            answer = self.ask_remote("ls-remote", "--refs", "--end-of-options", remote, *patterns)
        if answer.status:
            raise Failure(
                f"the remote {remote} does not answer: {answer.words}",
                f"check the network and your rights with `git ls-remote {remote}`",
            )
        lines = (line.split("\t") for line in answer.text.splitlines())
        return {name: oid for oid, name in lines}

    def remote_tip(self, remote: str, ref: str) -> str | None:
        """Return the tip of a full ref name on a remote, None where there is none. Raises Failure without an answer."""
        return self.remote_refs(remote, ref).get(ref)

    def local_refs(self, folder: str) -> dict[str, str]:
        """Return the refs of this repository below a folder such as `refs/reconciler/`."""
        out = self.run("for-each-ref", "--format=%(objectname) %(refname)", folder).decode()
        lines = (line.split(" ", 1) for line in out.splitlines())
        return {name: oid for oid, name in lines}

    def fetch(self, remote: str, ref: str, *, shallow: bool = False) -> str:
        """Fetch a full ref name and return its commit; no ref of ours stays. Raises Failure where that fails.

        With `shallow` without its history, for a clone that has not its own.
        """
        into = f"refs/reconciler/incoming/{os.getpid()}"
        try:
            depth = ("--depth=1",) if shallow else ()
            options = ("--quiet", "--no-tags", "--no-write-fetch-head", *depth, "--end-of-options")
            with self.progress.waiting(f"fetching {ref.removeprefix('refs/heads/')} from {remote}"):
                order = ("fetch", *options, remote, f"+{ref}:{into}")
                answer = self.ask_remote(*order, timeout=2 * _NETWORK)
                for pause in _LOCK_PAUSES[1:]:
                    if "cannot lock ref" not in answer.words:  # another command here moves the branch that git tracks
                        break
                    self.patience.sleep(pause)
                    answer = self.ask_remote(*order, timeout=2 * _NETWORK)
            commit = self.commit_of(into)
        finally:
            self.drop_ref(into)
        if answer.status or commit is None:
            raise Failure(
                f"{ref} cannot be fetched from {remote}: {answer.words}",
                way_out(answer.words, f"try `git fetch {remote} {ref}` by hand"),
            )
        return commit

    def push(self, remote: str, commit: str, ref: str) -> str:
        """Push a commit to a full ref name, never by force. Returns git's words, which prove nothing."""
        with self.progress.waiting(f"pushing {ref.removeprefix('refs/heads/')} to {remote}"):
            answer = self.ask_remote("push", "--quiet", "--no-verify", "--end-of-options", remote, f"{commit}:{ref}")
        return answer.words

    def move_ref(self, ref: str, new: str, old: str | None) -> bool:
        """Move a ref from `old` (None: it must not exist) to `new`; False where it is not at `old` any more.

        Raises Failure where it is, and git does not move it: something holds its lock, or the disk is full.
        """
        words = ""
        for pause in _LOCK_PAUSES:
            self.patience.sleep(pause)
            answer = self.ask("update-ref", "-m", "reconciler", ref, new, old or "0" * len(new))
            if answer.status == 0:
                return True
            if self.commit_of(ref) != old:
                return False
            words = answer.words
        raise Failure(f"git does not move {ref}: {words}", way_out(words, "see what `git fsck` says, then run again"))

    def set_ref(self, ref: str, new: str) -> None:
        """Point one of our own refs somewhere, wherever it was."""
        self.run("update-ref", ref, new)

    def drop_ref(self, ref: str) -> None:
        self.run("update-ref", "-d", ref)

    def set_refs(self, refs: Mapping[str, str | None]) -> None:
        """Point some of our own refs somewhere, wherever they were, and drop those with None: all of it or nothing."""
        orders = (f"update {ref} {new}\n" if new else f"delete {ref}\n" for ref, new in refs.items())
        self.run("update-ref", "--stdin", stdin="".join(orders).encode())

    def commits_since(self, tip: str | None, commit: str, folder: str) -> bool:
        """Say whether `commit` has history below `folder` that `tip` has not."""
        without = [f"^{tip}"] if tip else []
        return bool(self.run("rev-list", "--max-count=1", commit, *without, "--", folder))

    def paths_ever(self, commit: str, folder: str) -> frozenset[str]:
        """Return the paths below a folder that any commit in the history of `commit` touched."""
        out = self.run("log", "--format=", "--name-only", "-z", commit, "--", folder)
        names = (name.strip(b"\n") for name in out.split(b"\0"))
        return frozenset(name.decode("utf-8", "surrogateescape") for name in names if name)

    def follow(self, old: str | None, new: str) -> str | None:
        """Bring index and work tree from `old` to `new`, which HEAD names now.

        Returns None, or git's words where it could not: local changes forbid it, or the index is locked.
        """
        trees = [old, new] if old else [new]
        answer = self.ask("read-tree", "-m", "-u", *trees)
        return (answer.words or "git gives no reason") if answer.status else None

    def write_commit(self, parent: str | None, files: Mapping[str, bytes | None], message: str, ref: str) -> str:
        """Commit `files` (None deletes) on top of `parent` and return the commit; no index, no work tree.

        `ref` is a ref of ours that keeps the new objects alive; it is moved whatever it was.
        """
        stream = commit_stream(ref, parent, self._committer, message, files)
        with self.progress.waiting("committing the state"):
            out = self.run("fast-import", "--quiet", "--done", "--force", "--date-format=raw", stdin=stream)
        return out.decode().strip()

    @cached_property
    def _committer(self) -> str:
        return self.identity() or _ANONYMOUS

    def identity(self) -> str | None:
        """Return the `Name <mail>` that git would commit with, None where none is configured."""
        answer = self.ask("var", "GIT_COMMITTER_IDENT")
        return answer.text.rsplit(" ", 2)[0] if answer.status == 0 else None
