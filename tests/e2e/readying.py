"""Repositories made ready: `init` and `new` as their tests and those of CI run them."""

from __future__ import annotations

from pathlib import Path

from reconciler.commands import init
from reconciler.commands.init import InitOptions
from reconciler.commands.terminal import Terminal

COMMIT = "0123456789" * 4
TOOL = f"acme/reconciler@{COMMIT}"


def console() -> Terminal:
    """Return a console with nobody at it."""
    return Terminal(0, lambda _question: False)


def options(folder: Path, root: str = "triggers", **given: object) -> InitOptions:
    """Return options that leave nothing open, but for those that are given."""
    standard: dict[str, object] = {"approvers": ("dana", "@acme/data-platform"), "tool": TOOL, **given}
    return InitOptions(Path(root), folder=folder, **standard)  # type: ignore[arg-type]


def make_ready(folder: Path, root: str = "triggers", **given: object) -> Path:
    """Run `init` in a folder and return the root."""
    init.run(options(folder, root, **given), console())
    return folder / root


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder but git's own, by path."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
