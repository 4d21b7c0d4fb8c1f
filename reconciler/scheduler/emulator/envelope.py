"""The scheduler's answers: the envelope of the vendor's page, and how much of it reaches the caller."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. `delay` is the seconds to wait first, `sent` how much of the answer leaves before the close."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    delay: float = 0.0
    sent: Literal["whole", "half", "nothing"] = "whole"


def new_trace_id() -> str:
    """Return an id of the form that the vendor's examples show: 32 hex digits, a number, the time."""
    return f"{uuid4().hex}.1.{time.time_ns() // 100}"


def accepted(trace_id: str) -> Reply:
    """Return the vendor's answer to a call that it took."""
    return Reply(200, _envelope(True, True, 200, None, trace_id))


def refused(status: int, message: str, trace_id: str) -> Reply:
    """Return a refusal. With status 200 it is the vendor's documented failure: `success` true beside an `errorMsg`."""
    return Reply(status, _envelope(None, status == 200, status, message, trace_id))


def _envelope(data: bool | None, success: bool, status: int, message: str | None, trace_id: str) -> bytes:
    fields = {
        "data": data,
        "success": success,
        "code": str(status),
        "errorMsg": message,
        "detailErrorMsg": None,
        "traceId": trace_id,
    }
    return json.dumps(fields, indent=4).encode()
