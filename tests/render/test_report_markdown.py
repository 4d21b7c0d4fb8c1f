"""What an apply did, as Markdown: for the comment that showed the plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.ledger import Doubt
from reconciler.core.outcome import Outcome, Rejected, Triggered, Unknown
from reconciler.core.plan import make_plan
from reconciler.core.planner import TablePlan
from reconciler.core.report import Report, Result, Skipped
from reconciler.render.report_markdown import report_markdown
from reconciler.render.report_text import HELD
from reconciler.render.sheet import ROOM
from tests.core import worlds
from tests.examples import examples
from tests.figures import Tried
from tests.render import sheets
from tests.render.html_of import closed, pages
from tests.render.test_inert import texts
from tests.render.test_plan_markdown import HARMLESS, same_but_for_the_text

URL = f"https://github.com/acme/triggers/commit/{sheets.COMMIT}"
PLAN = sheets.long_plan(1, 5)


def told(text: str) -> str:
    sheet = sheets.sheet(text)
    return report_markdown(sheet, sheets.report(text, sheet.plan), text, URL, sheet.plan.doubts)


def after(*outcomes: Outcome | Skipped, doubts: tuple[Doubt, ...] = ()) -> str:
    results = tuple(Result(call, outcome, "") for call, outcome in zip(PLAN.ready, outcomes, strict=False))
    return report_markdown(sheets.bare(PLAN), Report("run-1", sheets.COMMIT, results), "origin/state", URL, doubts)


@given(texts.filter(bool))
@settings(max_examples=examples(75))
def test_text_from_outside_changes_nothing_but_itself(text: str) -> None:
    same_but_for_the_text(told(text), told(HARMLESS), text)


@pytest.mark.claim("Text from outside stays inert in Markdown")
def test_nasty_texts_are_inert_in_every_field(tried: Tried) -> None:
    for text in sheets.NASTY:
        same_but_for_the_text(told(text), told(HARMLESS), text)
    tried(len(sheets.NASTY))


def test_the_headline_counts_outcomes_and_what_is_held() -> None:
    assert after(Triggered("t-1"), Triggered("t-2")).splitlines()[0] == "### 2 triggered, 1 held"


def test_what_is_held_waits_for_an_apply_that_somebody_starts() -> None:
    assert HELD in after(Triggered("t"))
    nothing = sheets.bare(make_plan(None, ()))
    assert HELD not in report_markdown(nothing, Report("", None, ()), "origin/state", None)


def test_what_was_triggered_has_its_trace_id() -> None:
    text = after(Triggered("fbb0.1"), Triggered(None))
    assert "<code>fbb0.1</code>" in text
    assert "not known" in text
    assert "#### Not triggered" not in text


def test_the_state_commit_is_linked_where_its_address_is_known() -> None:
    for page in pages(after(Triggered("t"))):
        assert ("a", (("href", URL),)) in page.tags
    results = (Result(PLAN.ready[0], Triggered("t"), ""),)
    text = report_markdown(sheets.bare(PLAN), Report("run-1", sheets.COMMIT, results), "origin/state", None)
    assert "Recorded as `c0ffeec0ffee` on `origin/state` (run `run-1`)." in text


def test_what_failed_is_told_with_its_reason_before_what_was_not_tried() -> None:
    text = after(Skipped("an earlier call for this table failed"), Rejected("no such table", "t-9"), Unknown("lost"))
    places = [text.index(part) for part in ("#### Not triggered", "no such table", "t-9", "lost", "an earlier call")]
    assert places == sorted(places)
    assert "Still owed: 3 calls, 1 of them held." in text
    assert f"reconciler resolve {PLAN.ready[2].id} --as triggered" in text


def test_doubt_of_other_runs_is_told_apart() -> None:
    other = Doubt(sheets.intent("other"), ((0, 1),))
    text = after(Triggered("t"), doubts=(other,))
    assert "In doubt besides, of other runs, which may be under way: 1 call." in text
    assert f"reconciler resolve {other.intent.call.id} --as triggered" in text
    assert "Still owed" not in text


def test_where_all_went_well_there_is_nothing_to_do() -> None:
    assert "What to do" not in after(*[Triggered("t")] * 4)


def test_outcomes_that_only_the_journal_has_are_not_called_recorded() -> None:
    report = Report("run-1", sheets.COMMIT, (Result(PLAN.ready[0], Triggered("t"), ""),), unrecorded=True)
    text = report_markdown(sheets.bare(PLAN), report, "origin/state", URL)
    assert "⚠️ Not all of this is recorded on `origin/state`" in text
    assert URL not in text


def test_an_apply_with_nothing_to_do_says_so() -> None:
    done = make_plan(None, [TablePlan(worlds.target(), "a.b", None, (), (), ("m.yaml#1",))])
    text = report_markdown(sheets.bare(done), Report("", sheets.COMMIT, ()), "origin/state", URL)
    assert text == "### Nothing to do: 1 request already triggered\n"


@pytest.mark.claim("A report of any size fits a comment, and nothing is left open where it is cut")
@given(
    st.lists(st.sampled_from((Triggered("t" * 99), Rejected("n" * 500), Unknown("l" * 300))), min_size=1, max_size=5)
)
@settings(max_examples=10)
def test_long_reports_are_cut_with_a_pointer_and_closed(kinds: list[Outcome]) -> None:
    plan = sheets.long_plan(10, 200)
    results = tuple(Result(call, kinds[at % len(kinds)], "") for at, call in enumerate(plan.ready))
    sheet = replace(sheets.bare(plan), problems=sheets.sheet("x" * 200).problems * 100)
    text = report_markdown(sheet, Report("run-1", sheets.COMMIT, results), "origin/state", URL)
    assert list(closed(text))
    assert "shows all" in text
    assert len(text.encode()) <= ROOM
