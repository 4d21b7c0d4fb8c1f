"""What the vendor's page allows: from headers and a body to the instants to run, or a refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from reconciler.core.call import Method, RangeEnd
from reconciler.core.schedule import Every, Schedule
from reconciler.core.wallclock import parse

_BASE = "/anymetrics/api/v1/scheduler/task/"
PATHS: Mapping[str, Method] = {
    f"{_BASE}triggerTableTaskInstanceByScheduleTime": Method.TIMES,
    f"{_BASE}triggerTableTaskInstanceByScheduleTimeRange": Method.RANGE,
}
"""The two paths of the vendor's page."""

AUTH_TYPES = ("UID", "TOKEN", "ACCOUNT", "APIKEY")
HEADER_LENGTH = 32

# The vendor's page sets no limits on these; an emulator needs some, and none that a sane call would meet.
TABLE_LENGTH = 256
TIMES_LIMIT = 10_000
INSTANTS_LIMIT = 1_000_000

_FIELDS = {
    Method.TIMES: ("tableName", "tenantId", "scheduleTimes"),
    Method.RANGE: ("tableName", "tenantId", "startTime", "endTime"),
}


class Refused(Exception):
    """A call that does not run. `status` is the HTTP status; 200 is the vendor's documented failure form."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Terms:
    """What this scheduler is like: its only tenant (None: any), the schedules of tables, how it reads endTime.

    Tables that `schedules` does not name share one: `every` so many seconds, counted from midnight of 1970-01-01, so
    that a divisor of a day starts again at each midnight. A schedule that was made for certain years may have no
    instance outside of them; a call by schedule times runs what it names, on the schedule or not.
    """

    tenant: str | None = None
    every: int = 3600
    range_end: RangeEnd = "inclusive"
    schedules: Mapping[str, Schedule] = field(default_factory=dict)

    def instants(self, table: str, start: int, end: int) -> tuple[int, ...]:
        """Return a table's instants from `start` to `end`, both wall-clock seconds as a call gives them.

        Raises Refused for more than any sane call would run; they are counted before they are listed.
        """
        schedule = self.schedules.get(table) or Schedule("every", Every(self.every))
        numbers = schedule.numbered(((start, end + 1 if self.range_end == "inclusive" else end),))
        count = sum(last - first for first, last in numbers)
        if count > INSTANTS_LIMIT:
            _wrong(f"the range holds {count} instances, more than {INSTANTS_LIMIT}")
        return tuple(schedule.seconds(numbers))


@dataclass(frozen=True, slots=True)
class Trigger:
    """A call that the page allows. `instants` are the wall-clock seconds to run, as often as the call names them."""

    method: Method
    tenant: str
    table: str
    instants: Sequence[int]


def read_trigger(method: Method, headers: Mapping[str, Sequence[str]], body: bytes, terms: Terms) -> Trigger:
    """Return what a POST asks for. `headers` maps lower-case names to all values given.

    Raises Refused: 401 for what is wrong with the three headers, 403 for a tenant that does not fit, 400 for a body
    that is not JSON, 200 for JSON that says something wrong.
    """
    tenant = _authenticate(headers, terms)
    fields = _read_object(body)
    for name in _FIELDS[method]:
        if name not in fields:
            _wrong(f"{name} is missing")
    for name in fields:
        if name not in _FIELDS[method]:
            _wrong(f"{json.dumps(name[:40])} is not a field of this call")
    table = _table(fields["tableName"])
    if _text(fields["tenantId"], "tenantId") != tenant:
        raise Refused(403, "tenantId is not the tenant of the tenant-id header")
    instants = _listed(fields["scheduleTimes"]) if method is Method.TIMES else _between(fields, table, terms)
    return Trigger(method, tenant, table, instants)


def _wrong(message: str) -> NoReturn:
    raise Refused(200, message)


def _authenticate(headers: Mapping[str, Sequence[str]], terms: Terms) -> str:
    tenant, kind, _ = (_header(headers, name) for name in ("tenant-id", "auth-type", "auth-value"))
    if kind not in AUTH_TYPES:
        raise Refused(401, f"auth-type is none of {', '.join(AUTH_TYPES)}")
    if terms.tenant is not None and tenant != terms.tenant:
        raise Refused(403, "tenant-id names a tenant that this scheduler does not serve")
    return tenant


def _header(headers: Mapping[str, Sequence[str]], name: str) -> str:
    values = headers.get(name, ())
    if len(values) != 1:
        raise Refused(401, f"{name} is {'given more than once' if values else 'missing'}")
    value = values[0].strip(" \t")
    if not value:
        raise Refused(401, f"{name} is empty")
    if len(value) > HEADER_LENGTH:
        raise Refused(401, f"{name} is longer than {HEADER_LENGTH} characters")
    return value


def _read_object(body: bytes) -> dict[str, object]:
    try:
        value: object = json.loads(body.decode("utf-8"), object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        _wrong("the body is not a JSON object")
    return value


def _no_key_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        if name in fields:
            _wrong(f"{json.dumps(name[:40])} is given twice")
        fields[name] = value
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        _wrong(f"{field} is not a string")
    return value


def _table(value: object) -> str:
    table = _text(value, "tableName")
    if not table.strip():
        _wrong("tableName is empty")
    if len(table) > TABLE_LENGTH:
        _wrong(f"tableName is longer than {TABLE_LENGTH} characters")
    if not table.isprintable():
        _wrong("tableName holds characters that cannot be shown")
    return table


def _time(value: object, field: str) -> int:
    try:
        return parse(_text(value, field))
    except ValueError as error:
        raise Refused(200, f"{field} {error}") from None


def _listed(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        _wrong("scheduleTimes is not an array")
    if not value:
        _wrong("scheduleTimes is empty")
    if len(value) > TIMES_LIMIT:
        _wrong(f"scheduleTimes holds more than {TIMES_LIMIT} times")
    return tuple(_time(item, f"scheduleTimes[{index}]") for index, item in enumerate(value))


def _between(fields: Mapping[str, object], table: str, terms: Terms) -> tuple[int, ...]:
    start, end = (_time(fields[name], name) for name in ("startTime", "endTime"))
    if end < start:
        _wrong("endTime is before startTime")
    return terms.instants(table, start, end)
