"""What a manifest asks of one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Literal, NamedTuple, ParamSpec, TypeVar, cast

from reconciler.core.change import Key
from reconciler.core.config import Limits
from reconciler.core.lineage import Lineage
from reconciler.core.schedule import Schedule
from reconciler.core.window import Windows

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rerun:
    """A rerun's token, why it is needed, and who the manifest says approved it."""

    token: str
    reason: str
    approved_by: tuple[str, ...] = ()


class Place(NamedTuple):
    """Where in the root something is written: a file relative to the root, line and column from 1, its last line."""

    # A tuple: roots have tens of thousands, and it is made in a fifth of the time.

    file: str
    line: int
    column: int
    last: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One entry of a manifest: windows that a table must have been triggered for.

    `key` is how plans and ledgers name it: `sales/fact_sales.yaml#outage-0120`. `limits` are those of its manifest,
    which may be raised in line `limits_line` of its file.
    """

    key: str
    manifest: str
    target: str
    table: str
    windows: Windows
    rerun: Rerun | None
    reason: str | None
    owner: str | None
    limits: Limits
    place: Place
    limits_line: int = 0


def _quick(cls: Callable[P, T]) -> Callable[P, T]:
    """Return what makes the objects of a frozen dataclass with slots in a third of the time that the class takes.

    A frozen class sets each field through `object.__setattr__`. A twin that is not frozen has the same slots: its
    fields are set as usual, and then it is of the frozen class.
    """
    frozen = cast("type", cls)
    twin = make_dataclass(frozen.__name__, [(each.name, object) for each in fields(frozen)], slots=True)

    def make(*values: P.args, **_: P.kwargs) -> T:
        made = twin(*values)
        made.__class__ = frozen
        return cast("T", made)

    return make


new_request = _quick(Request)
"""Makes a request of all its fields, in their order."""

Order = Literal["oldestFirst", "newestFirst"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """A manifest whose calls go first, and the table that it is about."""

    manifest: str
    key: Key


@dataclass(frozen=True, slots=True)
class Rules:
    """What the manifests of one table say beside their requests: all of them together, for they agree.

    `chunk` is in seconds: no range call is longer.
    """

    schedule: Schedule | None = None
    chunk: int | None = None
    order: Order = "oldestFirst"
    depends_on: tuple[Dependency, ...] = ()


STANDARD = Rules()
"""The rules of a table whose manifests say nothing."""


@dataclass(frozen=True, slots=True)
class Declared:
    """All that the manifests of a root declare. `manifests` counts documents; requests are in no special order.

    `rules` has the tables that have other rules than the standard ones, `lineage` the targets that name a lineage.
    """

    manifests: int
    requests: tuple[Request, ...]
    rules: Mapping[Key, Rules] = field(default_factory=dict)
    lineage: Mapping[str, Lineage] = field(default_factory=dict)
