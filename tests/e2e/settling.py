"""What a person does about calls in doubt: look into the scheduler, and say the truth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.e2e.counting import Counting
from tests.e2e.manifests import hours
from tests.e2e.workplace import Workplace


def settle_by_hand(place: Workplace, scheduler: Counting) -> None:
    """Resolve what is in doubt as a person would who looks into the scheduler."""
    told = recorded(place)
    ids: dict[str, list[str]] = {"triggered": [], "not-triggered": []}
    for intent in place.pending():
        table = intent["tableName"]
        ran = _ran(intent, scheduler.runs(table), told.get(table, Counter()))
        ids["triggered" if ran else "not-triggered"].append(intent["id"])
    for became, found in ids.items():
        assert not found or place.run("resolve", *found, "--as", became, "--reason", "looked").code == 0


def recorded(place: Workplace) -> dict[str, Counter[str]]:
    """Return how often each whole hour of the tests' day was triggered, as the ledgers tell, table by table."""
    found: dict[str, Counter[str]] = {}
    for path, data in place.state_files().items():
        if not path.startswith("pending/"):
            lines = [json.loads(line) for line in data.splitlines()[1:]]
            spanned = (hour for line in lines for hour in hours(0, 23) if _spans(line, hour))
            found[path.partition("/")[2].removesuffix(".jsonl")] = Counter(spanned)
    return found


def _ran(intent: Mapping[str, Any], runs: Mapping[str, int], told: Counter[str]) -> bool:
    """Say whether instants of a call ran more often than the table's ledger tells."""
    return any(times > told[instant] for instant, times in runs.items() if _spans(intent, instant))


def _spans(call: Mapping[str, Any], instant: str) -> bool:
    """Say whether a call triggers an instant; times as the vendor writes them sort as they follow each other."""
    if "scheduleTimes" in call:
        return instant in call["scheduleTimes"]
    return bool(call["startTime"] <= instant <= call["endTime"])
