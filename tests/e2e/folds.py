"""A ledger with a past that is worth folding, and folds that somebody forged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256

from reconciler.core.call import canonical
from tests.e2e.manifests import SALES
from tests.e2e.pasts import adopt
from tests.e2e.workplace import TENANT, Workplace

FILE = f"prod/{SALES}.jsonl"
DAYS = range(1, 19)


def long_past(place: Workplace, days: Iterable[int] = DAYS, table: str = SALES) -> None:
    """Adopt two calls a day of January 2026: an hour, and a point beside it."""
    calls: list[dict[str, object]] = []
    for day in days:
        date = f"2026-01-{day:02}"
        common = {"tableName": table, "tenantId": TENANT, "triggeredAt": f"{date}T12:00:00Z"}
        calls.append({**common, "startTime": f"{date} 01:00:00", "endTime": f"{date} 02:00:00"})
        calls.append({**common, "scheduleTimes": [f"{date} 05:00:00"]})
    assert adopt(place, *calls).code == 0


def fold_of(place: Workplace, file: str = FILE) -> dict[str, object]:
    """Return the second line of a compacted ledger."""
    header, line, *_ = place.state_files()[file].split(b"\n")
    assert json.loads(header)["version"] == 2
    value: dict[str, object] = json.loads(line)
    return value


def forged(data: bytes, **fields: object) -> bytes:
    """Change fields of a fold, and make its checksum right again, as somebody would on purpose."""
    first, line, *rest = data.split(b"\n")
    value = {**json.loads(line), **fields}
    value.pop("sum")
    body = canonical(value).encode()[:-1]
    checksum = sha256(first + b"\n" + body).hexdigest().encode()
    return b"\n".join([first, body + b',"sum":"' + checksum + b'"}', *rest])


def without_a_window(data: bytes) -> bytes:
    """Forge a fold that lacks one of its windows: what was triggered there would be triggered again."""
    windows = json.loads(data.split(b"\n")[1])["windows"]
    windows[0]["times"] = windows[0]["times"][1:]
    return forged(data, windows=windows)
