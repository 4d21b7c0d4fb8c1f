"""Who wrote what was triggered: the commits behind a request's lines, and the pull requests that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from reconciler.core.window import Windows

Source = Literal["commit", "merge", "manifests"]

_MERGED = re.compile(r"Merge pull request (#[1-9][0-9]*) from ")
_SQUASHED = re.compile(r"\((#[1-9][0-9]*)\)$")
_GITLAB = re.compile(r"^See merge request (\S*![1-9][0-9]*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: `date` is when it was written, as ISO 8601; `body` is its message without the subject."""

    id: str
    author: str
    date: str
    subject: str
    body: str

    @property
    def names(self) -> str | None:
        """The pull request that the message names: `#12`, on GitLab `group/project!12`; None where it names none.

        Sources: GitHub's pages on merging pull requests: `Merge pull request #12 from …`, and a squash's subject ends
        in `(#12)`; GitLab's page on commit templates: a merge commit ends in `See merge request group/project!12`.
        What a message says is not checked: whoever wrote it may have written anything.
        """
        merged = _MERGED.match(self.subject) or _SQUASHED.search(self.subject)
        if merged:
            return merged[1]
        named = _GITLAB.findall(self.body)
        return named[-1] if named else None


@dataclass(frozen=True, slots=True)
class Named:
    """A pull request, and where its name is from: `commit`, one that wrote lines; `merge`, one that brought them.

    Where neither names one, `manifests`: the commit that was applied. That may be a later pull request's.
    """

    name: str
    source: Source
    commit: str


@dataclass(frozen=True, slots=True)
class Written:
    """A request of a trigger, as it was in the manifests that were applied.

    `first` and `last` are its lines there, `windows` what it asked for, `commits` those that last changed the lines,
    newest first. Where that cannot be told, `unknown` says why.
    """

    request: str
    file: str
    first: int = 0
    last: int = 0
    windows: Windows = ()
    commits: tuple[Commit, ...] = ()
    pulls: tuple[Named, ...] = ()
    unknown: str = ""
