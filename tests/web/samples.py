"""Tables for the browser to draw: every status, and what is hard to show. Built in code, planned by the planner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.call import Call, Range
from reconciler.core.config import Limits, Target
from reconciler.core.ledger import Intent, Ledger, Trigger
from reconciler.core.needs import Table
from reconciler.core.planner import plan_table
from reconciler.core.policy import Approval, Approved, Waiting
from reconciler.core.request import Place, Request, Rerun, Rules
from reconciler.core.schedule import Daily, Every, Schedule
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import parse
from reconciler.core.window import Window

HOUR = 3600
DAY = 24 * HOUR
NOW = parse("2026-03-01 12:00:00")
MADE_AT = "2026-03-01T04:00:00Z"

HOURLY = Rules(Schedule("interval: 1h", Every(HOUR)))
DAILY = Rules(Schedule("cron: 0 6 * * *", Daily((6 * HOUR,))))
COMMIT = "5f0c0e2d7a1b4c3d9e8f7a6b5c4d3e2f1a0b9c8d"
_LIMITS = Limits(calls=100_000, span=40 * 366 * DAY, instances=10_000_000)
_WAITING = Waiting("needs 1 more approving review of #7 by lee; then #7 has to be merged")
MARKUP = "<img src=x onerror=\"alert('name')\"></script><script>alert('name')</script>"


def day(number: int, days: int = 1) -> Window:
    """Return days of 2026, counted from January 1st as 0."""
    start = parse("2026-01-01 00:00:00") + number * DAY
    return start, start + days * DAY


def target(name: str = "prod") -> Target:
    return Target(name, url="https://anymetrics.example.org", tenant="tn_7", auth=None, time_zone="Asia/Shanghai")


PROD, DR = target(), target("dr")


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was made, or that may have been: what its ledger line or intent shall say."""

    window: Window
    request: str = "outage"
    tokens: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    at: str = "2026-02-01T02:30:00Z"
    trace_id: str = "0aa1c2d3e4f5"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its windows, and its token where it is a rerun."""

    windows: tuple[Window, ...]
    name: str = "outage"
    token: str | None = None
    reason: str = "INC-4211: the source was down"
    approval: Approval = _WAITING


@dataclass(frozen=True, slots=True)
class Sample:
    """One table: what is asked of it, what its ledger has, what is in doubt."""

    table: str
    asked: Sequence[Asked] = ()
    made: Sequence[Made] = ()
    in_doubt: Sequence[Made] = ()
    rules: Rules = HOURLY
    target: Target = PROD
    owner: str | None = "team-sales"

    @property
    def standing(self) -> Standing:
        requests, approvals = self._requests()
        intents = tuple(Intent(self._call(made), "run-41", "ci@example.org", made.at, COMMIT) for made in self.in_doubt)
        table = Table(self.target, self.table, requests, self._ledger(), intents, NOW, self.rules)
        return Standing(table, plan_table(table, approvals))

    def _requests(self) -> tuple[tuple[Request, ...], Mapping[str, Approval]]:
        requests, approvals = [], {}
        for asked in self.asked:
            key = self._key(asked.name)
            rerun = Rerun(asked.token, asked.reason) if asked.token else None
            requests.append(
                Request(
                    key,
                    "m",
                    self.target.name,
                    self.table,
                    asked.windows,
                    rerun,
                    asked.reason,
                    self.owner,
                    _LIMITS,
                    Place(key.split("#", maxsplit=1)[0], 3, 5),
                )
            )
            if rerun:
                approvals[key] = asked.approval
        return tuple(requests), approvals

    def _ledger(self) -> Ledger | None:
        lines = tuple(
            Trigger(
                self._call(made).id,
                Range(made.window, "inclusive"),
                made.tokens,
                (self._key(made.request),),
                made.approved_by,
                made.trace_id,
                made.at,
                "run-40",
                COMMIT,
            )
            for made in self.made
        )
        return Ledger(self.target.name, self.table, lines, "0" * 64) if lines else None

    def _call(self, made: Made) -> Call:
        span = Range(made.window, "inclusive")
        return Call(
            self.target.name,
            self.table,
            self.target.tenant,
            span,
            made.tokens,
            (self._key(made.request),),
            made.approved_by,
        )

    def _key(self, name: str) -> str:
        return f"{self.table.rsplit('.', maxsplit=1)[-1].lower()}.yaml#{name}"


LATE = Asked((day(10, 3),), "late", "late-files", "the files came late", Approved(("lee",)))
WAITING = Asked((day(4, 2),), "prices", "prices-0301", "prices were wrong")
EVERYTHING = Sample(
    "default_catalog.sales.FACT_SALES",
    asked=(Asked((day(0, 50),)), LATE, WAITING),
    made=(
        Made(day(0, 30)),
        Made(day(10, 3), "late", ("late-files",), ("lee",), "2026-02-03T08:15:00Z", "trace-of-lee"),
    ),
    in_doubt=(Made(day(35, 2), at="2026-02-28T20:00:00Z"),),
)
"""A table with each status: triggered, rerun, held over what was triggered, in doubt, owed."""


def all_statuses() -> tuple[Standing, ...]:
    """Return tables that show every status, alone and side by side."""
    gaps = tuple(Made(day(at, 2), at=f"2026-02-{at // 3 + 1:02d}T01:00:00Z") for at in range(0, 54, 3))
    samples = (
        EVERYTHING,
        Sample("default_catalog.sales.FACT_SALES", (Asked((day(20, 35),)),), (Made(day(20, 10)),), target=DR),
        Sample(
            "default_catalog.finance.GL_BALANCE",
            (Asked((day(0, 59),)),),
            (Made(day(0, 59)),),
            rules=DAILY,
            owner="team-finance",
        ),
        Sample("default_catalog.finance.GL_ENTRY", (Asked((day(0, 55),)),), gaps, rules=DAILY, owner="team-finance"),
        Sample("default_catalog.web.CLICKS", (Asked((day(40, 10),)),), in_doubt=(Made(day(40, 10)),), owner=None),
        Sample(
            "default_catalog.web.SESSIONS",
            (Asked((day(30, 15),), token="bots", reason="bots are filtered out"),),
            (Made(day(0, 58)),),
            owner="team-web",
        ),
        Sample(
            "default_catalog.web.PAGES",
            (Asked((day(0, 40),)), Asked((day(50, 1),), "one")),
            (Made(day(0, 38)),),
            rules=Rules(),
            owner="team-web",
        ),
        Sample(
            "default_catalog.hr.PAYROLL",
            (Asked((day(0, 31),)),),
            (Made(day(0, 31)), Made(day(0, 31), "again")),
            rules=DAILY,
            owner="team-hr",
        ),
    )
    return tuple(sample.standing for sample in samples)


def one_trigger() -> tuple[Standing, ...]:
    return (Sample("sales.orders", (Asked((day(3, 1),)),), (Made(day(3, 1)),)).standing,)


def ten_years() -> tuple[Standing, ...]:
    """Return a table with one old trigger and a year of new ones."""
    old = (parse("2016-03-01 00:00:00"), parse("2016-03-02 00:00:00"))
    year = (parse("2025-03-01 00:00:00"), parse("2026-03-01 00:00:00"))
    return (Sample("sales.orders", (Asked((old, year)),), (Made(old), Made(year)), rules=DAILY).standing,)


def centuries() -> tuple[Standing, ...]:
    """Return a table with something at each end of what can be written."""
    first = (parse("0001-01-01 00:00:00"), parse("0001-01-02 00:00:00"))
    last = (parse("9999-12-30 00:00:00"), parse("9999-12-31 00:00:00"))
    return (Sample("sales.orders", (Asked((first, last)),), (Made(first),)).standing,)


def two_targets() -> tuple[Standing, ...]:
    asked = (Asked((day(0, 9),)),)
    made = Sample("sales.orders", asked, (Made(day(0, 9)),))
    return (made.standing, Sample("sales.orders", asked, target=DR).standing)


def in_doubt_only() -> tuple[Standing, ...]:
    return (Sample("sales.orders", (Asked((day(3, 2),)),), in_doubt=(Made(day(3, 2)),)).standing,)


def hostile() -> tuple[Standing, ...]:
    """Return tables whose names, reasons, approvers and traceIds would like to be markup."""
    made = Made(day(0, 5), MARKUP, (MARKUP,), (MARKUP,), trace_id=MARKUP)
    asked = Asked((day(0, 9),), MARKUP, MARKUP, MARKUP, Waiting(MARKUP))
    right_to_left, long = "\u202egro.elpmaxe", "default_catalog." + "x" * 200 + ".FACT"
    names = (f"a.{MARKUP}", f"a.{right_to_left}", long, "a.'\"&amp;&lt;b", "\u0645\u0628\u064a\u0639\u0627\u062a")
    return tuple(Sample(name, (asked, Asked((day(9, 3),))), (made,), owner=MARKUP).standing for name in names)


def many(tables: int) -> Iterator[Standing]:
    """Yield tables of all kinds, each with some triggers."""
    kinds = [_kind(number).standing for number in range(min(tables, 60))]
    for number in range(tables):
        kind, name = kinds[number % len(kinds)], f"default_catalog.area_{number % 100:02d}.TABLE_{number:05d}"
        yield replace(kind, table=replace(kind.table, name=name), plan=replace(kind.plan, table=name))


def _kind(number: int) -> Sample:
    made = [Made(day(at, 2)) for at in range(number % 9, 50, 9)]
    in_doubt = (Made(day(51, 1)),) if number == 0 else ()
    asked = [Asked((day(0, 55 if number % 7 == 0 else 50),)), *([WAITING] if number % 20 == 0 else [])]
    return Sample("sales.orders", asked, made, in_doubt, DAILY, owner=f"team-{number % 10}")
