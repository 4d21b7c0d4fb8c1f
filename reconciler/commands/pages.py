"""Pages as commands make them: what a page is about, where it goes, and what is said when it is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from reconciler.commands.console import Console
from reconciler.commands.identity import commit_url
from reconciler.commands.state import Gathered
from reconciler.core.text import count
from reconciler.core.timeline import Standing
from reconciler.errors import Failure, UsageFailure
from reconciler.render.about import About
from reconciler.render.sheet import Sheet
from reconciler.state.checkout import Checkout


def about(kind: Literal["report", "plan"], found: Gathered, sheet: Sheet, checkout: Checkout, root: Path) -> About:
    """Return what a page is about, as of this moment."""
    return About(
        kind=kind,
        name=_name(checkout, os.environ),
        root=os.fspath(root),
        sheet=sheet,
        made_at=moment(),
        manifests=checkout.git.commit_of("HEAD"),
        edited=bool(checkout.uncommitted(found.planner.manifests.files)),
        link=lambda commit: commit_url(commit, os.environ),
    )


def in_order(standings: Iterable[Standing]) -> tuple[Standing, ...]:
    """Return tables as pages show them: those in need first, then by target and name."""
    return tuple(sorted(standings, key=lambda one: one.rank))


def moment() -> str:
    """Return the present moment in UTC."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _name(checkout: Checkout, environ: Mapping[str, str]) -> str:
    """Return what people call the repository: its path on the forge where CI says it, its folder otherwise."""
    return environ.get("GITHUB_REPOSITORY") or environ.get("CI_PROJECT_PATH") or checkout.git.top.resolve().name


def refuse_terminal(out: Path | None, example: str) -> None:
    """Raise UsageFailure where a page would be poured over a terminal."""
    if out is None and sys.stdout.isatty():
        raise UsageFailure("a page is for a browser, not for a terminal", f"name a file: {example}")


def write_failure(title: str, failure: Failure, root: Path, out: Path | None, console: Console) -> None:
    """Write a page that says why there is none with timelines."""
    from reconciler.render.report_page import failure_page

    text = failure_page(title, failure, os.fspath(root), moment())
    if out is None:
        console.result(text)
    else:
        console.save(out, text)


def write(out: Path | None, text: str, tables: int, console: Console) -> None:
    """Write a page, and say where it is and how large."""
    if out is None:
        console.result(text)
        return
    console.save(out, text)
    size = len(text.encode())
    if out.is_file() and out.stat().st_size == size:  # trouble with it is told at the end
        console.message(f"Wrote {out} ({count(tables, 'table')}, {_bytes(size)})")


def _bytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} kB"
