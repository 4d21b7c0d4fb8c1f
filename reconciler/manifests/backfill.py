"""A manifest's meaning: checks that no schema can make, and the requests that the core plans with."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern
from typing import NamedTuple

from reconciler.core.config import ApprovalsUnset, Config, ForgeApprovals, Limits, ManifestApprovals, NoApprovals
from reconciler.core.request import Place, Request, Rerun, new_request
from reconciler.core.wallclock import parse
from reconciler.core.window import EMPTY, Windows, union
from reconciler.manifests import table_name
from reconciler.manifests.approvals import check_names_once
from reconciler.manifests.findings import Findings
from reconciler.manifests.limits import check_limits, read_limits
from reconciler.manifests.marks import Path
from reconciler.manifests.quoting import listed, quoted
from reconciler.manifests.rules import Written, read_written
from reconciler.manifests.typed import Typed, list_at, mapping_at, text_at
from reconciler.manifests.words import nearest

Times = tuple[int, ...]
"""The schedule times of a request in the order in which they are listed; a range has none."""

_TIME_HINT = "write it like 2026-01-20 01:00:00"


class Manifest(NamedTuple):
    """What could be read of one Backfill: `requests` is empty where there is an error, the texts None where wrong.

    `entries` counts the requests as they are written, `times` are the scheduleTimes of each, in seconds.
    """

    name: str | None
    target: str | None
    table: str | None
    entries: int
    written: Written
    requests: tuple[Request, ...]
    times: tuple[Times, ...] = ()


def read_backfill(value: Typed, findings: Findings, config: Config | None, alone: bool) -> Manifest:
    """Return the manifest that `value` is. Adds what is wrong to `findings`.

    `value` is a typed document whose shape was checked; what was wrong with the shape is in `findings` already.
    `alone` is True where its file holds no other manifest: request keys are then shorter. Without a config, nothing is
    said about targets and approvals, and there are no requests.
    """
    metadata, spec = mapping_at(value, "metadata"), mapping_at(value, "spec")
    name = _text(metadata.get("name"))
    target = _check_target(spec, findings, config)
    table = _check_table(_text(spec.get("tableName")), findings)
    written = read_written(spec, findings)
    limits = mapping_at(spec, "limits")
    if config is not None:
        check_limits(("spec", "limits"), limits, config.limits, findings)
    entries = [entry if isinstance(entry, dict) else {} for entry in list_at(spec, "requests")]
    names = [_name(at, entry) for at, entry in enumerate(entries)]
    if len(set(names)) < len(names):
        _check_names(entries, findings)
    asked = [_check_request(("spec", "requests", at), entry, findings, config) for at, entry in enumerate(entries)]
    manifest = Manifest(name, target, table, len(entries), written, ())
    if findings.failed or config is None or name is None or target is None or table is None:
        return manifest
    file, owner = findings.document.file, _text(metadata.get("owner"))
    common = _Common(
        file=file,
        prefix=prefix_of(file, name, alone),
        manifest=name,
        target=target,
        table=table,
        owner=intern(owner) if owner is not None else None,
        limits=read_limits(limits, config.limits),
        limits_line=findings.document.place(("spec", "limits") if limits else ("spec",))[0],
    )
    requests = [_request(at, entry, names[at], asked[at][0], common, findings) for at, entry in enumerate(entries)]
    return manifest._replace(requests=tuple(requests), times=tuple([times for _, times in asked]))


def prefix_of(file: str, manifest: str, alone: bool) -> str:
    """Return how the keys of a manifest's requests begin; `alone` where its file holds no other."""
    return f"{file}#" if alone else f"{file}#{manifest}/"


class _Common(NamedTuple):
    """What all requests of a manifest share."""

    file: str
    prefix: str
    manifest: str
    target: str
    table: str
    owner: str | None
    limits: Limits
    limits_line: int


def _request(
    at: int, entry: dict[str, Typed], name: str, windows: Windows, common: _Common, findings: Findings
) -> Request:
    line, column, last = findings.document.span(("spec", "requests", at))
    token, reason = _text(entry.get("rerun")), _text(entry.get("reason"))
    return new_request(
        common.prefix + name,
        common.manifest,
        common.target,
        common.table,
        windows,
        Rerun(token, reason or "", _approvers(entry)) if token is not None else None,
        reason,
        common.owner,
        common.limits,
        Place(common.file, line, column, last),
        common.limits_line,
    )


def _approvers(entry: dict[str, Typed]) -> tuple[str, ...]:
    return tuple([name for name in list_at(entry, "approvedBy") if isinstance(name, str)])


def _name(at: int, entry: dict[str, Typed]) -> str:
    name = entry.get("name")
    return name if name and isinstance(name, str) else str(at + 1)


def _check_target(spec: dict[str, Typed], findings: Findings, config: Config | None) -> str | None:
    named = _text(spec.get("target"))
    if config is None:
        return named
    if named is None and config.default_target is None:
        hint = f"add `target:`, or `defaultTarget:` to reconciler.yaml; configured: {listed(config.targets)}"
        findings.error(("spec",), "no target is named, and the config has no defaultTarget", hint)
    if named is not None and named not in config.targets:
        near = nearest(named, config.targets)
        hint = f"did you mean `{near}`? " if near else ""
        hint += f"configured: {listed(config.targets)}"
        findings.error(("spec", "target"), f"the target {quoted(named)} is not configured", hint)
        return None
    return named or config.default_target


def _check_table(table: str | None, findings: Findings) -> str | None:
    if not table:
        return None
    path = ("spec", "tableName")
    complaint = table_name.complaint(table)
    if complaint:
        hint = "parts of letters, digits, _, - and $, joined by dots; backticks may wrap parts: catalog.db.table"
        findings.error(path, f"{quoted(table)} {complaint}", hint)
        return None
    mixed = table_name.mixed_part(table)
    if mixed:
        message = f"the part {quoted(mixed)} mixes scripts; some of its letters may only look like others"
        findings.warning(path, message, "type the name anew, or copy it from the scheduler")
    return table


def _check_names(entries: list[dict[str, Typed]], findings: Findings) -> None:
    seen: dict[str, int] = {}
    for at, entry in enumerate(entries):
        name = _name(at, entry)
        first = seen.setdefault(name, at)
        if first == at:
            continue
        if text_at(entry, "name") is None:
            message = f"without a name this is request {name}, but requests[{first}] has that name"
            findings.error(("spec", "requests", at), message, "give it a name of its own")
        else:
            message = f"the name {quoted(name)} is taken by requests[{first}]"
            findings.error(("spec", "requests", at, "name"), message, "give it another name")


def _check_request(
    path: Path, entry: dict[str, Typed], findings: Findings, config: Config | None
) -> tuple[Windows, Times]:
    """Return the windows of a request, and its scheduleTimes as they are listed."""
    if "reason" in entry or "approvedBy" in entry:
        _check_rerun(path, entry, findings, config)
    times = entry.get("scheduleTimes")
    if isinstance(times, list) and times:
        listed_times = _points((*path, "scheduleTimes"), times, findings)
        return windows_of(listed_times), listed_times
    written = entry.get("timeRange")
    return _range((*path, "timeRange"), written if isinstance(written, dict) else {}, findings), ()


def _range(path: Path, written: dict[str, Typed], findings: Findings) -> Windows:
    start = _time(path, "startTime", written.get("startTime"), findings)
    last = _time(path, "endTime", written.get("endTime"), findings)
    if start is None or last is None:
        return EMPTY
    if last < start:
        message = f"endTime {written['endTime']} is before startTime {written['startTime']}"
        findings.error(path, message, "swap the two times")
    return ((start, last + 1),)


def _points(path: Path, times: list[Typed], findings: Findings) -> Times:
    seen: dict[int, None] = {}
    for at, written in enumerate(times):
        time = _time(path, at, written, findings)
        if time is None:
            continue
        if time in seen:
            findings.error((*path, at), f"{written} is in the list twice", "remove one of them")
        seen[time] = None
    return tuple(seen)


def windows_of(times: Iterable[int]) -> Windows:
    """Return the windows of a list of schedule times."""
    return union([(time, time + 1) for time in times])


def _time(path: Path, step: str | int, written: Typed, findings: Findings) -> int | None:
    if not isinstance(written, str):
        return None
    try:
        return parse(written)
    except ValueError as error:
        findings.error((*path, step), f"{quoted(written)} {error}", _TIME_HINT)
        return None


def _text(value: Typed) -> str | None:
    return value if isinstance(value, str) else None


def _check_rerun(path: Path, entry: dict[str, Typed], findings: Findings, config: Config | None) -> None:
    reason = _text(entry.get("reason"))
    if reason is not None and not reason.strip():
        findings.error((*path, "reason"), "is blank", "say why this is needed; reviewers read it")
    if "approvedBy" not in entry:
        return
    approved = _approvers(entry)
    check_names_once((*path, "approvedBy"), approved, findings)
    if not approved or config is None:
        return
    match config.approvals:
        case ManifestApprovals():
            return
        case ForgeApprovals() | NoApprovals() | ApprovalsUnset():
            message = "has no effect: approvals do not come from the manifest here"
            hint = "remove it, or set `approvals.reruns.provider: manifest` in reconciler.yaml"
            findings.warning((*path, "approvedBy"), message, hint)
