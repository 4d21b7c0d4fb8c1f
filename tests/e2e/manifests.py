"""Manifests for the end-to-end tests: short ways to write them. Hours are those of 2026-01-20."""

from __future__ import annotations

import json
from collections.abc import Mapping

Document = dict[str, object]

SALES = "default_catalog.sales.FACT_SALES"
ORDERS = "default_catalog.sales.ORDERS"


def hour(number: int) -> str:
    """Return an hour as the vendor writes it."""
    return f"2026-01-20 {number:02}:00:00"


def hours(first: int, last: int) -> dict[str, int]:
    """Return what a counting server has when each hour from `first` to `last`, both included, ran once."""
    return dict.fromkeys(map(hour, range(first, last + 1)), 1)


def twice(first: int, last: int) -> dict[str, int]:
    """Return the same for hours that ran twice."""
    return dict.fromkeys(hours(first, last), 2)


def between(first: int, last: int, **fields: object) -> Document:
    """Return a request for a range; the target reads endTime as inclusive."""
    return {**fields, "timeRange": {"startTime": hour(first), "endTime": hour(last)}}


def at(*numbers: int, **fields: object) -> Document:
    """Return a request for schedule times."""
    return {**fields, "scheduleTimes": [hour(number) for number in numbers]}


def again(token: str, request: Document, *approved_by: str) -> Document:
    """Return `request` as a rerun."""
    approvals: Document = {"approvedBy": list(approved_by)} if approved_by else {}
    return {**request, "rerun": token, "reason": "files arrived a day late", **approvals}


def backfill(name: str, *requests: Mapping[str, object], table: str = SALES, **spec: object) -> Document:
    """Return a manifest; `spec` holds further fields of its spec."""
    return {
        "apiVersion": "reconciler/v1",
        "kind": "Backfill",
        "metadata": {"name": name},
        "spec": {"tableName": table, **spec, "requests": list(requests)},
    }


def text_of(*documents: Mapping[str, object]) -> str:
    """Write documents as one file. JSON is YAML."""
    return "---\n".join(json.dumps(document, indent=1) + "\n" for document in documents)
