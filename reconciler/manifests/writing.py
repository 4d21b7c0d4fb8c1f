"""Requests to YAML text: what `new` writes, and single values for other files. The loader has the last word on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Plain text that no YAML parser takes for anything else, in a flow collection either.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
# An interval as messages call it, or as YAML writes it.
_INTERVAL = re.compile(r"(?:every +)?([1-9][0-9]{0,8}[smhdw])(?: +from +([0-9 :-]+))?", re.IGNORECASE)
_EVERY = re.compile(r"\{ *every: *([1-9][0-9]{0,8}[smhdw]) *(?:, *from: *\"?([0-9 :-]+)\"? *)?\}")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest of one request, as somebody typed it; None is left out. Either `start` and `end`, or `at`.

    A `schedule` that is an interval (`1h`, `every 1h`) is written as one, any other text as a cron expression.
    """

    name: str
    table: str
    target: str | None = None
    owner: str | None = None
    rerun: str | None = None
    reason: str | None = None
    start: str | None = None
    end: str | None = None
    at: tuple[str, ...] = ()
    schedule: str | None = None


def scalar(text: str) -> str:
    """Write a value as YAML, plain where that is safe and in double quotes elsewhere, as JSON does it."""
    if _TIME.fullmatch(text) or (_PLAIN.fullmatch(text) and text.casefold() not in _WORDS):
        return text
    return json.dumps(text, ensure_ascii=False)


def flow_list(texts: Iterable[str]) -> str:
    """Write a list on one line."""
    return f"[{', '.join(map(scalar, texts))}]"


def manifest_text(draft: Draft, schema: str | None) -> str:
    """Write a manifest; `schema` is what the editor's line points to, None for none."""
    lines = [
        *([f"# yaml-language-server: $schema={schema}"] if schema else []),
        "apiVersion: reconciler/v1",
        "kind: Backfill",
        "metadata:",
        *_fields("  ", ("name", draft.name), ("owner", draft.owner)),
        "spec:",
        *_fields("  ", ("target", draft.target), ("tableName", draft.table)),
        *([f"  schedule: {_schedule(draft.schedule)}"] if draft.schedule is not None else []),
        "  requests:",
    ]
    request = [*_fields("", ("rerun", draft.rerun), ("reason", draft.reason)), _times(draft)]
    lines += [f"    {'-' if number == 0 else ' '} {line}" for number, line in enumerate(request)]
    return "\n".join(lines) + "\n"


def _fields(indent: str, *fields: tuple[str, str | None]) -> Iterator[str]:
    return (f"{indent}{key}: {scalar(value)}" for key, value in fields if value is not None)


def _schedule(text: str) -> str:
    interval = _INTERVAL.fullmatch(text.strip()) or _EVERY.fullmatch(text.strip())
    if interval is None:
        return scalar(text)
    step, origin = interval.groups()
    return "{every: " + step.lower() + (f", from: {scalar(origin.strip())}" if origin else "") + "}"


def _times(draft: Draft) -> str:
    if draft.at:
        return f"scheduleTimes: {flow_list(draft.at)}"
    return f"timeRange: {{startTime: {scalar(draft.start or '')}, endTime: {scalar(draft.end or '')}}}"
