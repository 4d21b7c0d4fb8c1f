"""When a forge asks to be asked less often: how long it wants to be left alone. Pure.

Source: GitHub's page on rate limits for the REST API (403 or 429; `retry-after`, else `x-ratelimit-remaining: 0` with
`x-ratelimit-reset`, else a minute), GitLab's on rate limits (429; `Retry-After`, `RateLimit-Reset`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MINUTE = 60.0
_LONGEST = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Limited:
    """The seconds to wait, and the time of day in UTC when they are over."""

    seconds: float
    until: str


def rate_limit(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Limited | None:
    """Say how long to wait, or None where the answer is not a rate limit's. `headers` has lower-case names.

    A 403 is one only where it says so: by a header, or by its text. A time of day is compared with the answer's own
    Date, so that the two machines' clocks may differ.
    """
    if status not in (403, 429):
        return None
    seconds = _retry_after(headers, now)
    if seconds is None:
        seconds = _reset(headers, now)
    if seconds is None and (status == 429 or b"secondary rate limit" in body.lower()):
        seconds = _MINUTE
    if seconds is None:
        return None
    seconds = max(1.0, min(seconds, _LONGEST))
    return Limited(seconds, f"{datetime.fromtimestamp(now, UTC) + timedelta(seconds=seconds):%H:%M}")


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", said):
        return float(said)
    when = _date(said)
    return None if when is None else when - _theirs(headers, now)


def _reset(headers: Mapping[str, str], now: float) -> float | None:
    for prefix in ("x-ratelimit", "ratelimit"):
        said = headers.get(f"{prefix}-reset", "").strip()
        if headers.get(f"{prefix}-remaining", "").strip() == "0" and re.fullmatch(r"[0-9]{1,12}", said):
            return float(said) - _theirs(headers, now)
    return None


def _theirs(headers: Mapping[str, str], now: float) -> float:
    when = _date(headers.get("date", ""))
    return now if when is None else when


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
