"""The JSON Schemas of manifests and config: their text, and one validator each."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Kind = Literal["backfill", "config"]


@cache
def schema_text(kind: Kind) -> str:
    """Return the JSON Schema of manifests ("backfill") or of the config ("config") as it is shipped."""
    name = f"{kind}.v1.schema.json"
    shipped = files("reconciler").joinpath("schemas", name)
    if shipped.is_file():
        return shipped.read_text("utf-8")
    # In a checkout the schemas lie beside the package, where editors and other repositories find them.
    return (Path(__file__).parents[2] / "schemas" / name).read_text("utf-8")


@cache
def schema(kind: Kind) -> dict[str, object]:
    """Return the JSON Schema of `kind` as a mapping. Callers do not change it."""
    loaded: dict[str, object] = json.loads(schema_text(kind))
    return loaded


@cache
def validator(kind: Kind) -> Draft202012Validator:
    """Return the one validator of `kind`. Slow to make and slow to use: only its words are needed, see `accept`."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(kind))
