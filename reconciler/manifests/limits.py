"""Limits as the config and manifests write them."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.config import Limits
from reconciler.core.wallclock import parse_duration
from reconciler.manifests.findings import Findings
from reconciler.manifests.marks import Path
from reconciler.manifests.typed import Typed


def read_limits(written: Mapping[str, Typed], base: Limits) -> Limits:
    """Return `base` with what is `written` in its place. The shape of `written` has been checked."""
    if not written:
        return base
    calls, instances = written.get("calls"), written.get("instances")
    span, future, lag = written.get("span"), written.get("future"), written.get("lag")
    return Limits(
        calls=calls if isinstance(calls, int) else base.calls,
        span=parse_duration(span) if isinstance(span, str) else base.span,
        instances=instances if isinstance(instances, int) else base.instances,
        future=future == "allow" if isinstance(future, str) else base.future,
        lag=parse_duration(lag) if isinstance(lag, str) else base.lag,
    )


def check_limits(path: Path, written: Mapping[str, Typed], base: Limits, findings: Findings) -> None:
    """Warn of a `lag` that has no effect, where `written` at `path` stands in the place of `base`."""
    future = written.get("future", "allow" if base.future else "forbid")
    if future == "allow" and "lag" in written:
        message = "`lag` has no effect where `future` is allow: no instance is held for its time"
        findings.warning((*path, "lag"), message, "remove it, or set `future: forbid`")
