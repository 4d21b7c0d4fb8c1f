"""What the config says about approvals of reruns: checked, and as a value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.core.config import Approvals, ApprovalsUnset, ForgeApprovals, ManifestApprovals, NoApprovals
from reconciler.core.text import count
from reconciler.manifests.address import check_address, read_address
from reconciler.manifests.findings import Findings
from reconciler.manifests.marks import Path
from reconciler.manifests.quoting import quoted
from reconciler.manifests.typed import Typed, dig, list_at, mapping_at, text_at
from reconciler.manifests.value_from import read_value_from

_LOGIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9_-])?")
_TEAMS = {
    "github": (re.compile(r"@[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+"), "@org/team"),
    "gitlab": (re.compile(r"@[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*"), "@group or @group/subgroup"),
}


def check_approvals(value: Typed, findings: Findings) -> None:
    """Add what is wrong with the config's approvals to `findings`; their shape was checked."""
    path: Path = ("approvals", "reruns")
    approvers = [name for name in list_at(value, *path, "approvers") if isinstance(name, str)]
    provider = text_at(value, *path, "provider")
    check_names_once((*path, "approvers"), approvers, findings)
    if approvers and provider == "none":
        hint = "remove it, or use another provider"
        findings.warning((*path, "approvers"), "has no effect with this provider", hint)
    if provider in _TEAMS:
        _check_approvers((*path, "approvers"), approvers, findings, *_TEAMS[provider])
        _check_forge_url((*path, "url"), text_at(value, *path, "url"), findings)
    else:
        for key in ("url", "repository", "tokenFrom"):
            if key in mapping_at(value, *path):
                findings.warning((*path, key), "has no effect with this provider", "remove it")
    teams = provider in _TEAMS and any(name.startswith("@") for name in approvers)
    minimum = dig(value, *path, "minimum")
    if isinstance(minimum, int) and approvers and minimum > len(approvers) and not teams:
        there = f"there {'is' if len(approvers) == 1 else 'are'} only {count(len(approvers), 'approver')}"
        message = f"{minimum} approvals are wanted, but {there}: no rerun could be approved"
        findings.error((*path, "minimum"), message, f"write {len(approvers)} or less, or add approvers")


def _check_approvers(path: Path, approvers: list[str], findings: Findings, team: re.Pattern[str], like: str) -> None:
    hint = f"write a person as a login such as dana, a team as {like}"
    for position, name in enumerate(approvers):
        if name.startswith("@") and not team.fullmatch(name):
            findings.error((*path, position), f"{quoted(name)} names no team", hint)
        elif not name.startswith("@") and not _LOGIN.fullmatch(name):
            findings.error((*path, position), f"{quoted(name)} is no login", hint)


def _check_forge_url(path: Path, url: str | None, findings: Findings) -> None:
    address = check_address(path, url, findings, "https://github.example.com/api/v3") if url is not None else None
    if address is not None and address.scheme == "http" and not address.loopback:
        findings.error(path, "a token would travel unencrypted: the url is plain http", "use https")


def check_names_once(path: Path, names: Sequence[str], findings: Findings) -> None:
    """Add an error for each name that the list at `path` has twice, whatever its case."""
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name.casefold() in seen:
            findings.error((*path, position), f"{quoted(name)} is in the list twice", "remove one of them")
        seen.add(name.casefold())


def read_approvals(value: dict[str, Typed]) -> Approvals:
    """Return the approvals that `value`, a sound `approvals.reruns` or nothing, asks for."""
    if not value:
        return ApprovalsUnset()
    approvers = tuple(name for name in list_at(value, "approvers") if isinstance(name, str))
    found = value.get("minimum")
    minimum = found if isinstance(found, int) else 1
    match text_at(value, "provider"):
        case "github" | "gitlab" as forge:
            url, token = text_at(value, "url"), mapping_at(value, "tokenFrom")
            return ForgeApprovals(
                forge=forge,
                approvers=approvers,
                minimum=minimum,
                url=read_address(url).url if url else None,
                repository=text_at(value, "repository"),
                token_from=read_value_from(token) if token else None,
            )
        case "manifest":
            return ManifestApprovals(approvers, minimum)
        case _:
            return NoApprovals()
