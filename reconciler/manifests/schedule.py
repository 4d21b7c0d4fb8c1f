"""What a manifest writes as `schedule`, checked, and made a schedule of instants for the years that are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal

from reconciler.core.schedule import Every, Schedule
from reconciler.core.wallclock import FIRST, LAST, parse, parse_duration
from reconciler.core.window import Windows
from reconciler.manifests.cron import FIRST_YEAR, LAST_YEAR, Cron, read_cron
from reconciler.manifests.findings import Findings
from reconciler.manifests.marks import Path
from reconciler.manifests.quoting import quoted
from reconciler.manifests.typed import Typed, text_at
from reconciler.manifests.zones import clock_changes

LONGEST = 100
"""The most years between the first and the last window that a schedule is made for."""

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400


class FarOff(ValueError):
    """Times are asked for that no schedule is made for. `which` is the wrong end of them, None where either may be."""

    def __init__(self, message: str, which: Literal["first", "last"] | None = None) -> None:
        super().__init__(message)
        self.which = which


@dataclass(frozen=True, slots=True)
class ScheduleText:
    """A schedule as a manifest writes it: `text` for messages, with single spaces, and what it means.

    The text alone says which schedule it is: two with the same text are equal.
    """

    text: str
    pattern: Every | Cron = field(compare=False, repr=False)

    def over(self, zone: str, windows: Windows) -> Schedule:
        """Return the schedule on the wall clock of `zone`, for the calendar years that windows of seconds touch.

        The second after the last window counts too: a range call may end there, if there is no instant.

        Equal texts for the same zone and years share one schedule. Raises FarOff, with a reason that can be shown,
        where the windows span more than 100 years, or years for which the days of a cron expression are not known.
        """
        if not windows:
            return _schedule(self, zone, FIRST_YEAR, FIRST_YEAR)
        first, last = _year(windows[0][0]), _year(windows[-1][1] - 1)
        if last - first > LONGEST:
            raise FarOff(
                f"the requests go from {first} to {last}; with a schedule they may span {LONGEST} years at most"
            )
        if isinstance(self.pattern, Cron) and (first < FIRST_YEAR or last > LAST_YEAR):
            wrong = first if first < FIRST_YEAR else last
            raise FarOff(
                f"a request is in {wrong}; a cron schedule is known from {FIRST_YEAR} to {LAST_YEAR} only",
                "first" if wrong == first else "last",
            )
        return _schedule(self, zone, first, _year(windows[-1][1]))


def read_schedule(value: Typed, findings: Findings, path: Path) -> ScheduleText | None:
    """Return the schedule that `value` at `path` is, None where there is none or an error in it.

    Adds what is wrong to `findings`. The shape of the value has been checked.
    """
    if isinstance(value, str):
        return _cron(value, findings, path)
    if isinstance(value, dict):
        return _every(value, findings, path)
    return None


def _cron(text: str, findings: Findings, path: Path) -> ScheduleText | None:
    cron = read_cron(text)
    if isinstance(cron, Cron):
        return ScheduleText(" ".join(text.split()), cron)
    for refusal in cron:
        findings.error(path, refusal.message, refusal.hint)
    return None


def _every(written: Mapping[str, Typed], findings: Findings, path: Path) -> ScheduleText | None:
    value = dict(written)
    interval, origin = text_at(value, "every"), text_at(value, "from")
    start = _start(origin, findings, (*path, "from"))
    try:
        step = parse_duration(interval or "")
    except ValueError:
        return None  # the schema has said so already
    if start is None:
        return None
    if origin is None and _DAY % step:
        message = f"{interval} does not divide a day, so it matters where it counts from: 1970-01-01 00:00:00"
        hint = "say the time of one instance: {every: " + f"{interval}, from: 2026-01-01 00:00:00" + "}"
        findings.warning((*path, "every"), message, hint)
    return ScheduleText(f"every {interval}" + (f" from {origin}" if origin else ""), Every(step, start))


def _start(origin: str | None, findings: Findings, path: Path) -> int | None:
    if origin is None:
        return 0
    try:
        return parse(origin)
    except ValueError as error:
        findings.error(path, f"{quoted(origin)} {error}", "write it like 2026-01-01 00:30:00")
        return None


@lru_cache(maxsize=4096)
def _schedule(written: ScheduleText, zone: str, first: int, last: int) -> Schedule:
    pattern = written.pattern
    instants = pattern if isinstance(pattern, Every) else pattern.instants(first, last)
    return Schedule(written.text, instants, *clock_changes(zone, first, last))


def _year(second: int) -> int:
    return date.fromordinal(min(max(second, FIRST), LAST) // _DAY + _EPOCH).year
