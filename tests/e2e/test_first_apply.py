"""The first apply: the branch comes into being, and the scheduler gets what the vendor's page shows."""

from __future__ import annotations

import json

import pytest

from tests.e2e.counting import Answering, Counting
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between, hours
from tests.e2e.workplace import SECRET, Workplace

BASE = "/anymetrics/api/v1/scheduler/task/"
POINTS = {
    "tableName": "kehuzhisheng.chaos_prod.chaos_onsite_bug",
    "tenantId": "tn_19487697",
    "scheduleTimes": ["2026-01-20 00:00:00", "2026-01-20 01:00:00"],
}
RANGE = {
    "tableName": "default_catalog.sales.FACT_SALES",
    "tenantId": "tn_19487697",
    "startTime": "2026-01-20 01:00:00",
    "endTime": "2026-01-20 05:00:00",
}


def test_the_first_apply_makes_the_branch_and_the_second_makes_no_call(place: Workplace, scheduler: Counting) -> None:
    place.declare("sales/fact.yaml", backfill("fact", between(1, 5), at(8)))
    assert place.tip() is None
    first = place.run_afresh("apply")
    assert (first.code, scheduler.runs(SALES)) == (0, hours(1, 5) | hours(8, 8))
    tip = place.tip()
    second = place.run_afresh("apply")
    assert (second.code, scheduler.calls, place.tip()) == (0, 2, tip)
    assert "Nothing to do" in second.out
    assert place.pending() == []
    assert [line["requests"] for line in place.ledger(SALES)] == [["sales/fact.yaml#1"], ["sales/fact.yaml#2"]]


def test_apply_leaves_branch_index_and_work_tree_alone(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    head = place.git("rev-parse", "HEAD")
    assert place.apply().code == 0
    assert place.git("rev-parse", "HEAD") == head
    assert place.git("status", "--porcelain") == ""
    assert place.git("for-each-ref", "--format=%(refname)", "refs/heads").split() == ["refs/heads/main"]


def test_the_history_of_the_state_branch_reads_like_an_audit_trail(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    place.git("fetch", "-q", "origin", place.state)
    subjects = place.git("log", "--format=%s", "FETCH_HEAD").splitlines()
    assert subjects == [f"Record 1 triggered: {SALES} on prod", f"Intend 1 call: {SALES} on prod"]
    body = place.git("log", "-1", "--format=%b", "FETCH_HEAD")
    assert "2026-01-20 01:00:00 .. 2026-01-20 05:00:00 for fact.yaml#1" in body
    assert "By: Tess Ter <tess@example.org> at " in body
    assert f"Manifests: {place.git('rev-parse', 'HEAD').strip()}" in body


def test_the_two_examples_of_the_vendors_page_leave_as_the_page_has_them(place: Workplace) -> None:
    chaos = {"scheduleTimes": POINTS["scheduleTimes"]}
    sales = {"timeRange": {"startTime": RANGE["startTime"], "endTime": RANGE["endTime"]}}
    with Answering() as server:
        place.configure(server.url)
        place.declare(
            "seed.yaml",
            backfill("chaos", chaos, table=str(POINTS["tableName"])),
            backfill("sales", sales, table=str(RANGE["tableName"])),
        )
        assert place.apply().code == 0
        seen = {request.path: request for request in server.seen}
    assert set(seen) == {BASE + "triggerTableTaskInstanceByScheduleTime" + end for end in ("", "Range")}
    for end, body in (("", POINTS), ("Range", RANGE)):
        request = seen[BASE + "triggerTableTaskInstanceByScheduleTime" + end]
        assert json.loads(request.body) == body
        assert list(json.loads(request.body)) == list(body)
        given = {name: request.headers[name] for name in ("tenant-id", "auth-type", "auth-value")}
        assert given == {"tenant-id": "tn_19487697", "auth-type": "UID", "auth-value": SECRET}
        assert request.headers["content-type"].startswith("application/json")


def test_an_embedded_target_needs_no_credential_and_remembers(place: Workplace) -> None:
    place.env.clear()
    embedded = {"url": "embedded", "tenantId": "tn_1", "timeZone": "UTC"}
    place.configure("http://127.0.0.1:1", targets={"demo": embedded})
    place.declare("fact.yaml", backfill("fact", between(1, 5), target="demo"))
    assert place.apply().code == 0
    assert "Nothing to do" in place.apply().out


@pytest.mark.parametrize("option", [("--table", "*.ORDERS"), ("--target", "other")])
def test_only_tables_in_scope_are_applied(place: Workplace, scheduler: Counting, option: tuple[str, str]) -> None:
    other = {"url": scheduler.url, "tenantId": "tn_1", "timeZone": "UTC"}
    other["auth"] = {"type": "UID", "valueFrom": {"env": "SCHEDULER_AUTH"}}  # type: ignore[assignment]
    place.configure(scheduler.url, targets={"other": other})
    place.declare("all.yaml", backfill("fact", between(1, 5)), backfill("orders", at(2), table=ORDERS, target="other"))
    assert place.apply(*option).code == 0
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS)) == ({}, hours(2, 2))
    assert place.apply("--table", "nothing.*").code == 2
    assert place.apply("--target", "nothing").code == 2
