"""The page of timelines: one HTML file that fetches nothing. What is wrong stands at the top, before any data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from reconciler.core.call import canonical
from reconciler.core.config import Target
from reconciler.core.planner import PlannedCall
from reconciler.core.text import count, listing, printable
from reconciler.core.timeline import URGENCY, Standing
from reconciler.errors import Failure, InvalidInput, Problem
from reconciler.render.about import About
from reconciler.render.report_data import Packed, Packing, Row
from reconciler.render.verdict import verdict, verdict_text
from reconciler.render.words import MARKS, WORDS
from reconciler.web import page

SCRIPT = (
    "report-data.js",
    "report-draw.js",
    "report-heat.js",
    "report-details.js",
    "report-view.js",
    "report-input.js",
    "report.js",
)
NEEDS = 200
"""Tables in need that are listed where scripts are off."""
CALLS = 500
"""Calls whose bodies a plan's page shows; JSON has all of them."""
_PROBLEMS = 100
_PRESSED = "inDoubt,held,owed"
_BREAKS = re.compile(r"(?<=[/#._])")
"""Where a line may break within the key of a request."""

Values = dict[str, object]


def report_page(about: About, standings: Iterable[Standing]) -> str:
    """Return the page. Each standing is packed when it comes, and not kept.

    They may come in any order; in that of the page, the first rows need the fewest shards.
    """
    packing = Packing(about.sheet.live)
    for standing in standings:
        packing.add(standing)
    data = packing.end()
    values = {**_top(about, data), **_timelines(about, data), **_bodies(about), **_data(data)}
    return _text("report.html.j2", values, script=SCRIPT)


def failure_page(title: str, failure: Failure, root: str, made_at: str) -> str:
    """Return a page that says why there is none with timelines. `root` is put before the files of problems."""
    problems = failure.problems if isinstance(failure, InvalidInput) else ()
    problems = problems or (Problem("", 0, 0, "", failure.message, failure.hint),)
    values = {"title": title, **_moment(made_at), **_problems(problems, root)}
    return _text("failure.html.j2", values, script=())


def _text(template: str, values: Values, script: tuple[str, ...]) -> str:
    made = page(template, values, style="report.css", script=script)
    return made.encode("utf-8", "replace").decode("utf-8")


def _top(about: About, data: Packed) -> Values:
    sheet = about.sheet
    said = verdict(sheet.plan, sheet.problems, len(sheet.requests), sheet.base)
    heading = "Backfill report" if about.kind == "report" else "Backfill plan"
    return {
        "kind": about.kind,
        "title": printable(" · ".join(part for part in (verdict_text(said), heading, about.name) if part)),
        "heading": heading,
        "name": printable(about.name),
        "verdict": said,
        "base": printable(sheet.base) if sheet.base else None,
        "guards": [printable(guard) for guard in sheet.guards],
        "guards_count": count(len(sheet.guards), "guard"),
        "totals": _totals(about, data),
        "origin": _origin(about),
        **_moment(about.made_at),
        **_problems(sheet.problems, about.root),
    }


def _moment(made_at: str) -> Values:
    return {"made_at": made_at, "made_shown": f"{made_at[:10]} {made_at[11:16]} UTC"}


def _totals(about: About, data: Packed) -> list[Values]:
    summary, rows = about.sheet.plan.summary, data.rows
    known = [row.instances for row in rows if row.instances]
    totals: list[tuple[str, int, str, str]] = [
        ("In doubt", summary.in_doubt, "inDoubt" if summary.in_doubt else "", ""),
        ("Held", summary.held, "held" if summary.held else "", ""),
        ("To make", summary.calls, "owed" if summary.calls else "", ""),
        ("Calls triggered", sum(row.made for row in rows), "", ""),
    ]
    if known:
        asked = f"{sum(asked for _, asked in known):,}"
        totals.append(("Instances triggered", sum(done for done, _ in known), "", asked))
    totals.append(("Tables", len(rows), "", ""))
    return [{"term": term, "value": f"{value:,}", "tone": tone, "of": of} for term, value, tone, of in totals]


def _origin(about: About) -> list[Values]:
    facts: list[Values] = []
    for term, commit in (("manifests", about.manifests), ("state", about.sheet.plan.state)):
        if commit:
            edited = " with edits" if term == "manifests" and about.edited else ""
            facts.append({"term": f"{term} at", "value": commit[:12] + edited, "url": _https(about.link(commit))})
    return facts or [{"term": "state", "value": "none yet", "url": None}]


def _problems(problems: Sequence[Problem], root: str) -> Values:
    ordered = sorted(problems, key=lambda problem: problem.severity == "warning")
    errors = sum(1 for problem in problems if problem.severity == "error")
    kinds = [count(errors, "error")] if errors else []
    kinds += [count(len(problems) - errors, "warning")] if len(problems) > errors else []
    return {
        "problems": [_problem(problem, root) for problem in ordered[:_PROBLEMS]],
        "problems_left": f"{len(ordered) - _PROBLEMS:,}" if len(ordered) > _PROBLEMS else "",
        "problems_title": listing(kinds),
        "problems_stop": errors > 0,
        "problems_tone": "error" if errors else "warning",
    }


def _problem(problem: Problem, root: str) -> Values:
    place = "/".join(part for part in (root, problem.file) if part and problem.file)
    place += f":{problem.line}" if problem.line else ""
    place += f":{problem.column}" if problem.column else ""
    path = f"{problem.path}: " if problem.path else ""
    return {
        "place": printable(place),
        "warning": problem.severity == "warning",
        "message": printable(path + problem.message),
        "hints": [printable(line) for line in problem.hint.splitlines() if line.strip()],
    }


def _timelines(about: About, data: Packed) -> Values:
    rows = data.rows
    return {
        "commits": _base_of(about.link),
        "pressed": _PRESSED if about.kind == "plan" else "",
        "statuses": [
            {
                "key": status,
                "mark": MARKS[status],
                "word": WORDS[status],
                "tables": f"{having:,}",
                "noun": "table" if having == 1 else "tables",
            }
            for at, status in enumerate(URGENCY)
            for having in (sum(row.statuses >> at & 1 for row in rows),)
        ],
        "tables": len(rows),
        "tables_count": count(len(rows), "table"),
        **_clocks(rows),
        "empty": _empty(about),
        "needs": [_need(row) for row in islice((row for row in rows if row.needy), NEEDS)],
        "needs_title": _needs_title(rows),
    }


def _base_of(link: Callable[[str], str | None]) -> str | None:
    """Return what stands before a commit in its address; only https is ever followed."""
    return _https(link(""))


def _https(address: str | None) -> str | None:
    return address if address and address.startswith("https://") else None


def _clocks(rows: Sequence[Row]) -> Values:
    """Say whose wall clock the times are of: short for the axis, and in full."""
    zones: dict[str, set[str]] = {}
    for row in rows:
        zones.setdefault(row.target.time_zone or "not known", set()).add(row.target.name)
    if len(zones) < 2:
        short = f"wall clock of {next(iter(zones), '')}" if zones else ""
        return {"zones": printable(short), "clocks": printable(f"the {short}" if short else "")}
    each = [f"{listing(sorted(names))} {zone}" for zone, names in sorted(zones.items())]
    more = [f"{len(each) - 5:,} others"] if len(each) > 5 else []
    full = f"each target's wall clock: {listing([*each[:5], *more])}"
    return {"zones": "each target's wall clock", "clocks": printable(full)}


def _empty(about: About) -> str:
    if about.kind == "plan":
        return "No table has a call to make, held or in doubt."
    if about.sheet.requests:
        return "There is no table to show."
    return "No manifest asks for anything yet. `reconciler new TABLE` writes the first one."


def _needs_title(rows: Sequence[Row]) -> str:
    many = sum(1 for row in rows if row.needy)
    if not many:
        return "No table needs anybody."
    return f"{count(many, 'table')} in need{f', of which {NEEDS} follow' if many > NEEDS else ''}:"


def _need(row: Row) -> Values:
    doubts, held, owed, reruns, triggered = row.counts
    return {
        "table": printable(row.table),
        "target": printable(row.target.name),
        "owner": printable(", ".join(row.owners)),
        "doubts": f"{doubts:,}",
        "held": f"{held:,}",
        "owed": f"{owed:,}",
        "triggered": f"{reruns + triggered:,}",
    }


def _bodies(about: About) -> Values:
    plan = about.sheet.plan
    calls = plan.calls if about.kind == "plan" else ()
    return {
        "calls": [_body(target, planned) for target, planned in calls[:CALLS]],
        "calls_count": count(len(calls), "call"),
        "calls_left": f"{len(calls) - CALLS:,}" if len(calls) > CALLS else "",
        "digest": plan.digest if about.kind == "plan" else "",
    }


def _body(target: Target, planned: PlannedCall) -> Values:
    call, held = planned.call, planned.held
    return {
        "status": "held" if held else "owed",
        "target": printable(target.name),
        "method": str(call.span.method),
        "body": printable(canonical(call.body)),
        "held": printable(f"{held.because}: {held.message}") if held else "",
        "covers": [printable(f"{cover.table} {canonical(cover.body)}") for cover in call.covers],
        "requests": [_BREAKS.split(printable(key)) for key in call.requests],
        "rerun": printable(", ".join(call.rerun)),
        "approvers": printable(", ".join(call.approved_by)),
    }


def _data(data: Packed) -> Values:
    return {"index": data.index, "shards": data.shards}
