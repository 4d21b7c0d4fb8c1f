"""What a broken rule of the JSON Schema means to the person who wrote the YAML, and the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from reconciler.manifests.marks import Document, Path, is_plain
from reconciler.manifests.quoting import escaped, quoted
from reconciler.manifests.schema import Kind
from reconciler.manifests.typed import Form, Typed

_LITERALS = ("value", "authValue", "auth-value", "authvalue", "token", "password", "secret", "key", "apiKey")
_BARE = re.compile(r"[A-Za-z0-9/][A-Za-z0-9 ._/:@$-]*")
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_BOOLEANS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_APPROVALS: Path = ("approvals", "reruns")
_DOCUMENT = "write a mapping: apiVersion, kind and so on"
# Rule, message, hint; an empty hint stands for the example of the schema.
_RULES = {
    "const": ("{given} is not known here", "write `{wanted}`"),
    "minLength": ("is empty", ""),
    "maxLength": ("has {size} characters, at most {wanted} are allowed", "shorten it"),
    "minItems": ("is an empty list", ""),
    "maxItems": ("has {size} items, at most {wanted} are allowed", "remove some"),
    "minProperties": ("is an empty mapping", ""),
    "maxProperties": ("has {size} keys, at most {wanted} are allowed", "remove some"),
    "minimum": ("{given} is too small", "write {wanted} or more"),
    "maximum": ("{given} is too large", "write {wanted} or less"),
    "exclusiveMinimum": ("{given} is too small", "write more than {wanted}"),
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule of the schema that a value breaks: the value, the rule's keyword, and what the rule wants.

    `says` is the schema's own sentence about it; `of_key` where `given` is a key, not the value at `path`.
    """

    path: Path
    rule: str
    wanted: object
    given: Typed
    says: str
    of_key: bool


@dataclass(frozen=True, slots=True)
class Wrong:
    """One problem: the value's path, the key in it that is meant (None: the value itself), message and hint."""

    path: Path
    key: str | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being explained: a document, its kind, and the form that it should have."""

    document: Document
    kind: Kind
    form: Form


def explain(broken: Broken, subject: Subject) -> Iterable[Wrong]:
    """Return what a broken rule means: one problem, or one for each key."""
    path = broken.path
    given = broken.given if isinstance(broken.given, dict) else {}
    if broken.of_key:
        yield _key_name(broken)
    elif broken.rule == "required":
        yield from (_missing(path, key, subject) for key in _absent(broken.wanted, given))
    elif broken.rule == "dependentRequired":
        yield from _dependents(broken, given, subject)
    elif broken.rule == "additionalProperties":
        known = subject.form.at(path).members
        yield from (_unknown(path, key, subject) for key in given if key not in known)
    elif broken.rule == "oneOf":
        yield _one_of(broken, given)
    elif broken.rule == "type":
        yield _type(broken, subject)
    else:
        yield _value(broken, subject)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` most likely stands for, None where none is near."""
    known = list(known)
    folded = {each.casefold(): each for each in known}
    close = get_close_matches(word.casefold()[:100], folded, 1, 0.6)
    return folded[close[0]] if close else None


def flow(value: object) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    text = str(value)
    return text if _BARE.fullmatch(text) and ": " not in text else json.dumps(text, ensure_ascii=False)


def _absent(wanted: object, given: Mapping[str, Typed]) -> list[str]:
    return [key for key in cast("list[str]", wanted) if key not in given]


def _missing(path: Path, key: str, subject: Subject) -> Wrong:
    example = subject.form.at((*path, key)).example
    return Wrong(path, None, f"`{key}` is missing", f"add it, for example `{key}: {flow(example)}`")


def _dependents(broken: Broken, given: Mapping[str, Typed], subject: Subject) -> Iterable[Wrong]:
    for key, needs in cast("Mapping[str, list[str]]", broken.wanted).items():
        for need in _absent(needs, given) if key in given else ():
            example = flow(subject.form.at((*broken.path, need)).example)
            hint = f"add it, for example `{need}: {example}`, or remove `{key}`"
            yield Wrong(broken.path, key, f"`{key}` needs `{need}` beside it", hint)


def _unknown(path: Path, key: str, subject: Subject) -> Wrong:
    if (_secret(path) or path == _APPROVALS) and key in _LITERALS:
        message = f"`{key}` would be a credential in the repository, which is refused"
        return Wrong(path, key, message, _no_literal(path))
    known = subject.form.at(path).members
    near = nearest(key, known)
    hint = f"did you mean `{near}`?" if near else f"remove it; known here: {', '.join(known)}"
    named = "an unknown key" if _secret(path) else f"unknown key `{escaped(key, 40)}`"
    return Wrong(path, key, named, hint)


def _key_name(broken: Broken) -> Wrong:
    key = str(broken.given)
    if broken.rule == "not":
        message = f"the name `{key}` is taken by the state's own folder"
        return Wrong(broken.path, key, message, "choose another name")
    return Wrong(broken.path, key, f"the name {quoted(key)} is not allowed", f"it {broken.says}")


def _one_of(broken: Broken, given: Mapping[str, Typed]) -> Wrong:
    keys = [each["required"][0] for each in cast("list[dict[str, list[str]]]", broken.wanted)]
    listed = " and ".join(f"`{key}`" for key in keys)
    there = [key for key in given if key in keys]
    if there:
        message, hint = f"only one of {listed} can be given", "keep one of them"
        return Wrong(broken.path, there[-1], message, hint)
    hint = "add " + " or ".join(f"`{key}`" for key in keys)
    return Wrong(broken.path, None, f"one of {listed} is missing", hint)


def _type(broken: Broken, subject: Subject) -> Wrong:
    path, given = broken.path, broken.given
    types = [broken.wanted] if isinstance(broken.wanted, str) else cast("list[str]", broken.wanted)
    wanted = types[0]
    like = _like(given, wanted, path, subject)
    named = "text or a mapping" if {"string", "object"} <= set(types) else _TYPES[wanted]
    if given is None:
        return Wrong(path, None, "has no value", f"{like}; text that looks empty to YAML needs quotes")
    if _secret(path):
        return Wrong(path, None, f"must be {named}; what is there is not shown", _no_literal(path))
    if not isinstance(given, str):
        return Wrong(path, None, f"must be {named}, not {'a list' if isinstance(given, list) else 'a mapping'}", like)
    if wanted == "object":  # it may be anything, a credential too
        return Wrong(path, None, f"must be {named}, not text", like)
    if wanted in ("integer", "number", "boolean") and not is_plain(subject.document.mark(path)):
        return Wrong(path, None, f"{quoted(given)} is text in quotes, but must be {named}", "remove the quotes")
    says = f"is not {named}" if wanted in ("integer", "number", "boolean") else f"is text, but must be {named}"
    return Wrong(path, None, f"{quoted(given)} {says}", like)


def _like(given: Typed, wanted: str, path: Path, subject: Subject) -> str:
    """Return how to write a value of the wrong type: what is meant, where that can be seen, else an example."""
    if wanted == "boolean" and isinstance(given, str) and given.casefold() in _BOOLEANS:
        return f"write `{_BOOLEANS[given.casefold()]}`"
    return f"write it like {flow(subject.form.at(path).example)}" if path else _DOCUMENT


def _value(broken: Broken, subject: Subject) -> Wrong:
    hidden = _secret(broken.path)
    given = (
        "the value"
        if hidden
        else quoted(broken.given)
        if isinstance(broken.given, str)
        else escaped(str(broken.given), 40)
    )
    if broken.rule == "enum":
        message, hint = _enum(broken, given, hidden)
    elif broken.rule == "pattern":
        message, hint = f"{given} {broken.says}", ""
    else:
        says, hint = _RULES.get(broken.rule, ("{given} breaks the schema's rule", ""))
        size = len(broken.given) if isinstance(broken.given, str | list | dict) else 0
        message = says.format(given=given, size=size, wanted=broken.wanted)
        hint = hint.format(wanted=broken.wanted)
    example = flow(subject.form.at(broken.path).example)
    return Wrong(broken.path, None, message, hint or f"write it like {example}")


def _enum(broken: Broken, given: str, hidden: bool) -> tuple[str, str]:
    wanted = cast("list[str]", broken.wanted)
    near = None if hidden else nearest(str(broken.given), wanted)
    hint = f"did you mean `{near}`?" if near else f"write one of {', '.join(wanted)}"
    return f"{given} is none of {', '.join(wanted)}", hint


def _no_literal(path: Path) -> str:
    key = "tokenFrom" if path[:2] == _APPROVALS else "valueFrom"
    return (
        f"write `{key}: {{env: NAME}}` or `{key}: {{file: /path}}`, and treat a credential that was committed as lost"
    )


def _secret(path: Path) -> bool:
    """Say whether a credential may have been written at `path` by mistake."""
    return (path[:1] == ("targets",) and "auth" in path) or path[:3] == (*_APPROVALS, "tokenFrom")
