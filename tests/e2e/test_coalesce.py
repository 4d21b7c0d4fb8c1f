"""`coalesce: true` on the command line: a chain of tables, one call for all of them, and what a death leaves.

The scheduler that counts runs what it is called for and nothing downstream: what the ledgers say is what is looked at.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import ORDERS, SALES, backfill, between, hour, hours
from tests.e2e.test_kill import apply_until
from tests.e2e.workplace import Workplace
from tests.render.report_reading import Reading

pytestmark = pytest.mark.claim("a chain of tables with coalesce: one call and a line in each ledger, or nothing at all")

HOURLY = "0 0 * * * ?"
REPORT = "default_catalog.sales.REPORT"
CHAIN = (ORDERS, SALES, REPORT)
LINEAGE = f"{ORDERS}: [{SALES}]\n{SALES}: [tmp.BETWEEN]\ntmp.BETWEEN: [{REPORT}]\n"


def _ask(place: Workplace, name: str, first: int, last: int) -> None:
    """Let each table of the chain owe more hours."""
    manifests = (
        backfill(f"{name}-{number}", between(first, last), table=table, schedule=HOURLY)
        for number, table in enumerate(CHAIN)
    )
    place.declare(f"{name}.yaml", *manifests)


@pytest.fixture
def chain(place: Workplace, scheduler: Counting) -> Workplace:
    """Return a workplace of three tables in a chain, each of which owes the same five hours."""
    place.write("lineage.yaml", LINEAGE)
    place.configure(scheduler.url, target={"lineage": "lineage.yaml", "coalesce": True})
    _ask(place, "first", 1, 5)
    return place


def _whole(place: Workplace, first: int, last: int) -> None:
    """Check that the last line of each ledger is of the same call, over these hours, all written in one commit."""
    made, *covered = (place.ledger(table)[-1] for table in CHAIN)
    assert (made["startTime"], "coveredBy" in made) == (hour(first), False)
    assert [line["coveredBy"] for line in covered] == [{"tableName": ORDERS, "id": made["id"]}] * 2
    assert [line["scheduleTimes"] for line in covered] == [list(hours(first, last))] * 2
    paths = [f"{place.root}/.state/prod/{table}.jsonl" for table in CHAIN]
    store = ("--git-dir", str(place.remote))
    assert len({place.git(*store, "log", "-1", "--format=%H", place.state, "--", path) for path in paths}) == 1
    assert place.pending() == []
    assert place.run("state", "verify").code == 0


def _nothing_is_owed(place: Workplace, scheduler: Counting) -> None:
    calls = scheduler.calls
    again = place.apply()
    assert (again.code, scheduler.calls) == (0, calls)


def test_one_call_is_made_and_all_ledgers_get_their_lines_in_one_commit(chain: Workplace, scheduler: Counting) -> None:
    (planned,) = chain.run("plan", "--format", "json").json["calls"]
    assert (planned["tableName"], [cover["tableName"] for cover in planned["covers"]]) == (ORDERS, [SALES, REPORT])
    shown = chain.run("plan").out
    assert f"= covers 5 instances of {SALES}: " in shown
    assert f"= covers 5 instances of {REPORT}: " in shown
    assert chain.apply().code == 0
    assert [body["tableName"] for body in scheduler.bodies()] == [ORDERS]
    assert scheduler.runs(ORDERS) == hours(1, 5)
    _whole(chain, 1, 5)
    _nothing_is_owed(chain, scheduler)


def test_what_a_call_upstream_will_do_is_owed_in_every_view_and_adds_up(chain: Workplace) -> None:
    tables = chain.run("status", "--format", "json").json["tables"]
    assert {table["tableName"]: (table["missing"], table["coveredBy"]) for table in tables} == {
        ORDERS: (1, 0),
        SALES: (0, 1),
        REPORT: (0, 1),
    }
    for table in tables:
        told = table["instances"]
        parts = ("triggered", "missing", "held", "inDoubt", "coveredBy")
        assert told["asked"] == sum(told[part] for part in parts) == 5
    assert chain.run("status", COLUMNS="200").out.count("1 upstream") == 2
    (verdict,) = {
        piece["verdict"]
        for piece in chain.run("plan", "--explain", SALES, "--format", "json").json["tables"][0]["pieces"]
    }
    (moment,) = chain.run("history", SALES, "--at", hour(3), "--format", "json").json["moments"]
    assert moment["verdict"] == verdict == "coveredBy"
    assert "Calls: 1 owed." in chain.run("report", "--format", "svg").out
    page = Reading.of(chain.run("plan", "--format", "html").out)
    assert sorted(page.data("index")["name"]) == sorted(CHAIN)


def test_status_and_history_tell_what_was_called_and_what_was_covered(chain: Workplace) -> None:
    assert chain.apply().code == 0
    (made,) = chain.ledger(ORDERS)
    rows = {
        line.split()[1]: line.split()
        for line in chain.run("status", COLUMNS="200").out.splitlines()
        if "default_catalog" in line
    }
    assert {table: (row[2], row[3]) for table, row in rows.items()} == dict.fromkeys(CHAIN, ("1", "1"))
    (told,) = (
        table for table in chain.run("status", "--format", "json").json["tables"] if table["tableName"] == REPORT
    )
    assert told["instances"]["triggered"] == told["instances"]["asked"] == 5
    assert f"call {made['id']}, run {made['run']}" in chain.run("history", ORDERS).out
    for table in (SALES, REPORT):
        shown = chain.run("history", table, "--at", hour(3))
        assert f"by the rerun of {ORDERS} (call {made['id']}), run {made['run']}" in shown.out


def test_a_plan_that_was_saved_is_applied_with_what_its_calls_cover(chain: Workplace, scheduler: Counting) -> None:
    file = str(chain.top.parent / "saved.json")
    assert chain.run("plan", "--save", file).code == 0
    assert chain.apply(file).code == 0
    _whole(chain, 1, 5)
    assert chain.apply(file).code == 8
    assert scheduler.calls == 1


def test_what_an_upstream_outside_of_the_choice_would_cover_is_called(chain: Workplace, scheduler: Counting) -> None:
    assert chain.apply("--table", REPORT).code == 0
    assert [body["tableName"] for body in scheduler.bodies()] == [REPORT]
    (planned,) = chain.run("plan", "--format", "json").json["calls"]
    assert [cover["tableName"] for cover in planned["covers"]] == [SALES]


def test_a_refused_call_covers_nothing_and_all_is_owed_again(chain: Workplace, scheduler: Counting) -> None:
    scheduler.decide = lambda _: Fault.REJECT
    refused = chain.apply()
    assert refused.code != 0
    assert (scheduler.runs(ORDERS), chain.pending()) == ({}, [])
    assert [chain.ledger(table) for table in CHAIN] == [[], [], []]
    scheduler.decide = no_fault
    assert chain.apply().code == 0
    assert scheduler.runs(ORDERS) == hours(1, 5)
    _whole(chain, 1, 5)


@pytest.fixture
def died(chain: Workplace, tmp_path: Path) -> Workplace:
    """Return that workplace after an apply that died when the answer was in its journal, and nothing on the branch."""
    assert chain.apply().code == 0
    _ask(chain, "second", 7, 8)
    log = tmp_path / "steps"
    assert apply_until(chain, 0, log) == 0
    steps = log.read_text().splitlines()
    answered = steps.index("after Journal _append", steps.index("after Scheduler post"))
    _ask(chain, "third", 10, 12)
    assert apply_until(chain, answered + 1, tmp_path / "again") == -signal.SIGKILL
    (intent,) = chain.pending()
    assert [cover["tableName"] for cover in intent["covers"]] == [SALES, REPORT]
    return chain


def test_after_a_death_the_journal_gives_all_tables_their_lines(died: Workplace, scheduler: Counting) -> None:
    _nothing_is_owed(died, scheduler)
    _whole(died, 10, 12)
    assert scheduler.runs(ORDERS) == {**hours(1, 5), **hours(7, 8), **hours(10, 12)}


def test_without_the_journal_all_tables_are_in_doubt_until_somebody_says_that_it_was_made(
    died: Workplace, scheduler: Counting
) -> None:
    call = _in_doubt(died, scheduler)
    assert died.run("resolve", call, "--as", "triggered", "--reason", "looked").code == 0
    _whole(died, 10, 12)
    _nothing_is_owed(died, scheduler)


def test_without_the_journal_all_tables_owe_it_again_once_somebody_says_that_it_was_not_made(
    died: Workplace, scheduler: Counting
) -> None:
    call = _in_doubt(died, scheduler)
    assert died.run("resolve", call, "--as", "not-triggered", "--reason", "looked").code == 0
    (owed,) = died.run("plan", "--format", "json").json["calls"]
    assert (owed["id"], [cover["tableName"] for cover in owed["covers"]]) == (call, [SALES, REPORT])
    assert died.apply().code == 0
    _whole(died, 10, 12)


def _in_doubt(place: Workplace, scheduler: Counting) -> str:
    """Lose the journals, check that no table is called over what is in doubt, and return the call that is."""
    shutil.rmtree(place.journal_folder)
    calls = scheduler.calls
    assert (place.apply().code, scheduler.calls) == (7, calls)
    tables = place.run("status", "--format", "json").json["tables"]
    assert {table["tableName"]: (table["inDoubt"], table["missing"]) for table in tables} == dict.fromkeys(
        CHAIN, (1, 0)
    )
    assert [len(place.ledger(table)) for table in CHAIN] == [2, 2, 2]
    (intent,) = place.pending()
    return str(intent["id"])
