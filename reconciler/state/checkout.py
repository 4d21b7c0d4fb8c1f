"""The manifests in git: what HEAD holds, what is not committed, and whether HEAD is what its upstream has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reconciler.core.progress import SILENT, Progress
from reconciler.errors import Failure, InvalidInput, Stale, UsageFailure
from reconciler.state.git import Entry, Git

_CI_BRANCHES = (
    "GITHUB_REF",
    "CI_COMMIT_BRANCH",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
    "BITBUCKET_BRANCH",
    "BUILD_SOURCEBRANCH",
    "DRONE_BRANCH",
    "BRANCH_NAME",
)
_PLAIN_FILES = ("100644", "100755")


@dataclass(frozen=True)
class Checkout:
    """A root inside a repository. `prefix` is its path from the repository's top, "" for the top itself.

    `is_manifest` says of a path below the root whether the loader reads it.
    """

    git: Git
    prefix: str
    is_manifest: Callable[[str], bool]

    @classmethod
    def of(cls, root: Path, is_manifest: Callable[[str], bool], progress: Progress = SILENT) -> Checkout:
        """Find the repository of a root. Raises InvalidInput where the folder is missing, or in no repository."""
        if not root.is_dir():
            raise InvalidInput(
                f"there is no folder {root}",
                "run the reconciler where the root lies, or name it: reconciler --root DIR …",
            )
        git = Git.find(root, progress)
        inside = root.resolve().relative_to(git.top.resolve())
        return cls(git, "" if inside == Path() else inside.as_posix(), is_manifest)

    def head(self) -> str:
        """Return HEAD's commit. Raises InvalidInput in a repository without one."""
        commit = self.git.commit_of("HEAD")
        if commit is None:
            raise InvalidInput("the repository has no commit yet", "commit the manifests first: apply works on commits")
        return commit

    def manifests(self, commit: str) -> Mapping[str, bytes]:
        """Return the manifests and the config of a commit, by path below the root.

        Raises InvalidInput for a symlink or a submodule: what a reviewer sees has to be what applies.
        """
        with self.git.progress.waiting(f"reading the manifests of {commit[:12]}"):
            entries = self._entries(commit)
            for entry in entries:
                if entry.mode not in _PLAIN_FILES:
                    raise InvalidInput(f"{entry.path} is not a plain file", "put the file itself here, no link to it")
            return self._contents(entries)

    def _entries(self, commit: str) -> tuple[Entry, ...]:
        return tuple(
            entry
            for entry in self.git.files(commit, self.prefix)
            if self.is_manifest(self.inside(entry.path)) or self._is_link(entry)
        )

    def uncommitted(self, found: Iterable[str]) -> tuple[str, ...]:
        """Return the manifests that differ from HEAD in the index or the work tree.

        `found` are those in the work tree: what git ignores is not in HEAD either, and no status tells of it.
        """
        with self.git.progress.waiting("comparing the work tree with HEAD"):
            paths = [path for _, path in self.changed_here(self.prefix or ".")]
            changed = {path for path in map(self.inside, paths) if self.is_manifest(path)}
            return tuple(sorted(changed | (set(found) - self._committed)))

    def changed_here(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield what differs from HEAD in the index or the work tree: git's two letters for it, the path from the top.

        `folder` is a path from the repository's top too.
        """
        options = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all")
        for record in self.git.run("status", *options, "--", folder).split(b"\0")[:-1]:
            yield record[:2].decode(), record[3:].decode("utf-8", "surrogateescape")

    def absent(self, found: Iterable[str], uncommitted: Iterable[str]) -> tuple[str, ...]:
        """Return the manifests of HEAD that a sparse work tree leaves out.

        `found` are those that it has, `uncommitted` those that were changed there, removed ones included.
        """
        return tuple(sorted(self._committed - set(found) - set(uncommitted)))

    @cached_property
    def _committed(self) -> frozenset[str]:
        """The manifests of HEAD as it was when they were first asked for."""
        head = self.git.commit_of("HEAD")
        return frozenset(self.inside(entry.path) for entry in self._entries(head)) if head else frozenset()

    def some(self, commit: str, paths: Iterable[str]) -> Mapping[str, bytes]:
        """Return the plain files of a commit among `paths`, which are relative to the root."""
        wanted = set(paths)
        entries = [entry for entry in self._entries(commit) if self.inside(entry.path) in wanted]
        return self._contents([entry for entry in entries if entry.mode in _PLAIN_FILES])

    def _contents(self, entries: Sequence[Entry]) -> Mapping[str, bytes]:
        paths = [self.inside(entry.path) for entry in entries]
        return dict(zip(paths, self.git.blobs(entry.oid for entry in entries), strict=True))

    def outside(self, path: str) -> str:
        """Return the path from the repository's top of what is relative to the root."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def inside(self, path: str) -> str:
        """Return the path relative to the root of what is from the repository's top, and below the root."""
        return path.removeprefix(f"{self.prefix}/") if self.prefix else path

    def holds(self, path: str) -> bool:
        """Say whether a path from the repository's top is that of a manifest, or the config."""
        below = not self.prefix or path.startswith(f"{self.prefix}/")
        return below and self.is_manifest(self.inside(path))

    def _is_link(self, entry: Entry) -> bool:
        """Say whether the entry may bring in what a review does not show: a symlink or a submodule, not hidden."""
        parts = self.inside(entry.path).split("/")
        return entry.mode not in _PLAIN_FILES and not any(part.startswith(".") for part in parts)

    def branch(self, named: str | None, environ: Mapping[str, str]) -> str:
        """Return the branch that the manifests are on: HEAD's; on a detached HEAD `named`, or what CI says.

        Raises UsageFailure where nothing says it.
        """
        head = self.git.head_branch()
        if head is not None:
            here = head.removeprefix("refs/heads/")
            if named and named.removeprefix("refs/heads/") != here:
                raise UsageFailure(f"--branch says {named}, but {here} is checked out", "leave --branch out")
            return here
        found = named or next((environ[name] for name in _CI_BRANCHES if environ.get(name)), "")
        found = found.removeprefix("refs/heads/")
        if (
            not found
            or found.startswith(("refs/", "-"))
            or self.git.ask("check-ref-format", f"refs/heads/{found}").status
        ):
            raise UsageFailure(
                "HEAD is detached, and nothing says which branch it stands for",
                "name it with --branch, or check the branch out",
            )
        return found

    def remote(self) -> str | None:
        """Return the remote that holds the state: git's setting `reconciler.remote`, `origin`, or the only one.

        None where there is none. It does not depend on the branch that is checked out: a branch that is pushed to a
        fork must not start from another state. Raises Failure where it cannot be told.
        """
        named, remotes = self.git.setting("reconciler.remote"), self.git.remotes()
        if named is not None and named not in remotes:
            raise Failure(
                f"git's setting reconciler.remote names {named}, which is no remote here", "see git remote -v"
            )
        if named or not remotes or "origin" in remotes:
            return named or ("origin" if remotes else None)
        if len(remotes) == 1:
            return remotes[0]
        raise Failure(
            f"the repository has several remotes ({', '.join(remotes)}), none of them named origin",
            "say which one holds the state: git config reconciler.remote NAME",
        )

    def check_upstream(self, commit: str, branch: str, remote: str) -> None:
        """Raise Stale unless `commit` holds the manifests that the branch's tip on its remote holds.

        That is the branch's own upstream where it has one, the branch of the same name on `remote` otherwise.
        """
        tracked = self.git.setting(f"branch.{branch}.remote")
        remote = tracked if tracked in self.git.remotes() else remote
        merge = self.git.setting(f"branch.{branch}.merge")
        ref = merge if merge and merge.startswith("refs/heads/") else f"refs/heads/{branch}"
        tip = self.git.remote_tip(remote, ref)
        if tip is None:
            raise Stale(f"the branch {branch} is not on {remote} yet", f"push it first: git push {remote} {branch}")
        if tip == commit:
            return
        if self._entries(self.git.fetch(remote, ref)) != self._entries(commit):
            raise Stale(
                f"HEAD ({commit[:12]}) does not hold the manifests of its upstream, "
                f"{remote}/{ref.removeprefix('refs/heads/')} ({tip[:12]})",
                "an old checkout must not apply, nor what is not merged: git pull, or "
                f"git push {remote} HEAD:{ref.removeprefix('refs/heads/')}, then run apply again",
            )
