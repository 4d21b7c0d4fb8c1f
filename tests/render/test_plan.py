"""The plan as people and as programs read it."""

from __future__ import annotations

import json
from dataclasses import replace

from reconciler.core.call import Call, Range, Times
from reconciler.core.config import Limits
from reconciler.core.needs import Table
from reconciler.core.outcome import Rejected, Triggered
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import plan_table
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.report import Report, Result, Skipped
from reconciler.render.paint import PLAIN
from reconciler.render.plan_json import plan_document, report_document
from reconciler.render.plan_markdown import plan_markdown
from reconciler.render.plan_text import plan_text
from reconciler.render.report_text import report_text, result_line
from reconciler.render.sheet import Sheet
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
    assert "held: approval  m.yaml#4\n      held: ask dana\n    ~ range" in text
    assert "? in doubt since 2026-01-01T00:00:00Z: 1970-01-01 20:00:00 .. 1970-01-01 20:59:59" in text
    assert "reconciler resolve" in text
    assert "2 calls to make (1 new, 1 rerun) for 1 table, 1 held, 1 in doubt; 1 request already triggered." in text


def _related() -> Plan:
    """Return a plan whose first ready call covers five others, and whose table has five declared ones downstream."""
    (table,) = _plan().tables
    first, *rest = sorted(table.calls, key=lambda planned: planned.held is not None)
    span = Times((3600, 7200))
    covers = tuple(
        Call("prod", f"c.d{at}", "tn", span, ("red",) if at else (), (f"d{at}.yaml#1",), ()) for at in range(5)
    )
    calls = (replace(first, call=replace(first.call, covers=covers)), *rest)
    return make_plan("c0ffee", [replace(table, calls=calls, downstream=("c.d0", "c.d1", "c.d2", "c.d3", "c.d4"))])


def test_the_text_shows_under_a_call_what_it_covers_and_under_a_table_what_it_reruns() -> None:
    text = plan_text(_related(), PLAIN, verbose=False, live=frozenset())
    assert "c.d3" not in text.replace(downstream := "      also reruns, downstream: c.d0, c.d1, c.d2, c.d3, c.d4\n", "")
    assert downstream in text
    assert "      = covers 2 instances of c.d0: 1970-01-01 01:00:00, 1970-01-01 02:00:00 (d0.yaml#1)\n" in text
    assert (
        "      = covers 2 instances of c.d2: 1970-01-01 01:00:00, 1970-01-01 02:00:00 rerun red (d2.yaml#1)\n" in text
    )
    assert "      = covers 2 more calls downstream\n" in text
    assert "= covers 2 instances of c.d4" in plan_text(_related(), PLAIN, verbose=True, live=frozenset())
    assert "downstream" not in plan_text(_plan(), PLAIN, verbose=False, live=frozenset())


def test_json_tells_of_downstream_only_where_there_is_something() -> None:
    document = json.loads(json.dumps(plan_document(_related(), ())))
    tables = ["c.d0", "c.d1", "c.d2", "c.d3", "c.d4"]
    assert document["downstream"] == [{"target": "prod", "tableName": "a.b", "tables": tables}]
    covers = [call.get("covers") for call in document["calls"]]
    assert [some is None for some in covers].count(False) == 1
    (first, *_) = next(some for some in covers if some)
    assert {name: first[name] for name in ("tableName", "method", "scheduleTimes", "rerun", "requests")} == {
        "tableName": "c.d0",
        "method": "scheduleTime",
        "scheduleTimes": ["1970-01-01 01:00:00", "1970-01-01 02:00:00"],
        "rerun": [],
        "requests": ["d0.yaml#1"],
    }


def test_what_is_covered_is_part_of_the_digest_and_what_is_only_rerun_is_not() -> None:
    plan, related = _plan(), _related()
    shown = make_plan(plan.state, [replace(table, downstream=("c.d0",)) for table in plan.tables])
    assert plan.digest == shown.digest
    assert related.digest != plan.digest
    (table,) = related.tables
    first, *rest = table.calls
    fewer = replace(first, call=replace(first.call, covers=first.call.covers[:1]))
    assert make_plan(plan.state, [replace(table, calls=(fewer, *rest))]).digest not in {plan.digest, related.digest}


def test_markdown_tells_what_a_call_covers_and_what_a_table_reruns() -> None:
    text = plan_markdown(Sheet(_related(), {}, {}))
    assert "covers <code>c.d0</code>, <code>c.d1</code>, <code>c.d2</code> and 2 more" in text
    assert "<code>a.b</code><br>also reruns, downstream: <code>c.d0</code>, <code>c.d1</code>" in text


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
