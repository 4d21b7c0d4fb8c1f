"""The end of an apply: totals, what failed grouped by reason, what to type next."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.call import Call, Range
from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.policy import Held
from reconciler.core.report import Report, Result, Skipped
from reconciler.render.plan_json import report_document
from reconciler.render.report_text import HELD, held_sentence, report_text
from tests.render import sheets

PLAN = Plan(state=None, tables=())
CALL = Call("prod", "c.d.T", "tn", Range((0, 3601), "inclusive"), (), ("m.yaml#1",), ())


def results(outcome: Outcome | Skipped, *numbers: int) -> tuple[Result, ...]:
    return tuple(Result(replace(CALL, table=f"c.d.T{number}"), outcome, "") for number in numbers)


def ending(*groups: tuple[Result, ...]) -> list[str]:
    """Return the lines after totals and place."""
    report = Report("run-1", "c0ffee" * 7, tuple(result for group in groups for result in group))
    return report_text(PLAN, report, "origin/state").splitlines()[2:]


def test_where_all_was_triggered_there_is_nothing_more_to_say() -> None:
    assert ending(results(Triggered(None), *range(2000))) == []


def test_failures_are_grouped_by_reason_the_most_frequent_first() -> None:
    lines = ending(
        results(Rejected("no such table"), 1, 2),
        results(Rejected("limit reached"), 3, 4, 5, 6, 7),
        results(NotSent("refused"), 8),
    )
    assert lines[:3] == [
        "  5 rejected: limit reached (c.d.T3, c.d.T4, c.d.T5 and 2 more tables)",
        "  2 rejected: no such table (c.d.T1, c.d.T2)",
        "  1 not sent: refused (c.d.T8)",
    ]


def test_a_table_that_failed_often_is_named_once() -> None:
    assert ending(results(Skipped("interrupted"), 1, 1, 1))[0] == "  3 skipped: interrupted (c.d.T1)"


def test_calls_that_an_earlier_failure_kept_back_are_one_line_whatever_that_failure_was() -> None:
    because = "an earlier call for this table failed: "
    lines = ending(results(Skipped(because + "limit reached"), 1), results(Skipped(because + "no such table"), 2))
    assert lines[0] == "  2 skipped: an earlier call for this table failed (c.d.T1, c.d.T2)"


def test_ten_thousand_failures_for_ten_thousand_reasons_fit_on_a_screen() -> None:
    failures = [results(Rejected(f"no, says {number} {'x' * 500}"), number) for number in range(10_000)]
    lines = ending(*failures, *(results(Unknown(f"lost {number}"), number) for number in range(100)))
    assert len(lines) < 24
    assert all(len(line) < 200 for line in lines)
    assert "  9,995 rejected for 9,995 other reasons" in lines


def test_what_is_held_waits_for_an_apply_that_somebody_starts() -> None:
    assert report_text(sheets.long_plan(1, 5), Report("run-1", "c0ffee", ()), "origin/state").splitlines()[-1] == HELD
    waiting = held_sentence([PlannedCall(CALL, Held("limit", "")), PlannedCall(CALL, Held("approval", ""))])
    assert waiting.startswith(f"{HELD} An approval alone starts none")
    assert HELD not in report_text(PLAN, Report("run-1", "c0ffee", ()), "origin/state")


def test_what_the_scheduler_says_stays_on_its_line() -> None:
    (line, *_) = ending(results(Rejected("bad\n::error::x\x1b[2K"), 1))
    assert line == "  1 rejected: bad\\n::error::x\\x1b[2K (c.d.T1)"


def test_what_is_still_owed_is_applied_again_and_what_is_in_doubt_is_resolved() -> None:
    text = "\n".join(
        ending(results(Rejected("no"), 1), results(Skipped("interrupted"), 2), results(Unknown("lost"), 3))
    )
    assert "Still owed: 2 calls. Once the cause is gone:\n  reconciler apply\n" in text
    assert "reconciler resolve" in text
    assert "reconciler resolve" not in "\n".join(ending(results(Rejected("no"), 1)))
    assert "Still owed" not in "\n".join(ending(results(Unknown("lost"), 3)))


def test_what_the_run_held_is_not_told_as_a_failure() -> None:
    why = "waits for dim (c.d.DIM), of which a call was rejected: no"
    report = Report("run-1", "c0ffee", (*results(Rejected("no"), 1), *results(Skipped(why, "dependency"), 2, 3)))
    text = report_text(PLAN, report, "origin/state")
    assert text.startswith("0 triggered, 1 rejected, 2 held.\n")
    assert f"  2 held: {why} (c.d.T2, c.d.T3)\n" in text
    assert "skipped" not in text
    assert "Still owed: 3 calls, 2 of them held. Once the cause is gone:\n" in text
    calls = report_document(PLAN, report, ())["calls"]
    assert isinstance(calls, list)
    assert [(call["status"], call["outcome"]) for call in calls] == [
        ("ready", "rejected"), ("held", "skipped"), ("held", "skipped")
    ]  # fmt: skip
    assert calls[1]["held"] == {"because": "dependency", "message": why}
    assert calls[1]["error"] == why


def test_what_the_plan_held_and_the_run_made_after_all_is_told_once() -> None:
    table = TablePlan(sheets.target(), "c.d.T", None, (PlannedCall(CALL, Held("window", "by night")),), (), ())
    report = Report("run-1", "c0ffee", (Result(CALL, Triggered("t"), ""),))
    assert report_text(make_plan(None, [table]), report, "origin/state").splitlines()[0] == "1 triggered."
    calls = report_document(make_plan(None, [table]), report, ())["calls"]
    assert isinstance(calls, list)
    assert [(call["status"], call["outcome"]) for call in calls] == [("ready", "triggered")]


def test_what_other_runs_made_first_is_told_and_nothing_of_it_is_claimed() -> None:
    plan = sheets.long_plan(3, 2)
    (first, *others) = plan.ready
    some = Report("run-1", "c0ffee" * 7, (Result(first, Triggered(None), ""),))
    lines = report_text(plan, some, "origin/state").splitlines()
    assert lines[1] == f"{len(others)} calls of this plan are owed no more: other runs were first."
    assert "Recorded as c0ffeec0ffee" in lines[2]
    nothing = report_text(plan, Report("run-1", "c0ffee" * 7, ()), "origin/state")
    assert f"{len(plan.ready)} calls of this plan are owed no more" in nothing
    assert "Recorded" not in nothing
