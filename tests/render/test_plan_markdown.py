"""The plan as Markdown: what a reviewer sees, that it fits a comment, and that no text in it does anything."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Call, Range, Times, canonical
from reconciler.core.needs import Table
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import PlannedCall, TablePlan, plan_table
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.wallclock import render
from reconciler.errors import Problem
from reconciler.render.inert import visible
from reconciler.render.plan_markdown import plan_markdown, problems_markdown
from reconciler.render.sheet import Sheet
from tests.core import worlds
from tests.examples import examples
from tests.figures import Tried
from tests.render import sheets
from tests.render.html_of import Page, closed, pages
from tests.render.test_inert import texts

HARMLESS = "harmless"
EMPTY = make_plan(None, ())
HOURS = ((3600, 5 * 3600 + 1),)


@cache
def _calm_pages(harmless: str) -> tuple[Page, Page]:
    return pages(harmless)


def same_but_for_the_text(markdown: str, harmless: str, text: str) -> None:
    """Fail unless a text gives the page that a harmless one gives, shows itself, and is code wherever it stands."""
    for page, calm in zip(pages(markdown), _calm_pages(harmless), strict=True):
        assert page.tags == calm.tags
        assert page.plain == calm.plain
        assert not page.broken
        assert not page.open
        assert visible(text) in page.text
        assert "@" not in page.plain


@given(texts.filter(bool))
@settings(max_examples=examples(75))
def test_text_from_outside_changes_nothing_but_itself(text: str) -> None:
    same_but_for_the_text(plan_markdown(sheets.sheet(text)), plan_markdown(sheets.sheet(HARMLESS)), text)


@pytest.mark.claim("Text from outside stays inert in Markdown")
def test_nasty_texts_are_inert_in_every_field(tried: Tried) -> None:
    harmless = plan_markdown(sheets.sheet(HARMLESS))
    for text in sheets.NASTY:
        same_but_for_the_text(plan_markdown(sheets.sheet(text)), harmless, text)
    tried(len(sheets.NASTY))


@given(texts.filter(bool))
def test_no_line_of_a_log_that_shows_a_plan_is_a_command(text: str) -> None:
    markdown = plan_markdown(sheets.sheet(text))
    assert "##[" not in markdown
    assert not any(line.lstrip().startswith("::") for line in markdown.splitlines())
    assert "\x1b" not in markdown
    assert markdown.splitlines() == markdown.rstrip("\n").split("\n")


@given(texts.filter(bool))
def test_the_problems_of_invalid_manifests_are_inert(text: str) -> None:
    hint = " ".join(text.split()) or "x"
    show = problems_markdown([Problem(text, 1, 2, text, text, hint)], "triggers")
    calm = problems_markdown([Problem(HARMLESS, 1, 2, HARMLESS, HARMLESS, HARMLESS)], "triggers")
    same_but_for_the_text(show, calm, text)


def _sheet() -> Sheet:
    requests = (
        replace(worlds.request("m.yaml#1", HOURS), reason="late", owner="sales"),
        worlds.request("m.yaml#2", tuple((hour * 3600, hour * 3600 + 1) for hour in (10, 12))),
        worlds.request("m.yaml#3", HOURS, "red"),
        worlds.request("m.yaml#4", HOURS, "blue"),
    )
    old = worlds.trigger(Range(HOURS[0], "inclusive"))
    lost = worlds.intent(Range((20 * 3600, 21 * 3600), "inclusive"))
    table = Table(worlds.target(), "a.b", requests, worlds.ledger(old), (lost,), 10**10)
    approvals: dict[str, Approval] = {"m.yaml#3": Approved(("dana",)), "m.yaml#4": Waiting("ask dana")}
    plan = make_plan("c0ffee", [plan_table(table, approvals)])
    before = {one.call.id: (old,) for _, one in plan.calls if one.call.rerun}
    return Sheet(plan, {request.key: request for request in requests}, before)


def _first(plan: Plan, *problems: Problem) -> str:
    return plan_markdown(sheets.bare(plan, problems)).splitlines()[0]


def test_the_headline_counts_what_is_to_be_made_what_waits_and_what_is_in_doubt() -> None:
    line = plan_markdown(_sheet()).splitlines()[0]
    assert line == "### 2 calls (1 new, 1 rerun) for 1 table, 1 rerun that needs approval, 1 call in doubt"


def test_instances_are_told_only_where_all_are_known() -> None:
    points = worlds.call(Times((0, 3600, 7200)))
    known = make_plan(None, [_table(points)])
    assert _first(known) == "### 1 call for 1 table, 3 instances"
    mixed = make_plan(None, [_table(points, worlds.call(Range((9000, 9500), "inclusive")))])
    assert _first(mixed) == "### 2 calls for 1 table"


def _table(*calls: Call) -> TablePlan:
    planned = tuple(PlannedCall(call, None) for call in calls)
    return TablePlan(worlds.target(), "a.b", None, planned, (), ())


def test_a_plan_with_nothing_to_do_says_so_in_its_headline() -> None:
    done = make_plan(None, [TablePlan(worlds.target(), "a.b", None, (), (), ("m.yaml#1", "m.yaml#2", "m.yaml#3"))])
    assert _first(done) == "### Nothing to do: 3 requests already triggered"
    assert plan_markdown(Sheet(EMPTY, {}, {})).startswith("### Nothing to do: no request is declared\n")
    assert "<table>" not in plan_markdown(sheets.bare(done))
    against = replace(sheets.bare(EMPTY), base="main")
    assert plan_markdown(against).startswith("### Nothing to do: this branch adds no calls\n\nWhat this branch adds to")


def test_a_plan_that_errors_keep_empty_is_not_called_done() -> None:
    damage = Problem(".state/prod/a.b.jsonl", 3, 1, "", "the state file is damaged", "put it back")
    assert _first(EMPTY, damage) == "### Nothing planned, 1 error to mend"


def test_held_calls_that_wait_for_no_approval_are_counted_apart() -> None:
    assert _first(sheets.long_plan(1, 5)) == "### 4 calls (3 new, 1 rerun) for 1 table, 1 call held"


def test_reruns_are_set_apart_with_what_was_triggered_there_before() -> None:
    text = plan_markdown(_sheet())
    section = text.split("#### Reruns")[1].split("####")[0]
    assert "`red`, asked for by `m.yaml#3`: **approved by `dana`**" in section
    assert "`blue`, asked for by `m.yaml#4`: **approval is missing**" in section
    assert section.count("before: `2026-01-01T00:00:00Z` by `old.yaml#1`, run `run`") == 2


def test_reruns_over_what_no_ledger_knows_and_over_imports_say_so() -> None:
    sheet = _sheet()
    assert "before: nothing that the ledger knows" in plan_markdown(replace(sheet, before={}))
    by_hand = replace(worlds.trigger(Range(HOURS[0], "inclusive")), requests=("import:past.csv:3",))
    many = dict.fromkeys(sheet.before, (by_hand,) * 5)
    text = plan_markdown(replace(sheet, before=many))
    assert "before: `2026-01-01T00:00:00Z` by hand, imported from `past.csv:3`" in text
    assert "and 3 times before that" in text


def test_what_is_held_and_in_doubt_says_what_to_do() -> None:
    text = plan_markdown(_sheet())
    assert "- 1 call of `a.b`: `ask dana`" in text
    assert "reconciler resolve" in text
    assert "under way" not in text


def test_a_run_that_is_under_way_is_waited_for_not_resolved() -> None:
    text = plan_markdown(replace(_sheet(), live=frozenset({"run"})))
    assert "(under way: wait for it)" in text
    assert "reconciler resolve" not in text


def test_guards_base_and_problems_come_before_any_table() -> None:
    text = plan_markdown(replace(sheets.sheet("x"), guards=("approvals minimum goes from 2 to 1",), base="main"))
    places = [text.index(part) for part in ("`main`", "⚠️ **This branch lowers 1 guard**", "❌ **1 error**", "<table>")]
    assert places == sorted(places)


def test_the_target_names_its_clock_once() -> None:
    text = plan_markdown(_sheet())
    assert text.count("times of `UTC`, endTime inclusive") == 1


def test_bodies_are_the_canonical_ones_and_held_ones_are_told_apart() -> None:
    sheet = _sheet()
    fold = plan_markdown(sheet).split("<details>")[1]
    sent, held = fold.split("Held, not sent yet:")
    for _, planned in sheet.plan.calls:
        assert canonical(planned.call.body) in (held if planned.held else sent)


@given(st.data())
@settings(max_examples=40)
def test_every_call_is_there_when_nothing_is_cut(data: st.DataObject) -> None:
    world = data.draw(worlds.worlds())
    plan = make_plan(None, [plan_table(world.table, world.approvals)])
    text = plan_markdown(Sheet(plan, {request.key: request for request in world.table.requests}, {}))
    assert plan.digest in text
    assert text == plan_markdown(Sheet(plan, {request.key: request for request in world.table.requests}, {}))
    for page in closed(text):
        for _, planned in plan.calls:
            first, last = planned.call.span.windows[0][0], planned.call.span.windows[-1][1] - 1
            assert planned.call.table in page.text
            assert render(first) in page.text
            assert render(last) in page.text or isinstance(planned.call.span, Range)
            assert canonical(planned.call.body) in page.text


def test_invalid_manifests_are_told_with_place_and_way_out_errors_first() -> None:
    some = [
        Problem("a.yaml", 3, 4, "spec", "looks odd", "look again", "warning"),
        Problem("b.yaml", 5, 6, "spec.x", "is not known", "did you mean y?\nor z?"),
    ]
    text = problems_markdown(some, "triggers")
    assert text.startswith("### No plan: the manifests are not valid\n\n❌ **1 error**, ⚠️ **1 warning**\n\n")
    assert "- `triggers/b.yaml:5:6` `spec.x`: `is not known`\\\n  `did you mean y?`\\\n  `or z?`\n" in text
    assert text.index("b.yaml") < text.index("a.yaml")
    assert list(closed(problems_markdown(some * 5000, "triggers")))
