"""What was triggered by hand before: CSV or JSON Lines to past calls, with every problem of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.core.call import Call, RangeEnd, Span, Times, read_span
from reconciler.core.config import Config, Target
from reconciler.core.past import PastCall, reference
from reconciler.core.progress import SILENT, Progress
from reconciler.core.request import Place
from reconciler.core.wallclock import parse, render, render_duration
from reconciler.errors import Problem
from reconciler.manifests import table_name
from reconciler.manifests.past_findings import Findings
from reconciler.manifests.past_rows import Reader, Row
from reconciler.manifests.quoting import escaped, listed, quoted
from reconciler.manifests.text import decode
from reconciler.manifests.words import nearest

LARGEST = 16 << 20
"""The most bytes that one file may have: 16 MiB."""

FIELDS = ("tableName", "startTime", "endTime", "scheduleTimes", "target", "tenantId", "traceId", "triggeredAt")

_LONGEST_TRACE = 256
_UTC = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})Z")
_TIME_HINT = "write it like 2026-01-20 01:00:00; a spreadsheet keeps that only in columns formatted as text"
_SPAN_HINT = "give either startTime and endTime, or scheduleTimes, as they were sent"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a file is read: the UTC time, and the second that each target's wall clock shows."""

    utc: str
    clocks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PastReading:
    """What a file says. `calls` has those without an error; `problems` are sorted by line and column."""

    calls: tuple[PastCall, ...]
    problems: tuple[Problem, ...]


def read_past(
    file: str, data: bytes, rows: Reader, config: Config, moment: Moment, progress: Progress = SILENT
) -> PastReading:
    """Read a file; `rows` is its form, `file` its path as problems name it. Raises nothing for what it holds.

    Times are read as they were sent: what an endTime means is what the target's `rangeEnd` says.
    """
    text = decode(file, data, LARGEST)
    if not isinstance(text, str):
        return PastReading((), text)
    reader = _Reader(file, config, moment)
    findings = reader.findings
    with progress.counting("reading", text.count("\n") + 1, "line") as count:
        for row in rows(file, text, FIELDS):
            count.done = row.line
            if findings.full:
                findings.add(row.line, 1, "", "there are more problems in this file", "mend those above first")
                break
            if isinstance(row, Problem):
                findings.add_error(row)
            else:
                reader.read(row)
    if not reader.calls and not findings.errors:
        hint = "write one call a line; in CSV, below a line of column names"
        findings.add(1, 1, "", "the file holds no calls", hint)
    return PastReading(tuple(reader.calls), tuple(sorted(findings.problems)))


class _Reader:
    """Reads rows one after another, and collects calls and problems."""

    def __init__(self, file: str, config: Config, moment: Moment) -> None:
        self.calls: list[PastCall] = []
        self.findings = Findings(file)
        self._file = file
        self._config = config
        self._moment = moment

    def read(self, row: Row) -> None:
        before = self.findings.errors
        table = self._table(row)
        target = self._target(row)
        self._check_tenant(row, target)
        span = self._span(row, target.range_end if target else "inclusive")
        trace = self._trace(row)
        at = self._triggered_at(row)
        if span is not None and target is not None:
            self._check_reached(row, span, target)
        if self.findings.errors > before or table is None or target is None or span is None:
            return
        self._check_look(row, table, span)
        name = self._file.rsplit("/", 1)[-1]
        call = Call(target.name, table, target.tenant, span, (), (reference(name, row.line),), ())
        self.calls.append(PastCall(call, trace, at, Place(self._file, row.line, 1)))

    def _table(self, row: Row) -> str | None:
        if "tableName" not in row.cells:
            self.findings.error(row, "tableName", "is missing", "each call names its table, as it was sent")
        name = self.findings.text(row, "tableName")
        complaint = table_name.complaint(name) if name is not None else None
        if name is None or complaint is None:
            return name
        hint = "parts of letters, digits, _, - and $, joined by dots; backticks may wrap parts: catalog.db.table"
        self.findings.error(row, "tableName", f"{quoted(name)} {complaint}", hint)
        return None

    def _target(self, row: Row) -> Target | None:
        targets, standard = self._config.targets, self._config.default_target
        if "target" not in row.cells:
            if standard is not None:
                return targets[standard]
            hint = f"name the call's target, or set defaultTarget in reconciler.yaml; configured: {listed(targets)}"
            self.findings.error(row, "target", "is missing, and the config has no defaultTarget", hint)
            return None
        name = self.findings.text(row, "target")
        if name is None or name in targets:
            return None if name is None else targets[name]
        near = nearest(name, targets)
        hint = (f"did you mean {near}? " if near else "") + f"configured: {listed(targets)}"
        self.findings.error(row, "target", f"the target {quoted(name)} is not configured", hint)
        return None

    def _check_tenant(self, row: Row, target: Target | None) -> None:
        tenant = self.findings.text(row, "tenantId")
        if tenant is None or target is None or tenant == target.tenant:
            return
        message = f"{quoted(tenant)} is not the tenant of the target {target.name}, {target.tenant}"
        self.findings.error(
            row, "tenantId", message, "a call to another tenant belongs to another target: name that one"
        )

    def _trace(self, row: Row) -> str | None:
        trace = self.findings.text(row, "traceId")
        if trace is not None and not (trace.isprintable() and 0 < len(trace) <= _LONGEST_TRACE):
            hint = f"write what the scheduler answered, at most {_LONGEST_TRACE} characters, or leave it out"
            self.findings.error(row, "traceId", f"{quoted(trace)} is no trace id", hint)
        return trace

    def _triggered_at(self, row: Row) -> str:
        written = self.findings.text(row, "triggeredAt")
        if written is None:
            return self._moment.utc
        hint = "write it in UTC, like 2026-01-20T05:00:00Z, or leave it out for the time of the import"
        match = _UTC.fullmatch(written)
        try:
            parse(f"{match[1]} {match[2]}" if match else "")
        except ValueError as error:
            why = str(error) if match else "is not written as yyyy-MM-ddTHH:mm:ssZ"
            self.findings.error(row, "triggeredAt", f"{quoted(written)} {why}", hint)
        else:
            if written > self._moment.utc:
                self.findings.error(row, "triggeredAt", f"{written} is yet to come: now it is {self._moment.utc}", hint)
        return written

    def _span(self, row: Row, range_end: RangeEnd) -> Span | None:
        times: tuple[Literal["startTime"], Literal["endTime"]] = ("startTime", "endTime")
        if "scheduleTimes" in row.cells:
            if any(field in row.cells for field in times):
                self.findings.error(row, "scheduleTimes", "stands beside startTime or endTime", _SPAN_HINT)
                return None
            return self._points(row)
        missing = [field for field in times if field not in row.cells]
        if missing:
            what = "the call has no times" if len(missing) == 2 else f"{missing[0]} is missing"
            self.findings.add(row.line, 1, "", what, _SPAN_HINT)
            return None
        return self._range(row, range_end)

    def _range(self, row: Row, range_end: RangeEnd) -> Span | None:
        start, end = self.findings.text(row, "startTime"), self.findings.text(row, "endTime")
        seconds = [self._time(row, name, text) for name, text in (("startTime", start), ("endTime", end))]
        if start is None or end is None or seconds[0] is None or seconds[1] is None:
            return None
        if seconds[1] < seconds[0]:
            self.findings.error(row, "endTime", f"{end} is before startTime {start}", "swap the two times")
            return None
        if seconds[1] == seconds[0] and range_end == "exclusive":
            hint = "give both times as they were sent; if the scheduler does run endTime, its rangeEnd is inclusive"
            message = "is startTime, and this target's rangeEnd is exclusive: such a call triggers nothing"
            self.findings.error(row, "endTime", message, hint)
            return None
        return read_span({"startTime": start, "endTime": end}, range_end)

    def _points(self, row: Row) -> Span | None:
        value = row.cells["scheduleTimes"].value
        if not isinstance(value, list) or not value:
            self.findings.error(row, "scheduleTimes", "is not a list of times", 'write it like ["2026-01-20 01:00:00"]')
            return None
        before = self.findings.errors
        seconds: set[int] = set()
        for item in value:
            if not isinstance(item, str):
                self.findings.error(row, "scheduleTimes", "holds something that is not text", _TIME_HINT)
                continue
            second = self._time(row, "scheduleTimes", item)
            if second in seconds:
                self.findings.error(row, "scheduleTimes", f"{escaped(item)} is in the list twice", "remove one of them")
            if second is not None:
                seconds.add(second)
        return Times(tuple(sorted(seconds))) if self.findings.errors == before else None

    def _time(self, row: Row, field: str, written: str | None) -> int | None:
        if written is None:
            return None
        try:
            return parse(written)
        except ValueError as error:
            self.findings.error(row, field, f"{quoted(written)} {error}", _TIME_HINT)
            return None

    def _check_reached(self, row: Row, span: Span, target: Target) -> None:
        last, now = span.windows[-1][1] - 1, self._moment.clocks[target.name]
        if last <= now or self._config.limits.future:
            return
        field = "scheduleTimes" if isinstance(span, Times) else "endTime"
        message = f"{render(last)} is yet to come: the clock of {target.name} ({target.time_zone}) shows {render(now)}"
        hint = "leave out what nobody can have triggered yet; where your scheduler takes it, set limits.future: allow"
        self.findings.error(row, field, message, hint)

    def _check_look(self, row: Row, table: str, span: Span) -> None:
        """Warn of what may be a typing error: a name that only looks like one, a range of many years."""
        mixed = table_name.mixed_part(table)
        if mixed:
            message = f"the part {quoted(mixed)} mixes scripts; some of its letters may only look like others"
            self.findings.warn(row, table, "tableName", message, "type the name anew, or copy it from the scheduler")
        start, end = span.windows[0][0], span.windows[-1][1] - 1
        if not isinstance(span, Times) and end - start > self._config.limits.span:
            message = f"spans {render_duration(end - start)}, over limits.span of the config"
            self.findings.warn(
                row, table, "startTime", message, "make sure of the years: all of it will count as triggered"
            )
