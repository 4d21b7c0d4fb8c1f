"""What a page of timelines is about, beside its tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from reconciler.render.sheet import Sheet


@dataclass(frozen=True, slots=True)
class About:
    """What a page is about. `sheet` is the plan with what belongs to it, `made_at` a UTC time: `2026-01-20T04:05:06Z`.

    `name` is that of the repository, `root` the path of the manifests in front of problems. `manifests` is the commit
    of HEAD, `edited` says that the work tree differs from it. `link` gives the address of a commit, None where that is
    not known.
    """

    kind: Literal["report", "plan"]
    name: str
    root: str
    sheet: Sheet
    made_at: str
    manifests: str | None = None
    edited: bool = False
    link: Callable[[str], str | None] = lambda _: None
