"""What a sound file says, as bytes: for the cache, and for what the other core has read.

JSON, of which nothing but plain values can be made. The file's path is no part of it, so a file that was moved is
found again; nor are the config's limits where the manifest writes none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from sys import intern
from typing import cast

from reconciler.cache import key_of
from reconciler.core.config import Config, Limits
from reconciler.core.request import Place, Request, Rerun, new_request
from reconciler.core.schedule import Every
from reconciler.core.window import Windows
from reconciler.manifests.backfill import Manifest, Times, prefix_of, windows_of
from reconciler.manifests.cron import Cron, read_cron
from reconciler.manifests.rules import UNWRITTEN, Written
from reconciler.manifests.schedule import ScheduleText

Entry = tuple[str, int, "int | list[int]", "str | None", "list[str] | None", int, int, int]
"""A request: name, first second, end or else the times that are listed, reason, token and approvers, place."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().decode


def context_of(config: Config) -> bytes:
    """Return what manifests are read with, as a part of the key of a record: as little of the config as that needs."""
    approvals = type(config.approvals).__name__
    read_with = (sorted(config.targets), config.default_target, _fields(config.limits), approvals)
    return _encode(read_with).encode()


def record_key(context: bytes, data: bytes) -> bytes:
    """Return the key of what a file says whose content is `data`."""
    return key_of(context, data)


def encode(manifests: Sequence[Manifest], config: Config) -> bytes:
    """Return what a sound file says: its manifests, none of which had a problem. There is no newline in it."""
    return _encode([_written(manifest, len(manifests) == 1, config) for manifest in manifests]).encode()


def decode(record: bytes, file: str, config: Config) -> list[Manifest] | None:
    """Return what a file says from its record; None where that is none."""
    try:
        documents = cast("list[list[object]]", _decode(record.decode()))
        return [_read(document, len(documents) == 1, file, config) for document in documents]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _written(manifest: Manifest, alone: bool, config: Config) -> list[object]:
    first, rules = manifest.requests[0], manifest.written
    start = len(prefix_of(first.place.file, first.manifest, alone))
    limits = None if first.limits == config.limits else _fields(first.limits)
    entries = [_entry(request, times, start) for request, times in zip(manifest.requests, manifest.times, strict=True)]
    said = None if rules is UNWRITTEN else _rules(rules)
    return [manifest.name, manifest.target, manifest.table, first.owner, limits, first.limits_line, said, entries]


def _entry(request: Request, times: Times, start: int) -> Entry:
    (first, end), rerun, place = request.windows[0], request.rerun, request.place
    token = [rerun.token, *rerun.approved_by] if rerun else None
    name = request.key[start:]
    return name, first, list(times) or end, request.reason, token, place.line, place.column, place.last


def _read(document: list[object], alone: bool, file: str, config: Config) -> Manifest:
    name, target, table, owner, limits, line, rules, entries = cast(
        "tuple[str, str, str, str | None, list[object] | None, int, list[object] | None, list[Entry]]", document
    )
    prefix, target = prefix_of(file, name, alone), intern(target)
    if owner is not None:
        owner = intern(owner)
    of_manifest = config.limits if limits is None else Limits(*cast("tuple[int, int, int, bool, int]", limits))
    requests: list[Request] = []
    listed: list[Times] = []
    windows: Windows
    times: Times
    for entry, first, end, reason, token, start, column, last in entries:
        if isinstance(end, int):
            windows, times = ((first, end),), ()
        else:
            times = tuple(end)
            windows = windows_of(times)
        rerun = Rerun(token[0], reason or "", tuple(token[1:])) if token is not None else None
        place = Place(file, start, column, last)
        requests.append(
            new_request(prefix + entry, name, target, table, windows, rerun, reason, owner, of_manifest, place, line)
        )
        listed.append(times)
    written = UNWRITTEN if rules is None else _rules_of(rules)
    return Manifest(name, target, table, len(requests), written, tuple(requests), tuple(listed))


def _fields(limits: Limits) -> list[object]:
    return [limits.calls, limits.span, limits.instances, limits.future, limits.lag]


def _rules(written: Written) -> list[object]:
    schedule = written.schedule
    every = schedule.pattern if schedule and isinstance(schedule.pattern, Every) else None
    shown = [schedule.text, *([every.step, every.start] if every else [])] if schedule else None
    return [shown, written.chunk, written.order, list(written.depends_on)]


def _rules_of(rules: list[object]) -> Written:
    shown, chunk, order, depends_on = cast("tuple[list[object] | None, str | None, str | None, list[str]]", rules)
    schedule = _schedule(*cast("tuple[str, int, int]", shown)) if shown is not None else None
    return Written(schedule, chunk, order, tuple(depends_on))


def _schedule(text: str, step: int = 0, start: int = 0) -> ScheduleText:
    if step:
        return ScheduleText(text, Every(step, start))
    cron = read_cron(text)
    if not isinstance(cron, Cron):
        raise ValueError("is no schedule")
    return ScheduleText(text, cron)
