"""Schedules on the embedded target: what its emulator ran is what a brute-force list says was missing, each once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

import pytest

from reconciler.core.wallclock import parse, parse_duration
from reconciler.scheduler.emulator import Database
from tests.e2e.manifests import Document, backfill
from tests.e2e.workplace import Workplace
from tests.figures import Tried

# Around the night in which Berlin's clock goes from 02:00 to 03:00; Shanghai's never changes.
FIRST, LAST = datetime(2025, 3, 27), datetime(2025, 4, 2)  # noqa: DTZ001 - the wall clock has no zone
FORWARD = "2025-03-30 02"
TARGETS: dict[str, Document] = {
    "berlin": {"timeZone": "Europe/Berlin", "rangeEnd": "inclusive", "pointsPerCall": 7},
    "shanghai": {"timeZone": "Asia/Shanghai", "rangeEnd": "exclusive"},
}
ROUNDS = 3
TABLES = 12


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A schedule as manifests write it, and what it means, said in another way."""

    written: object
    fits: Callable[[datetime], bool]


KINDS = (
    Kind("0 30 6 ? * MON-FRI", lambda at: at.weekday() < 5 and at.strftime("%H%M%S") == "063000"),
    Kind("0 0/20 8-17 ? * MON-FRI", lambda at: at.weekday() < 5 and 8 <= at.hour < 18 and _every(at, 20)),
    Kind("15,30 * * * SAT,SUN", lambda at: at.weekday() > 4 and at.minute in {15, 30} and not at.second),
    Kind("30 59 23 * * ?", lambda at: at.strftime("%H%M%S") == "235930"),
    Kind({"every": "15m"}, lambda at: _every(at, 15)),
    Kind({"every": "90m", "from": "2025-03-27 00:30:00"}, lambda at: _every(at - timedelta(minutes=30), 90)),
)


def _every(at: datetime, minutes: int) -> bool:
    return not (at - FIRST) % timedelta(minutes=minutes)


@lru_cache
def _instants(target: str, kind: Kind) -> tuple[str, ...]:
    """List the instants of a schedule: each half minute of these days is looked at."""
    moments = (FIRST + timedelta(seconds=30 * number) for number in range(6 * 2880))
    fitting = (str(at) for at in moments if kind.fits(at))
    return tuple(at for at in fitting if target != "berlin" or not at.startswith(FORWARD))


@dataclass(slots=True)
class Declared:
    """A table, what its manifest asks for now, and what should have run."""

    target: str
    name: str
    kind: Kind
    chunk: str | None
    requests: list[Document] = field(default_factory=list)
    ran: dict[str, int] = field(default_factory=dict)

    def manifest(self) -> Document:
        chunk = {"chunk": self.chunk} if self.chunk else {}
        asked = {"target": self.target, "schedule": self.kind.written, **chunk}
        return backfill(f"{self.target}-{self.name.lower()}", *self.requests, table=f"c.s.{self.name}", **asked)

    def missing(self) -> dict[str, int]:
        """Look at each instant on its own."""
        instants = _instants(self.target, self.kind)
        return {at: 1 for at in instants if at not in self.ran and any(_asks(one, at) for one in self.requests)}


def _asks(request: Document, at: str) -> bool:
    match request:
        case {"timeRange": {"startTime": str(start), "endTime": str(end)}}:
            return start <= at <= end
        case {"scheduleTimes": list(times)}:
            return at in times
        case _:
            raise AssertionError(request)


def _changed(random: Random, table: Declared) -> None:
    """Ask for another range or other points, and shift the ends of what was asked for before."""
    for request in table.requests:
        if "timeRange" in request and random.random() < 0.5:
            start, end = sorted(random.sample(_moments(random, table), 2))
            request["timeRange"] = {"startTime": start, "endTime": end}
    times = sorted(random.sample(_moments(random, table), random.choice((2, 2, 12))))
    if len(times) == 2:
        table.requests.append({"timeRange": {"startTime": times[0], "endTime": times[1]}})
    else:
        table.requests.append({"scheduleTimes": times})


def _moments(random: Random, table: Declared) -> list[str]:
    """Return times to ask for: instants, and times that are none."""
    instants = random.sample(_instants(table.target, table.kind), k=4)
    return sorted({*instants, *(str(FIRST + timedelta(seconds=random.randrange(6 * 86_400))) for _ in range(12))})


def _ran(place: Workplace, table: Declared) -> dict[str, int]:
    database = Database(place.top / ".git" / "reconciler" / "emulator" / f"{table.target}.db")
    try:
        return {instance.time: instance.runs for instance in database.instances(f"c.s.{table.name}")}
    finally:
        database.close()


@pytest.fixture
def tables(place: Workplace) -> list[Declared]:
    """Return tables without requests, of each schedule and target, one in two with a chunk."""
    embedded = {name: {"url": "embedded", "tenantId": "tn_1", **target} for name, target in TARGETS.items()}
    place.configure("http://127.0.0.1:1", targets={**embedded}, state={"batch": 500})
    numbers = range(TABLES)
    return [
        Declared(target, f"T{number}", KINDS[number % len(KINDS)], "7h" if number % 4 == 3 else None)
        for target in TARGETS
        for number in numbers
    ]


@pytest.mark.claim("with schedules: what the emulator ran is what a list of every instant says, each instant once")
@pytest.mark.parametrize("seed", [1, 2])
def test_each_apply_runs_exactly_the_instances_that_were_missing(
    place: Workplace, tables: list[Declared], seed: int, tried: Tried
) -> None:
    random = Random(seed)
    instances = 0
    for _ in range(ROUNDS):
        for table in tables:
            _changed(random, table)
        place.declare("all.yaml", *(table.manifest() for table in tables))
        missing = {(table.target, table.name): table.missing() for table in tables}
        owed = sum(map(len, missing.values()))
        applied = place.apply("--format", "json")
        assert applied.code == 0, applied.err
        assert sum(call["instances"] for call in applied.json["calls"]) == owed
        for table in tables:
            table.ran |= missing[table.target, table.name]
            assert _ran(place, table) == table.ran, f"seed {seed}: {table}"
        instances += owed
    assert "Nothing to do" in place.apply().out
    tried(ROUNDS * len(tables), note=f"{instances} instances with seed {seed}")


def test_no_range_call_is_longer_than_its_chunk(place: Workplace, tables: list[Declared]) -> None:
    quarters = [table for table in tables if table.kind.written == {"every": "15m"}]
    for table in quarters:
        table.chunk = "6h"
        table.requests = [{"timeRange": {"startTime": str(FIRST), "endTime": str(LAST)}}]
    place.declare("all.yaml", *(table.manifest() for table in quarters))
    applied = place.apply("--format", "json")
    assert applied.code == 0, applied.err
    ranges = [call["body"] for call in applied.json["calls"] if call["method"] == "scheduleTimeRange"]
    lengths = {parse(body["endTime"]) - parse(body["startTime"]) for body in ranges}
    assert ranges
    assert max(lengths) < parse_duration("6h")


def test_hundreds_of_times_that_are_not_on_the_schedule_are_warnings_and_no_error(place: Workplace) -> None:
    off = [f"2026-01-{number // 24 + 1:02} {number % 24:02}:30:00" for number in range(300)]
    place.declare("fact.yaml", backfill("fact", {"scheduleTimes": off}, schedule="0 0 * * * ?"))
    checked = place.run("validate", "--format", "json")
    assert checked.code == 0
    assert {problem["severity"] for problem in checked.json["problems"]} == {"warning"}
