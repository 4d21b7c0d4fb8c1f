"""A manifest's meaning: checks that no schema can make, and the requests that the core plans with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.core.config import ApprovalsUnset, Config, ForgeApprovals, Limits, ManifestApprovals, NoApprovals
from reconciler.core.request import Place, Request, Rerun
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

_TIME_HINT = "write it like 2026-01-20 01:00:00"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What could be read of one Backfill: `requests` is empty where there is an error, the texts None where wrong.

    `entries` counts the requests as they are written, `times` are the scheduleTimes of each.
    """

    name: str | None
    target: str | None
    table: str | None
    entries: int
    written: Written
    requests: tuple[Request, ...]
    times: tuple[tuple[str, ...], ...] = ()


def read_backfill(value: Typed, findings: Findings, config: Config | None, alone: bool) -> Manifest:
    """Return the manifest that `value` is. Adds what is wrong to `findings`.

    `value` is a typed document whose shape was checked; what was wrong with the shape is in `findings` already.
    `alone` is True where its file holds no other manifest: request keys are then shorter. Without a config, nothing is
    said about targets and approvals, and there are no requests.
    """
    name = text_at(value, "metadata", "name")
    target = _check_target(value, findings, config)
    table = _check_table(text_at(value, "spec", "tableName"), findings)
    written = read_written(value, findings)
    if config is not None:
        check_limits(("spec", "limits"), mapping_at(value, "spec", "limits"), config.limits, findings)
    entries = list_at(value, "spec", "requests")
    _check_names(entries, findings)
    windows = [_check_request(("spec", "requests", at), entry, findings, config) for at, entry in enumerate(entries)]
    manifest = Manifest(name, target, table, len(entries), written, ())
    if findings.failed or config is None or name is None or target is None or table is None:
        return manifest
    prefix = f"{findings.document.file}#" if alone else f"{findings.document.file}#{name}/"
    limits = read_limits(mapping_at(value, "spec", "limits"), config.limits)
    owner = text_at(value, "metadata", "owner")
    common = _Common(prefix, name, target, table, owner, limits, _limits_line(value, findings))
    requests = (_request(at, entry, windows[at], common, findings) for at, entry in enumerate(entries))
    times = (tuple(time for time in list_at(entry, "scheduleTimes") if isinstance(time, str)) for entry in entries)
    return replace(manifest, requests=tuple(requests), times=tuple(times))


def _limits_line(value: Typed, findings: Findings) -> int:
    """Return the line where the manifest's limits are, or where they would be added."""
    path = ("spec", "limits") if mapping_at(value, "spec", "limits") else ("spec",)
    line, _ = findings.document.place(path)
    return line


@dataclass(frozen=True, slots=True)
class _Common:
    """What all requests of a manifest share."""

    prefix: str
    manifest: str
    target: str
    table: str
    owner: str | None
    limits: Limits
    limits_line: int


def _request(at: int, entry: Typed, windows: Windows, common: _Common, findings: Findings) -> Request:
    line, column = findings.document.place(("spec", "requests", at))
    token, reason = text_at(entry, "rerun"), text_at(entry, "reason")
    approved = tuple(name for name in list_at(entry, "approvedBy") if isinstance(name, str))
    return Request(
        key=common.prefix + _name(at, entry),
        manifest=common.manifest,
        target=common.target,
        table=common.table,
        windows=windows,
        rerun=Rerun(token, reason or "", approved) if token is not None else None,
        reason=reason,
        owner=common.owner,
        limits=common.limits,
        place=Place(findings.document.file, line, column, findings.document.last_line(("spec", "requests", at))),
        limits_line=common.limits_line,
    )


def _name(at: int, entry: Typed) -> str:
    return text_at(entry, "name") or str(at + 1)


def _check_target(value: Typed, findings: Findings, config: Config | None) -> str | None:
    named = text_at(value, "spec", "target")
    if config is None:
        return named
    configured = listed(config.targets)
    if named is None and config.default_target is None:
        hint = f"add `target:`, or `defaultTarget:` to reconciler.yaml; configured: {configured}"
        findings.error(("spec",), "no target is named, and the config has no defaultTarget", hint)
    if named is not None and named not in config.targets:
        near = nearest(named, config.targets)
        hint = f"did you mean `{near}`? " if near else ""
        findings.error(
            ("spec", "target"), f"the target {quoted(named)} is not configured", f"{hint}configured: {configured}"
        )
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


def _check_names(entries: list[Typed], findings: Findings) -> None:
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


def _check_request(path: Path, entry: Typed, findings: Findings, config: Config | None) -> Windows:
    _check_rerun(path, entry, findings, config)
    times = list_at(entry, "scheduleTimes")
    if times:
        return _points((*path, "scheduleTimes"), times, findings)
    return _range((*path, "timeRange"), mapping_at(entry, "timeRange"), findings)


def _range(path: Path, written: dict[str, Typed], findings: Findings) -> Windows:
    start = _time((*path, "startTime"), written.get("startTime"), findings)
    last = _time((*path, "endTime"), written.get("endTime"), findings)
    if start is None or last is None:
        return EMPTY
    if last < start:
        message = f"endTime {written['endTime']} is before startTime {written['startTime']}"
        findings.error(path, message, "swap the two times")
    return ((start, last + 1),)


def _points(path: Path, times: list[Typed], findings: Findings) -> Windows:
    seen: set[int] = set()
    for at, written in enumerate(times):
        time = _time((*path, at), written, findings)
        if time is None:
            continue
        if time in seen:
            findings.error((*path, at), f"{written} is in the list twice", "remove one of them")
        seen.add(time)
    return union((time, time + 1) for time in seen)


def _time(path: Path, written: Typed, findings: Findings) -> int | None:
    if not isinstance(written, str):
        return None
    try:
        return parse(written)
    except ValueError as error:
        findings.error(path, f"{quoted(written)} {error}", _TIME_HINT)
        return None


def _check_rerun(path: Path, entry: Typed, findings: Findings, config: Config | None) -> None:
    reason = text_at(entry, "reason")
    if reason is not None and not reason.strip():
        findings.error((*path, "reason"), "is blank", "say why this is needed; reviewers read it")
    approved = [name for name in list_at(entry, "approvedBy") if isinstance(name, str)]
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
