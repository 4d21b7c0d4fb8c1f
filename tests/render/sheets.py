"""Sheets for the tests of Markdown: one that holds a given text wherever text comes from outside, and long ones."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.call import Call, Range, Span, Times
from reconciler.core.config import Limits, Target
from reconciler.core.ledger import Doubt, Intent, Trigger
from reconciler.core.outcome import NotSent, Rejected, Triggered, Unknown
from reconciler.core.plan import Plan, make_plan
from reconciler.core.planner import PlannedCall, TablePlan
from reconciler.core.policy import Held
from reconciler.core.report import Report, Result, Skipped
from reconciler.core.request import Place, Request, Rerun
from reconciler.errors import Failure, Problem
from reconciler.render.sheet import Sheet

HOUR = 3600
RANGE = Range((HOUR, 5 * HOUR + 1), "inclusive")
POINTS = Times((10 * HOUR, 11 * HOUR))
COMMIT = "c0ffee" * 6 + "abcd"

NASTY = (
    "@acme/data-platform", "@dana", "#12", "GH-12", "acme/triggers#1", "https://evil.example/x", "www.evil.example",
    "dana@example.org", "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", ":tada: :+1:", "$x^2$ and $`y`$", "$", "$$", "a$",
    "[^1]", "[ ] task", "- [x] done", "`", "``", "```", "a`b``c```d", "```\n@dana\n```", "~~~", "|", "a | b",
    "\\", "\\|",
    "<b>bold</b>", "<!--", "-->", "<script>alert(1)</script>", "</td></tr></table>@dana", "</details>", "</code>@dana",
    "&lt;b&gt; &amp; &#64;dana", "**bold** _it_ ~~no~~", "[a](https://evil.example)", "![a](x.png)", "# heading",
    "> quote", "---", "1. one", "\n\n# heading\n\n", "a\rb", "\u2028@dana", "\x1b[2J\x1b]0;x\x07", "::error::no",
    "\n::error file=x::no", "##[error]no", "x ##[group]y", "\u202egnp.exe", "a\u200bb\u2060", "\u3164", "\ufe0f\u034f",
    " ", "  a  ", "%%{init: {'theme': 'dark'}}%%", "section x", "click a href \"javascript:x\"", ":crit, 2020-01-01",
    "a;b:c#d", "\udc80", "\x00", "\U000e0041", "🎉", "表.日本", "مرحبا", "x" * 299, "<![CDATA[x]]>", "<?php x ?>", "&",
    "==", "{{ x }}", "\t@dana", "```mermaid\ngantt", "%%", "!! {\"a\":1}",
)  # fmt: skip


def request(key: str, table: str, text: str, token: str | None = None) -> Request:
    rerun = Rerun(token, text) if token is not None else None
    return Request(key, "m", "prod", table, ((0, 1),), rerun, text, text, Limits(), Place(text, 3, 5))


def target(text: str = "prod") -> Target:
    return Target(text, text, text, None, text)


def planned(sent: str, said: str, span: Span, *, rerun: bool, held: bool) -> PlannedCall:
    call = Call(sent, sent, sent, span, (sent,) if rerun else (), (said,), (said,) if rerun and not held else ())
    return PlannedCall(call, Held("approval", said) if held else None)


def intent(text: str) -> Intent:
    return Intent(planned(text, text, RANGE, rerun=True, held=False).call, text, text, text, text)


def sheet(text: str) -> Sheet:
    """Return a sheet that has `text` in every field that somebody else can write.

    What is sent and so has a digest is UTF-8: it has a question mark for half of a character.
    """
    sent = text.encode(errors="replace").decode()
    calls = (
        planned(sent, text, RANGE, rerun=False, held=False),
        planned(sent, text, POINTS, rerun=False, held=True),
        planned(sent, text, RANGE, rerun=True, held=False),
        planned(sent, text, RANGE, rerun=True, held=True),
    )
    table = TablePlan(target(sent), sent, "head", calls, (Doubt(intent(text), ((0, 1),)),), ())
    before = Trigger("id", RANGE, (text,), (f"a.yaml#{text}",), (text,), text, text, text, text)
    hint = " ".join(text.split()) or "x"
    return Sheet(
        plan=make_plan("c0ffee", [table]),
        requests={text: request(text, text, text, text)},
        before={one.call.id: (before,) for one in calls if one.call.rerun},
        problems=(Problem(text, 1, 2, text, text, hint), Problem(text, 1, 2, text, text, hint, "warning")),
        guards=(text,),
        base=text,
    )


def report(text: str, plan: Plan) -> Report:
    """Return a report with every outcome, which has `text` in every field that somebody else can write."""
    outcomes = (Triggered(text), Rejected(text, text), NotSent(text), Unknown(text), Skipped(text))
    results = tuple(Result(plan.ready[0], outcome, "") for outcome in outcomes)
    return Report(text, COMMIT, results, failure=Failure(text), stale=True)


def long_plan(tables: int, calls: int, targets: int = 1, name: str = "c.d.T") -> Plan:
    """Return a plan of many calls: ranges of an hour, in turn new, held, and reruns."""
    return make_plan(None, [_long_table(name, number, calls, targets) for number in range(tables)])


def _long_table(name: str, number: int, calls: int, targets: int) -> TablePlan:
    where, table = target(f"prod{number % targets}"), f"{name}{number:05}"
    made: list[PlannedCall] = []
    for at in range(calls):
        span = Range((at * 2 * HOUR, (at * 2 + 1) * HOUR + 1), "inclusive")
        rerun = ("late",) if at % 3 == 2 else ()
        call = Call(where.name, table, "tn", span, rerun, (f"m{number}.yaml#{at}",), ())
        made.append(PlannedCall(call, Held("limit", f"{table} owes too much") if at % 5 == 4 else None))
    return TablePlan(where, table, None, tuple(made), (), ())


def bare(plan: Plan, problems: Sequence[Problem] = ()) -> Sheet:
    return Sheet(plan, {"m.yaml#1": request("m.yaml#1", "c.d.T", "why")}, {}, tuple(problems))
