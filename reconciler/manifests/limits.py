"""Limits as the config and manifests write them."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.config import Limits
from reconciler.core.wallclock import parse_duration
from reconciler.manifests.typed import Typed


def read_limits(written: Mapping[str, Typed], base: Limits) -> Limits:
    """Return `base` with what is `written` in its place. The shape of `written` has been checked."""
    calls, instances = written.get("calls"), written.get("instances")
    span, future = written.get("span"), written.get("future")
    return Limits(
        calls=calls if isinstance(calls, int) else base.calls,
        span=parse_duration(span) if isinstance(span, str) else base.span,
        instances=instances if isinstance(instances, int) else base.instances,
        future=future == "allow" if isinstance(future, str) else base.future,
    )
