"""The JSON Schemas: whole, strict in every engine, and told by the fast check as jsonschema tells them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.manifests.accept import acceptor, compile_schema
from reconciler.manifests.schema import Kind, schema, schema_text, validator
from reconciler.manifests.typed import Typed, form, typed
from reconciler.manifests.yaml_text import load
from tests.manifests.roots import FULL_CONFIG, MANIFEST, changed

KINDS: tuple[Kind, ...] = ("backfill", "config")
SPEC = ("schedule", "chunk", "order", "dependsOn")
ALL_OF_SPEC = """spec:
  schedule: {every: 1h, from: 2026-01-01 00:30:00}
  chunk: 1d
  order: newestFirst
  dependsOn: [customers, 2026]
"""
GOOD: dict[Kind, str] = {"backfill": changed(MANIFEST, "spec:\n", ALL_OF_SPEC), "config": FULL_CONFIG}


def _schemas(node: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """Yield every mapping of a schema with its path."""
    if isinstance(node, dict):
        yield path, node
        for key, inner in node.items():
            if key not in ("examples", "const"):
                yield from _schemas(inner, f"{path}/{key}")
    elif isinstance(node, list):
        for at, inner in enumerate(node):
            yield from _schemas(inner, f"{path}/{at}")


def _fields(kind: Kind) -> Iterator[tuple[str, dict[str, object]]]:
    for path, node in _schemas(schema(kind)):
        parts = path.split("/")
        named = len(parts) > 1 and parts[-2] == "properties" and "/if/" not in path
        if named or parts[-1] in ("items", "additionalProperties"):
            yield path, node


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_valid_and_says_what_it_is(kind: Kind) -> None:
    Draft202012Validator.check_schema(schema(kind))
    assert json.loads(schema_text(kind)) == schema(kind)
    assert {"$schema", "$id", "title", "description"} <= schema(kind).keys()
    assert validator(kind) is validator(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_type_a_description_and_examples_that_fit(kind: Kind) -> None:
    for path, field in _fields(kind):
        assert {"type", "description", "examples"} <= field.keys(), path
        for example in cast("list[object]", field["examples"]):
            Draft202012Validator(field).validate(example)


@pytest.mark.parametrize("kind", KINDS)
def test_every_mapping_is_closed(kind: Kind) -> None:
    for path, node in _schemas(schema(kind)):
        if node.get("type") == "object":
            assert "additionalProperties" in node, path


@pytest.mark.parametrize("kind", KINDS)
def test_no_pattern_takes_a_newline_at_the_end_or_other_scripts(kind: Kind) -> None:
    for path, node in _schemas(schema(kind)):
        pattern = node.get("pattern")
        if isinstance(pattern, str) and pattern.startswith("^"):
            assert pattern.endswith("$(?!\\n)"), path
            assert not re.search(r"\\[dwsDWS]", pattern), path
            assert {"patternErrorMessage"} <= node.keys(), path
            examples = cast("list[object]", node.get("examples", []))
            for example in (each for each in examples if isinstance(each, str)):
                assert re.search(pattern, example)
                assert not re.search(pattern, example + "\n")


def test_a_keyword_that_the_fast_check_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="uniqueItems"):
        compile_schema({"items": {"uniqueItems": True}})


def test_the_fast_check_needs_all_rules() -> None:
    check = compile_schema({"type": ["integer", "null"], "minimum": 2, "maximum": 4})
    assert [check(value) for value in (1, 2, 4, 5, None, "3", True, 2.5)] == [
        False,
        True,
        True,
        False,
        True,
        False,
        False,
        False,
    ]


@cache
def _good(kind: Kind) -> Typed:
    document = load("a.yaml", GOOD[kind].encode()).documents[0]
    return typed(document.value, document.marks, form(kind))


def _places(value: Typed, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps: list[tuple[str | int, Typed]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    return [path] + [place for step, inner in steps for place in _places(inner, (*path, step))]


VALUES: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.integers(-1, 20_000),
    st.floats(-1, 20, allow_nan=False),
    st.sampled_from(
        [
            "",
            "a",
            "A b",
            "a\n",
            "2026-01-20 00:00:00",
            "embedded",
            "pending",
            "manifest",
            "none",
            "x" * 300,
            "30s",
            "0 0 * * * ?",
            "1 é",
            "oldestFirst",
        ]
    ),
    st.just([]),
    st.just({}),
    st.just(["a", "a"]),
    st.dictionaries(
        st.sampled_from(["env", "file", "value", "name", "rerun", "reason", "timeRange", "every", "from"]),
        st.sampled_from(["A", "1h"]),
        max_size=3,
    ),
)


def _mutate(value: Typed, data: st.DataObject) -> Typed:
    whole: dict[str, Typed] = {"": copy.deepcopy(value)}
    place = data.draw(st.sampled_from(_places(value)))
    holder: Typed = whole
    steps: tuple[str | int, ...] = ("", *place)
    for step in steps[:-1]:
        holder = holder[step]  # type: ignore[index]
    new = cast("Typed", data.draw(VALUES))
    how = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if how == "add" and isinstance(holder, dict):
        holder[
            data.draw(
                st.sampled_from(["env", "file", "rerun", "approvedBy", "timeRange", "Pro d", "pending", "x", *SPEC])
            )
        ] = new
    elif how == "remove" and place:
        del holder[steps[-1]]  # type: ignore[union-attr, arg-type]
    else:
        holder[steps[-1]] = new  # type: ignore[index]
    return whole[""]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_the_fast_check_says_what_jsonschema_says(kind: Kind, data: st.DataObject) -> None:
    value = _good(kind)
    for _ in range(data.draw(st.integers(0, 3))):
        value = _mutate(value, data)
    assert acceptor(kind)(value) == validator(kind).is_valid(value)
