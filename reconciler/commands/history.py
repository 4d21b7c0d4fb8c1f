"""`history`: which call triggered what, and why; with an instant, who asked for what holds there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.commands.authorship import Authorship
from reconciler.commands.console import Console
from reconciler.commands.gather import Scope, work_tree_manifests
from reconciler.commands.state import gather, open_branch, open_checkout
from reconciler.commands.tables import Tables, unknown_target
from reconciler.core import wallclock
from reconciler.core.change import Key, keys_of
from reconciler.core.config import Config
from reconciler.core.explain import explain
from reconciler.core.explanation import Verdict
from reconciler.core.needs import Table
from reconciler.core.progress import Progress
from reconciler.core.request import STANDARD, Declared
from reconciler.core.succession import Superseded, around, successions
from reconciler.core.text import printable
from reconciler.core.window import overlaps
from reconciler.errors import ExitCode, InvalidInput, UsageFailure
from reconciler.manifests.root import CONFIG, read_root
from reconciler.manifests.worktree import read_worktree
from reconciler.render.history import Entry, Moment, Told, history_text
from reconciler.render.history_data import history_csv, history_document
from reconciler.render.problems import json_text
from reconciler.state.checkout import Checkout
from reconciler.state.snapshot import GitSnapshot

_TRACED = 20
"""How many triggers of one instant are traced through git, the newest: it takes some git commands each."""


def run(root: Path, table: str, at: str | None, output: str, console: Console) -> ExitCode:
    """Show the triggers of a table on every target; with `at` those that hold this instant.

    Raises UsageFailure for a table that nothing is known of, InvalidInput where config or state are invalid.
    """
    second = _second(at) if at is not None else None
    checkout = open_checkout(root, console.progress)
    config, declared = _manifests(root, console.progress)
    snapshot = open_branch(checkout, config, console, believed=True).read()
    past = _Past(root, checkout, config, declared, snapshot)
    told = [
        past.told(key) if second is None else past.told_at(key, second, console) for key in past.keys(table, second)
    ]
    match output:
        case "json":
            console.result(json_text(history_document(table, at, told)))
        case "csv":
            console.result(history_csv(told, traced=at is not None))
        case _:
            console.result(history_text(told, console.paint))
    return ExitCode.DONE


def _second(text: str) -> int:
    try:
        return wallclock.parse(text)
    except ValueError as error:
        raise UsageFailure(f"--at {text!r} {error}", "write it like '2026-01-20 05:00:00'") from None


def _manifests(root: Path, progress: Progress) -> tuple[Config, Declared | None]:
    """Read the work tree's config, which has to be valid, and its manifests: None where those are not."""
    files, _ = read_worktree(root, progress)
    reading = read_root(files, progress=progress)
    if reading.config is None:
        raise InvalidInput("the config is not valid", "", tuple(p for p in reading.problems if p.file == CONFIG))
    return reading.config, reading.declared


@dataclass(frozen=True, slots=True)
class _Past:
    """The state, and what manifests say of it: schedules, and what is asked for. `declared` is None where invalid."""

    root: Path
    checkout: Checkout
    config: Config
    declared: Declared | None
    snapshot: GitSnapshot

    def keys(self, table: str, second: int | None) -> list[Key]:
        """Return the table on every target that has a ledger of it; with an instant, also where it is asked for."""
        targets = {*self.config.targets, *(target for target, _ in self.snapshot.ledger_names)}
        keys = {(target, table) for target in targets if self.snapshot.ledger((target, table))}
        if second is not None and self.declared:
            keys |= {(each.target, table) for each in self.declared.requests if each.table == table}
        if second is not None:
            keys |= {key for intent in self.snapshot.intents for key in keys_of(intent) if key[1] == table}
        if not keys:
            known = sorted({name for _, name in self.snapshot.ledger_names})
            raise UsageFailure(
                f"nothing was ever triggered for {printable(table)}",
                f"tables with a history: {', '.join(map(printable, known[:10])) or 'none yet'}"
                f"{' and more' if len(known) > 10 else ''}",
            )
        return sorted(keys)

    def told(self, key: Key) -> Told:
        table = self._table(key)
        triggers = table.ledger.triggers if table.ledger else ()
        entries = (Entry(trigger, by) for trigger, by in zip(triggers, successions(table), strict=True))
        return Told(*key, tuple(entries))

    def told_at(self, key: Key, second: int, console: Console) -> Told:
        """Return the triggers that lie over an instant, and who wrote what they were for; or what becomes of it."""
        table = self._table(key)
        point = ((second, second + 1),)
        here = [line for line in (table.ledger.triggers if table.ledger else ()) if overlaps(line.span.windows, point)]
        authorship = Authorship(self.checkout)
        entries = []
        for at, trigger in enumerate(here):
            by = Superseded(tuple(here[at + 1 : at + 2]), at + 1 < len(here))
            written = authorship.of(trigger, second) if at >= len(here) - _TRACED else ()
            entries.append(Entry(trigger, by, written))
        verdict = None if here else self._verdict(key, second, console)
        return Told(*key, entries, replace(_moment(table, second), verdict=verdict))

    def _table(self, key: Key) -> Table:
        declared = self.declared
        requests = tuple(each for each in declared.requests if (each.target, each.table) == key) if declared else ()
        rules = declared.rules.get(key, STANDARD) if declared else STANDARD
        target = self.config.targets.get(key[0]) or unknown_target(key[0])
        return Table(target, key[1], requests, self.snapshot.ledger(key), (), 0, rules)

    def _verdict(self, key: Key, second: int, console: Console) -> Verdict | None:
        """Say what becomes of an instant that nothing triggered; None where the manifests or the state cannot tell."""
        if self.declared is None:
            return None
        manifests = work_tree_manifests(self.root, console.progress)
        # All tables: what holds this one, or runs it too, may be any other.
        found = gather(self.checkout, manifests, Scope(), console)
        if key in found.planner.blocked:
            return None
        standing = Tables.of(found).standing(key)
        approvals = found.planner.approvals_of(standing.table)
        (piece,) = explain(standing.table, standing.plan, approvals, standing.carried, second).pieces
        return piece.verdict


def _moment(table: Table, second: int) -> Moment:
    schedule = table.rules.schedule
    known = table.known
    if schedule is None or known is None or not known[0] <= second < known[1]:
        return Moment(second, around(table, second))
    on = schedule.holds(second)
    near = () if on else tuple(each for each in schedule.around(second) if each is not None)
    return Moment(second, around(table, second), None, schedule.text, on, near)
