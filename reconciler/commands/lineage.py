"""Where the lines of a request come from: git's blame, and what manifests said before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property

from reconciler.core.request import Place, Request
from reconciler.errors import Failure, ForgeFailure
from reconciler.manifests.root import CONFIG, read_root
from reconciler.review.forge import Reviewed
from reconciler.review.traced import Brought, Declared, Origin
from reconciler.state.blame import Blamed, blame
from reconciler.state.checkout import Checkout


class Lineage:
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
        merged = self._git.parents(blamed.commit)[1:]
        return Origin(blamed.commit, blamed.path, older, merged[0] if merged else None)

    def _lacks(self, commit: str, path: str, token: str) -> bool:
        """Say whether it is certain that no rerun of a file had this token at a commit."""
        if not self._checkout.holds(path):
            return False
        then = self._declared(commit, [self._checkout.inside(path)])
        return then is not None and all(each.rerun is None or each.rerun.token != token for each in then.requests)

    def brought(self, commit: str, reviewed: Reviewed, token: str) -> Brought | None:
        """Return what a commit that came by a pull request changed, None where git cannot tell that it did just that.

        A merge has to be the one that merged the pull request: others, inside of it, bring what nobody reviewed there.
        Only files that it changed are looked at; all of them, where it changed the config.
        """
        parents = self._git.parents(commit)
        if not parents or (parents[1:] and not _merges(commit, parents, reviewed)):
            return None
        end = self._end(reviewed)
        if end is None:
            return None
        files = self._changed(parents[0], commit)
        before, after = self._declared(parents[0], files), self._declared(commit, files)
        looked_at = self._declared(end, files)
        if before is None or after is None or looked_at is None:
            return None
        marked = [each for each in after.requests if each.rerun and each.rerun.token == token]
        whole = [each for each in marked if self._wrote(commit, each)]
        return Brought(before, after, Declared(tuple(whole), after.targets), looked_at)

    def _wrote(self, commit: str, request: Request) -> bool:
        """Say whether every line of a request, as it is at a commit, is that commit's."""
        place = request.place
        found = blame(self._git, self._checkout.outside(place.file), place.line, place.last, commit)
        return {each.commit for each in found} == {commit}

    def _end(self, reviewed: Reviewed) -> str | None:
        """Return the last commit of a pull request; what it was merged as, where the forge does not give that out.

        After a squash or a rebase it is in no branch, so it may have to be fetched.
        """
        remote = self._checkout.remote()
        if self._git.commit_of(reviewed.head) is None and remote and reviewed.ref:
            with suppress(Failure):
                self._git.fetch(remote, reviewed.ref)
        ends = (reviewed.head, reviewed.merged)
        return next((end for end in ends if end and self._git.commit_of(end)), None)

    def since(self, origin: Origin, place: Place) -> Iterator[Declared]:
        """Yield what the file of a request said after each later commit of the main line that changed it.

        What was not valid then said nothing, and is left out.
        """
        paths = {self._checkout.outside(place.file), origin.path}
        files = {self._checkout.inside(path) for path in paths if self._checkout.holds(path)}
        for commit in self._git.later(origin.commit or "", self._commit or "HEAD", paths):
            then = self._declared(commit, files)
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
            reading = read_root(self._checkout.some(commit, {CONFIG, *key[1]}))
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
