"""Replay histories: `python -m tests.simulation SEED` shows one, `python -m tests.simulation FIRST LAST` plays many."""

from __future__ import annotations

import sys
import time

from tests.simulation.history import run_history


def main(first: int, last: int | None = None) -> None:
    """Play the histories from `first` to `last`; one alone is shown step by step."""
    if last is None:
        print("\n".join(run_history(first).world.log))
        return
    start = time.perf_counter()
    for seed in range(first, last):
        run_history(seed)
    print(f"{last - first} histories held, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
