"""What an apply says: its plan, then what became of it, as text, JSON or Markdown, to the terminal or to a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.identity import commit_url
from reconciler.commands.sheets import sheet_of
from reconciler.commands.state import Gathered, tell_blocked, tell_settlement
from reconciler.core.ledger import Doubt
from reconciler.core.report import Report
from reconciler.errors import Failure, InvalidInput
from reconciler.render.plan_json import nothing_document, problems_document, report_document
from reconciler.render.plan_markdown import failure_markdown
from reconciler.render.plan_text import plan_text
from reconciler.render.problems import json_text, problems_text
from reconciler.render.report_markdown import report_markdown
from reconciler.render.report_text import held_sentence, report_text


@dataclass(frozen=True, slots=True)
class Results:
    """Where results go. With `out` they go there in `format`, and the terminal shows text all the same."""

    console: Console
    root: Path
    format: str
    out: Path | None

    @property
    def text(self) -> bool:
        """Say whether the terminal shows text."""
        return self.format == "text" or self.out is not None

    def plan(self, found: Gathered) -> None:
        """Show what is going to be done."""
        self.console.warning(problems_text(found.problems, os.fspath(self.root), self.console.paint.off()))
        tell_settlement(found.settlement, self.console)
        if self.text:
            paint, verbose = self.console.paint, self.console.verbose
            self.console.result(plan_text(found.plan, paint, verbose=verbose, live=found.live))
        tell_blocked(found, self.console)

    def nothing(self, found: Gathered) -> None:
        """Give the result of an apply that had nothing to do."""
        if found.plan.held and self.text:
            self.console.message(held_sentence(found.plan.held))
        if self.format == "json":
            self._give(json_text(nothing_document(found.plan, found.problems)))
        elif self.format == "markdown":
            report = Report("", found.plan.state, ())
            self._give(report_markdown(sheet_of(found), report, found.branch.where, None, found.plan.doubts))
        elif self.out:
            self._give(plan_text(found.plan, self.console.paint.off(), verbose=False, live=found.live))

    def report(self, found: Gathered, report: Report, left: Sequence[Doubt]) -> None:
        """Give the result of an apply; `left` is all that is in doubt in the end."""
        text = report_text(found.plan, report, found.branch.where, left)
        if self.text:
            self.console.result(text)
        if self.format == "json":
            self._give(json_text(report_document(found.plan, report, found.problems)))
        elif self.format == "markdown":
            url = commit_url(report.commit, os.environ) if report.commit and found.branch.pushes else None
            self._give(report_markdown(sheet_of(found), report, found.branch.where, url, left))
        elif self.out:
            self._give(text)

    def failed(self, failure: Failure) -> None:
        """Give the result of an apply that ended before it made a call; the failure itself is told elsewhere."""
        problems = failure.problems if isinstance(failure, InvalidInput) else ()
        if self.format == "json" and problems:
            self._give(json_text({**problems_document(problems), "run": None, "commit": None}))
        elif self.format == "markdown":
            self._give(failure_markdown("Nothing was triggered", failure, os.fspath(self.root)))

    def _give(self, text: str) -> None:
        if self.out:
            self.console.save(self.out, text)
        else:
            self.console.result(text)
