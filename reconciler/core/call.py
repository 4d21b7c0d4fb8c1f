"""A call: one POST to the scheduler. The only place where windows become calls, and calls windows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from reconciler.core.wallclock import parse, render
from reconciler.core.window import Window, Windows, union

RangeEnd = Literal["inclusive", "exclusive"]


class Method(StrEnum):
    """The vendor's two ways to trigger."""

    TIMES = "scheduleTime"
    RANGE = "scheduleTimeRange"


@dataclass(frozen=True, slots=True)
class Times:
    """A call by schedule times: wall-clock seconds, sorted, none twice."""

    times: tuple[int, ...]

    @property
    def method(self) -> Method:
        return Method.TIMES

    @property
    def start(self) -> int:
        """The first second."""
        return self.times[0]

    @property
    def windows(self) -> Windows:
        return union((time, time + 1) for time in self.times)

    def fields(self) -> dict[str, object]:
        """Return the body's fields of this form, in the vendor's names."""
        return {"scheduleTimes": [render(time) for time in self.times]}


@dataclass(frozen=True, slots=True)
class Range:
    """A call by time range: `[start, end)`, and how the scheduler reads the endTime that we send."""

    window: Window
    range_end: RangeEnd

    @property
    def method(self) -> Method:
        return Method.RANGE

    @property
    def start(self) -> int:
        """The first second."""
        return self.window[0]

    @property
    def windows(self) -> Windows:
        return (self.window,)

    def fields(self) -> dict[str, object]:
        """Return the body's fields of this form, in the vendor's names."""
        start, end = self.window
        return {"startTime": render(start), "endTime": render(end - 1 if self.range_end == "inclusive" else end)}


Span = Times | Range


def span_fields(span: Span) -> dict[str, object]:
    """Return a span as records write it: its method, the body's fields, and `rangeEnd` only where it is exclusive."""
    fields: dict[str, object] = {"method": str(span.method), **span.fields()}
    if isinstance(span, Range) and span.range_end == "exclusive":
        fields["rangeEnd"] = "exclusive"
    return fields


def describe(span: Span, most: int = 3) -> str:
    """Return a span in one line, with the times that its body holds; of many points the first `most` and a count."""
    fields = span.fields()
    match span:
        case Range():
            return f"{fields['startTime']} .. {fields['endTime']}"
        case Times(times):
            shown = ", ".join(render(time) for time in times[:most])
            return shown if len(times) <= most else f"{shown} and {len(times) - most:,} more"


def read_span(fields: Mapping[str, object], range_end: RangeEnd) -> Span:
    """Read what `Span.fields` wrote. Raises ValueError, with a reason, for anything that it would not have written."""
    if "scheduleTimes" in fields:
        listed = fields["scheduleTimes"]
        if not isinstance(listed, list) or not listed:
            raise ValueError("scheduleTimes is not a list of times")
        times = tuple(_time(item, "scheduleTimes") for item in listed)
        if any(left >= right for left, right in pairwise(times)):
            raise ValueError("scheduleTimes is not sorted, or has a time twice")
        return Times(times)
    start, last = _time(fields.get("startTime"), "startTime"), _time(fields.get("endTime"), "endTime")
    end = last + 1 if range_end == "inclusive" else last
    if start >= end:
        raise ValueError("endTime is before startTime")
    return Range((start, end), range_end)


def _time(value: object, field: str) -> int:
    if not isinstance(value, str):
        raise ValueError(f"{field} is not a time")
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError(f"{field} {error}") from None


@dataclass(frozen=True, slots=True)
class Call:
    """One POST: what is sent where, and why. Equal manifests and ledgers make equal calls, `id` included.

    `covers` are calls for tables downstream that are not made, because this one runs their instances anyway.
    `instances` counts what it triggers, None for a range without a schedule. `end_matters` says whether another
    reading of `rangeEnd` would trigger other instances, None where that is not known.
    """

    target: str
    table: str
    tenant: str
    span: Span
    rerun: tuple[str, ...]
    requests: tuple[str, ...]
    approved_by: tuple[str, ...]
    covers: tuple[Call, ...] = ()
    instances: int | None = field(default=None, compare=False)
    end_matters: bool | None = field(default=None, compare=False)
    id: str = field(init=False, compare=False)
    """Sixteen hex digits that name this call: the same target, body and rerun tokens, the same name."""

    def __post_init__(self) -> None:
        named = canonical([self.target, self.body, list(self.rerun)]).encode("utf-8", "surrogatepass")
        object.__setattr__(self, "id", hashlib.sha256(named).hexdigest()[:16])
        if isinstance(self.span, Times):
            object.__setattr__(self, "instances", len(self.span.times))

    @property
    def agreement(self) -> str:
        """What somebody agrees to who agrees to this call: its id, and those of the calls that it covers."""
        return "+".join((self.id, *sorted(cover.id for cover in self.covers)))

    @property
    def body(self) -> dict[str, object]:
        """The request body, fields in the order of the vendor's page."""
        return {"tableName": self.table, "tenantId": self.tenant, **self.span.fields()}


def canonical(value: object) -> str:
    """Write JSON the one way that digests and state files use: no spaces, UTF-8, keys as they come."""
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
