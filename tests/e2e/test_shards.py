"""`apply --shard I/N`: appliers at once, each with tables of its own, lose nothing and do nothing twice."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from pathlib import Path

import pytest

from reconciler.core.sharding import number_of
from reconciler.scheduler.emulator import Arrival, Fault
from tests.e2e.counting import Counting, Gate, no_fault
from tests.e2e.manifests import Document, at, backfill, between, hours
from tests.e2e.nursery import Nursery, Process
from tests.e2e.settling import recorded, settle_by_hand
from tests.e2e.workplace import SECRET_NAME, Ended, Workplace, ended, git
from tests.figures import Tried

MARKS = "refs/reconciler/state/triggers/reconciler-state"
TABLES = tuple(f"c.shards.T{number}" for number in range(24))
DUE = Counter(hours(1, 3) | hours(6, 6))


def documents(*tables: str, **spec: object) -> list[Document]:
    """Return a manifest a table: two calls each."""
    return [backfill(table.rpartition(".")[2].lower(), between(1, 3), at(6), table=table, **spec) for table in tables]


def of_shard(number: int, count: int) -> tuple[str, ...]:
    return tuple(table for table in TABLES if number_of(("prod", table), count) == number)


def check(place: Workplace, scheduler: Counting, tables: tuple[str, ...] = TABLES) -> None:
    """Every instant ran once, the ledgers say the same, and nothing is open."""
    assert place.pending() == []
    assert {table: Counter(scheduler.runs(table)) for table in tables} == dict.fromkeys(tables, DUE)
    assert recorded(place) == dict.fromkeys(tables, DUE)
    assert place.run("state", "verify").code == 0


def start_all(clones: list[Workplace]) -> list[Process]:
    return [clone.start("apply", "--shard", f"{number}/{len(clones)}") for number, clone in enumerate(clones, 1)]


@pytest.mark.parametrize("batch", [1, 4])
def test_shards_at_once_make_each_call_once(place: Workplace, scheduler: Counting, batch: int) -> None:
    place.configure(scheduler.url, state={"batch": batch})
    place.declare("tables.yaml", *documents(*TABLES))
    clones = [place, *(place.clone(f"clone-{number}") for number in range(2, 6))]
    done = [ended(process) for process in start_all(clones)]
    assert [each.code for each in done] == [0] * 5, [each.err for each in done]
    check(place, scheduler)
    mark = git(place.top, "ls-remote", "origin", MARKS).split()[0]
    place.git("fetch", "-q", "origin", f"+{place.state}:refs/heads/fetched")
    place.git("merge-base", "--is-ancestor", mark, "refs/heads/fetched")


def test_shards_at_once_in_one_clone_do_so_too(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, state={"batch": 2})
    place.declare("tables.yaml", *documents(*TABLES))
    done = [ended(process) for process in start_all([place] * 4)]
    assert [each.code for each in done] == [0] * 4, [each.err for each in done]
    check(place, scheduler)
    assert place.journals() == []


@pytest.mark.claim("shards at once, one of them killed, then one plain apply: nothing twice, nothing forgotten")
@pytest.mark.parametrize("after", [1, 4])
def test_a_killed_shard_leaves_its_tables_to_the_next_apply(
    place: Workplace, scheduler: Counting, tried: Tried, after: int
) -> None:
    place.configure(scheduler.url, target={"concurrency": 2}, state={"batch": 3})
    place.declare("tables.yaml", *documents(*TABLES))
    clones = [place.clone(f"clone-{number}") for number in range(1, 5)]
    victims, counting = frozenset(of_shard(2, 4)), threading.Lock()
    seen: list[str] = []
    running: list[Process] = []
    gate = Gate()  # no call is answered before all are started

    def decide(arrival: Arrival) -> Fault | None:
        gate.decide(arrival)
        if arrival.table in victims:
            with counting:
                seen.append(arrival.table)
                if len(seen) == after:
                    running[1].send_signal(signal.SIGKILL)
        return None

    scheduler.decide = decide
    running += start_all(clones)
    gate.open()
    codes = [ended(process).code for process in running]
    scheduler.decide = no_fault
    assert codes == [0, -signal.SIGKILL, 0, 0]
    assert all(recorded(place)[table] == DUE for table in TABLES if table not in victims)

    assert clones[1].apply().code in {0, 7}  # its journal settles what it can
    settle_by_hand(clones[1], scheduler)
    assert place.apply().code == 0
    check(place, scheduler)
    tried(1, note="4 shards")


def test_what_other_shards_have_in_flight_is_no_doubt_of_ours(place: Workplace, scheduler: Counting) -> None:
    place.declare("tables.yaml", *documents(*TABLES))
    other, gate = place.clone("other"), Gate()
    scheduler.decide = gate.decide
    waiting = place.start("apply", "--shard", "1/2")
    assert gate.reached.wait(30)
    scheduler.decide = no_fault
    mine = other.apply("--shard", "2/2", "--format", "json")
    assert place.pending() != []
    assert (mine.code, mine.json["inDoubt"]) == (0, [])
    assert {call["tableName"] for call in mine.json["calls"]} == set(of_shard(2, 2))
    assert f"Shard 2/2: {len(of_shard(2, 2))} of {len(TABLES)} tables." in mine.err
    assert "Shard: 2/2" in git(place.remote or place.top, "log", "-1", "--format=%B", place.state)
    gate.open()
    assert ended(waiting).code == 0
    check(place, scheduler)


def test_each_shard_answers_for_its_own_tables(place: Workplace, scheduler: Counting) -> None:
    place.declare("tables.yaml", *documents(*TABLES))
    bad = of_shard(1, 3)[0]
    scheduler.decide = lambda arrival: Fault.REJECT if arrival.table == bad else None
    codes = [place.apply("--shard", f"{number}/3").code for number in (1, 2, 3)]
    assert codes == [6, 0, 0]
    scheduler.decide = no_fault
    assert place.apply().code == 0
    check(place, scheduler)


@pytest.mark.parametrize(("second", "code"), [(None, 3), (Fault.LOST, 7)])
def test_a_damaged_ledger_stops_its_own_shard_alone(
    place: Workplace, scheduler: Counting, second: Fault | None, code: int
) -> None:
    place.declare("tables.yaml", *documents(*TABLES))
    scheduler.decide = lambda arrival: second if arrival.number == 2 else None
    place.apply("--table", TABLES[0])
    mine = number_of(("prod", TABLES[0]), 2)
    place.put_state({f"prod/{TABLES[0]}.jsonl": b"not a ledger\n"})
    codes = {number: place.apply("--shard", f"{number}/2").code for number in (1, 2)}
    assert codes == {mine: code, 3 - mine: 0}


def test_tables_that_wait_for_each_other_are_one_shards(place: Workplace, scheduler: Counting) -> None:
    chain = [backfill("t0", between(1, 3), at(6), table=TABLES[0])]
    for number in range(1, 6):
        needs = {"dependsOn": [f"t{number - 1}"]}
        chain.append(backfill(f"t{number}", between(1, 3), at(6), table=TABLES[number], **needs))
    place.declare("chain.yaml", *chain)
    found = [place.apply("--shard", f"{number}/4", "--format", "json") for number in (1, 2, 3, 4)]
    assert [each.code for each in found] == [0] * 4
    assert sorted(len(each.json["calls"]) for each in found) == [0, 0, 0, 12]
    check(place, scheduler, TABLES[:6])
    made = [body["tableName"] for body in scheduler.bodies()]
    assert made == sorted(made, key=TABLES.index)


def test_a_shard_without_tables_has_nothing_to_do_and_needs_no_credential(place: Workplace) -> None:
    place.declare("tables.yaml", *documents(TABLES[0]))
    other = 3 - number_of(("prod", TABLES[0]), 2)
    place.env.pop(SECRET_NAME)
    assert place.apply("--shard", f"{other}/2").code == 0
    assert place.apply("--shard", f"{3 - other}/2").code == 3


def test_a_shard_of_some_tables_is_of_these_alone(place: Workplace, scheduler: Counting) -> None:
    place.declare("tables.yaml", *documents(*TABLES))
    for number in (1, 2):
        assert place.apply("--shard", f"{number}/2", "--table", "c.shards.T1*", "--target", "prod").code == 0
    check(place, scheduler, tuple(table for table in TABLES if table.startswith("c.shards.T1")))
    assert place.apply("--shard", "1/2", "--table", "nothing.*").code == 2


@pytest.mark.parametrize("shard", ["0/8", "9/8", "8", "one/two"])
def test_a_shard_that_there_is_not_is_a_usage_error(place: Workplace, shard: str) -> None:
    place.declare("tables.yaml", *documents(*TABLES[:2]))
    found = place.apply("--shard", shard)
    assert (found.code, found.out) == (2, "")
    assert "1/N to N/N" in found.err


def test_a_saved_plan_has_no_shards(place: Workplace, folder: Path) -> None:
    place.declare("tables.yaml", *documents(*TABLES[:2]))
    saved = folder / "plan.json"
    assert place.run("plan", "--save", str(saved)).code == 0
    found: Ended = place.apply(str(saved), "--shard", "1/2")
    assert found.code == 2
    assert "--shard" in found.err


def test_problems_of_manifests_are_every_shards(place: Workplace, nursery: Nursery) -> None:
    place.declare("tables.yaml", *documents(*TABLES[:2]))
    place.write("bad.yaml", "kind: Nothing\n")
    place.publish()
    assert [place.apply("--shard", f"{number}/2").code for number in (1, 2)] == [3, 3]
