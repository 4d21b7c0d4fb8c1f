"""Work for an apply: tables of two calls each, and what a counting server has when each call was made once."""

from __future__ import annotations

from tests.e2e.manifests import at, backfill, between, hours
from tests.e2e.workplace import Workplace


def declare(place: Workplace, name: str, tables: int) -> list[str]:
    """Declare some tables, two calls each, and return their names."""
    names = [f"c.{name}.T{number}" for number in range(tables)]
    manifests = (backfill(f"{name}-{n}", between(1, 2), at(4), table=table) for n, table in enumerate(names))
    place.declare(f"{name}.yaml", *manifests)
    return names


def expected() -> dict[str, int]:
    return {**hours(1, 2), **hours(4, 4)}
