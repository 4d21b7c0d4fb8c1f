"""Problems for code scanning and code quality: the documented shape, inert text, fingerprints that stay."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from reconciler.errors import Problem
from reconciler.render.problem_reports import problems_gitlab, problems_sarif

PROBLEM = Problem("sales/a b.yaml", 14, 20, "spec.requests[1]", "endTime is before startTime", "swap the two times")
ROOTLESS = Problem("", 0, 0, "", "the root holds no manifests", "write one", "warning")
NASTY = Problem("x.yaml", 1, 1, "", "[click](https://evil) \x1b[2K \u202e @acme/all\n::error::x", "")


def _results(*problems: Problem) -> list[dict[str, Any]]:
    log = json.loads(problems_sarif(problems, "triggers"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    results: list[dict[str, Any]] = run["results"]
    assert all(result["ruleId"] in rules for result in results)
    return results


def test_sarif_has_a_result_a_problem_at_its_place() -> None:
    (result,) = _results(PROBLEM)
    assert result["level"] == "error"
    assert result["message"]["text"] == "spec.requests[1]: endTime is before startTime (swap the two times)"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "triggers/sales/a%20b.yaml"
    assert place["region"] == {"startLine": 14, "startColumn": 20}


def test_a_problem_without_a_line_is_put_on_the_first() -> None:
    (result,) = _results(ROOTLESS)
    assert result["level"] == "warning"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "triggers"},
        "region": {"startLine": 1},
    }


def test_no_problem_is_a_log_without_results() -> None:
    assert _results() == []
    assert json.loads(problems_gitlab((), "triggers")) == []


def test_text_from_outside_makes_no_link_and_no_control_character() -> None:
    text = _results(NASTY)[0]["message"]["text"]
    assert "](" not in text
    assert text.isprintable()
    assert json.loads(problems_gitlab([NASTY], ""))[0]["description"].isprintable()


def test_gitlab_gets_the_fields_that_it_reads() -> None:
    (item,) = json.loads(problems_gitlab([PROBLEM], "triggers"))
    assert item.pop("fingerprint")
    assert item == {
        "description": "spec.requests[1]: endTime is before startTime (swap the two times)",
        "check_name": "reconciler-invalid",
        "severity": "critical",
        "location": {"path": "triggers/sales/a b.yaml", "lines": {"begin": 14}},
    }


def test_fingerprints_stay_when_lines_move_and_differ_for_equal_problems() -> None:
    one, two = (item["fingerprint"] for item in json.loads(problems_gitlab([PROBLEM, PROBLEM], "")))
    (moved,) = json.loads(problems_gitlab([replace(PROBLEM, line=99)], ""))
    assert one != two
    assert moved["fingerprint"] == one
