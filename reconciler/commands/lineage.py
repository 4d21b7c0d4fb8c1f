"""Where the lines of a request come from: git's blame, and what their file said before."""

from __future__ import annotations

import re
from functools import cached_property

from reconciler.core.request import Place
from reconciler.errors import ForgeFailure
from reconciler.manifests.root import CONFIG, read_root
from reconciler.review.traced import Origin, Then
from reconciler.state.blame import blame
from reconciler.state.checkout import Checkout

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Lineage:
    """The past of the manifests of a checkout: those of a commit, or of the work tree where that is None."""

    def __init__(self, checkout: Checkout, commit: str | None) -> None:
        self._checkout = checkout
        self._commit = commit
        self._read: dict[tuple[str, str], Then | None] = {}

    def origins(self, place: Place) -> tuple[Origin, ...]:
        """Return the commits that last changed the lines of a request. Raises ForgeFailure in a shallow clone."""
        path = self._checkout.outside(place.file)
        found = blame(self._checkout.git, path, place.line, place.last, self._commit)
        if any(each.commit in self._ends for each in found):
            raise ForgeFailure(
                f"this clone is shallow: its history ends before it tells who changed {place.file}:{place.line}",
                "fetch all of it: `fetch-depth: 0` in the checkout step, or git fetch --unshallow",
            )
        return tuple(Origin(each.commit, self._checkout.inside(each.path)) for each in found)

    def then(self, commit: str, file: str) -> Then | None:
        """Return what a file said at a commit, with the config of that commit; None where the commit is not here."""
        if (commit, file) not in self._read:
            self._read[commit, file] = self._then(commit, file)
        return self._read[commit, file]

    def _then(self, commit: str, file: str) -> Then | None:
        if not _ID.fullmatch(commit) or self._checkout.git.commit_of(commit) is None:
            return None
        reading = read_root(self._checkout.some(commit, (CONFIG, file)))
        if reading.config is None or reading.declared is None:
            return Then((), {}, valid=False)
        return Then(reading.declared.requests, reading.config.targets)

    @cached_property
    def _ends(self) -> frozenset[str]:
        return self._checkout.git.shallow_ends()
