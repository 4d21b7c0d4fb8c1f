"""A plan as Markdown, for a reviewer's five seconds: a headline, what stands in the way, then tables and bodies.

It takes at most `ROOM` bytes. The headline, the digest and a pointer for whatever was cut always stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import Failure, InvalidInput, Problem
from reconciler.render.calls_markdown import bodies_block, reruns_block, targets_block
from reconciler.render.chart import chart
from reconciler.render.headline import headline
from reconciler.render.inert import code
from reconciler.render.open_markdown import doubts_block, guards_block, held_block, problems_block
from reconciler.render.sheet import ROOM, Sheet, joined, size

_LONGEST = 2_000


def plan_markdown(sheet: Sheet) -> str:
    """Return the plan. What a reviewer must not miss finds room first, then the tables, then the bodies."""
    plan = sheet.plan
    calls = plan.calls
    top = [
        f"### {headline(sheet)}{_guards(sheet)}",
        f"What this branch adds to {code(sheet.base)}." if sheet.base else "",
        guards_block(sheet.guards, 3_000),
        problems_block(sheet.problems, "", 8_000),
    ]
    reruns = reruns_block(sheet, calls, 9_000)
    middle = [
        held_block(plan.held, 6_000),
        doubts_block(plan.doubts, sheet.live, 6_000),
        chart(calls, sheet.standings),
    ]
    digest = f"<sub>Plan <code>{plan.digest}</code></sub>"
    room = ROOM - sum(size(block) for block in (*top, reruns, *middle, digest))
    tables = targets_block(sheet, calls, room * 2 // 3)
    bodies = bodies_block(calls, room - size(tables))
    return joined(*top, reruns, tables, *middle, bodies, digest)


def _guards(sheet: Sheet) -> str:
    """Return what a headline must not hide: that a branch that calls nothing changes what guards all calls."""
    return "; ⚠️ what guards them changes" if sheet.guards else ""


def problems_markdown(problems: Sequence[Problem], root: str) -> str:
    """Return the problems of manifests of which no plan could be made. `root` is put before the files."""
    return joined("### No plan: the manifests are not valid", problems_block(problems, root, ROOM - 200))


def failure_markdown(headline: str, failure: Failure, root: str) -> str:
    """Return why there is neither a plan nor a result; `root` is put before the files of problems."""
    if isinstance(failure, InvalidInput) and failure.problems:
        return problems_markdown(failure.problems, root)
    hint = f"\\\n{code(failure.hint, _LONGEST)}" if failure.hint else ""
    return joined(f"### {headline}", f"⚠️ {code(failure.message, _LONGEST)}{hint}")
