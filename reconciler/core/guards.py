"""What a branch changes about the guards: approvals, limits, where calls may go, where state is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.config import (
    Approvals,
    ApprovalsUnset,
    Auth,
    Config,
    ForgeApprovals,
    FromEnv,
    FromFile,
    Hours,
    Limits,
    ManifestApprovals,
    NoApprovals,
    Target,
    ValueFrom,
)
from reconciler.core.lineage import Lineage
from reconciler.core.request import Request
from reconciler.core.text import count
from reconciler.core.wallclock import render_duration

_CONFIG = "reconciler.yaml"
_EDGES = 3


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard that a branch lowers or changes: the file where it does, and one sentence that says what."""

    file: str
    sentence: str

    @property
    def told(self) -> str:
        """The sentence with its place."""
        return f"{self.file}: {self.sentence}"


def config_guards(base: Config, head: Config) -> tuple[Guard, ...]:
    """Return what the head's config guards less than the base's, or otherwise: approvals, limits, targets, state."""
    sentences = (
        *_approvals(base.approvals, head.approvals),
        *_limits(base.limits, head.limits),
        *_targets(base, head),
        *_state(base, head),
    )
    return tuple(Guard(_CONFIG, sentence) for sentence in sentences)


def _state(base: Config, head: Config) -> Iterator[str]:
    yield from _changed("state.branch", base.state.branch, head.state.branch)
    if head.state.batch > base.state.batch:
        yield f"state.batch is raised from {base.state.batch} to {head.state.batch}"


def manifest_guards(base: Config, before: Iterable[Request], head: Config, now: Iterable[Request]) -> tuple[Guard, ...]:
    """Return the limits that manifests loosen, by file: over their own before, or the config's for a new manifest.

    What a manifest took from the config and still takes from it is said of the config alone.
    """
    limits = {request.manifest: request.limits for request in before}
    manifests = {request.manifest: request for request in now}
    theirs, ours = _amounts(base.limits), _amounts(head.limits)
    found = []
    for manifest, request in manifests.items():
        old, new = _amounts(limits.get(manifest, base.limits)), _amounts(request.limits)
        for name in _looser(old, new):
            if (old[name], new[name]) != (theirs[name], ours[name]):
                sentence = _loosened(f"spec.limits.{name} of {manifest}", name, old[name], new[name])
                found.append(Guard(request.place.file, sentence))
    return tuple(sorted(found, key=lambda guard: guard.told))


def lineage_guards(base: Mapping[str, Lineage], head: Config, now: Mapping[str, Lineage]) -> tuple[Guard, ...]:
    """Return what the lineages of targets that coalesce say more than before: for that, no call is made."""
    found = []
    for name, lineage in sorted(now.items()):
        known = _edges(base[name]) if name in base else frozenset()
        more = sorted(_edges(lineage) - known)
        target = head.targets[name]
        if more and target.coalesce and target.lineage:
            shown = ", ".join(f"{above} -> {below}" for above, below in more[:_EDGES])
            rest = f" and {count(len(more) - _EDGES, 'more edge')}" if len(more) > _EDGES else ""
            sentence = (
                f"targets.{name} coalesces by {shown}{rest} now: a table gets no call where one upstream reruns it"
            )
            found.append(Guard(target.lineage, sentence))
    return tuple(found)


def _edges(lineage: Lineage) -> frozenset[tuple[str, str]]:
    return frozenset((above, below) for above, some in lineage.direct.items() for below in some)


def _limits(base: Limits, head: Limits) -> Iterator[str]:
    old, new = _amounts(base), _amounts(head)
    for name in _looser(old, new):
        yield _loosened(f"limits.{name}", name, old[name], new[name])


def _amounts(limits: Limits) -> dict[str, int]:
    amounts = {"calls": limits.calls, "span": limits.span, "instances": limits.instances}
    return amounts | {"future": int(limits.future), "lag": limits.lag}


def _looser(old: Mapping[str, int], new: Mapping[str, int]) -> list[str]:
    return [name for name in old if (new[name] < old[name] if name == "lag" else new[name] > old[name])]


def _loosened(what: str, name: str, old: int, new: int) -> str:
    if name == "future":
        return f"{what} now allows instances that the target's clock has not reached"
    show = render_duration if name in {"span", "lag"} else str
    return f"{what} is {'lowered' if name == 'lag' else 'raised'} from {show(old)} to {show(new)}"


def _approvals(base: Approvals, head: Approvals) -> Iterator[str]:
    """Yield what weakens approvals. Where the base does not say who approves, nobody can: all else is less."""
    if isinstance(head, ApprovalsUnset) or base == head:
        return
    if isinstance(head, NoApprovals):
        before = "nobody could approve one" if isinstance(base, ApprovalsUnset) else f"one needed {_who(base)}"
        yield f"approvals.reruns: reruns need no approval any more; before, {before}"
    elif isinstance(base, ApprovalsUnset):
        yield f"approvals.reruns: reruns can be approved now, by {_who(head)}; before, nobody could approve one"
    elif not isinstance(base, NoApprovals):
        yield from _weakened(base, head)


def _weakened(base: ManifestApprovals | ForgeApprovals, head: ManifestApprovals | ForgeApprovals) -> Iterator[str]:
    if isinstance(base, ForgeApprovals) and _provider(base) != _provider(head):
        yield f"approvals.reruns.provider is {_provider(head)} now, no longer {_provider(base)}"
    if head.minimum < base.minimum:
        yield f"approvals.reruns.minimum is lowered from {base.minimum} to {head.minimum}"
    known = {name.casefold() for name in base.approvers}
    more = [name for name in head.approvers if name.casefold() not in known]
    if more:
        yield f"approvals.reruns.approvers has {', '.join(more)} now, who could not approve before"
    if isinstance(base, ForgeApprovals) and isinstance(head, ForgeApprovals):
        yield from _changed("approvals.reruns.url", base.url, head.url)
        yield from _changed("approvals.reruns.repository", base.repository, head.repository)
        yield from _changed("the token of approvals.reruns", _source(base.token_from), _source(head.token_from))


def _provider(policy: ManifestApprovals | ForgeApprovals) -> str:
    return policy.forge if isinstance(policy, ForgeApprovals) else "manifest"


def _who(policy: Approvals) -> str:
    if isinstance(policy, ManifestApprovals | ForgeApprovals):
        return f"{policy.minimum} of {', '.join(policy.approvers)} (provider {_provider(policy)})"
    return "nobody"


def _targets(base: Config, head: Config) -> Iterator[str]:
    for name in sorted(head.targets):
        target = head.targets[name]
        if name in base.targets:
            yield from _retargeted(f"targets.{name}", base.targets[name], target)
        else:
            yield f"targets.{name} is new: calls may go to {target.url}, tenant {target.tenant}"
    yield from _changed("defaultTarget", base.default_target, head.default_target)


def _retargeted(where: str, base: Target, head: Target) -> Iterator[str]:
    yield from _changed(f"{where}.url", base.url, head.url)
    yield from _changed(f"{where}.tenantId", base.tenant, head.tenant)
    yield from _changed(f"{where}.auth", _auth(base.auth), _auth(head.auth))
    yield from _changed(f"{where}.proxy", base.proxy, head.proxy)
    yield from _changed(f"{where}.rangeEnd", base.range_end, head.range_end)
    yield from _changed(f"{where}.timeZone", base.time_zone, head.time_zone)
    yield from _hours(f"{where}.window", base.window, head.window)
    if head.pause < base.pause:
        yield f"{where}.pause is lowered from {render_duration(int(base.pause))} to {render_duration(int(head.pause))}"
    if head.coalesce and not base.coalesce:
        yield f"{where}.coalesce is true now: no call is made for what {head.lineage} says an upstream's call reruns"
    elif head.coalesce:
        yield from _changed(f"{where}.lineage", base.lineage, head.lineage)


def _hours(where: str, base: Hours | None, head: Hours | None) -> Iterator[str]:
    """Yield what lets calls start at other hours than before; fewer of them guard more, and all day is no guard."""
    if base is None or not any((head is None or m in head) and m not in base for m in range(0, 86_400, 60)):
        return
    if head is None:
        yield f"{where} is gone: calls may start at any hour; before, {base} alone"
    else:
        yield f"{where} changes from {base} to {head}"


def _auth(auth: Auth | None) -> str | None:
    return f"{auth.type} from {_source(auth.value_from)}" if auth else None


def _source(source: ValueFrom | None) -> str | None:
    match source:
        case FromEnv(name):
            return f"the variable {name}"
        case FromFile(path):
            return f"the file {path}"
        case None:
            return None


def _changed(what: str, base: str | None, head: str | None) -> Iterator[str]:
    if base != head:
        yield f"{what} changes from {base or 'nothing'} to {head or 'nothing'}"
