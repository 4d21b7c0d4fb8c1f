"""What one table needs: which instants are new, which reruns are approved, which wait. No call is thought of yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.config import Target
from reconciler.core.fewest import Terms
from reconciler.core.ledger import Coverage, Doubt, Intent, Ledger, doubts, windows_of
from reconciler.core.policy import Approval, Approved, Owing, Waiting
from reconciler.core.request import STANDARD, Request, Rules
from reconciler.core.wallclock import year_of
from reconciler.core.window import EMPTY, Window, Windows, inside, intersect, near, subtract, union

_NOTHING = Coverage("", 0, ())


@dataclass(frozen=True, slots=True)
class Table:
    """All that is known of one table of one target. `now` is the second that the target's wall clock shows."""

    target: Target
    name: str
    requests: tuple[Request, ...]
    ledger: Ledger | None
    intents: tuple[Intent, ...]
    now: int
    rules: Rules = STANDARD

    @property
    def terms(self) -> Terms:
        """What the table's calls may look like."""
        return terms_of(self.target, self.rules)

    @property
    def known(self) -> Window | None:
        """The calendar years that the requests touch: for these a schedule is made. None where nothing is asked."""
        asked = [window for request in self.requests for window in request.windows]
        if not asked:
            return None
        return year_of(min(start for start, _ in asked))[0], year_of(max(end for _, end in asked) - 1)[1]


def terms_of(target: Target, rules: Rules) -> Terms:
    """Return what calls of a table with these rules may look like."""
    return Terms(target.range_end, target.points_per_call, rules.schedule, rules.chunk)


@dataclass(frozen=True, slots=True)
class Needs:
    """The instants of one table: new ones (`fresh`), and per token what is approved and what waits.

    All windows but `taken` are numbered by `terms`: seconds where there is no schedule. `asked` are the requests with
    theirs. `taken` are the seconds that were triggered or are in doubt.
    """

    table: Table
    terms: Terms
    asked: tuple[tuple[Request, Windows], ...]
    taken: Windows
    covered: Windows
    bearing: Mapping[str, Windows]
    doubtful: Windows
    fresh: Windows
    approved: Mapping[str, Windows]
    waiting: Mapping[str, Windows]
    doubts: tuple[Doubt, ...]
    unapproved_keys: frozenset[str]

    @staticmethod
    def of(table: Table, approvals: Mapping[str, Approval]) -> Needs:
        terms = table.terms
        coverage = table.ledger.coverage if table.ledger else _NOTHING
        triggered, by_token = coverage.covered, coverage.bearing
        bearing = {token: terms.numbered(windows) for token, windows in by_token.items()}
        open_doubts = doubts(table.ledger, table.intents)
        unclear = union(window for doubt in open_doubts for window in doubt.windows)
        asked = tuple((request, terms.numbered(request.windows)) for request in table.requests)
        covered, doubtful = terms.numbered(triggered), terms.numbered(unclear)
        wanted = union(window for request, windows in asked if request.rerun is None for window in windows)
        approved: dict[str, Windows] = {}
        waiting: dict[str, Windows] = {}
        for token in sorted({request.rerun.token for request in table.requests if request.rerun}):
            done = union((*bearing.get(token, EMPTY), *terms.numbered(_in_flight(token, open_doubts))))
            mine = [(approvals.get(r.key), windows) for r, windows in asked if r.rerun and r.rerun.token == token]
            agreed = union(w for approval, windows in mine if isinstance(approval, Approved) for w in windows)
            unapproved = union(w for approval, windows in mine if isinstance(approval, Waiting) for w in windows)
            approved[token] = subtract(agreed, done)
            waiting[token] = subtract(subtract(unapproved, done), agreed)
        return Needs(
            table=table,
            terms=terms,
            asked=asked,
            taken=union((*triggered, *unclear)) if unclear else triggered,
            covered=covered,
            bearing=bearing,
            doubtful=doubtful,
            fresh=subtract(subtract(wanted, covered), doubtful),
            approved=approved,
            waiting=waiting,
            doubts=open_doubts,
            unapproved_keys=frozenset(key for key, approval in approvals.items() if isinstance(approval, Waiting)),
        )

    def within(self, windows: Windows) -> Needs:
        """Return these needs with only what is owed in windows of seconds."""
        numbers = self.terms.numbered(windows)
        approved = {token: intersect(owed, numbers) for token, owed in self.approved.items()}
        return replace(self, fresh=intersect(self.fresh, numbers), approved=approved)

    def without(self, windows: Windows) -> Needs:
        """Return these needs without what is owed in windows of seconds."""
        numbers = self.terms.numbered(windows)
        approved = {token: subtract(owed, numbers) for token, owed in self.approved.items()}
        return replace(self, fresh=subtract(self.fresh, numbers), approved=approved)

    @property
    def owed(self) -> Windows:
        approved = [window for windows in self.approved.values() for window in windows]
        return union((*self.fresh, *approved)) if approved else self.fresh

    @property
    def unapproved(self) -> Windows:
        return union(window for windows in self.waiting.values() for window in windows)

    def owing(self) -> Iterator[Owing]:
        """Yield the requests that owe something now, with the instants they owe."""
        for request, windows in self.asked:
            if request.key in self.unapproved_keys:
                continue  # an approved rerun with the same token may owe the same: by its own limits
            owed = self.fresh if request.rerun is None else self.approved[request.rerun.token]
            numbers = common(windows, owed)
            if numbers:
                yield Owing(request, numbers)


def open_reruns(table: Table) -> tuple[Request, ...]:
    """Return the reruns of `table` that somebody has to approve now: the others were triggered, or are in doubt."""
    reruns = [(request, request.rerun.token) for request in table.requests if request.rerun]
    if not reruns:
        return ()
    bearing = table.ledger.coverage.bearing if table.ledger else {}
    open_doubts = doubts(table.ledger, table.intents)
    tokens = {token for _, token in reruns}
    taken = {token: union((*bearing.get(token, EMPTY), *_in_flight(token, open_doubts))) for token in tokens}
    return tuple(request for request, token in reruns if table.terms.numbered(subtract(request.windows, taken[token])))


def _in_flight(token: str, open_doubts: Sequence[Doubt]) -> Windows:
    """Return the windows of the calls in doubt that bear a token."""
    return windows_of(doubt.intent.call.span for doubt in open_doubts if token in doubt.intent.call.rerun)


def covered_keys(requests: Iterable[Request], ledger: Ledger | None, terms: Terms) -> tuple[str, ...]:
    """Return the keys of the requests that need nothing more, sorted."""
    asked = ((request, terms.numbered(request.windows)) for request in requests)
    coverage = ledger.coverage if ledger else _NOTHING
    done = {token: terms.numbered(windows) for token, windows in coverage.bearing.items()}
    return done_keys(asked, terms.numbered(coverage.covered), done)


def done_keys(
    asked: Iterable[tuple[Request, Windows]], covered: Windows, bearing: Mapping[str, Windows]
) -> tuple[str, ...]:
    def taken(request: Request) -> Windows:
        return covered if request.rerun is None else bearing.get(request.rerun.token, EMPTY)

    return tuple(sorted(request.key for request, windows in asked if windows and inside(windows, taken(request))))


def common(few: Windows, many: Windows) -> Windows:
    """Return what is in both; fast where `few` is short."""
    return intersect(few, near(many, few[0][0], few[-1][1])) if few else EMPTY
