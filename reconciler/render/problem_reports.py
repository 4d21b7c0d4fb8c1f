"""Problems as other programs read them: SARIF for code scanning, and GitLab's code quality report."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from reconciler import __version__
from reconciler.core.text import printable
from reconciler.errors import Problem
from reconciler.render.problems import json_text

_RULES = {"error": "invalid", "warning": "doubtful"}
_SAYS = {
    "invalid": "A manifest, the config or a state file is not valid",
    "doubtful": "A manifest or the config may not say what is meant",
}
_SEVERITIES = {"error": "critical", "warning": "minor"}


def problems_sarif(problems: Sequence[Problem], root: str) -> str:
    """Return a SARIF 2.1.0 log with a result a problem. `root` is the root's path from the repository's top.

    Source: the OASIS standard SARIF 2.1.0, and GitHub's page on the part of it that code scanning reads.
    """
    rules = [
        {"id": rule, "shortDescription": {"text": _SAYS[rule]}, "defaultConfiguration": {"level": level}}
        for level, rule in _RULES.items()
    ]
    results = [
        {
            "ruleId": _RULES[problem.severity],
            "level": problem.severity,
            "message": {"text": _without_links(_words(problem))},
            "locations": [{"physicalLocation": _location(problem, root)}],
            "partialFingerprints": {"problem/v1": fingerprint},
        }
        for problem, fingerprint in _fingerprints(problems)
    ]
    driver = {"name": "backfill-reconciler", "version": __version__, "rules": rules}
    return json_text(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
        }
    )


def problems_gitlab(problems: Sequence[Problem], root: str) -> str:
    """Return GitLab's code quality report, an item a problem. `root` is the root's path from the repository's top.

    Source: GitLab's page on code quality, "Code Quality report format".
    """
    return json_text(
        [
            {
                "description": _words(problem),
                "check_name": f"reconciler-{_RULES[problem.severity]}",
                "fingerprint": fingerprint,
                "severity": _SEVERITIES[problem.severity],
                "location": {"path": _path(problem, root), "lines": {"begin": max(problem.line, 1)}},
            }
            for problem, fingerprint in _fingerprints(problems)
        ]
    )


def _words(problem: Problem) -> str:
    path = f"{problem.path}: " if problem.path else ""
    hint = f" ({'; '.join(problem.hint.splitlines())})" if problem.hint else ""
    return printable(f"{path}{problem.message}{hint}")


def _without_links(text: str) -> str:
    """Break what SARIF reads as a link in a message's text: `[words](target)`."""
    return text.replace("](", "] (")


def _location(problem: Problem, root: str) -> dict[str, object]:
    region = {"startLine": max(problem.line, 1), **({"startColumn": problem.column} if problem.column else {})}
    return {"artifactLocation": {"uri": quote(_path(problem, root))}, "region": region}


def _path(problem: Problem, root: str) -> str:
    return "/".join(part for part in (root, problem.file) if part) or "."


def _fingerprints(problems: Iterable[Problem]) -> Iterable[tuple[Problem, str]]:
    """Yield each problem with a name that stays when lines move: equal ones in one file are counted."""
    seen: Counter[str] = Counter()
    for problem in problems:
        what = "\0".join((problem.file, problem.path, problem.message))
        yield problem, hashlib.sha256(f"{what}\0{seen[what]}".encode("utf-8", "surrogateescape")).hexdigest()
        seen[what] += 1
