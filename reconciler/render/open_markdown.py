"""What keeps calls from being made, as Markdown: lowered guards, problems, what is held, what is in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.call import describe
from reconciler.core.ledger import Doubt
from reconciler.core.planner import PlannedCall
from reconciler.core.text import count
from reconciler.errors import Problem
from reconciler.render.blocks import LINE_BREAK, bullets
from reconciler.render.inert import code, fenced
from reconciler.render.plan_text import JOURNAL_COMMAND, NEVER_AGAIN, OR_RERUN, unsettled, verdict_commands
from reconciler.render.report_text import grouped, held_back
from reconciler.render.sheet import joined, size

_MESSAGE = 600
_TABLES = 3


def guards_block(guards: Sequence[str], room: int) -> str:
    """Return what a branch lowers, with a warning sign."""
    if not guards:
        return ""
    title = f"⚠️ **This branch lowers {count(len(guards), 'guard')}**"
    return bullets(title, (code(guard, _MESSAGE) for guard in guards), len(guards), "guard", room)


def problems_block(problems: Sequence[Problem], root: str, room: int) -> str:
    """Return problems, each with its place, what is wrong and the way out; errors come first."""
    if not problems:
        return ""
    ordered = sorted(problems, key=lambda problem: problem.severity == "warning")
    where = "`reconciler validate` shows all"
    return bullets(_kinds(problems), (_problem(p, root) for p in ordered), len(ordered), "problem", room, where)


def _kinds(problems: Sequence[Problem]) -> str:
    errors = sum(1 for problem in problems if problem.severity == "error")
    warnings = len(problems) - errors
    parts = [f"❌ **{count(errors, 'error')}**"] if errors else []
    parts += [f"⚠️ **{count(warnings, 'warning')}**"] if warnings else []
    return ", ".join(parts)


def _problem(problem: Problem, root: str) -> str:
    place = "/".join(part for part in (root, problem.file) if part) or "."
    place += f":{problem.line}:{problem.column}" if problem.line else ""
    word = "warning: " if problem.severity == "warning" else ""
    path = f"{code(problem.path)}: " if problem.path else ""
    hints = [code(line.strip(), _MESSAGE) for line in problem.hint.splitlines()[:5] if line.strip()]
    return LINE_BREAK.join([f"{word}{code(place)} {path}{code(problem.message, _MESSAGE)}", *hints])


def held_block(held: Sequence[PlannedCall], room: int) -> str:
    """Return why calls are held and what to do, the most frequent reason first."""
    groups = grouped(held_back(held))
    if not groups:
        return ""
    title = "#### Held\n\nOwed, but not made until this is settled:"
    items = (f"{count(len(some), 'call')} of {_tables(some)}: {code(why, _MESSAGE)}" for why, some in groups)
    return bullets(title, items, len(groups), "reason", room)


def _tables(names: Sequence[str]) -> str:
    tables = list(dict.fromkeys(names))
    more = len(tables) - _TABLES
    shown = ", ".join(code(name) for name in tables[:_TABLES])
    return f"{shown} and {count(more, 'more table')}" if more > 0 else shown


def doubts_block(doubts: Sequence[Doubt], live: frozenset[str], room: int) -> str:
    """Return what is in doubt and how that ends."""
    if not doubts:
        return ""
    help_text = _help(unsettled(doubts, live))
    items = (" ".join(_doubt(doubt, live)) for doubt in doubts)
    listing = bullets(
        "#### In doubt", items, len(doubts), "call", room - size(help_text), "`reconciler resolve` lists all"
    )
    return joined(listing, help_text).rstrip("\n")


def _doubt(doubt: Doubt, live: frozenset[str]) -> Iterator[str]:
    intent = doubt.intent
    yield f"{code(intent.call.table)} on {code(intent.call.target)}, {describe(intent.call.span)},"
    if intent.call.rerun:
        yield f"rerun {', '.join(code(token) for token in intent.call.rerun[:_TABLES])},"
    yield f"since {code(intent.since)}: call `{intent.call.id}` of run {code(intent.run)} by {code(intent.by)}"
    if intent.call.covers:
        tables = tuple(dict.fromkeys(cover.table for cover in intent.call.covers))
        yield f"and so for {_tables(tables)}, which it covers"
    if intent.run in live:
        yield "(under way: wait for it)"


def _help(ids: Sequence[str]) -> str:
    if not ids:
        return ""
    commands = fenced([JOURNAL_COMMAND, *verdict_commands(ids[0])], "text")
    return joined(" ".join(NEVER_AGAIN), commands, OR_RERUN).rstrip("\n")
