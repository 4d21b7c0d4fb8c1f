"""Where each goal for speed stands, from the figures that were measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.bench.figures_file import Figure, Part

Parts = Mapping[str, Part]
Found = Callable[[Parts, str], float]

_LARGEST, _PEERS, _WINDOWS = "tables 10000", "peers 1000", "100,000 windows"


class NotMeasured(Exception):
    """A figure that is not in the file."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: `bound` or more where `rising`, or less otherwise; and how it is found.

    `found` takes what of a run counts: `wall`, or `cpu` for a machine on which others work too.
    """

    what: str
    bound: float
    unit: str
    found: Found
    rising: bool = False

    def reached(self, value: float) -> bool:
        return value >= self.bound if self.rising else value <= self.bound


def figure(parts: Parts, part: str, name: str) -> Figure:
    """Return a figure. Raises NotMeasured where there is none."""
    try:
        return parts[part][name]
    except KeyError:
        raise NotMeasured(f"{part}: {name}") from None


def number(parts: Parts, part: str, name: str, key: str = "wall") -> float:
    """Return one number of a figure. Raises NotMeasured where there is none."""
    value = figure(parts, part, name).get(key)
    if value is None:
        raise NotMeasured(f"{part}: {name}: {key}")
    return float(value)


def _to(name: str, floor: str, part: str = _LARGEST) -> Found:
    return lambda parts, key: number(parts, part, name, key) / number(parts, part, f"floor: {floor}", key)


def _memory(name: str, kind: str) -> Found:
    return lambda parts, _: number(parts, _LARGEST, name, kind)


def _against(peer: str, what: str, windows: str) -> Found:
    name = f"{what}, {windows}"
    return lambda parts, _: number(parts, "windows", name, peer) / number(parts, "windows", name, "reconciler")


def _rate(batch: int) -> Found:
    """Return the rate of an apply, less what the plan before it takes, as a share of raw httpx's."""

    def found(parts: Parts, key: str) -> float:
        took = number(parts, "apply", f"apply, batch {batch}", key) - number(parts, "apply", "plan of the same", key)
        return number(parts, "apply", "floor: posts", key) / took

    return found


def _shards(key: str) -> Found:
    return lambda parts, _: number(parts, "shards", "8 shards", key) / number(parts, "shards", "1 shard", key)


GOALS = (
    Goal("cold plan, of its floor", 1.5, "×", _to("plan, cold", "plan")),
    Goal("warm plan, nothing changed, of that floor", 0.4, "×", _to("plan, nothing changed", "plan")),
    Goal("warm plan, one manifest changed, of that floor", 0.4, "×", _to("plan, one manifest changed", "plan")),
    Goal("warm plan, nothing changed, of an empty click program", 3, "×", _to("plan, nothing changed", "click")),
    Goal("memory of a cold plan", 100, "MB", _memory("plan, cold", "pss")),
    Goal("memory of a cold plan, without files that git maps", 100, "MB", _memory("plan, cold", "anon")),
    Goal("memory of a warm plan", 100, "MB", _memory("plan, one manifest changed", "pss")),
    Goal(
        "memory of a warm plan, without files that git maps", 100, "MB", _memory("plan, one manifest changed", "anon")
    ),
    Goal(
        "`validate`, faster than check-jsonschema (1,000 manifests)",
        10,
        "×",
        lambda parts, key: 1 / _to("validate", "check-jsonschema", _PEERS)(parts, key),
        rising=True,
    ),
    Goal(
        "what is missing, faster than SQLMesh", 20, "×", _against("sqlmesh", "subtract", "10,000 windows"), rising=True
    ),
    Goal("what is missing, faster than portion", 20, "×", _against("portion", "subtract", _WINDOWS), rising=True),
    Goal("windows joined, faster than SQLMesh", 20, "×", _against("sqlmesh", "union", _WINDOWS), rising=True),
    Goal("windows joined, faster than portion", 20, "×", _against("portion", "union", _WINDOWS), rising=True),
    Goal("`--help`, of an empty click program", 1.3, "×", _to("--help", "click", "tables 1000")),
    Goal("calls of an apply a second, of raw httpx", 0.9, "×", _rate(500), rising=True),
    Goal("8 shards, of the rate of one, from the first call to the last", 6, "×", _shards("calling"), rising=True),
    Goal("8 shards, of the rate of one, as processes on this machine", 6, "×", _shards("rate"), rising=True),
)


def standing(parts: Parts) -> Iterator[tuple[Goal, float | None, float | None]]:
    """Yield each goal and where it stands by wall clock and by processor, None where that was not measured."""
    for goal in GOALS:
        try:
            yield goal, goal.found(parts, "wall"), goal.found(parts, "cpu")
        except NotMeasured:
            yield goal, None, None
