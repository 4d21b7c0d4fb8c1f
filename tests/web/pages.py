"""Report pages of tables that were built in code."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.plan import Plan
from reconciler.core.timeline import Standing
from reconciler.render.about import About
from reconciler.render.report_page import report_page
from reconciler.render.sheet import Sheet
from tests.web.samples import COMMIT, MADE_AT

FORGE = "https://github.example.org/acme/backfills/commit/"


def report(standings: Sequence[Standing]) -> str:
    """Return the page of a report."""
    requests = {request.key: request for one in standings for request in one.table.requests}
    sheet = Sheet(Plan(COMMIT, tuple(one.plan for one in standings)), requests, {})
    about = About("report", "backfills", "triggers", sheet, MADE_AT, COMMIT, link=lambda commit: FORGE + commit)
    return report_page(about, standings)
