"""Tables in every state, for pictures of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.core.call import Call, Range, Span, Times
from reconciler.core.config import Target
from reconciler.core.ledger import Intent, Ledger, Trigger
from reconciler.core.needs import Table
from reconciler.core.planner import plan_table
from reconciler.core.policy import Approval, Waiting
from reconciler.core.request import Request, Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import parse
from reconciler.core.window import Window
from tests.core.worlds import request, target

HOUR = 3600
DAY = 24 * HOUR
HOURLY = Schedule("every hour", Every(HOUR))


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to a table: windows asked for, triggered, rerun, in doubt; a rerun that waits for approval."""

    name: str
    target: str = "prod"
    asked: Sequence[Window] = ()
    triggered: Sequence[Window] = ()
    rerun: Sequence[Window] = ()
    doubt: Sequence[Window] = ()
    held: Sequence[Window] = ()
    schedule: Schedule | None = None
    now: int = 0

    def standing(self) -> Standing:
        waiting = [self._asks(f"rerun-{at}", window, f"late-{at}") for at, window in enumerate(self.held)]
        asked = [self._asks(f"outage-{at}", window) for at, window in enumerate(self.asked)]
        lines = [self._trigger(window, ()) for window in self.triggered]
        lines += [self._trigger(window, ("late",)) for window in self.rerun]
        ledger = Ledger(self.target, self.name, tuple(lines), "head") if lines else None
        intents = tuple(Intent(self._call(window, ()), "run", "dana", AT, "commit") for window in self.doubt)
        table = Table(
            self._target, self.name, (*asked, *waiting), ledger, intents, self.now, Rules(schedule=self.schedule)
        )
        approvals: dict[str, Approval] = {one.key: Waiting("ask dana") for one in waiting}
        return Standing(table, plan_table(table, approvals))

    @property
    def _target(self) -> Target:
        return replace(target(), name=self.target, time_zone="Asia/Shanghai" if self.target == "prod" else "UTC")

    def _asks(self, name: str, window: Window, token: str | None = None) -> Request:
        made = request(f"sales/manifest.yaml#{name}", (window,), token)
        return replace(made, target=self.target, table=self.name)

    def _call(self, window: Window, tokens: tuple[str, ...]) -> Call:
        span: Span = Times((window[0],)) if window[1] - window[0] == 1 else Range(window, "inclusive")
        return Call(self.target, self.name, "tn", span, tokens, ("sales/manifest.yaml#outage-0",), ())

    def _trigger(self, window: Window, tokens: tuple[str, ...]) -> Trigger:
        call = self._call(window, tokens)
        return Trigger(call.id, call.span, tokens, call.requests, (), None, AT, "run", "commit")


AT = "2026-02-01T04:05:06Z"


def days(first: str, last: str) -> Window:
    """Return the window from one day's midnight to another's, which is not in it."""
    return parse(f"{first} 00:00:00"), parse(f"{last} 00:00:00")


def every_state() -> tuple[Standing, ...]:
    """Return some weeks of seven tables on two targets."""
    now = parse("2026-02-01 12:00:00")
    january = days("2026-01-01", "2026-02-01")
    some = (
        Story(
            "default_catalog.sales.FACT_SALES",
            asked=[january],
            triggered=[days("2026-01-01", "2026-01-21")],
            rerun=[days("2026-01-08", "2026-01-11")],
            doubt=[days("2026-01-21", "2026-01-24")],
            held=[days("2026-01-14", "2026-01-17")],
            schedule=HOURLY,
            now=now,
        ),
        Story(
            "default_catalog.sales.FACT_SALES",
            "staging",
            asked=[january],
            triggered=[january],
            schedule=HOURLY,
            now=now,
        ),
        Story(
            "default_catalog.finance.FACT_POSTING_OF_EVERY_KIND_WITH_A_VERY_LONG_NAME_THAT_NOBODY_READS_TO_ITS_END",
            asked=[days("2026-01-05", "2026-01-20")],
            triggered=[days("2026-01-05", "2026-01-12")],
            now=now,
        ),
        Story(
            "lake.raw.EVENTS",
            asked=[days("2026-01-02", "2026-01-28")],
            triggered=[(start, start + 6 * HOUR) for start in range(january[0] + DAY, january[1] - 6 * DAY, DAY)],
            schedule=HOURLY,
            now=now,
        ),
        Story(
            "lake.raw.CLICKS",
            doubt=[days("2026-01-10", "2026-01-12")],
            asked=[days("2026-01-10", "2026-01-12")],
            now=now,
        ),
        Story("old.table", triggered=[days("2026-01-25", "2026-01-26")], now=now),
        Story("华东.销售.订单明细", asked=[(january[0] + 9 * DAY, january[0] + 9 * DAY + 1)], now=now),
    )
    return tuple(one.standing() for one in some)
