"""The pending file of a run: a header that says who runs it, then one intent a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.call import Call, span_fields
from reconciler.core.ledger import Intent
from reconciler.state.json_lines import (
    DamagedState,
    read_lines,
    refuse_other_keys,
    text_field,
    texts_field,
    write_lines,
)
from reconciler.state.ledger_file import read_span_fields

_KEYS = frozenset(
    {"id", "target", "tableName", "tenantId", "method", "startTime", "endTime", "scheduleTimes", "rangeEnd"}
    | {"rerun", "requests", "approvedBy", "covers", "since", "commit"}
)
_COVER_KEYS = _KEYS - {"target", "tenantId", "covers", "since", "commit"}


def write_pending(intents: Sequence[Intent]) -> bytes:
    """Write the intents of one run; there has to be at least one."""
    header = {"version": 1, "run": intents[0].run, "by": intents[0].by}
    return write_lines([header, *map(_fields, intents)])


def _fields(intent: Intent) -> dict[str, object]:
    call = intent.call
    return {
        "id": call.id,
        "target": call.target,
        "tableName": call.table,
        "tenantId": call.tenant,
        **_reasons(call),
        **({"covers": [_cover_fields(cover) for cover in call.covers]} if call.covers else {}),
        "since": intent.since,
        "commit": intent.commit,
    }


def _cover_fields(cover: Call) -> dict[str, object]:
    """Return a call that is covered; its target and tenant are those of the call that covers it."""
    return {"id": cover.id, "tableName": cover.table, **_reasons(cover)}


def _reasons(call: Call) -> dict[str, object]:
    return {
        **span_fields(call.span),
        "rerun": list(call.rerun),
        "requests": list(call.requests),
        "approvedBy": list(call.approved_by),
    }


def read_pending(path: str, data: bytes, run: str) -> tuple[Intent, ...]:
    """Read a pending file whole. Raises DamagedState, with file and line, where any of it cannot be trusted."""
    (_, header), *rest = read_lines(path, data)
    if header.keys() != {"version", "run", "by"} or header["run"] != run or not isinstance(header["by"], str):
        raise DamagedState(path, 1, f"its first line does not name the run {run} and who runs it")
    if not rest:
        raise DamagedState(path, 2, "it holds no intent")
    intents = []
    for number, (_, value) in enumerate(rest, 2):
        try:
            intents.append(_intent(value, run, header["by"]))
        except ValueError as error:
            raise DamagedState(path, number, str(error)) from None
    return tuple(intents)


def _intent(value: dict[str, object], run: str, by: str) -> Intent:
    refuse_other_keys(value, _KEYS)
    call = _call(value, text_field(value, "target"), text_field(value, "tenantId"))
    if "covers" in value:
        call = replace(call, covers=_covers(value["covers"], call))
    return Intent(call, run, by, text_field(value, "since"), text_field(value, "commit"))


def _call(value: dict[str, object], target: str, tenant: str) -> Call:
    call = Call(
        target=target,
        table=text_field(value, "tableName"),
        tenant=tenant,
        span=read_span_fields(value),
        rerun=texts_field(value, "rerun"),
        requests=texts_field(value, "requests"),
        approved_by=texts_field(value, "approvedBy"),
    )
    if text_field(value, "id") != call.id:
        raise ValueError("its id does not fit its body")
    return call


def _covers(value: object, call: Call) -> tuple[Call, ...]:
    """Read the calls that a call covers: at least one, none for its own table, and none that covers others."""
    if not isinstance(value, list) or not value:
        raise ValueError("covers is not a list of calls")
    found = []
    for item in value:
        if not isinstance(item, dict):
            raise ValueError("covers is not a list of calls")
        refuse_other_keys(item, _COVER_KEYS)
        cover = _call(item, call.target, call.tenant)
        if cover.table == call.table:
            raise ValueError("it covers a call for its own table")
        found.append(cover)
    return tuple(found)
