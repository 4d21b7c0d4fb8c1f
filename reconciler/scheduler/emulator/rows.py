"""What the emulator's database holds, as values: instances, calls, and totals of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instance:
    """A table's instance: its schedule time as the vendor writes it, how often it ran, and when (UTC)."""

    table: str
    tenant: str
    time: str
    runs: int
    first_run_at: str
    last_run_at: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class CallRow:
    """A POST to one of the endpoints, and what became of it.

    `answer` is `triggered`, `rejected` (the documented failure), `refused STATUS`, or the name of the fault that
    was put in; `reason` is the errorMsg of a refusal. `instances` counts what ran, so 0 where nothing did. `tenant` and
    `table` are empty where the call was refused. `id` is 0 until it is recorded.
    """

    received_at: str
    method: str
    tenant: str
    table: str
    body: str
    trace_id: str
    answer: str
    reason: str
    instances: int
    id: int = 0


@dataclass(frozen=True, slots=True)
class TableRow:
    """A table's totals. `rerun` counts the instances that ran more than once; `first` and `last` are schedule times."""

    table: str
    tenant: str
    instances: int
    runs: int
    rerun: int
    last_run_at: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of all tables; `calls` are all that came, whatever became of them."""

    calls: int
    tables: int
    instances: int
    runs: int
    rerun: int


@dataclass(frozen=True, slots=True)
class Cell:
    """The instances of a table within one of several equal parts of a time: which part, and the most that one ran."""

    table: str
    tenant: str
    number: int
    first: str
    last: str
    instances: int
    most_runs: int
