"""Appliers at once on one remote, killed and lied to: nothing twice, nothing forgotten, all of it recorded.

A normal run plays a few rounds, ROUNDS says how many. What a round does follows from its seed, though not when the
machine does it; ROUND_SEED=17 plays round 17 alone.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from reconciler.scheduler.emulator import parse_faults
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import again, at, backfill, between, hours
from tests.e2e.nursery import Nursery, Process
from tests.e2e.settling import recorded, settle_by_hand
from tests.e2e.workplace import Workplace, ended
from tests.figures import Tried

ROUNDS = int(os.environ.get("ROUNDS", "6"))
SEED = os.environ.get("ROUND_SEED")
SEEDS = [int(SEED)] if SEED else list(range(ROUNDS))
CHUNK = 20 if ROUNDS > 40 else max(1, len(SEEDS) // 2)
"""A chunk is a workplace that lives through several rounds, and a test that xdist hands to any of its workers."""

KINDS = ("calm", "faults", "kill", "signal", "kill, faults", "kill, signal, faults")
FAULTS = "lost=0.12,error=0.08,ran-error=0.08,reject=0.08,late=0.04,half=0.06,refuse=0.06,throttle=0.03"
LATE = 3.0
TIMEOUT = "1s"
KILLED = -signal.SIGKILL


@dataclass(slots=True)
class Site:
    """A workplace, its clones, and how often each instant of each table has to have run by now."""

    clones: list[Workplace]
    scheduler: Counting
    due: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def place(self) -> Workplace:
        return self.clones[0]

    def declare(self, random: Random, seed: int) -> None:
        """Publish new tables, and now and then an approved rerun of an old one; the other clones pull."""
        manifests = []
        for number in range(random.randint(2, 3)):
            table, last = f"c.r{seed}.T{number}", random.randint(2, 4)
            point = random.randint(6, 9)
            manifests.append(backfill(f"r{seed}-{number}", between(1, last), at(point), table=table))
            self.due[table] = Counter(hours(1, last) | hours(point, point))
        old = [table for table in self.due if f".r{seed}." not in table]
        if old and random.random() < 0.5:
            table, first = random.choice(old), random.randint(1, 2)
            rerun = again(f"late-{seed}", between(first, 2), "dana")
            manifests.append(backfill(f"r{seed}-again", rerun, table=table))
            self.due[table].update(hours(first, 2))
        settings = {"concurrency": 2, "timeout": TIMEOUT}
        self.place.configure(self.scheduler.url, target=settings, state={"batch": random.choice((1, 2))})
        self.place.declare(f"r{seed}.yaml", *manifests)
        for clone in self.clones[1:]:
            clone.git("pull", "-q", "--ff-only")

    def renew(self, random: Random, seed: int) -> None:
        """Now and then replace a clone, journals and all, by a fresh one, as CI does every time."""
        if random.random() < 0.2:
            number = random.randint(1, 2)
            shutil.rmtree(self.clones[number].top)
            self.clones[number] = self.place.clone(f"clone-{seed}")

    def check(self, clues: str) -> None:
        """Every instant ran as often as it was asked for, and the ledgers say the same."""
        assert self.place.pending() == [], clues
        for table, due in self.due.items():
            assert self.scheduler.runs(table) == due, f"{clues}: {table}"
        assert recorded(self.place) == self.due, clues


def race(site: Site, random: Random, kind: str) -> list[int]:
    """Start three appliers at once, hurt them as the kind of round says, and return their exit codes."""
    appliers = [clone.start("apply") for clone in site.clones]
    victims = random.sample(appliers, len(appliers))
    hurts: list[tuple[Process, signal.Signals]] = []
    if "kill" in kind:
        hurts += [(victims.pop(), signal.SIGKILL) for _ in range(random.randint(1, 2))]
    if "signal" in kind:
        hurts.append((victims.pop(), random.choice((signal.SIGTERM, signal.SIGINT))))
    timers = [threading.Timer(random.random() * 2, _hurt, hurt) for hurt in hurts]
    for timer in timers:
        timer.start()
    codes = [_code(applier) for applier in appliers]
    for timer in timers:
        timer.join()
    return codes


def _hurt(applier: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it was quicker
        applier.send_signal(number)


def _code(applier: Process) -> int:
    return ended(applier).code


def possible(kind: str) -> set[int]:
    """Return the exit codes that appliers of a kind of round may end with.

    A run may find the others' calls in doubt (7) or give way to them (8); one that a signal meets early is stopped (1).
    """
    codes = {0, 7, 8}
    codes |= {6} if "faults" in kind or "signal" in kind else set()
    codes |= {1} if "signal" in kind else set()
    return codes | ({KILLED} if "kill" in kind else set())


def recover(site: Site, random: Random, seed: int) -> Sequence[int]:
    """Apply where a journal may lie, then from a fresh clone, settle by hand the truth, and apply again."""
    survivor = random.choice(site.clones)
    codes = [survivor.apply().code]
    fresh = site.place.clone(f"fresh-{seed}")
    codes.append(fresh.apply().code)
    settle_by_hand(fresh, site.scheduler)
    codes.append(survivor.apply().code)
    shutil.rmtree(fresh.top)
    return codes


def play(site: Site, seed: int) -> int:
    """Play a round and return how many of its appliers were killed."""
    random = Random(seed)
    kind = KINDS[seed % len(KINDS)]
    site.renew(random, seed)
    site.declare(random, seed)
    if "faults" in kind:
        site.scheduler.decide = parse_faults(FAULTS, seed).decide
    codes = race(site, random, kind)
    site.scheduler.decide = no_fault
    clues = f"ROUND_SEED={seed} ({kind}; exit codes {codes})"
    assert set(codes) <= possible(kind), clues
    *early, last = recover(site, random, seed)
    assert set(early) <= {0, 7}, f"{clues}, then {early}"
    assert last == 0, clues
    site.check(clues)
    return codes.count(KILLED)


@pytest.mark.claim("appliers at once on one remote, with kills and faults: nothing twice, nothing forgotten")
@pytest.mark.parametrize("first", range(0, len(SEEDS), CHUNK))
def test_appliers_at_once_killed_and_lied_to_run_nothing_twice_and_forget_nothing(
    tmp_path: Path, nursery: Nursery, tried: Tried, first: int
) -> None:
    mine = SEEDS[first : first + CHUNK]
    with Counting(late=LATE) as scheduler:
        place = Workplace.make(tmp_path, nursery, scheduler.url)
        site = Site([place, place.clone("second"), place.clone("third")], scheduler)
        killed = sum(play(site, seed) for seed in mine)
        verified = place.run("state", "verify")
    assert verified.code == 0, verified.err
    assert killed or len(mine) < len(KINDS)  # a quick applier may end before its kill comes, not all of them
    tried(len(mine), note=f"{killed} killed")
