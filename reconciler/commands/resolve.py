"""`resolve`: settle what is in doubt, by what a person found out or by a journal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.gather import work_tree_config
from reconciler.commands.identity import who
from reconciler.commands.state import journal_folder, live_runs, open_branch, open_checkout, tell_settlement
from reconciler.core.change import Change, doubt_of, entries_of, keys_of, remaining
from reconciler.core.ledger import Doubt, Intent
from reconciler.core.outcome import Triggered
from reconciler.core.settlement import JournalReading, settle
from reconciler.errors import ExitCode, Failure, InvalidInput, Stale, UsageFailure
from reconciler.protocol.audit import compose, settlement_lines
from reconciler.render.plan_text import doubt_help, doubt_lines
from reconciler.state.branch import StateBranch
from reconciler.state.git import Git
from reconciler.state.journal import read_journal, read_journals
from reconciler.state.snapshot import GitSnapshot

_SHORTEST_ID = 6
_MOST_RACES = 20


@dataclass(frozen=True, slots=True)
class ResolveOptions:
    """The options of `resolve`: calls by id and what became of them, or a journal; neither lists what is in doubt."""

    root: Path
    ids: tuple[str, ...]
    became: str | None
    reason: str | None
    journal: Path | None
    run_ended: bool


def run(options: ResolveOptions, console: Console) -> ExitCode:
    """Settle, or list what there is to settle. Raises UsageFailure for ids that name no call in doubt."""
    _check(options)
    checkout = open_checkout(options.root, console.progress)
    config = work_tree_config(options.root, console.progress)
    state = open_branch(checkout, config, console)
    journals = tuple(read_journals(journal_folder(checkout.git)))
    if options.journal:
        journal = read_journal(options.journal)
        whole = replace(journal, ended=journal.ended or options.run_ended)
        return _by_journal(state, checkout.git, whole, console)
    if options.ids:
        return _by_hand(state, checkout.git, options, journals, console)
    return _list(state.read(), journals, console)


def _check(options: ResolveOptions) -> None:
    if options.run_ended and not options.journal:
        raise UsageFailure("--run-ended says something of a journal", "name it with --journal FILE")
    if options.journal and (options.ids or options.became):
        raise UsageFailure("--journal settles by itself", "leave the ids and --as out")
    if options.ids and not (options.became and options.reason and options.reason.strip()):
        raise UsageFailure(
            "ids need --as and --reason", "say what you found out: --as triggered --reason 'seen in the scheduler'"
        )
    if not options.ids and (options.became or options.reason):
        raise UsageFailure("--as and --reason need the ids of calls", "list them with: reconciler resolve")


def _settled_here(snapshot: GitSnapshot, journals: Iterable[JournalReading]) -> Change:
    """Return what the journals of this clone settle: apply records it, so nobody has to say anything of it."""
    return settle((intent for intent in snapshot.intents if _is_readable(snapshot, intent)), journals)


def _is_readable(snapshot: GitSnapshot, intent: Intent) -> bool:
    try:
        for key in keys_of(intent):
            snapshot.ledger(key)
    except InvalidInput:
        return False
    return True


def _doubt(snapshot: GitSnapshot, intent: Intent) -> tuple[Doubt, ...]:
    try:
        return doubt_of(snapshot, intent)
    except InvalidInput:  # a ledger that cannot be read settles nothing
        return (Doubt(intent, intent.call.span.windows),)


def _list(snapshot: GitSnapshot, journals: tuple[JournalReading, ...], console: Console) -> ExitCode:
    live = live_runs(journals)
    settlement = _settled_here(snapshot, journals)
    tell_settlement(settlement, console)
    found = [doubt for i in remaining(snapshot.intents, settlement.settled) for doubt in _doubt(snapshot, i)]
    for doubt in found:
        call = doubt.intent.call
        lines = [f"  {call.table} on {call.target}", *doubt_lines(doubt, console.paint, live)]
        console.result("\n".join(lines) + "\n")
    console.result("\n".join(["", *doubt_help(found, live)]) if found else "Nothing is in doubt.\n")
    return ExitCode.DONE


def _by_hand(
    state: StateBranch, git: Git, options: ResolveOptions, journals: tuple[JournalReading, ...], console: Console
) -> ExitCode:
    for _ in range(_MOST_RACES):
        snapshot = state.read()
        chosen = list(dict.fromkeys(_find(name, snapshot) for name in options.ids))
        _check_open(chosen, _settled_here(snapshot, journals), live_runs(journals))
        happened = chosen if options.became == "triggered" else ()
        entries = tuple(entry for intent in happened for entry in entries_of(intent, None, intent.since))
        change = Change(entries=entries, settled=tuple(chosen))
        message = _message(change, git, f"as {options.became}", options.reason or "")
        landed = state.commit(snapshot, change, message)
        if isinstance(landed, GitSnapshot):
            state.keep_mark(landed.commit)
            what = "recorded as triggered" if entries else "owed again"
            console.result(f"{len(chosen)} resolved, {what}: {(landed.commit or '')[:12]} on {state.where}\n")
            return ExitCode.DONE
    raise _lost()


def _check_open(chosen: Iterable[Intent], settlement: Change, live: frozenset[str]) -> None:
    """Raise Failure for a call whose run lives, or of which this clone's journal knows better than anybody."""
    triggered = {(entry.trigger.run, entry.trigger.id) for entry in settlement.made}
    for intent in chosen:
        if intent.run in live:
            raise Failure(
                f"run {intent.run} is under way in this clone", "wait until it has ended: it settles its calls"
            )
        if intent in settlement.settled:
            was = "it was triggered" if (intent.run, intent.call.id) in triggered else "it was not triggered"
            raise Failure(
                f"call {intent.call.id} is not in doubt: the journal of its run in this clone proves that {was}",
                "nothing is to be said of it: the next `reconciler apply` here records that",
            )


def _find(name: str, snapshot: GitSnapshot) -> Intent:
    if len(name) < _SHORTEST_ID:
        raise UsageFailure(f"{name} is too short to name a call", f"write at least {_SHORTEST_ID} characters of its id")
    found = [intent for intent in snapshot.intents if intent.call.id.startswith(name)]
    if not found:
        known = ", ".join(intent.call.id for intent in snapshot.intents[:10])
        raise UsageFailure(f"no call in doubt has an id that starts with {name}", f"in doubt are: {known or 'none'}")
    if len(found) > 1:
        raise UsageFailure(f"several calls in doubt have an id that starts with {name}", "write more of it")
    return found[0]


def _by_journal(state: StateBranch, git: Git, journal: JournalReading, console: Console) -> ExitCode:
    if not journal.begun:
        raise InvalidInput("the journal is empty, so it proves nothing", "take the whole file that the run left")
    if journal.live:
        raise Failure(f"run {journal.run} is under way", "wait until it has ended: it settles its calls itself")
    for _ in range(_MOST_RACES):
        snapshot = state.read()
        change = settle(_provable(snapshot.intents, journal), (journal,))
        if change:
            landed = state.commit(
                snapshot, change, _message(change, git, "by its journal", f"journal of run {journal.run}")
            )
            if not isinstance(landed, GitSnapshot):
                continue
            state.keep_mark(landed.commit)
            settled, triggered = len(change.settled), len(change.made)
            console.result(
                f"The journal of run {journal.run} settled {settled}: {triggered} triggered, {settled - triggered} not "
                f"triggered and owed again: {(landed.commit or '')[:12]} on {state.where}\n"
            )
            snapshot = landed
        left = [intent for intent in snapshot.intents if intent.run == journal.run]
        console.result(f"{len(left)} of run {journal.run} in doubt" + (": see reconciler resolve\n" if left else ".\n"))
        if left and journal.ended:
            console.message(
                "What is left was being sent when the run ended: only the scheduler knows what became of it."
            )
        elif left:
            console.message(
                "The journal has no end, so it proves only what it says was triggered. If its run has ended and the "
                "file is whole, add --run-ended."
            )
        return ExitCode.IN_DOUBT if left else ExitCode.DONE
    raise _lost()


def _provable(intents: Iterable[Intent], journal: JournalReading) -> Iterator[Intent]:
    """Yield what a journal from elsewhere can settle: without an end, only calls that it says were accepted.

    The copy may have been cut, or taken while the run went on: it may have sent what the copy does not mention.
    """
    for intent in intents:
        event = journal.events.get(intent.call.id)
        if journal.ended or (event and isinstance(event.what, Triggered)):
            yield intent


def _lost() -> Stale:
    return Stale("other runs kept changing the state", "wait until they are done, then resolve again")


def _message(change: Change, git: Git, how: str, reason: str) -> str:
    number = len(change.settled)
    subject = f"Resolve {number} call{'s' if number != 1 else ''} {how}"
    runs: Sequence[str] = sorted({intent.run for intent in change.settled})
    trailers = [*(("Run", run) for run in runs), ("By", who(git, os.environ)), ("Reason", reason)]
    return compose(subject, settlement_lines(change), trailers)
