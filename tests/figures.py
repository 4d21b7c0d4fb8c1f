"""What the tests proved, in figures: a table at the end of a run, of the tests that are marked with a claim.

A test says `@pytest.mark.claim("…")`, and through the fixture `tried` how many cases it had, of how many that there
are. Tests of one claim are added up; a claim holds where all of them passed. A fixture that looks after a promise in
every test that uses it says so in the test's user properties, as ("also", claim).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

Tried = Callable[..., None]


@dataclass(slots=True)
class _Claim:
    """All reports of one claim: cases tried, of how many (0 where there is no such number), seconds, outcomes."""

    cases: int = 0
    of: int = 0
    seconds: float = 0.0
    outcomes: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def add(self, report: pytest.TestReport, facts: Mapping[str, object]) -> None:
        self.cases += int(str(facts.get("cases", 1)))
        self.of = max(self.of, int(str(facts.get("of", 0))))
        self.seconds += report.duration
        self.outcomes.add(report.outcome)
        note = str(facts.get("note", ""))
        self.notes += [note] if note and note not in self.notes else []

    def line(self, text: str) -> str:
        cases = f"{self.cases} of {self.of}" if self.of else str(self.cases)
        verdict = "FAILED" if "failed" in self.outcomes else "held" if "passed" in self.outcomes else "skipped"
        return f"{text:<96} {cases:>14} {verdict:>8} {self.seconds:>7.0f} s  {'; '.join(self.notes)}".rstrip()


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Tried:
    """Say how many cases a test tried, of how many that there are, and what else is worth a figure."""

    def say(cases: int, *, of: int = 0, note: str = "") -> None:
        for name, value in (("cases", cases), ("of", of), ("note", note)):
            record_property(name, value)

    return say


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "claim(text): the promise that this test holds figures for")


def pytest_runtest_setup(item: pytest.Item) -> None:
    marker = item.get_closest_marker("claim")
    if marker is not None:
        item.user_properties.append(("claim", marker.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    claims: dict[str, _Claim] = {}
    for outcome in ("passed", "failed", "skipped", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            facts = dict(report.user_properties) if isinstance(report, pytest.TestReport) else {}
            if "claim" in facts:
                claims.setdefault(str(facts["claim"]), _Claim()).add(report, facts)
            if "also" in facts:
                claims.setdefault(str(facts["also"]), _Claim()).add(report, {})
    if claims:
        terminalreporter.section("figures")
        for text in sorted(claims):
            terminalreporter.write_line(claims[text].line(text))
