"""What the config says, as values: targets, limits, approvals, and where state lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.core.call import RangeEnd

EMBEDDED = "embedded"
"""The url of a target whose scheduler is the emulator that ships with the reconciler."""


@dataclass(frozen=True, slots=True)
class FromEnv:
    """The credential is the value of an environment variable."""

    name: str


@dataclass(frozen=True, slots=True)
class FromFile:
    """The credential is the content of a file, an absolute path; one final newline is not part of it."""

    path: str


ValueFrom = FromEnv | FromFile


@dataclass(frozen=True, slots=True)
class Auth:
    """How to authenticate: the vendor's auth-type, and where the auth-value is found. Never the value itself."""

    type: Literal["UID", "TOKEN", "ACCOUNT", "APIKEY"]
    value_from: ValueFrom


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of each day: from `opens` up to `closes`, seconds after midnight; past midnight where it closes first."""

    opens: int
    closes: int

    def __contains__(self, second: int) -> bool:
        """Say whether a wall-clock second lies in it."""
        time = second % 86_400
        if self.opens < self.closes:
            return self.opens <= time < self.closes
        return time >= self.opens or time < self.closes

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


def _clock(time: int) -> str:
    return f"{time // 3600:02d}:{time // 60 % 60:02d}"


@dataclass(frozen=True, slots=True)
class Target:
    """One scheduler to call. `timeout` and `pause` are in seconds; what is not set is None.

    `pause` lies between two calls of one table, `window` says when calls may start. `lineage` is the file, relative to
    the root, that says which tables lie downstream of which; with `coalesce`, calls that an upstream's call does anyway
    are not made.
    """

    name: str
    url: str
    tenant: str
    auth: Auth | None
    time_zone: str
    range_end: RangeEnd = "inclusive"
    concurrency: int = 4
    calls_per_second: float | None = None
    points_per_call: int = 100
    timeout: float = 30.0
    proxy: str | None = None
    pause: float = 0.0
    window: Hours | None = None
    lineage: str | None = None
    coalesce: bool = False

    @property
    def embedded(self) -> bool:
        return self.url == EMBEDDED


@dataclass(frozen=True, slots=True)
class Limits:
    """What nobody means by accident. `span` and `lag` are in seconds.

    `future` is False where instances are held that the target's clock, less `lag`, has not reached.
    """

    calls: int = 500
    span: int = 366 * 86_400
    instances: int = 100_000
    future: bool = False
    lag: int = 0


@dataclass(frozen=True, slots=True)
class ManifestApprovals:
    """Reruns are approved by names in the manifest's `approvedBy`."""

    approvers: tuple[str, ...]
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class ForgeApprovals:
    """Reruns are approved by reviews of the pull requests that brought their lines.

    `approvers` are logins and teams (`@acme/data-platform`). `url` is the forge's API, `repository` its name there and
    `token_from` where the token is found: None for what the environment or the remote says.
    """

    forge: Literal["github", "gitlab"]
    approvers: tuple[str, ...]
    minimum: int = 1
    url: str | None = None
    repository: str | None = None
    token_from: ValueFrom | None = None


@dataclass(frozen=True, slots=True)
class NoApprovals:
    """`provider: none`: a rerun needs no approval beyond the merge itself."""


@dataclass(frozen=True, slots=True)
class ApprovalsUnset:
    """The config does not say who approves reruns, so nobody can."""


Approvals = ManifestApprovals | ForgeApprovals | NoApprovals | ApprovalsUnset


@dataclass(frozen=True, slots=True)
class State:
    """Where state is committed, and how many calls' intents share one push."""

    branch: str = "reconciler-state"
    batch: int = 20


@dataclass(frozen=True, slots=True)
class Config:
    """The whole config of a root."""

    targets: Mapping[str, Target]
    default_target: str | None = None
    state: State = State()
    limits: Limits = Limits()
    approvals: Approvals = ApprovalsUnset()
