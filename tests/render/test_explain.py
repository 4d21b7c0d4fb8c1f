"""Why a table's instants are as they are, as people and as programs read it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from reconciler.core.call import Range, Times
from reconciler.core.explain import explain
from reconciler.core.explanation import Explanation
from reconciler.core.needs import Table
from reconciler.core.planner import Carried, PlannedCall, plan_downstream, plan_table
from reconciler.core.policy import Approval, Approved, Held, Waiting
from reconciler.core.request import Request, Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.render.explain_json import explain_document
from reconciler.render.explain_text import explanation_text
from reconciler.render.paint import PLAIN
from tests.core.worlds import call, ledger, request, target, trigger

WINDOWS = ((10, 20),)


def _explained(*requests: Request, approvals: dict[str, Approval] | None = None, lines: int = 0) -> Explanation:
    old = ledger(*[trigger(Range(WINDOWS[0], "inclusive"), (f"t{number}",)) for number in range(lines)])
    table = Table(target(), "a.b", requests, old if lines else None, (), 10**9)
    return explain(table, plan_table(table, approvals or {}), approvals or {}, ())


def _covered(held: Held | None) -> Explanation:
    """Explain a table whose call one upstream covers."""
    table = Table(target(), "a.b", (request("m.yaml#1", WINDOWS),), None, (), 10**9)
    above = replace(call(Range((0, 40), "inclusive")), table="up.stream")
    plan, ((_, calls),) = plan_downstream(table, {}, plan_table(table, {}), [Carried(above, WINDOWS)])
    return explain(table, plan, {}, (PlannedCall(replace(above, covers=calls), held),))


def _text(explanation: Explanation) -> str:
    return explanation_text(explanation, "file", PLAIN)


def _table(explanation: Explanation) -> Any:
    return json.loads(json.dumps(explain_document("c0ffee", [(explanation, "file")], ())))["tables"][0]


def test_a_request_without_a_time_on_the_schedule_is_said_to_ask_for_none() -> None:
    schedule = Schedule("every 1h", Every(3600, 0))
    table = Table(target(), "a.b", (request("m.yaml#1", WINDOWS),), None, (), 10**9, Rules(schedule))
    text = _text(explain(table, plan_table(table, {}), {}, ()))
    assert "m.yaml#1: asks for no time on the schedule, so nothing is called for it." in text


def test_what_a_call_upstream_runs_names_that_call_and_its_table() -> None:
    text = _text(_covered(None))
    assert "^ 1970-01-01 00:00:10 .. 1970-01-01 00:00:19  covered by a call upstream" in text
    assert "for up.stream, a table upstream, runs it anyway, so no call is made" in text
    waits = _text(_covered(Held("window", "it is not night")))
    assert "for up.stream, a table upstream, which is held (window), runs it anyway" in waits
    (piece,) = _table(_covered(None))["pieces"]
    (above,) = piece["coveredBy"]
    assert (piece["verdict"], piece["calls"], above["tableName"], above["status"]) == (
        "coveredBy",
        [],
        "up.stream",
        "ready",
    )
    assert (piece["reasons"][0]["because"], piece["reasons"][0]["calls"]) == ("coveredBy", [above["id"]])


def test_whose_approval_counts_for_a_token_is_named() -> None:
    mine, theirs = request("m.yaml#1", WINDOWS, "red"), request("m.yaml#2", WINDOWS, "red")
    text = _text(_explained(mine, theirs, approvals={mine.key: Waiting("ask lee"), theirs.key: Approved(("dana",))}))
    assert "token red has no line here, and dana approved it for m.yaml#2: call " in text
    assert "token red has no line here, and dana approved it: call " in text
    nobody = _text(_explained(mine, approvals={mine.key: Approved(())}))
    assert "token red has no line here, and the config asks for no approval: call " in nobody
    waits = _text(_explained(mine, approvals={mine.key: Waiting("ask lee")}))
    assert "token red has no line here, and it is not approved yet; call " in waits
    assert waits.count("is held (approval): ask lee") == 1


def test_of_many_lines_over_a_piece_three_are_shown_and_the_json_has_all() -> None:
    explanation = _explained(request("m.yaml#1", WINDOWS), lines=5)
    text = _text(explanation)
    assert "line 4: call " in text
    assert "line 5: call " not in text
    assert "and 2 more lines: see reconciler history a.b" in text
    assert [line["line"] for line in _table(explanation)["pieces"][0]["ledgerLines"]] == [2, 3, 4, 5, 6]


def test_a_line_that_was_imported_says_from_where() -> None:
    line = replace(trigger(Times((10,))), requests=("import:past.csv:3",))
    table = Table(target(), "a.b", (request("m.yaml#1", ((10, 11),)),), ledger(line), (), 10**9)
    text = _text(explain(table, plan_table(table, {}), {}, ()))
    assert "line 2: call " in text
    assert "by hand, imported from past.csv:3" in text


def test_names_from_outside_stay_text() -> None:
    table = Table(target(), "a.\x1b[31mb", (request("##[x]\n.yaml#1", WINDOWS, "to\x1bken"),), None, (), 10**9)
    approvals: dict[str, Approval] = {"##[x]\n.yaml#1": Waiting("ask \x1b[0mdana\n")}
    text = _text(explain(table, plan_table(table, approvals), approvals, ()))
    assert "\x1b" not in text
    assert "##\\x5bx]\\n.yaml#1  rerun to\\x1bken" in text
    assert "ask \\x1b[0mdana\\n" in text


def test_where_nothing_is_asked_for_or_planned_that_is_said() -> None:
    assert "Nothing is asked for, planned or in doubt." in _text(_explained())
