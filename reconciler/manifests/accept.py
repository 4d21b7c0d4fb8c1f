"""A fast verdict on a document: does it fit its JSON Schema? Says yes or no, and nothing about why.

Knows the keywords that the two schemas use and agrees with jsonschema on them, at a tenth of its time and without
its import. A keyword that it does not know is an error when the schema is compiled, never a silent yes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from functools import cache
from typing import cast

from reconciler.manifests.schema import Kind, schema

Check = Callable[[object], object]
"""What it returns is true where the value fits."""

Schema = Mapping[str, object]

_ANNOTATIONS = frozenset({"$schema", "$id", "title", "description", "examples", "patternErrorMessage"})
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_ALL = frozenset(each for some in _TYPES.values() for each in some)
_SHAPES = 1000
"""Of how many sets of keys a mapping's checks are kept at once: names of labels, say, are anyone's choice."""


@cache
def acceptor(kind: Kind) -> Check:
    """Return the function that says whether a typed document fits the schema of `kind`."""
    return compile_schema(schema(kind))


def compile_schema(source: Schema) -> Check:
    """Make a check of a schema. Raises ValueError for a keyword that is not known here."""
    for keyword in source:
        if keyword not in _KEYWORDS and keyword not in _ANNOTATIONS and keyword not in _TOGETHER:
            raise ValueError(f"the keyword {keyword} is not known to the fast check")
    checks = {kind: _of_type(source, kind) for kind in _types(source)}
    if len(checks) == 1:
        ((only, inner),) = checks.items()
        return lambda value: type(value) is only and inner(value)
    get = checks.get
    return lambda value: get(type(value), _never)(value)


def _never(_: object) -> bool:
    return False


def _always(_: object) -> bool:
    return True


def _types(source: Schema) -> frozenset[type]:
    wanted = source.get("type")
    names = [wanted] if isinstance(wanted, str) else _texts(wanted or list(_TYPES))
    return frozenset(each for name in names for each in _TYPES[name])


def _of_type(source: Schema, kind: type) -> Check:
    """Make the check for values of one type, of the keywords that say something about these."""
    checks = [
        make(source[keyword])
        for keyword, (make, about) in _KEYWORDS.items()
        if keyword in source and kind in about and not (kind is dict and _about_keys(keyword, source[keyword]))
    ]
    if kind is dict:
        checks.append(_members(source))
    if "if" in source:
        checks.append(_conditional(source))
    return _all(checks)


def _all(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]
    if len(checks) == 2:
        first, second = checks
        return lambda value: first(value) and second(value)
    fixed = tuple(checks)

    def check(value: object) -> bool:
        for each in fixed:  # noqa: SIM110 - `all` with a generator takes twice as long
            if not each(value):
                return False
        return True

    return check


def _about_keys(keyword: str, wanted: object) -> bool:
    """Say whether a rule of a mapping looks at nothing but its keys."""
    if keyword == "oneOf":
        return all(inner.keys() == {"required"} for inner in cast("list[Schema]", wanted))
    return keyword in _OF_KEYS


def _members(source: Schema) -> Check:
    """Make the check of a mapping's keys and members. What its keys alone decide is found out once for equal keys."""
    named = {key: compile_schema(inner) for key, inner in _schemas(source.get("properties", {})).items()}
    rest = source.get("additionalProperties", True)
    others: Check = compile_schema(rest) if isinstance(rest, dict) else _always if rest is True else _never
    about_keys = [_KEYWORDS[keyword][0](wanted) for keyword, wanted in source.items() if _about_keys(keyword, wanted)]
    fit = _all(about_keys)
    shapes: dict[tuple[str, ...], tuple[Check, ...] | None] = {}

    def shape_of(value: dict[str, object]) -> tuple[Check, ...] | None:
        found = tuple(named.get(key, others) for key in value) if fit(value) else None
        if len(shapes) < _SHAPES:
            shapes[tuple(value)] = found
        return found

    def check(mapping: object) -> bool:
        value = cast("dict[str, object]", mapping)
        keys = tuple(value)
        members = shapes[keys] if keys in shapes else shape_of(value)
        if members is None:
            return False
        for each, member in zip(members, value.values(), strict=True):  # noqa: SIM110 - as above
            if not each(member):
                return False
        return True

    return check


def _conditional(source: Schema) -> Check:
    condition = compile_schema(cast("Schema", source["if"]))
    then = compile_schema(cast("Schema", source.get("then", {})))
    otherwise = compile_schema(cast("Schema", source.get("else", {})))
    return lambda value: then(value) if condition(value) else otherwise(value)


def _pattern(wanted: object) -> Check:
    return cast("Check", re.compile(str(wanted)).search)


def _required(wanted: object) -> Check:
    keys = frozenset(_texts(wanted))
    return lambda value: keys <= cast("dict[str, object]", value).keys()


def _dependent(wanted: object) -> Check:
    needs = {key: _required(others) for key, others in cast("Mapping[str, object]", wanted).items()}
    return lambda value: all(need(value) for key, need in needs.items() if key in cast("dict[str, object]", value))


def _items(wanted: object) -> Check:
    check = compile_schema(cast("Schema", wanted))
    return lambda value: all(map(check, cast("list[object]", value)))


def _names(wanted: object) -> Check:
    check = compile_schema(cast("Schema", wanted))
    return lambda value: all(map(check, cast("dict[str, object]", value)))


def _one_of(wanted: object) -> Check:
    checks = [compile_schema(inner) for inner in cast("list[Schema]", wanted)]
    return lambda value: sum(map(bool, (check(value) for check in checks))) == 1


def _not(wanted: object) -> Check:
    check = compile_schema(cast("Schema", wanted))
    return lambda value: not check(value)


def _least(wanted: object) -> Check:
    bound = cast("int", wanted)
    return lambda value: len(cast("Sized", value)) >= bound


def _most(wanted: object) -> Check:
    bound = cast("int", wanted)
    return lambda value: len(cast("Sized", value)) <= bound


def _bound(fits: Callable[[float, float], bool]) -> Callable[[object], Check]:
    def make(wanted: object) -> Check:
        bound = cast("float", wanted)
        return lambda value: fits(cast("float", value), bound)

    return make


def _texts(value: object) -> list[str]:
    return cast("list[str]", value)


def _schemas(value: object) -> dict[str, Schema]:
    return cast("dict[str, Schema]", value)


_TOGETHER = frozenset({"type", "properties", "additionalProperties", "if", "then", "else"})
_OF_KEYS = frozenset({"required", "dependentRequired", "propertyNames", "minProperties", "maxProperties"})
_TEXT, _LIST, _MAPPING = frozenset({str}), frozenset({list}), frozenset({dict})
_NUMBER = frozenset({int, float})
# How to make a keyword's check, and the types that it says something about.
_KEYWORDS: dict[str, tuple[Callable[[object], Check], frozenset[type]]] = {
    "const": (lambda wanted: lambda value: value == wanted, _ALL),
    "enum": (lambda wanted: lambda value: value in cast("list[object]", wanted), _ALL),
    "pattern": (_pattern, _TEXT),
    "required": (_required, _MAPPING),
    "dependentRequired": (_dependent, _MAPPING),
    "items": (_items, _LIST),
    "propertyNames": (_names, _MAPPING),
    "oneOf": (_one_of, _ALL),
    "not": (_not, _ALL),
    "minLength": (_least, _TEXT),
    "maxLength": (_most, _TEXT),
    "minItems": (_least, _LIST),
    "maxItems": (_most, _LIST),
    "minProperties": (_least, _MAPPING),
    "maxProperties": (_most, _MAPPING),
    "minimum": (_bound(lambda value, bound: value >= bound), _NUMBER),
    "maximum": (_bound(lambda value, bound: value <= bound), _NUMBER),
    "exclusiveMinimum": (_bound(lambda value, bound: value > bound), _NUMBER),
}
