"""The page of timelines as text: what stands at the top, what is told without scripts, and that nothing gets out."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.core.call import Range
from reconciler.core.config import Target
from reconciler.core.ledger import Intent, Ledger, Trigger
from reconciler.core.needs import Table
from reconciler.core.plan import make_plan
from reconciler.core.planner import plan_table
from reconciler.core.policy import Waiting
from reconciler.core.request import Rerun
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import parse
from reconciler.core.window import Windows
from reconciler.errors import Failure, InvalidInput, Problem
from reconciler.render.about import About
from reconciler.render.report_page import CALLS, NEEDS, failure_page, report_page
from reconciler.render.sheet import Sheet
from tests.core.worlds import call, ledger, request, target, trigger
from tests.figures import Tried
from tests.render.report_reading import Reading
from tests.render.sheets import NASTY, long_plan

HOUR = 3600
START = parse("2026-01-20 00:00:00")
AT = "2026-01-20T04:05:06Z"


def _window(first: int, last: int) -> Windows:
    return ((START + first * HOUR, START + last * HOUR),)


def _standing(asked: Windows = (), sent: Windows = (), doubt: Windows = (), name: str = "a.b") -> Standing:
    lines = ledger(*(trigger(Range(one, "inclusive")) for one in sent)) if sent else None
    intents = tuple(Intent(call(Range(one, "inclusive")), "run", "ci", AT, "commit") for one in doubt)
    requests = (request("m.yaml#1", asked),) if asked else ()
    table = Table(target(), name, requests, lines, intents, START + 90 * HOUR)
    return Standing(table, plan_table(table, {}))


def _about(standings: Sequence[Standing], **changes: object) -> About:
    requests = {one.key: one for standing in standings for one in standing.table.requests}
    plan = make_plan("5e7a0d1c" * 5, [one.plan for one in standings])
    about = About("report", "acme/triggers", "triggers", Sheet(plan, requests, {}), AT)
    return replace(about, **changes)  # type: ignore[arg-type]


def _page(*standings: Standing, **changes: object) -> Reading:
    return Reading.of(report_page(_about(standings, **changes), standings))


def test_the_verdict_says_what_is_wrong_first() -> None:
    found = _page(_standing(_window(0, 9), sent=_window(0, 2), doubt=_window(2, 4)))
    assert found.by_id["verdict"].startswith("1 call in doubt. 1 call to make for 1 table")
    page = report_page(_about((_standing(_window(0, 9)),)), ())
    assert (
        page.index('id="verdict"') < page.index('id="totals"') < page.index('id="timelines"') < page.index('id="index"')
    )


def test_errors_are_said_before_anything_else() -> None:
    standing = _standing(_window(0, 9))
    about = _about((standing,))
    problems = (
        Problem("m.yaml", 3, 4, "spec", "late", "mend it", "warning"),
        Problem(".state/x", 2, 0, "", "cut", "put back"),
    )
    found = Reading.of(report_page(replace(about, sheet=replace(about.sheet, problems=problems)), (standing,)))
    assert found.by_id["verdict"].startswith("1 error to mend.")
    told = " ".join(found.by_id["problems"].split())
    assert told.startswith("1 error and 1 warning")
    assert told.index("triggers/.state/x:2 cut") < told.index("triggers/m.yaml:3:4 warning: spec: late")


@pytest.mark.parametrize(
    ("standings", "verdict", "empty"),
    [
        ((), "Nothing is declared yet.", "No manifest asks for anything yet."),
        ((_standing(_window(0, 2), sent=_window(0, 2)),), "Nothing to do: all that is asked for was triggered.", ""),
        ((_standing(sent=_window(0, 2)),), "Nothing is declared yet.", ""),
        ((_standing(doubt=_window(0, 2)),), "1 call in doubt.", ""),
    ],
)
def test_it_makes_sense_where_there_is_little(standings: tuple[Standing, ...], verdict: str, empty: str) -> None:
    found = _page(*standings)
    assert found.by_id["verdict"].strip() == verdict
    assert empty in found.by_id["empty-text"]
    hidden = next(attributes for _, attributes in found.tags if attributes.get("id") == "empty")
    assert ("hidden" in hidden) == bool(standings)


def test_the_policy_lets_only_the_pages_own_script_run() -> None:
    page = report_page(_about((_standing(_window(0, 2)),)), (_standing(_window(0, 2)),))
    found = Reading.of(page)
    (policy,) = [a["content"] for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy"]
    code = [text for attributes, text in found.scripts if "type" not in attributes]
    assert len(code) == 1
    digest = base64.b64encode(hashlib.sha256(code[0].encode()).digest()).decode()
    assert policy
    assert f"script-src 'sha256-{digest}';" in policy
    assert "connect-src 'none'" in policy
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?://(?!$)",
        code[0].replace('"https://"', ""),
    )
    others = [attributes for tag, attributes in found.tags if "src" in attributes or tag in {"link", "img", "iframe"}]
    assert others == []


def _nasty(text: str) -> Standing:
    """Return a table that has a text in every field that somebody else can write."""
    sent = text.encode(errors="replace").decode()
    span = Range(_window(0, 2)[0], "inclusive")
    where = Target(sent, sent, sent, None, text)
    asked = replace(request(text, _window(0, 9)), reason=text, owner=text, manifest=text, table=sent)
    held = replace(request(f"{text}2", _window(0, 2), "red"), rerun=Rerun(sent, text), owner=text)
    line = Trigger(text, span, (f"{text}x",), (text,), (text,), text, text, text, text)
    doubt = Intent(
        replace(call(Range(_window(3, 4)[0], "inclusive")), table=sent, requests=(text,)), text, text, text, text
    )
    table = Table(where, sent, (asked, held), Ledger(sent, sent, (line,), "head"), (doubt,), START + 90 * HOUR)
    return Standing(table, plan_table(table, {held.key: Waiting(text)}))


@pytest.mark.claim("a page shows others' text as text: no element, no attribute, no script comes of it")
def test_text_from_outside_stays_text(tried: Tried) -> None:
    plain = _tags(_nasty("plain"), "plain")
    for text in NASTY:
        assert _tags(_nasty(text), text) == plain, text
    tried(len(NASTY), note="hostile texts in every field")


def _tags(standing: Standing, text: str) -> list[tuple[str, tuple[str, ...]]]:
    about = _about((standing,), kind="plan", name=text)
    problems = (Problem(text, 1, 2, text, text, " ".join(text.split()) or "x"),)
    sheet = replace(about.sheet, problems=problems, guards=(text,), base=text or "x")
    found = Reading.of(report_page(replace(about, sheet=sheet), (standing,)))
    for attributes, code in found.scripts:
        if attributes.get("type"):
            assert re.fullmatch(r"[A-Za-z0-9+/=]+", code.strip())
    return [(tag, tuple(attributes)) for tag, attributes in found.tags if attributes or tag not in {"br", "wbr"}]


def test_without_scripts_the_tables_in_need_are_told() -> None:
    done, owing = _standing(_window(0, 2), sent=_window(0, 2), name="a.done"), _standing(_window(0, 2), name="a.owing")
    text = _page(done, owing).text
    assert "1 table in need:" in text
    assert "a.owing" in text
    assert "a.done" not in text


def test_without_scripts_no_more_tables_are_told_than_anybody_reads() -> None:
    many = [_standing(_window(0, 2), name=f"a.t{number:04}") for number in range(NEEDS + 7)]
    text = _page(*many).text
    assert f"{NEEDS + 7} tables in need, of which {NEEDS} follow:" in text
    assert text.count("a.t0") == NEEDS


def test_a_plan_shows_its_bodies_to_the_letter_and_says_how_many_it_leaves_out() -> None:
    standing = _standing(_window(1, 5))
    found = _page(standing, kind="plan")
    body = '{"tableName":"a.b","tenantId":"tn","startTime":"2026-01-20 01:00:00","endTime":"2026-01-20 04:59:59"}'
    assert body in found.by_id["bodies"]
    assert standing.plan.target.name in found.by_id["bodies"]
    about = replace(_about((), kind="plan"), sheet=Sheet(long_plan(300, 2), {}, {}))
    told = Reading.of(report_page(about, ())).by_id["bodies"]
    assert "Exact bodies of 600 calls" in told
    assert f"and {600 - CALLS} more" in told
    assert about.sheet.plan.digest in told


def test_a_report_has_no_bodies_and_names_no_digest() -> None:
    assert "bodies" not in _page(_standing(_window(0, 2))).by_id


def test_commits_are_links_where_the_forge_is_known_and_only_to_https() -> None:
    for base, linked in (("https://github.com/acme/t/commit/", True), ("javascript:alert(1)//", False)):
        found = _page(_standing(_window(0, 2)), link=lambda commit, base=base: base + commit)
        body = next(attributes for tag, attributes in found.tags if tag == "body")
        assert ("data-commits" in body) == linked
        addresses = [str(attributes["href"]) for tag, attributes in found.tags if tag == "a"]
        links = [address for address in addresses if not address.startswith("#")]
        assert links == ([base + "5e7a0d1c" * 5] if linked else [])


def test_why_there_is_no_page_is_a_page_too() -> None:
    problems = (Problem("m.yaml", 3, 4, "spec", "<b>bad</b>", "mend\nit"),)
    found = Reading.of(failure_page("No plan", InvalidInput("invalid", "", problems), "triggers", AT))
    assert "triggers/m.yaml:3:4 spec: <b>bad</b>mendit" in " ".join(found.by_id["problems"].split())
    plain = Reading.of(failure_page("No plan", Failure("no remote", "name one"), "triggers", AT))
    assert "no remote" in plain.by_id["problems"]
    assert "name one" in plain.by_id["problems"]
