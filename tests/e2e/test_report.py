"""`report` and `plan --format html`: the page of a real repository, without a credential, whatever state it is in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between, text_of
from tests.e2e.terminal import ON_A_TERMINAL
from tests.e2e.workplace import PACKAGE, Workplace
from tests.render.report_reading import Reading


@pytest.fixture
def busy(place: Workplace, scheduler: Counting) -> Workplace:
    """Return a workplace with something of each kind: done, owed, rerun, held, in doubt, and nobody's."""
    place.declare("done.yaml", backfill("orders", at(2, 3, name="done"), table=ORDERS))
    place.declare("gone.yaml", backfill("gone", at(2, name="once"), table="c.d.GONE"))
    place.declare("lost.yaml", backfill("lost", at(2, name="lost"), table="c.d.LOST"))
    scheduler.decide = lambda arrival: Fault.LOST if arrival.table == "c.d.LOST" else None
    assert place.apply().code == 7
    scheduler.decide = no_fault
    place.declare("more.yaml", backfill("rerun", again("late-1", at(2, name="late"), "dana"), table=ORDERS))
    assert place.apply().code == 7
    (place.base / "gone.yaml").unlink()
    waiting = backfill("waiting", again("late-2", at(3, name="later")), table=ORDERS)
    place.declare("fact.yaml", backfill("fact", between(1, 5, name="new"), schedule="0 0 * * * ?"), waiting)
    place.env.clear()
    return place


def _read(place: Workplace, *arguments: str) -> Reading:
    done = place.run(*arguments, "--out", "page.html")
    assert (done.code, done.out) == (0, "")
    return Reading.of((place.top / "page.html").read_text(encoding="utf-8"))


def test_the_report_shows_every_table_in_need_first(busy: Workplace) -> None:
    found = _read(busy, "report")
    assert found.by_id["verdict"].startswith("1 call in doubt. 1 call held for want of approval. 1 call to make ")
    index = found.data("index")
    assert index["name"] == ["c.d.LOST", ORDERS, SALES, "c.d.GONE"]
    assert index["counts"] == [[1, 0, 0, 0, 0], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]
    assert index["asked"] == [1, 3, 1, 0]


def test_a_segment_tells_call_request_commit_approver_and_trace(busy: Workplace) -> None:
    found = _read(busy, "report", "--table", ORDERS)
    (columns,) = found.tables()
    shard = found.data("shard-0")
    last = busy.ledger(ORDERS)[-1]
    lines = columns["lines"]
    assert lines["id"].split("\n")[-1] == last["id"]
    assert lines["trace"].split("\n")[-1] == last["traceId"]
    assert shard["texts"][lines["commit"][-1]] == last["commit"]
    assert shard["texts"][lines["run"][-1]] == last["run"]
    named = {name: [shard["texts"][at] for at in shard["lists"][lines[name][-1]]] for name in ("requests", "approvers")}
    assert named == {"requests": ["more.yaml#late"], "approvers": ["dana"]}
    assert columns["calls"][0]["held"][0] == "approval"


def test_it_says_where_it_is_and_how_large(busy: Workplace) -> None:
    said = busy.run("report", "--out", "page.html").err
    assert "Wrote page.html (4 tables, " in said
    assert " kB)" in said
    assert busy.run("-q", "report", "--out", "page.html").err == ""


def test_without_a_file_it_goes_to_standard_output(busy: Workplace) -> None:
    done = busy.run("report", "--table", "c.d.*")
    assert done.code == 0
    assert Reading.of(done.out).data("index")["name"] == ["c.d.LOST", "c.d.GONE"]


@pytest.mark.parametrize("command", [("report",), ("plan", "--format", "html")])
def test_a_terminal_is_spared_the_page(place: Workplace, command: tuple[str, ...]) -> None:
    arguments = [sys.executable, "-c", ON_A_TERMINAL, sys.executable, "-m", "reconciler", *command]
    environ = {**os.environ, "PYTHONPATH": os.fspath(PACKAGE)}
    done = subprocess.run(
        arguments, cwd=place.top, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "a page is for a browser, not for a terminal" in done.stdout
    assert "--out" in done.stdout
    assert "<html" not in done.stdout


def test_damaged_state_is_told_at_the_top_and_by_the_exit_code(busy: Workplace) -> None:
    ledger = busy.state_files()[f"prod/{ORDERS}.jsonl"]
    busy.put_state({f"prod/{ORDERS}.jsonl": ledger.replace(b'"traceId"', b'"traceid"', 1)})
    done = busy.run("report", "--out", "page.html")
    assert done.code == 3
    found = Reading.of((busy.top / "page.html").read_text(encoding="utf-8"))
    assert found.by_id["verdict"].startswith("1 error to mend.")
    assert f"{ORDERS}.jsonl" in found.by_id["problems"]
    assert ORDERS not in found.data("index")["name"]
    picture = busy.run("report", "--format", "svg")
    assert (picture.code, "1 error to mend: tables may be missing here." in picture.out) == (3, True)


def test_a_plans_page_shows_what_will_happen_and_no_more(busy: Workplace) -> None:
    found = _read(busy, "plan", "--format", "html")
    index = found.data("index")
    assert index["name"] == ["c.d.LOST", ORDERS, SALES]
    planned = busy.run("plan", "--format", "json").json
    assert planned["digest"] in found.by_id["bodies"]
    for call in planned["calls"]:
        assert f'"tableName":"{call["tableName"]}"' in found.by_id["bodies"]


def test_a_plans_page_against_a_base_shows_what_the_branch_adds(busy: Workplace) -> None:
    busy.git("checkout", "-q", "-b", "change")
    busy.write("new.yaml", '{"apiVersion": "reconciler/v1"')
    failed = busy.run("plan", "--format", "html", "--base", "main", "--out", "page.html")
    assert failed.code == 3
    assert "new.yaml" in Reading.of((busy.top / "page.html").read_text(encoding="utf-8")).by_id["problems"]
    (busy.base / "new.yaml").unlink()
    busy.write("reconciler.yaml", (busy.base / "reconciler.yaml").read_text().replace('"lee"', '"eve"'))
    busy.declare("new.yaml", backfill("new", at(7, name="only"), table="c.d.NEW"))
    found = _read(busy, "plan", "--format", "html", "--base", "main")
    assert "c.d.NEW" in found.data("index")["name"]
    assert SALES not in found.data("index")["name"]
    assert "This branch lowers" in found.text


def test_a_plans_page_against_a_base_counts_nothing_that_the_base_owes(place: Workplace, scheduler: Counting) -> None:
    place.declare("lost.yaml", backfill("lost", at(2, name="lost"), table="c.d.LOST"))
    scheduler.decide = lambda _: Fault.LOST
    assert place.apply().code == 7
    (place.base / "lost.yaml").unlink()
    place.declare("fact.yaml", backfill("fact", between(1, 5, name="all"), schedule="0 0 * * * ?"))
    place.git("checkout", "-q", "-b", "change")
    place.write("fact.yaml", text_of(backfill("fact", between(1, 9, name="all"), schedule="0 0 * * * ?")))
    found = _read(place, "plan", "--format", "html", "--base", "main")
    assert found.data("index")["name"] == [SALES]
    assert found.data("index")["instances"] == [[]]
    assert "Instances triggered" not in found.by_id["totals"]


def test_where_there_is_no_report_the_page_says_why(place: Workplace) -> None:
    place.write("fact.yaml", "kind: Backfill\n")
    done = place.run("report", "--out", "page.html")
    assert done.code == 3
    found = Reading.of((place.top / "page.html").read_text(encoding="utf-8"))
    assert "fact.yaml" in found.by_id["problems"]


def test_an_empty_root_has_a_page_that_says_so(place: Workplace) -> None:
    found = _read(place, "report")
    assert found.by_id["verdict"].strip() == "Nothing is declared yet."
    assert found.data("index")["name"] == []


def test_a_page_is_never_written_over_a_manifest(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    done = place.run("report", "--out", f"{place.root}/fact.yaml")
    assert done.code == 2
    assert "would be read as a manifest" in done.err
    assert Path(place.base / "fact.yaml").read_text().startswith("{")
