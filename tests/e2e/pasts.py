"""Calls that somebody made by hand, and short ways to import them. Hours are those of 2026-01-20."""

from __future__ import annotations

import json

from tests.e2e.manifests import SALES, hour
from tests.e2e.workplace import TENANT, Ended, Workplace

WHY = ("--reason", "curl commands from the wiki")
MARK = "refs/reconciler/state/triggers/reconciler-state"


def body(first: int, last: int, table: str = SALES, **fields: object) -> dict[str, object]:
    """Return a call by hand, as curl sent it."""
    return {"tableName": table, "tenantId": TENANT, "startTime": hour(first), "endTime": hour(last), **fields}


def points(*numbers: int, table: str = SALES, **fields: object) -> dict[str, object]:
    return {"tableName": table, "tenantId": TENANT, "scheduleTimes": [hour(number) for number in numbers], **fields}


def past(place: Workplace, *calls: dict[str, object], name: str = "past.jsonl") -> str:
    """Write a file of calls beside the clone, and return its path."""
    file = place.top.parent / name
    file.write_text("".join(json.dumps(call) + "\n" for call in calls), "utf-8")
    return str(file)


def adopt(place: Workplace, *calls: dict[str, object]) -> Ended:
    return place.run("state", "import", past(place, *calls), *WHY)
