"""Who wrote the requests of a trigger: their lines in the manifests that were applied, traced through git."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.authorship import Commit, Named, Written
from reconciler.core.ledger import Trigger
from reconciler.core.request import Request
from reconciler.core.text import printable
from reconciler.core.window import overlaps
from reconciler.errors import Failure
from reconciler.manifests.root import CONFIG, read_requests
from reconciler.state.blame import blame
from reconciler.state.checkout import Checkout
from reconciler.state.commits import commits


class Authorship:
    """The past of a checkout's manifests. Each question is asked of git once; what git cannot tell is said in words."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._git = checkout.git
        self._known: dict[tuple[str, str], Written] = {}
        self._requests: dict[tuple[str, str], dict[str, Request] | None] = {}

    def of(self, trigger: Trigger, second: int) -> tuple[Written, ...]:
        """Return the requests of a trigger that asked for a second; none of one that was adopted from a file.

        Of what is not known any more it is not known either what it asked for: that is told too.
        """
        if trigger.imported:
            return ()
        for key in trigger.requests:
            if (trigger.commit, key) not in self._known:
                self._known[trigger.commit, key] = self._written(trigger.commit, key)
        every = [self._known[trigger.commit, key] for key in trigger.requests]
        asking = [each for each in every if each.unknown or overlaps(each.windows, ((second, second + 1),))]
        return tuple(asking or every)

    def _written(self, manifests: str, key: str) -> Written:
        file = key.rpartition("#")[0]
        commit = self._git.commit_of(manifests)
        if commit is None:
            return Written(key, file, unknown=self._absent(manifests))
        requests = self._requests_of(commit, file)
        if requests is None:
            return Written(key, file, unknown=f"the manifests of {commit[:12]} are not valid any more")
        if key not in requests:
            return Written(key, file, unknown=f"there is no such request at {commit[:12]}")
        place = requests[key].place
        found = Written(key, file, place.line, place.last, requests[key].windows)
        try:
            return self._traced(found, commit)
        except Failure as failure:
            return replace(found, unknown=failure.message)

    def _absent(self, manifests: str) -> str:
        if self._git.shallow_ends():
            way_out = "it is shallow: git fetch --unshallow"
        else:
            way_out = "git fetch, or else it was rewritten since"
        return f"the manifests' commit {printable(manifests[:12])} is not in this clone; {way_out}"

    def _requests_of(self, commit: str, file: str) -> dict[str, Request] | None:
        """Return the requests of a file in a commit, None where it cannot be read."""
        if (commit, file) not in self._requests:
            declared = read_requests(self._checkout.some(commit, {CONFIG, file})).declared
            found = {request.key: request for request in declared.requests} if declared else None
            self._requests[commit, file] = found
        return self._requests[commit, file]

    def _traced(self, found: Written, commit: str) -> Written:
        """Add who wrote the lines and what brought them. Raises Failure where git cannot tell."""
        path = self._checkout.outside(found.file)
        wrote = [each.commit for each in blame(self._git, path, found.first, found.last, commit, sides=True)]
        brought = [each.commit for each in blame(self._git, path, found.first, found.last, commit)]
        ids = [each for each in (*wrote, *brought) if each]
        if not self._git.shallow_ends().isdisjoint(ids):
            raise Failure("this clone is shallow: its history ends before it tells; git fetch --unshallow")
        known = commits(self._git, (*ids, commit))
        authors = sorted((known[each] for each in wrote if each), key=lambda one: one.date, reverse=True)
        merges = [known[each] for each in brought if each and each not in wrote]
        pulls = _pulls(authors, merges, known[commit])
        return replace(found, commits=tuple(authors), pulls=pulls)


def _pulls(authors: list[Commit], merges: list[Commit], manifests: Commit) -> tuple[Named, ...]:
    """Return the pull requests that commits and merges name, each once; where they name none, that of the manifests."""
    found: dict[str, Named] = {}
    for each in merges:
        if each.names:
            found.setdefault(each.names, Named(each.names, "merge", each.id))
    for each in authors:
        if each.names:
            found.setdefault(each.names, Named(each.names, "commit", each.id))
    if not found and manifests.names:
        return (Named(manifests.names, "manifests", manifests.id),)
    return tuple(found.values())
