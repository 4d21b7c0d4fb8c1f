"""Lines of a comment that nobody sees, and by which it is found again: whose it is, and what it tells of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

_RUN = re.compile(
    r"^<!-- run (?P<run>[0-9A-Za-z._~%-]+)(?:; pull requests (?P<numbers>[0-9]+(?:, [0-9]+)*))? -->$", re.MULTILINE
)


def root_mark(root: str) -> str:
    """Return the first line of the comment of a root; `root` is its path from the repository's top."""
    return f"<!-- backfill-reconciler: {quote(root or '.', errors='replace')} -->"


def run_mark(run: str, numbers: Sequence[int]) -> str:
    """Return the line of a result that tells of calls: the run that made them, the pull requests that approved them."""
    named = f"; pull requests {', '.join(map(str, numbers))}" if numbers else ""
    return f"<!-- run {quote(run, safe='', errors='replace')}{named} -->"


def read_run_mark(text: str) -> tuple[str, tuple[int, ...]] | None:
    """Return the run, and the pull requests, of the newest result in a text; None where it tells of no calls."""
    found = _RUN.search(text)
    if found is None:
        return None
    return found["run"], tuple(int(number) for number in (found["numbers"] or "").split(", ") if number)
