"""The plan as people and as programs read it."""

from __future__ import annotations

import json

from reconciler.core.call import Range
from reconciler.core.config import Limits
from reconciler.core.needs import Table
from reconciler.core.outcome import Rejected, Triggered
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import plan_table
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.report import Report, Result, Skipped
from reconciler.render.paint import PLAIN
from reconciler.render.plan_json import plan_document, report_document
from reconciler.render.plan_text import plan_text
from reconciler.render.report_text import report_text, result_line
from tests.core import worlds

HOURS = ((3600, 5 * 3600 + 1),)
LATER = ((10 * 3600, 10 * 3600 + 1), (11 * 3600, 11 * 3600 + 1), (12 * 3600, 12 * 3600 + 1), (13 * 3600, 13 * 3600 + 1))


def _plan(now: int = 10**10, points: int = 100) -> Plan:
    requests = (
        worlds.request("m.yaml#1", HOURS),
        worlds.request("m.yaml#2", LATER, limits=Limits()),
        worlds.request("m.yaml#3", HOURS, "red"),
        worlds.request("m.yaml#4", HOURS, "blue"),
    )
    old = worlds.ledger(worlds.trigger(Range(HOURS[0], "inclusive")))
    lost = worlds.intent(Range((20 * 3600, 21 * 3600), "inclusive"), ())
    table = Table(worlds.target(points=points), "a.b", requests, old, (lost,), now)
    approvals: dict[str, Approval] = {"m.yaml#3": Approved(("dana",)), "m.yaml#4": Waiting("ask dana")}
    return make_plan("c0ffee", [plan_table(table, approvals)])


def test_the_text_shows_calls_reasons_doubt_and_totals() -> None:
    text = plan_text(_plan(), PLAIN, verbose=False, live=frozenset())
    assert "~ range  1970-01-01 01:00:00 .. 1970-01-01 05:00:00  rerun red, approved by dana  m.yaml#3" in text
    assert "! range  1970-01-01 01:00:00 .. 1970-01-01 05:00:00  rerun blue, held: approval  m.yaml#4" in text
    assert "+ points 1970-01-01 10:00:00, 1970-01-01 11:00:00, 1970-01-01 12:00:00 and 1 more  new" in text
    assert "held: ask dana" in text
    assert "? in doubt since 2026-01-01T00:00:00Z: 1970-01-01 20:00:00 .. 1970-01-01 20:59:59" in text
    assert "reconciler resolve" in text
    assert "2 calls to make (1 new, 1 rerun) for 1 table, 1 held, 1 in doubt; 1 request already triggered." in text


def test_verbose_text_shows_every_point_and_body() -> None:
    text = plan_text(_plan(), PLAIN, verbose=True, live=frozenset())
    assert "1970-01-01 13:00:00" in text
    assert '"tenantId":"tn"' in text


def test_a_run_that_is_under_way_is_waited_for_not_resolved() -> None:
    text = plan_text(_plan(), PLAIN, verbose=False, live=frozenset({"run"}))
    assert "wait for it" in text
    assert "reconciler resolve" not in text


def test_json_has_the_documented_keys() -> None:
    document = json.loads(json.dumps(plan_document(_plan(), ())))
    assert document.keys() == {"version", "digest", "state", "summary", "calls", "inDoubt", "problems"}
    assert document["summary"] == {
        "calls": 2, "tables": 1, "instances": None, "new": 1, "rerun": 1, "held": 1, "inDoubt": 1, "covered": 1,
    }  # fmt: skip
    assert document["state"] == "c0ffee"
    held = [call["held"] for call in document["calls"]]
    assert held.count(None) == 2
    assert {"because": "approval", "message": "ask dana"} in held
    assert {call["status"] for call in document["calls"]} == {"ready", "held"}


def test_a_report_has_an_outcome_for_every_call() -> None:
    plan = _plan()
    first, second = plan.ready
    report = Report("run-1", "c0ffee", (Result(first, Triggered("t-1"), ""), Result(second, Rejected("no", "t-2"), "")))
    document = report_document(plan, report, ())
    calls = document["calls"]
    assert isinstance(calls, list)
    assert [(call["outcome"], call["traceId"], call["error"]) for call in calls] == [
        ("triggered", "t-1", None),
        ("rejected", "t-2", "no"),
        ("skipped", None, "ask dana"),
    ]
    assert (document["run"], document["commit"]) == ("run-1", "c0ffee")


def test_the_end_of_an_apply_counts_what_became_of_the_calls() -> None:
    plan = _plan()
    first, second = plan.ready
    results = (Result(first, Triggered("t-1"), ""), Result(second, Skipped("interrupted"), ""))
    text = report_text(plan, Report("run-1", "c0ffee" * 7, results), "origin/state")
    assert text.splitlines()[0] == "1 triggered, 1 skipped, 1 held."
    assert "Recorded as c0ffeec0ffee on origin/state" in text
    lost = report_text(plan, Report("run-1", "c0ffee", results, unrecorded=True), "origin/state")
    assert "journal of run run-1" in lost


def test_what_the_scheduler_says_stays_on_its_line() -> None:
    result = Result(_plan().ready[0], Rejected("bad\n::error::x\x1b[2K"), "")
    assert "\n" not in result_line(result, PLAIN)
    assert "\x1b" not in result_line(result, PLAIN)


def test_the_digest_names_bodies_tokens_and_ledgers() -> None:
    assert _plan().digest == _plan().digest
    assert _plan().digest != _plan(points=2).digest
    assert _plan().digest != make_plan("other", _plan(now=0).tables).digest
    assert _plan().digest == make_plan("another state commit", _plan().tables).digest
