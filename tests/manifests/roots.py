"""Roots for the tests: a config and a manifest that are good, and a short way to read them."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import Problem
from reconciler.manifests.root import Reading, read_root

EXAMPLES = Path(__file__).parent
SECRET = "S3CRET-463663891121963008"
"""The credential that bad configs of the examples hold."""

CONFIG = (EXAMPLES / "config_good" / "minimal-embedded.yaml").read_text("utf-8")
FULL_CONFIG = (EXAMPLES / "config_good" / "full.yaml").read_text("utf-8")
MANIFEST = (EXAMPLES / "good" / "ours-full.yaml").read_text("utf-8")


def read(config: str = CONFIG, **manifests: str) -> Reading:
    """Read a root; the name of each manifest's file is that of the argument, with `.yaml`."""
    files = {f"{name}.yaml": text.encode() for name, text in manifests.items()}
    return read_root({"reconciler.yaml": config.encode(), **files})


def changed(text: str, old: str, new: str) -> str:
    """Return `text` with `old`, which it must hold, replaced once."""
    assert old in text, f"{old!r} is not in the example"
    return text.replace(old, new, 1)


def only(reading: Reading) -> Problem:
    """Return the one problem of a reading."""
    assert len(reading.problems) == 1, reading.problems
    return reading.problems[0]
