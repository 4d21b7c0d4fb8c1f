"""Problems as text, JSON and workflow commands; what came from outside stays inert."""

from __future__ import annotations

import json

from reconciler.errors import Problem
from reconciler.render.paint import PLAIN, Paint
from reconciler.render.problems import how_many, problems_github, problems_text, validation_json

PROBLEM = Problem(
    "sales/a.yaml", 14, 20, "spec.requests[1].timeRange", "endTime is before startTime", "swap the two times"
)
NASTY = Problem("a,b:c%.yaml", 1, 2, "", "x\n::error::owned \x1b[2K 100%", "y\r\n##[group]", "warning")


def test_text_gives_place_problem_and_way_out() -> None:
    assert problems_text([PROBLEM], "triggers", PLAIN) == (
        "triggers/sales/a.yaml:14:20  spec.requests[1].timeRange: endTime is before startTime\n    swap the two times\n"
    )


def test_a_warning_says_that_it_is_one() -> None:
    assert "warning: " in problems_text([NASTY], "", PLAIN)


def test_errors_and_warnings_are_counted_apart_where_there_are_both() -> None:
    assert how_many([PROBLEM, PROBLEM, NASTY]) == "2 errors and 1 warning"
    assert how_many([PROBLEM, PROBLEM]) == "2 problems"


def test_text_from_outside_stays_on_its_line() -> None:
    text = problems_text([NASTY], "triggers", PLAIN)
    assert text.splitlines()[0].endswith("x\\n::error::owned \\x1b[2K 100%")
    assert "\x1b" not in text
    assert "\x1b[1m" in problems_text([NASTY], "triggers", Paint(enabled=True))


def test_github_gets_one_command_a_problem_with_everything_escaped() -> None:
    lines = problems_github([PROBLEM, NASTY], "triggers").splitlines()
    assert lines[0] == (
        "::error file=triggers/sales/a.yaml,line=14,col=20,title=backfill-reconciler"
        "::spec.requests[1].timeRange: endTime is before startTime%0Aswap the two times"
    )
    assert len(lines) == 2
    assert lines[1].startswith("::warning file=triggers/a%2Cb%3Ac%25.yaml,line=1,col=2,")


def test_json_has_the_documented_keys_and_nothing_else() -> None:
    document = json.loads(validation_json(3, 7, [PROBLEM]))
    assert document.keys() == {"version", "manifests", "requests", "problems"}
    assert document["problems"] == [
        {
            "file": "sales/a.yaml",
            "line": 14,
            "column": 20,
            "path": "spec.requests[1].timeRange",
            "message": "endTime is before startTime",
            "hint": "swap the two times",
            "severity": "error",
        }
    ]
