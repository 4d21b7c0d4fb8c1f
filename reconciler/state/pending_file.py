"""The pending file of a run: a header that says who runs it, then one intent a line."""

from __future__ import annotations

from collections.abc import Sequence

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
    | {"rerun", "requests", "approvedBy", "since", "commit"}
)


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
        **span_fields(call.span),
        "rerun": list(call.rerun),
        "requests": list(call.requests),
        "approvedBy": list(call.approved_by),
        "since": intent.since,
        "commit": intent.commit,
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
    call = Call(
        target=text_field(value, "target"),
        table=text_field(value, "tableName"),
        tenant=text_field(value, "tenantId"),
        span=read_span_fields(value),
        rerun=texts_field(value, "rerun"),
        requests=texts_field(value, "requests"),
        approved_by=texts_field(value, "approvedBy"),
    )
    if text_field(value, "id") != call.id:
        raise ValueError("its id does not fit its body")
    return Intent(call, run, by, text_field(value, "since"), text_field(value, "commit"))
