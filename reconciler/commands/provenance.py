"""Where the lines of a request come from: git's blame, and what manifests said before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property

from reconciler.core.request import Place, Request
from reconciler.errors import Failure, ForgeFailure
from reconciler.manifests.root import CONFIG, read_requests
from reconciler.review.forge import Reviewed
from reconciler.review.traced import Brought, Change, Declared, Origin
from reconciler.state import past
from reconciler.state.blame import Blamed, blame, is_new
from reconciler.state.checkout import Checkout


class Provenance:
    """The past of the manifests of a checkout: those of a commit, or of the work tree where that is None."""

    def __init__(self, checkout: Checkout, commit: str | None) -> None:
        self._checkout = checkout
        self._git = checkout.git
        self._commit = commit
        self._known: dict[tuple[str, frozenset[str]], Declared | None] = {}

    def origins(self, place: Place, token: str) -> tuple[Origin, ...]:
        """Return the commits that last changed the lines of a request. Raises ForgeFailure in a shallow clone."""
        found = blame(self._git, self._checkout.outside(place.file), place.line, place.last, self._commit)
        if any(each.commit in self._ends for each in found):
            raise ForgeFailure(
                f"this clone is shallow: its history ends before it tells who changed {place.file}:{place.line}",
                "fetch all of it: `fetch-depth: 0` in the checkout step, or git fetch --unshallow",
            )
        return tuple(self._origin(each, token) for each in found)

    def _origin(self, blamed: Blamed, token: str) -> Origin:
        if blamed.commit is None:
            return Origin(None)
        older = self._lacks(blamed.commit, blamed.path, token)
        merged = past.parents(self._git, blamed.commit)[1:]
        return Origin(blamed.commit, blamed.path, older, merged[0] if merged else None)

    def _lacks(self, commit: str, path: str, token: str) -> bool:
        """Say whether no rerun of a file had this token at a commit; of what was not valid then, the text decides."""
        if self._checkout.holds(path):
            then = self._declared(commit, [self._checkout.inside(path)])
            if then is not None:
                return all(each.rerun is None or each.rerun.token != token for each in then.requests)
        word = rb"(?<![\w.-])" + re.escape(token.encode()) + rb"(?![\w.-])"
        return re.search(word, past.file(self._git, commit, path)) is None

    def brought(self, origin: Origin, reviewed: Reviewed, token: str) -> Brought | None:
        """Return what came by a pull request, of the reruns with a token in the file of `origin`.

        What landed is what the commit changed on the main line; a merge has to be the one that merged the pull request:
        others, inside of it, bring what nobody reviewed there. What was offered is what the pull request changed since
        it branched off. None where git cannot tell.
        """
        commit, head = origin.commit or "", reviewed.head
        parents = past.parents(self._git, commit)
        if not parents or (parents[1:] and not _merges(commit, parents, reviewed)) or not self._has(reviewed):
            return None
        forks = past.merge_bases(self._git, self._main_before(reviewed) or parents[0], head)
        if len(forks) != 1 or not self._checkout.holds(origin.path):
            return None
        file = self._checkout.inside(origin.path)
        landed, offered = self._change(parents[0], commit, file, token), self._change(forks[0], head, file, token)
        return Brought(offered, landed) if offered and landed else None

    def _main_before(self, reviewed: Reviewed) -> str | None:
        """Return what main was when a pull request was merged; None where that made no commit of its own."""
        merged = reviewed.merged
        if merged is None or self._git.commit_of(merged) is None or self._git.is_ancestor(merged, reviewed.head):
            return None
        return next(iter(past.parents(self._git, merged)), None)

    def _has(self, reviewed: Reviewed) -> bool:
        """Say whether the last commit of a pull request is here.

        After a squash or a rebase it is in no branch, and fetched from where the forge keeps it.
        """
        if self._git.commit_of(reviewed.head) is not None:
            return True
        remote = self._checkout.remote()
        if remote and reviewed.ref:
            with suppress(Failure):
                self._git.fetch(remote, reviewed.ref)
        return self._git.commit_of(reviewed.head) is not None

    def _change(self, old: str, new: str, file: str, token: str) -> Change | None:
        """Return what changed between two commits, of the reruns with a token in a file; None where that is not valid.

        Before, they may have stood in any file that was changed.
        """
        files = {file, *self._changed(old, new)}
        after = self._declared(new, [file])
        if after is None:
            return None
        marked = [each for each in after.requests if each.rerun and each.rerun.token == token]
        whole = [each for each in marked if self._wrote(old, new, each)]
        return Change(self._declared(old, files), after, Declared(tuple(whole), after.targets))

    def _wrote(self, old: str, new: str, request: Request) -> bool:
        """Say whether every line of a request was written between two commits."""
        place = request.place
        return is_new(self._git, self._checkout.outside(place.file), place.line, place.last, old, new)

    def since(self, origin: Origin, place: Place) -> Iterator[Declared]:
        """Yield what the file of a request said after each later commit that changed it, whatever it was called then.

        What was not valid then said nothing, and is left out.
        """
        commit, tip, path = origin.commit or "", self._commit or "HEAD", self._checkout.outside(place.file)
        paths = {path, origin.path, *past.names_since(self._git, commit, tip, path)}
        files = {self._checkout.inside(path) for path in paths if self._checkout.holds(path)}
        for later in past.later(self._git, commit, tip, paths):
            then = self._declared(later, files)
            if then is not None:
                yield then

    def _changed(self, old: str, new: str) -> set[str]:
        paths = self._git.changes(old, new, self._checkout.prefix or ".")
        files = {self._checkout.inside(path) for path in paths if self._checkout.holds(path)}
        if CONFIG not in files:
            return files
        return {*self._checkout.manifests(old), *self._checkout.manifests(new)}

    def _declared(self, commit: str, files: Iterable[str]) -> Declared | None:
        """Return what some files of a commit declare, with its config; None where any of that is not valid."""
        key = commit, frozenset(files)
        if key not in self._known:
            reading = read_requests(self._checkout.some(commit, {CONFIG, *key[1]}))
            self._known[key] = (
                Declared(reading.declared.requests, reading.config.targets)
                if reading.declared is not None and reading.config is not None
                else None
            )
        return self._known[key]

    @cached_property
    def _ends(self) -> frozenset[str]:
        return self._git.shallow_ends()


def _merges(commit: str, parents: tuple[str, ...], reviewed: Reviewed) -> bool:
    return commit == reviewed.merged and len(parents) == 2 and parents[1] in (reviewed.head, reviewed.squash)
