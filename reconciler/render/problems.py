"""Problems as text, as JSON, and as GitHub's workflow commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from reconciler.core.text import count, printable
from reconciler.errors import Problem
from reconciler.render.paint import Paint


def problems_text(problems: Iterable[Problem], root: str, paint: Paint) -> str:
    """Return each problem on a line, its hint below it. `root` is put before the files."""
    return "".join(_text(problem, root, paint) for problem in problems)


def how_many(problems: Sequence[Problem]) -> str:
    """Return `8 problems`, or `4 errors and 4 warnings` where there are both."""
    warnings = sum(problem.severity == "warning" for problem in problems)
    if warnings in (0, len(problems)):
        return count(len(problems), "problem")
    return f"{count(len(problems) - warnings, 'error')} and {count(warnings, 'warning')}"


def _text(problem: Problem, root: str, paint: Paint) -> str:
    place = "/".join(part for part in (root, printable(problem.file)) if part)
    if problem.line:
        place += f":{problem.line}:{problem.column}"
    path = f"{problem.path}: " if problem.path else ""
    word = paint.yellow("warning: ") if problem.severity == "warning" else ""
    hint = "".join(f"    {line}\n" for line in problem.hint.splitlines())
    return f"{paint.bold(place)}  {word}{printable(path + problem.message)}\n{hint}"


def problem_fields(problem: Problem) -> dict[str, object]:
    """Return a problem as JSON documents hold it."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
        "severity": problem.severity,
    }


def validation_json(manifests: int, requests: int, problems: Sequence[Problem]) -> str:
    """Return the document of `validate --format json`."""
    return json_text(
        {
            "version": 1,
            "manifests": manifests,
            "requests": requests,
            "problems": [problem_fields(problem) for problem in problems],
        }
    )


def json_text(document: object) -> str:
    """Write a JSON document for people and programs: indented, UTF-8."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def problems_github(problems: Iterable[Problem], root: str) -> str:
    """Return one workflow command a problem, so that GitHub shows it on its line. `root` is relative to the checkout.

    Source: GitHub's page on workflow commands. Data escape `%`, CR and LF; properties `:` and `,` too.
    """
    return "".join(_command(problem, root) for problem in problems)


def _command(problem: Problem, root: str) -> str:
    file = "/".join(part for part in (root, problem.file) if part)
    place = f",line={problem.line},col={problem.column}" if problem.line else ""
    path = f"{problem.path}: " if problem.path else ""
    text = _data(f"{printable(path + problem.message)}\n{problem.hint}".strip())
    return f"::{problem.severity} file={_property(file)}{place},title=backfill-reconciler::{text}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
