"""Whatever happens, the promises hold: histories of edits, crashes, races, unclear answers and resolutions."""

from __future__ import annotations

import os

import pytest

from tests.figures import Tried
from tests.simulation.history import run_history
from tests.simulation.mutants import MUTANTS, NETS, Mutant
from tests.simulation.parts import Parts
from tests.simulation.promises import BrokenPromise, Promise

HISTORIES = int(os.environ.get("HISTORIES", "3000"))
CHUNKS = 8
MOST_SEEDS = 1000

REACHED = (
    "crashes", "fails: the remote is mute", "fails: git cannot write objects", "unclear push (landed)",
    "unclear push (lost)", "unclear push (late)", "late ", "is answered 200", "is answered 401", "is answered 429",
    "is answered 50", "hears Unknown(error='no answer in time')", "hears NotSent", "by hand",
    "by a journal of", "Settle ", "Record 1 in doubt", "has executed", "edit: ", "holds a call: dependency",
    "holds a call: window", "covered ",
)  # fmt: skip


@pytest.mark.claim("seeded histories of faults, crashes, races, edits, resolutions and reruns: the promise is kept")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_history_breaks_a_promise(chunk: int, tried: Tried) -> None:
    seeds = range(chunk, HISTORIES, CHUNKS)
    for seed in seeds:
        run_history(seed)
    tried(len(seeds))


def test_a_seed_replays_its_history() -> None:
    assert run_history(7).world.log == run_history(7).world.log


def test_histories_reach_what_they_are_for() -> None:
    """Guard the guard: the faults happen, calls are made, reruns run, doubt arises and ends."""
    worlds = [run_history(seed).world for seed in range(150)]
    lines = "\n".join(line for world in worlds for line in world.log)
    assert not [word for word in REACHED if word not in lines]
    assert any(len(times) > 1 for world in worlds for times in world.ran.values())


def _broken(seed: int, parts: Parts) -> Promise | None:
    try:
        run_history(seed, parts)
    except BrokenPromise as broken:
        return broken.promise
    return None


def _seed_that_catches(mutant: Mutant) -> int:
    for seed in range(MOST_SEEDS):
        if _broken(seed, mutant.parts) is mutant.breaks:
            return seed
    pytest.fail(f"{mutant.name} lived through {MOST_SEEDS} histories")


@pytest.mark.claim("faults written into the protocol: each caught by the promise named, which holds without the fault")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_caught_by_its_promise(mutant: Mutant) -> None:
    """The same seed under the same odds holds without the fault: it is the fault alone that breaks the promise."""
    seed = _seed_that_catches(mutant)
    assert _broken(seed, mutant.control) is None


@pytest.mark.claim("the same faults, seen by nothing but the oracle that counts executions")
@pytest.mark.parametrize("mutant", NETS, ids=lambda mutant: f"{mutant.name}-{mutant.breaks.name}")
def test_the_last_promises_catch_what_slips_past_the_others(mutant: Mutant) -> None:
    seed = _seed_that_catches(mutant)
    assert _broken(seed, mutant.control) is None


def test_no_promise_is_blind() -> None:
    assert {mutant.breaks for mutant in (*MUTANTS, *NETS)} == set(Promise)
