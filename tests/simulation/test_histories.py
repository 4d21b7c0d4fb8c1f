"""Whatever happens, the promise holds: histories of edits, crashes, races, lost answers and resolutions."""

from __future__ import annotations

import os

import pytest

from tests.figures import Tried
from tests.simulation.history import run_history
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.world import BrokenPromise

HISTORIES = int(os.environ.get("HISTORIES", "400"))
CHUNKS = 4
MOST_SEEDS = 3000


@pytest.mark.claim("seeded histories of faults, crashes, races, edits, resolutions and reruns: the promise is kept")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_history_breaks_the_promise(chunk: int, tried: Tried) -> None:
    seeds = range(chunk, HISTORIES, CHUNKS)
    for seed in seeds:
        run_history(seed)
    tried(len(seeds))


def test_a_seed_replays_its_history() -> None:
    assert run_history(7).world.log == run_history(7).world.log


def test_histories_reach_what_they_are_for() -> None:
    """Guard the guard: the faults happen, calls are made, reruns run, doubt arises and ends."""
    logs = [history.world for history in map(run_history, range(40))]
    lines = "\n".join(line for world in logs for line in world.log)
    for word in ("crashes", "late ", "Unknown", "Rejected", "NotSent", "in doubt", "Settle ", "executed"):
        assert word in lines
    assert any(len(times) > 1 for world in logs for times in world.ran.values())


@pytest.mark.claim("faults written into the protocol: caught by the invariant named for each")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_caught_by_its_invariant(mutant: Mutant) -> None:
    for seed in range(MOST_SEEDS):
        try:
            run_history(seed, mutant.parts)
        except BrokenPromise as broken:
            if broken.invariant == mutant.caught_by:
                return
    pytest.fail(f"{mutant.name} lived through {MOST_SEEDS} histories")
