"""The tables of a generated repository: the manifest and the ledger of each, by its number alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.call import Call, Range, Span, Times
from reconciler.core.ledger import Trigger
from reconciler.core.wallclock import parse, render
from reconciler.state.ledger_file import append

_HOUR, _DAY = 3600, 86_400
_HISTORY, _HISTORY_DAYS = parse("2025-01-01 00:00:00"), 360
_BEFORE, _BEFORE_DAYS = parse("2023-01-01 00:00:00"), 700
_POINTS, _OUTAGE, _RELOAD = (parse(f"2026-0{month}-01 00:00:00") for month in (1, 2, 3))
_SCHEDULES = ("0 0 * * * ?", "0 0 2 * * ?", "")
_COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass(frozen=True, slots=True)
class Sample:
    """One table: by its number alone, so that any process makes the same."""

    number: int

    @property
    def team(self) -> str:
        return f"team_{self.number % 40:02}"

    @property
    def name(self) -> str:
        return f"lake_catalog.{self.team}.fact_{self.number:05}"

    @property
    def file(self) -> str:
        """Its manifest, below the root: a hundred tables a folder at most."""
        return f"{self.team}/{self.number // 4000:02}/fact_{self.number:05}.yaml"

    @property
    def schedule(self) -> str:
        return _SCHEDULES[self.number % 3]

    @property
    def step(self) -> int:
        """The seconds from an instant to the next, for a table without a schedule too."""
        return _DAY if self.number % 3 == 1 else _HOUR

    @property
    def first(self) -> int:
        """The second of a day at which its first instant is."""
        return 2 * _HOUR if self.number % 3 == 1 else 0

    @property
    def reloaded(self) -> bool:
        return self.number % 2 == 0

    @property
    def rerun(self) -> bool:
        return self.number % 7 == 3

    @property
    def points(self) -> tuple[int, ...]:
        return tuple(_POINTS + self.first + day * _DAY for day in (1, 2, 5))

    def instants(self, start: int, count: int) -> tuple[int, int]:
        """Return the window that holds so many instants from a midnight on, and no second before or after."""
        return start + self.first, start + self.first + (count - 1) * self.step + 1

    @property
    def history(self) -> tuple[int, int]:
        return self.instants(_HISTORY, _HISTORY_DAYS * _DAY // self.step)


def manifest(sample: Sample, owes: bool) -> str:
    """Return the manifest of a table: some 25 lines, three to five requests."""
    start, end = sample.history
    end += 3 * sample.step if owes else 0
    team, number = sample.team, sample.number
    parts = [
        f"""\
# yaml-language-server: $schema=../../../schemas/backfill.v1.schema.json
apiVersion: reconciler/v1
kind: Backfill
metadata:
  name: fact-{number:05}
  owner: {team}-data
  labels: {{team: {team}, tier: {"gold" if number % 5 else "silver"}}}
spec:
  tableName: {sample.name}
""",
        f'  schedule: "{sample.schedule}"\n' if sample.schedule else "",
        "  requests:\n",
        _request("history", f"INC-{1000 + number}: the table was made anew", start, end),
        f"""\
    - name: late-days
      scheduleTimes:
{"".join(f"        - {render(time)}{chr(10)}" for time in sample.points)}""",
        _request("outage", f'"INC-{2000 + number}: ingest was down"', *sample.instants(_OUTAGE, 4)),
    ]
    if sample.reloaded:
        parts.append(_request("reload", "files came a day late", *sample.instants(_RELOAD, 30)))
    if sample.rerun:
        rerun = "      rerun: late-files\n      approvedBy: [dana]\n"
        parts.append(_request("again", "files were wrong", *sample.instants(_OUTAGE, 2), rerun))
    return "".join(parts)


def _request(name: str, reason: str, start: int, end: int, more: str = "") -> str:
    reason = reason if reason.startswith('"') or ":" not in reason else f'"{reason}"'
    return f"""\
    - name: {name}
      reason: {reason}
{more}      timeRange:
        startTime: {render(start)}
        endTime: {render(end - 1)}
"""


def ledger(sample: Sample, lines: int) -> bytes:
    """Return the ledger file of a table: half of it old and scattered, half that a long range was cut into."""
    dice = random.Random(sample.number)
    asked = list(_asked(sample))
    left = lines - len(asked)
    windows = min(left - left // 2, _HISTORY_DAYS)
    spans = [*_scattered(sample, left - windows, dice), *_contiguous(sample, windows), *asked]
    triggers = (_trigger(sample, span, at, name, dice) for at, (name, span) in enumerate(spans))
    return append(None, "bench", sample.name, triggers)


def _asked(sample: Sample) -> Iterator[tuple[str, Span]]:
    yield "late-days", Times(sample.points)
    yield "outage", Range(sample.instants(_OUTAGE, 4), "inclusive")
    if sample.reloaded:
        yield "reload", Range(sample.instants(_RELOAD, 30), "inclusive")
    if sample.rerun:
        yield "again", Range(sample.instants(_OUTAGE, 2), "inclusive")


def _scattered(sample: Sample, count: int, dice: random.Random) -> Iterator[tuple[str, Span]]:
    """Yield what requests that are gone by now had triggered: no two of them touch."""
    for at in range(count):
        start = _BEFORE + at * _BEFORE_DAYS // count * _DAY + sample.first + dice.randrange(2) * sample.step
        if dice.random() < 0.3:
            yield f"old-{at // 20}", Times(tuple(start + step * sample.step for step in range(dice.choice((1, 1, 2)))))
        else:
            yield f"old-{at // 20}", Range((start, start + dice.randrange(1, 4) * _HOUR + 1), "inclusive")


def _contiguous(sample: Sample, count: int) -> Iterator[tuple[str, Span]]:
    """Yield the range of `history` in parts: without a schedule they touch, with one no instant is between them."""
    (_, last), days = sample.history, _HISTORY_DAYS // count
    for at in range(count):
        start = _HISTORY + sample.first + at * days * _DAY
        end = start + days * _DAY - (sample.step - 1 if sample.schedule else 0)
        yield "history", Range((start, end if at < count - 1 else last), "inclusive")


def _trigger(sample: Sample, span: Span, at: int, name: str, dice: random.Random) -> Trigger:
    rerun = ("late-files",) if name == "again" else ()
    key = f"{sample.file}#{name}"
    second = _RELOAD + 40 * _DAY + at // 8 * _DAY + dice.randrange(_DAY)
    moment = render(second).replace(" ", "T") + "Z"
    run = f"{moment[:10].replace('-', '')}T040000Z-{at // 8:012x}"
    trace = f"{dice.getrandbits(128):032x}.1.{second * 10**7 + dice.randrange(10**7)}"
    made = Call("bench", sample.name, "tn_bench", span, rerun, (key,), ())
    return Trigger(made.id, span, rerun, (key,), ("dana",) if rerun else (), trace, moment, run, _COMMIT)
