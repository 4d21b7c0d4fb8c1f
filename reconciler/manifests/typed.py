"""Text to numbers, booleans and null, only where the schema asks for them and the YAML has no quotes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias, cast

from reconciler.manifests.marks import ListMarks, MapMarks, Mark, Path, Value
from reconciler.manifests.schema import Kind, schema

Typed: TypeAlias = "int | float | str | list[Typed] | dict[str, Typed] | None"
"""A value after this step: what the schema is checked against."""

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""What stands for nothing where it is written without quotes."""

_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,299})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Form:
    """What the schema says of a value: its types, its members, and an example for hints (None where there is none).

    `numbers` says whether there may be something else than text directly in it.
    """

    types: frozenset[str]
    example: object = None
    members: Mapping[str, Form] = field(default_factory=dict)
    others: Form | None = None
    items: Form | None = None
    numbers: bool = False

    def at(self, path: Path) -> Form:
        """Return the form of the value at `path`; of anything where the schema does not know the way."""
        form: Form = self
        for step in path:
            form = form.item if isinstance(step, int) else form.member(step)
        return form

    def member(self, key: str) -> Form:
        return self.members.get(key) or self.others or _ANYTHING

    @property
    def item(self) -> Form:
        return self.items or _ANYTHING


_ANYTHING = Form(frozenset({"string"}))


@cache
def form(kind: Kind) -> Form:
    """Return the form of a whole document of `kind`."""
    return _form(schema(kind))


def _form(source: Mapping[str, object]) -> Form:
    types = source.get("type", "string")
    members = cast("Mapping[str, Mapping[str, object]]", source.get("properties", {}))
    others, items = source.get("additionalProperties"), source.get("items")
    examples = cast("list[object]", source.get("examples", [None]))
    inside = {key: _form(inner) for key, inner in members.items()}
    other = _form(others) if isinstance(others, dict) else None
    item = _form(items) if isinstance(items, dict) else None
    return Form(
        frozenset([types] if isinstance(types, str) else cast("list[str]", types)),
        examples[0],
        inside,
        other,
        item,
        numbers=any(_is_number(each.types) for each in (*inside.values(), other, item) if each),
    )


def _is_number(types: frozenset[str]) -> bool:
    return "string" not in types and not types.isdisjoint({"boolean", "integer", "number"})


def typed(value: Value, mark: Mark, wanted: Form) -> Typed:
    """Return the value with plain scalars turned into what `wanted` asks for; text that does not fit stays text.

    A plain null (nothing, `~`, `null`) is None wherever it stands: no field means it as text. A field that takes text
    beside other types gets text, so that `0121` does not lose its zero.
    """
    if isinstance(value, str):
        return scalar(value, wanted.types) if isinstance(mark, int) and mark & 1 else value
    if isinstance(value, dict) and isinstance(mark, MapMarks):
        return {key: typed(inner, mark.values[key], wanted.member(key)) for key, inner in value.items()}
    if isinstance(value, list) and isinstance(mark, ListMarks):
        item = wanted.item
        return [typed(inner, at, item) for inner, at in zip(value, mark.items, strict=True)]
    raise TypeError("the marks are of another value")


def scalar(text: str, types: frozenset[str]) -> Typed:
    """Return what a scalar without quotes is where one of `types` is asked for."""
    if text in NULLS:
        return None
    if "string" in types:
        return text
    if "boolean" in types and text in _BOOLEANS:
        return _BOOLEANS[text]
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def dig(value: Typed, *path: str | int) -> Typed:
    """Return the value at `path`, None where there is none."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Typed, *path: str | int) -> str | None:
    """Return the text at `path`, None where there is something else or nothing."""
    found = dig(value, *path)
    return found if isinstance(found, str) else None


def list_at(value: Typed, *path: str | int) -> list[Typed]:
    """Return the list at `path`, an empty one where there is something else or nothing."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def mapping_at(value: Typed, *path: str | int) -> dict[str, Typed]:
    """Return the mapping at `path`, an empty one where there is something else or nothing."""
    found = dig(value, *path)
    return found if isinstance(found, dict) else {}
