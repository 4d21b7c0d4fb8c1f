"""The rules of tables: what their manifests say beside the requests, agreed upon, and what that means for requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple, cast

from reconciler.core.change import Key
from reconciler.core.config import Config
from reconciler.core.lineage import cycles
from reconciler.core.request import STANDARD, Dependency, Order, Request, Rules
from reconciler.core.schedule import Schedule
from reconciler.core.wallclock import parse_duration, render
from reconciler.manifests.approvals import check_names_once
from reconciler.manifests.findings import Findings
from reconciler.manifests.quoting import quoted
from reconciler.manifests.schedule import FarOff, ScheduleText, read_schedule
from reconciler.manifests.typed import Typed, list_at, text_at
from reconciler.manifests.words import nearest

_CYCLES = 20
_RULES = frozenset({"schedule", "chunk", "order", "dependsOn"})


@dataclass(frozen=True, slots=True)
class Written:
    """What one manifest says; None where it says nothing, or something wrong."""

    schedule: ScheduleText | None
    chunk: str | None
    order: str | None
    depends_on: tuple[str, ...]

    def texts(self) -> dict[str, str | None]:
        """Return what the manifests of one table have to agree upon, as it is written."""
        return {"schedule": self.schedule.text if self.schedule else None, "chunk": self.chunk, "order": self.order}


UNWRITTEN = Written(None, None, None, ())
"""The rules of a manifest that has requests alone; always this object."""


class Source(NamedTuple):
    """A manifest with valid requests: where problems go, its name, table and rules.

    `times` are the scheduleTimes of each request as they are listed: none for a range.
    """

    findings: Findings
    name: str
    key: Key
    written: Written
    requests: Sequence[Request]
    times: Sequence[Sequence[int]]


def read_written(spec: dict[str, Typed], findings: Findings) -> Written:
    """Return the rules in a manifest's `spec`, whose shape was checked. Adds what is wrong to `findings`."""
    if _RULES.isdisjoint(spec):
        return UNWRITTEN
    depends_on = tuple(name for name in list_at(spec, "dependsOn") if isinstance(name, str))
    check_names_once(("spec", "dependsOn"), depends_on, findings)
    schedule = read_schedule(spec.get("schedule"), findings, ("spec", "schedule"))
    return written(schedule, text_at(spec, "chunk"), text_at(spec, "order"), depends_on)


def written(
    schedule: ScheduleText | None, chunk: str | None, order: str | None, depends_on: tuple[str, ...]
) -> Written:
    """Return what a manifest writes."""
    found = Written(schedule, chunk, order, depends_on)
    return UNWRITTEN if found == UNWRITTEN else found


def rules_of(
    sources: Sequence[Source], tables: Mapping[str, Key], names: Iterable[str], config: Config
) -> dict[Key, Rules]:
    """Return the rules of every table that has any but the standard ones, and add to findings what is wrong.

    `sources` are the manifests of all tables that write rules, or that others wait for. `tables` are those of all
    valid manifests by name, `names` those of all manifests, the bad ones too: to depend on one of these is no mistake.
    """
    declared: dict[Key, list[Source]] = {}
    for source in sources:
        declared.setdefault(source.key, []).append(source)
    depends_on = _dependencies(sources, tables, frozenset(names))
    _check_cycles(declared, depends_on)
    found = {}
    for key, some in declared.items():
        writing = [source for source in some if source.written is not UNWRITTEN]
        if writing:
            rules = _rules(some, writing, config.targets[key[0]].time_zone, depends_on.get(key, ()))
            if rules != STANDARD:
                found[key] = rules
    return found


def _rules(
    sources: Sequence[Source], writing: Sequence[Source], zone: str, depends_on: tuple[Dependency, ...]
) -> Rules:
    """Return the rules of a table from its manifests, of which some write rules."""
    _check_agreement(writing)
    texts: dict[str, str | None] = {}
    for source in writing:
        texts.update({name: text for name, text in source.written.texts().items() if text is not None})
    chunk, order = texts.get("chunk"), texts.get("order")
    return Rules(
        schedule=_schedule(sources, zone),
        chunk=parse_duration(chunk) if chunk else None,
        order=cast("Order", order or STANDARD.order),
        depends_on=depends_on,
    )


def _check_agreement(sources: Sequence[Source]) -> None:
    first: dict[str, tuple[str, Source]] = {}
    for source in sources:
        for name, text in source.written.texts().items():
            if text is None:
                continue
            other, earlier = first.setdefault(name, (text, source))
            if other != text:
                line, _ = earlier.findings.document.place(("spec", name))
                where = f"{earlier.findings.document.file}:{line}"
                message = f"the manifests of one table have to agree: {quoted(other)} stands in {where}"
                source.findings.error(("spec", name), message, "write both alike, or leave it out of one of the two")


def _schedule(sources: Sequence[Source], zone: str) -> Schedule | None:
    """Return the schedule of a table's manifests for the years that they ask for, and say what is not on it."""
    writing = next((source for source in sources if source.written.schedule), None)
    if writing is None or writing.written.schedule is None:
        return None
    asked = [request.windows for source in sources for request in source.requests if request.windows]
    whole = ((min(windows[0][0] for windows in asked), max(windows[-1][1] for windows in asked)),) if asked else ()
    try:
        schedule = writing.written.schedule.over(zone, whole)
    except FarOff as error:
        source, at = _far_off(sources, error.which)
        source.findings.error(("spec", "requests", at), str(error), "correct the times of this request")
        return None
    for source in sources:
        _check_on_schedule(source, schedule, zone)
    return schedule


def _far_off(sources: Sequence[Source], which: Literal["first", "last"] | None) -> tuple[Source, int]:
    """Return the request with the first or the last time: of the two the one that lies further from all the others."""
    asked = [
        (request.windows, source, at)
        for source in sources
        for at, request in enumerate(source.requests)
        if request.windows
    ]
    first = min(asked, key=lambda each: each[0][0][0])
    last = max(asked, key=lambda each: each[0][-1][1])
    middle = median(bound for windows, _, _ in asked for bound in (windows[0][0], windows[-1][1]))
    late = last[0][-1][1] - middle > middle - first[0][0][0]
    _, source, at = last if which == "last" or (which is None and late) else first
    return source, at


def _check_on_schedule(source: Source, schedule: Schedule, zone: str) -> None:
    for at, (request, times) in enumerate(zip(source.requests, source.times, strict=True)):
        if not times and not schedule.count(request.windows):
            message = f"the range holds no time of the schedule {quoted(schedule.text)}: nothing is called for it"
            path = ("spec", "requests", at, "timeRange")
            source.findings.warning(path, message, "correct the range, or the schedule")
        if times and schedule.count(request.windows) == len(times):
            continue
        for position, time in enumerate(times):
            if not schedule.holds(time):
                place = ("spec", "requests", at, "scheduleTimes", position)
                source.findings.warning(place, *_off_schedule(time, schedule, zone))


def _off_schedule(second: int, schedule: Schedule, zone: str) -> tuple[str, str]:
    text = render(second)
    if schedule.skips((second, second + 1)):
        message = f"{text} does not exist in {zone}, where the clock is put forward then: nothing is called for it"
        return message, "ask for a time that the clock shows"
    message = f"{text} is not on the schedule {quoted(schedule.text)}: nothing is called for it"
    return message, _nearest_times(second, schedule)


def _nearest_times(second: int, schedule: Schedule) -> str:
    near = [render(time) for time in schedule.around(second) if time is not None]
    return f"correct it, or the schedule; the nearest: {' and '.join(near)}" if near else "correct it, or the schedule"


def _dependencies(
    sources: Sequence[Source], tables: Mapping[str, Key], names: frozenset[str]
) -> dict[Key, tuple[Dependency, ...]]:
    found: dict[Key, dict[str, Dependency]] = {}
    for source in sources:
        for at, name in enumerate(source.written.depends_on):
            problem = _wrong_dependency(source, name, tables, names)
            if problem:
                source.findings.error(("spec", "dependsOn", at), *problem)
            elif name in tables:
                found.setdefault(source.key, {})[name] = Dependency(name, tables[name])
    return {key: tuple(some[name] for name in sorted(some)) for key, some in found.items()}


def _wrong_dependency(
    source: Source, name: str, tables: Mapping[str, Key], names: frozenset[str]
) -> tuple[str, str] | None:
    if name not in names:
        near = nearest(name, names)
        hint = f"did you mean `{near}`?" if near else "write the metadata.name of a manifest of this root"
        return f"no manifest is named {quoted(name)}", hint
    if name == source.name:
        return "a manifest cannot depend on itself", "remove it"
    if tables.get(name) == source.key:
        return f"{quoted(name)} is about the same table, whose calls go one after another anyway", "remove it"
    return None


def _check_cycles(tables: Mapping[Key, Sequence[Source]], depends_on: Mapping[Key, Sequence[Dependency]]) -> None:
    """Report cycles between tables, by the names of their first manifests that have a dependency."""
    names = {key: min(source.name for source in some) for key, some in tables.items()}
    direct = {names[key]: tuple(names[one.key] for one in some) for key, some in depends_on.items()}
    sources = {names[key]: tables[key] for key in depends_on}
    for cycle in cycles(direct, _CYCLES):
        source = next(source for source in sources[cycle[0]] if source.written.depends_on)
        shown = " -> ".join((*cycle, cycle[0]))
        message = f"the tables wait for each other: {shown}"
        source.findings.error(("spec", "dependsOn"), message, "remove one of these dependencies")
