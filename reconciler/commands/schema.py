"""`schema`: the JSON Schema of a kind, for editors and other tools."""

from __future__ import annotations

from typing import Literal

from reconciler.commands.console import Console
from reconciler.errors import ExitCode
from reconciler.manifests.schema import schema_text


def run(kind: Literal["backfill", "config"], console: Console) -> ExitCode:
    """Print the schema as it ships."""
    console.result(schema_text(kind))
    return ExitCode.DONE
