"""The JSON documents, to the letter: exact keys, one document and nothing else; and a code for every end."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between
from tests.e2e.workplace import TENANT, Workplace

PLAN = {"version", "digest", "state", "summary", "calls", "inDoubt", "problems"}
SUMMARY = {"calls", "tables", "instances", "new", "rerun", "held", "inDoubt", "covered"}
CALL = {"id", "target", "tableName", "method", "body", "rerun", "requests", "instances", "status", "held"}
DOUBT = {"id", "run", "tableName", "body", "since"}
PROBLEM = {"file", "line", "column", "path", "message", "hint", "severity"}


@pytest.fixture
def busy(place: Workplace, scheduler: Counting) -> Workplace:
    """Return a workplace with something of each kind: done, new, rerun, held, in doubt."""
    place.declare("done.yaml", backfill("orders", at(2, name="done"), table=ORDERS))
    place.declare("lost.yaml", backfill("lost", at(2, name="lost"), table="c.d.LOST"))
    scheduler.decide = lambda arrival: Fault.LOST if arrival.table == "c.d.LOST" else None
    assert place.apply().code == 7
    scheduler.decide = no_fault
    ready = again("late-1", at(2, name="late"), "dana")
    waiting = again("late-2", at(2, name="later"))
    new = backfill("fact", between(1, 5, name="new"))
    place.declare("more.yaml", new, backfill("rerun", ready, waiting, table=ORDERS))
    return place


def test_the_plan_document(busy: Workplace) -> None:
    document = busy.run("plan", "--format", "json").json
    assert set(document) == PLAN
    assert document["version"] == 1
    assert document["digest"].startswith("sha256:")
    assert document["state"] == busy.tip()
    assert document["problems"] == []
    assert document["summary"] == {
        "calls": 2,
        "tables": 2,
        "instances": None,
        "new": 1,
        "rerun": 1,
        "held": 1,
        "inDoubt": 1,
        "covered": 1,
    }
    calls: dict[str, dict[str, Any]] = {call["requests"][0]: call for call in document["calls"]}
    assert all(set(call) == CALL for call in document["calls"])
    new = calls["more.yaml#fact/new"]
    assert (new["status"], new["held"], new["rerun"], new["method"]) == ("ready", None, [], "scheduleTimeRange")
    assert new["body"] == {
        "tableName": SALES,
        "tenantId": TENANT,
        "startTime": "2026-01-20 01:00:00",
        "endTime": "2026-01-20 05:00:00",
    }
    held = calls["more.yaml#rerun/later"]
    assert (held["status"], held["held"]["because"], set(held["held"])) == ("held", "approval", {"because", "message"})
    (doubt,) = document["inDoubt"]
    assert set(doubt) >= DOUBT
    assert doubt["body"]["scheduleTimes"] == ["2026-01-20 02:00:00"]


def test_the_apply_document(busy: Workplace) -> None:
    planned = busy.run("plan", "--format", "json").json
    done = busy.apply("--format", "json")
    assert done.code == 7
    document = done.json
    assert set(document) == PLAN | {"run", "commit"}
    assert document["commit"] == busy.tip()
    assert all(set(call) == CALL | {"outcome", "traceId", "error"} for call in document["calls"])
    outcomes = {call["requests"][0]: call["outcome"] for call in document["calls"]}
    assert outcomes == {
        "more.yaml#fact/new": "triggered",
        "more.yaml#rerun/late": "triggered",
        "more.yaml#rerun/later": "skipped",
    }
    bodies = {call["id"]: call["body"] for call in planned["calls"]}
    assert {call["id"]: call["body"] for call in document["calls"]} == bodies


def test_the_document_of_an_apply_with_nothing_to_do(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply("--format", "json").json["run"] is not None
    document = place.apply("--format", "json").json
    assert set(document) == PLAN | {"run", "commit"}
    assert (document["run"], document["commit"], document["calls"]) == (None, place.tip(), [])


def test_the_status_document(busy: Workplace) -> None:
    document = busy.run("status", "--format", "json").json
    assert set(document) == {"version", "state", "tables", "damaged", "inDoubt", "problems"}
    tables = {table["tableName"]: table for table in document["tables"]}
    orders = {key: tables[ORDERS][key] for key in ("asked", "triggered", "missing", "held", "inDoubt")}
    assert orders == {"asked": 3, "triggered": 1, "missing": 1, "held": 1, "inDoubt": 0}
    assert tables["c.d.LOST"]["inDoubt"] == 1
    text = busy.run("status").out
    assert all(name in text for name in (SALES, ORDERS, "c.d.LOST"))


BROKEN = """\
apiVersion: reconciler/v1
kind: Backfill
metadata: {name: fact-sales}
spec:
  tableName: default_catalog.sales.FACT_SALES
  requests:
    - timeRange: {startTime: 2026-01-20 05:00:00, endTime: 2026-01-20 01:00:00}
    - scheduleTime: [2026-01-20 01:00:00]
"""


def test_the_validate_documents(place: Workplace) -> None:
    place.declare("good.yaml", backfill("good", at(1)))
    good = place.run("validate", "--format", "json")
    assert (good.code, good.json) == (0, {"version": 1, "manifests": 1, "requests": 1, "problems": []})
    place.write("sales/bad.yaml", BROKEN)
    bad = place.run("validate", "--format", "json")
    assert (bad.code, set(bad.json)) == (3, {"version", "manifests", "requests", "problems"})
    assert all(set(problem) == PROBLEM for problem in bad.json["problems"])
    assert {(problem["file"], problem["line"]) for problem in bad.json["problems"]} >= {("sales/bad.yaml", 8)}
    annotated = place.run("validate", "--format", "github")
    assert annotated.code == 3
    assert all(line.startswith("::error file=triggers/sales/bad.yaml,line=") for line in annotated.out.splitlines())
    assert place.run("validate", "triggers/good.yaml").code == 0


def test_a_plan_that_cannot_be_made_is_one_document_too(place: Workplace) -> None:
    place.declare("good.yaml", backfill("good", at(1)))
    place.write("bad.yaml", BROKEN)
    for command in ("plan", "status"):
        refused = place.run(command, "--format", "json")
        assert refused.code == 3
        assert command == "status" or (set(refused.json) == PLAN and refused.json["problems"])
    place.commit()
    place.git("push", "-q")
    refused = place.apply("--format", "json")
    assert (refused.code, set(refused.json)) == (3, PLAN | {"run", "commit"})


def test_a_case_of_every_exit_code(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", at(1)))
    assert place.run("plan", "--exit-code").code == 4
    assert place.run("plan", "--no-such-option").code == 2
    scheduler.decide = lambda _: Fault.REJECT
    assert place.apply().code == 6
    scheduler.decide = lambda _: Fault.LOST
    assert place.apply().code == 7
    scheduler.decide = no_fault
    place.declare("fact.yaml", backfill("fact", again("t", at(2)), table=ORDERS))
    assert place.apply("--table", ORDERS).code == 5
    place.write("fact.yaml", "not: a manifest")
    assert (place.run("validate").code, place.apply().code) == (3, 8)
    place.git("checkout", "-q", ".")
    place.git("remote", "set-url", "origin", "/nowhere")
    assert place.apply().code == 1
    assert place.run("--version").code == 0
