"""The config's meaning: checks that no schema can make, and the values that the core works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from reconciler.core.call import RangeEnd
from reconciler.core.config import EMBEDDED, Auth, Config, Hours, Limits, State, Target
from reconciler.core.wallclock import parse_duration
from reconciler.manifests import branch
from reconciler.manifests.address import Address, check_address, read_address
from reconciler.manifests.approvals import check_approvals, read_approvals
from reconciler.manifests.findings import Findings
from reconciler.manifests.limits import check_limits, read_limits
from reconciler.manifests.marks import Path
from reconciler.manifests.quoting import listed, quoted
from reconciler.manifests.typed import Typed, dig, mapping_at, text_at
from reconciler.manifests.value_from import read_value_from
from reconciler.manifests.words import nearest

_LIKE = "http://anymetrics.internal:8083"
_LONGEST_TIMEOUT = 3600
_LONGEST_PAUSE = 86_400
# Names that depend on the machine, or that zoneinfo finds beside the real ones.
_NO_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")


def read_config(value: Typed, findings: Findings) -> Config | None:
    """Return the config that `value` is, None where there is an error in it. Adds what is wrong to `findings`.

    `value` is a typed document whose shape was checked; what was wrong with the shape is in `findings` already.
    """
    _check_targets(mapping_at(value, "targets"), findings)
    _check_default(value, findings)
    _check_branch(text_at(value, "state", "branch"), findings)
    check_limits(("limits",), mapping_at(value, "limits"), Limits(), findings)
    check_approvals(value, findings)
    return None if findings.failed else _config(value)


def _check_targets(targets: Mapping[str, Typed], findings: Findings) -> None:
    seen: dict[object, str] = {}
    for name, target in targets.items():
        path = ("targets", name)
        address = _check_url((*path, "url"), text_at(target, "url"), findings)
        _check_proxy((*path, "proxy"), text_at(target, "proxy"), findings)
        _check_zone((*path, "timeZone"), text_at(target, "timeZone"), findings)
        _check_timeout((*path, "timeout"), text_at(target, "timeout"), findings)
        _check_pause((*path, "pause"), text_at(target, "pause"), findings)
        _check_window((*path, "window"), text_at(target, "window"), findings)
        _check_lineage((*path, "lineage"), text_at(target, "lineage"), findings)
        if address is not None:
            other = seen.setdefault((address.identity, text_at(target, "tenantId")), name)
            if other != name:
                message = f"calls the same scheduler and tenant as the target `{other}`"
                hint = "keep one of them: with two ledgers, a table that moves between them would be triggered again"
                findings.error(path, message, hint)


def _check_url(path: Path, url: str | None, findings: Findings) -> Address | None:
    if url is None or url == EMBEDDED:
        return None
    address = check_address(path, url, findings, _LIKE)
    if address is not None and address.scheme == "http" and not address.loopback:
        message = "the credential travels unencrypted: the url is plain http"
        findings.warning(path, message, "use https, or make sure that the network in between is yours")
    return address


def _check_proxy(path: Path, proxy: str | None, findings: Findings) -> None:
    address = check_address(path, proxy, findings, _LIKE) if proxy is not None else None
    if address is not None and address.path:
        findings.error(path, "a proxy's url has no path", "write scheme, host and port alone")


def _check_zone(path: Path, zone: str | None, findings: Findings) -> None:
    if zone is None or _zone_exists(zone):
        return
    near = nearest(zone, (name for name in available_timezones() if not name.startswith(_NO_ZONES)))
    area = near if near and "/" in zone else None  # an abbreviation such as CST is like many, and means none of them
    hint = f"did you mean {area}?" if area else "write a name of the IANA database, such as Asia/Shanghai"
    findings.error(path, f"there is no time zone {quoted(zone)}", hint)


def _zone_exists(zone: str) -> bool:
    if zone.startswith(_NO_ZONES):
        return False
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the database, such as "Asia"
        return False
    return True


def _check_timeout(path: Path, timeout: str | None, findings: Findings) -> None:
    if timeout is not None and _seconds(timeout) > _LONGEST_TIMEOUT:
        findings.error(path, f"{quoted(timeout)} is longer than an hour", "write 1h or less")


def _check_pause(path: Path, pause: str | None, findings: Findings) -> None:
    if pause is not None and _seconds(pause) > _LONGEST_PAUSE:
        findings.error(path, f"{quoted(pause)} is longer than a day", "write 1d or less")


def _check_window(path: Path, window: str | None, findings: Findings) -> None:
    opens, _, closes = (window or "").partition("-")
    if window is not None and opens == closes:
        hint = "write another time to close; where calls may start at any hour, leave `window` out"
        findings.error(path, f"{quoted(window)} opens and closes at the same time", hint)


def _check_lineage(path: Path, file: str | None, findings: Findings) -> None:
    """Check that a path can be that of a lineage; whether there is such a file, the root says."""
    if file is None:
        return
    *folders, name = file.split("/")
    if any(part in (".", "..") for part in (*folders, name)) or "\\" in file:
        hint = "write its path from the root on, folders and name joined by `/`, such as lineage.yaml"
        findings.error(path, f"{quoted(file)} is not a plain path inside the root", hint)
    elif any(folder.startswith(".") for folder in folders):
        hint = "nothing in such folders is read: put the file elsewhere"
        findings.error(path, f"{quoted(file)} lies in a folder whose name starts with a dot", hint)
    elif file == "reconciler.yaml":
        findings.error(path, "reconciler.yaml is the config itself", "put the lineage into a file of its own")


def _seconds(duration: str) -> int:
    try:
        return parse_duration(duration)
    except ValueError:
        return 0  # the schema has said so already


def _check_default(value: Typed, findings: Findings) -> None:
    name, targets = text_at(value, "defaultTarget"), mapping_at(value, "targets")
    if name is not None and name not in targets:
        hint = f"configured: {listed(targets)}" if targets else "add it to `targets`"
        findings.error(("defaultTarget",), f"the target {quoted(name)} is not configured", hint)


def _check_branch(name: str | None, findings: Findings) -> None:
    complaint = branch.complaint(name) if name else None
    if complaint:
        findings.error(
            ("state", "branch"), f"{quoted(name or '')} {complaint}", "write a name such as reconciler-state"
        )


def _config(value: Typed) -> Config:
    return Config(
        targets={name: _target(name, target) for name, target in mapping_at(value, "targets").items()},
        default_target=text_at(value, "defaultTarget"),
        state=_state(value),
        limits=read_limits(mapping_at(value, "limits"), Limits()),
        approvals=read_approvals(mapping_at(value, "approvals", "reruns")),
    )


def _target(name: str, value: Typed) -> Target:
    url, proxy = text_at(value, "url") or "", text_at(value, "proxy")
    timeout, pace = text_at(value, "timeout"), dig(value, "callsPerSecond")
    pause, window = text_at(value, "pause"), text_at(value, "window")
    standard = Target(name, url, "", None, "")
    return Target(
        name=name,
        url=url if url == EMBEDDED else read_address(url).url,
        tenant=text_at(value, "tenantId") or "",
        auth=_auth(mapping_at(value, "auth")),
        time_zone=text_at(value, "timeZone") or "",
        range_end=cast("RangeEnd", text_at(value, "rangeEnd") or standard.range_end),
        concurrency=_whole(value, "concurrency", standard.concurrency),
        calls_per_second=float(pace) if isinstance(pace, int | float) else None,
        points_per_call=_whole(value, "pointsPerCall", standard.points_per_call),
        timeout=float(parse_duration(timeout)) if timeout else standard.timeout,
        proxy=read_address(proxy).url if proxy else None,
        pause=float(parse_duration(pause)) if pause else standard.pause,
        window=_hours(window) if window else None,
        lineage=text_at(value, "lineage"),
        coalesce=dig(value, "coalesce") is True,
    )


def _hours(window: str) -> Hours:
    opens, _, closes = window.partition("-")
    return Hours(_time_of_day(opens), _time_of_day(closes))


def _time_of_day(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 3600 + int(minute) * 60


def _auth(value: dict[str, Typed]) -> Auth | None:
    if not value:
        return None
    kind = cast("Literal['UID', 'TOKEN', 'ACCOUNT', 'APIKEY']", text_at(value, "type"))
    return Auth(kind, read_value_from(mapping_at(value, "valueFrom")))


def _state(value: Typed) -> State:
    standard = State()
    name = text_at(value, "state", "branch") or standard.branch
    return State(name, _whole(dig(value, "state"), "batch", standard.batch))


def _whole(value: Typed, key: str, standard: int) -> int:
    found = dig(value, key)
    return found if isinstance(found, int) else standard
