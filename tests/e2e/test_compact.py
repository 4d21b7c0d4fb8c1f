"""`state compact`: old lines are folded, plans stay as they are, and nothing that was known is lost to anybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, Gate, no_fault
from tests.e2e.folds import FILE, fold_of, forged, long_past, without_a_window
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between, hours, twice
from tests.e2e.workplace import Ended, Workplace, ended

COMPACT = ("state", "compact", "--keep", "3")


@pytest.fixture
def grown(place: Workplace, scheduler: Counting) -> Workplace:
    """Return a workplace with a ledger of 39 lines, one of them a rerun, a table in doubt, and calls that are owed."""
    long_past(place)
    place.declare("fact.yaml", backfill("fact", between(1, 4), again("late", between(2, 3), "dana")))
    assert place.apply().code == 0
    scheduler.decide = lambda _: Fault("lost")
    place.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    assert place.apply().code == 7
    scheduler.decide = no_fault
    place.declare("fact.yaml", backfill("fact", between(1, 8), again("late", between(2, 5), "dana"), at(12)))
    return place


def compacted(place: Workplace, *options: str) -> Ended:
    done = place.run(*(options or COMPACT))
    assert done.code == 0, done.err
    return done


LOOKS: dict[str, tuple[str, ...]] = {
    "plan": ("plan", "--exit-code"),
    "plan in Markdown": ("plan", "--format", "markdown"),
    "explain": ("plan", "--explain", SALES),
    "status": ("status",),
    "history": ("history", SALES),
    "history as CSV": ("history", SALES, "--format", "csv"),
    "history of an instant": ("history", SALES, "--at", "2026-01-03 01:00:00"),
}


def looks(place: Workplace) -> dict[str, tuple[int, str]]:
    """Return what commands that only look say, digest and all, but for the state's commit and what it is now."""
    seen = {}
    for name, arguments in LOOKS.items():
        done = place.run(*arguments)
        seen[name] = (done.code, done.out.replace((place.tip() or "")[:12], "TIP"))
    document = {**place.run("plan", "--format", "json").json, "state": None}
    return seen | {"plan as JSON": (0, json.dumps(document))}


@pytest.mark.claim("state compact: plans before and after are the same, byte for byte")
def test_nothing_that_can_be_seen_changes(grown: Workplace) -> None:
    before = looks(grown)
    size = len(grown.state_files()[FILE])
    said = compacted(grown).out
    assert "lines of 1 ledger folded" in said
    assert len(grown.state_files()[FILE]) < size / 4
    assert looks(grown) == before
    assert looks(grown.clone("fresh")) == before
    verified = grown.run("state", "verify")
    assert (verified.code, "warning" in verified.err) == (0, False), verified.err
    assert "1 ledger with 39 triggers" in verified.out


def test_the_commit_says_what_was_done(grown: Workplace) -> None:
    before = grown.git("--git-dir", str(grown.remote), "rev-parse", f"{grown.tip()}:triggers/.state/{FILE}").strip()
    compacted(grown)
    message = grown.git("--git-dir", str(grown.remote), "log", "-1", "--format=%B", str(grown.tip()))
    assert message.startswith("Compact 36 lines of 1 ledger\n")
    assert f"whole in {before}" in message
    assert "\nFolded: 36 lines of 1 ledger\nRun: " in message
    assert fold_of(grown)["detail"] == before


def test_applies_go_on_and_make_each_call_once(grown: Workplace, scheduler: Counting) -> None:
    compacted(grown)
    ran = scheduler.runs(SALES)
    assert grown.apply("--table", SALES).code == 0
    done = hours(1, 8) | twice(4, 4) | hours(12, 12)
    assert {time: runs for time, runs in scheduler.runs(SALES).items() if time[:10] == "2026-01-20"} == done
    assert ran != done
    assert grown.clone("fresh").apply("--table", SALES).code == 0
    long_past(grown)  # nothing of it is new
    assert grown.run("state", "verify").code == 0
    assert scheduler.runs(SALES) == done


def test_to_compact_again_finds_nothing_and_later_what_has_come(grown: Workplace) -> None:
    seen, before = grown.clone("seen"), looks(grown)
    assert seen.run("plan").code == 0
    compacted(grown)
    tip = grown.tip()
    assert compacted(grown).out == "Nothing to fold.\n"
    assert grown.tip() == tip
    first = fold_of(grown)
    again_ = looks(grown)
    assert again_ == before
    long_past(grown, range(21, 30))
    assert fold_of(grown) == first
    before = looks(grown)
    compacted(grown)
    second = fold_of(grown)
    assert (second["lines"], first["lines"]) == (54, 36)
    for place in (grown, seen, grown.clone("fresh")):
        assert looks(place) == before
        verified = place.run("state", "verify")
        assert (verified.code, "warning" in verified.err) == (0, False), verified.err


def test_a_dry_run_changes_nothing(grown: Workplace) -> None:
    tip = grown.tip()
    said = compacted(grown, *COMPACT, "--dry-run").out
    assert "36 lines of 1 ledger would be folded" in said
    assert grown.tip() == tip


def test_what_is_kept_may_be_told_by_time(grown: Workplace) -> None:
    compacted(grown, "state", "compact", "--before", "2026-01-10")
    assert fold_of(grown)["lines"] == 18


def test_a_ledger_that_would_hardly_get_smaller_is_left_as_it_is(grown: Workplace) -> None:
    said = compacted(grown, "state", "compact", "--keep", "35").out
    assert said == "Nothing to fold.\n1 ledger left as it is: folding would save less than a fifth.\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--keep", "0"), "0 is not in the range"),
        (("--keep", "5", "--before", "2026-01-01"), "exclude each other"),
        (("--before", "yesterday"), "is no time"),
        (("--before", "2026-02-30"), "does not exist"),
        (("--table", "no.such.*"), "no ledger"),
        (("--target", "elsewhere"), "no ledger"),
    ],
)
def test_what_cannot_be_meant_is_refused(grown: Workplace, options: tuple[str, ...], words: str) -> None:
    done = grown.run("state", "compact", *options)
    assert done.code == 2
    assert words in done.err


def test_before_the_first_apply_there_is_nothing_to_compact(place: Workplace) -> None:
    assert compacted(place).out == "There is no state yet.\n"


def test_a_damaged_ledger_is_left_and_the_others_are_compacted(grown: Workplace) -> None:
    long_past(grown, table=ORDERS + "2")
    data = grown.state_files()[FILE]
    grown.put_state({FILE: data.replace(b"01:00:00", b"00:00:00", 1)})
    done = grown.run(*COMPACT)
    assert done.code == 3
    assert f".state/{FILE}:2" in done.err
    assert "lines of 1 ledger folded" in done.out
    assert fold_of(grown, f"prod/{ORDERS}2.jsonl")["lines"] == 33


CLONES: dict[str, Callable[[Workplace, str], Workplace]] = {
    "the clone that has seen it": lambda place, _: place,
    "a fresh clone": lambda place, name: place.clone(name),
    "a shallow clone": lambda place, name: place.clone(name, "--depth=1"),
}


@pytest.mark.claim("damaged and tampered state: noticed, with file and line")
@pytest.mark.parametrize("kind", CLONES)
def test_a_forged_fold_is_refused(grown: Workplace, scheduler: Counting, kind: str) -> None:
    """The mark is where the last apply or compaction ended: before the forgery."""
    names = (f"clone{number}" for number in count())
    ran = scheduler.runs(SALES)
    compacted(grown)
    grown.put_state({FILE: without_a_window(grown.state_files()[FILE])})
    for _ in range(2):
        stopped = CLONES[kind](grown, next(names)).apply("--table", SALES)
        assert stopped.code == 3
        assert f".state/{FILE}:2:" in stopped.err
    assert scheduler.runs(SALES) == ran


@pytest.mark.claim("damaged and tampered state: noticed, with file and line")
@pytest.mark.parametrize("kind", CLONES)
def test_a_compaction_that_somebody_forged_is_refused(grown: Workplace, scheduler: Counting, kind: str) -> None:
    """What was seen before has all its lines: the fold is compared with them."""
    names = (f"clone{number}" for number in count())
    ran = scheduler.runs(SALES)
    seen = grown.clone("seen")
    assert seen.run("plan").code == 0
    mark = "refs/reconciler/state/triggers/reconciler-state"
    before = seen.git("ls-remote", "origin", mark).split()[0]
    compacted(seen)
    seen.git("push", "-q", "--force", "origin", f"{before}:{mark}")
    grown.put_state({FILE: without_a_window(grown.state_files()[FILE])})
    for _ in range(2):
        stopped = CLONES[kind](grown, next(names)).apply("--table", SALES)
        assert stopped.code == 3
        assert f".state/{FILE}:2:" in stopped.err
    assert scheduler.runs(SALES) == ran


@pytest.mark.claim("damaged and tampered state: noticed, with file and line")
def test_verifying_finds_a_forged_fold_where_nobody_remembers(grown: Workplace) -> None:
    compacted(grown)
    data = grown.state_files()[FILE]
    grown.put_state({FILE: without_a_window(data)})
    culprit = grown.tip()
    assert culprit
    grown.git("push", "-q", "origin", ":refs/reconciler/state/triggers/reconciler-state")
    fresh = grown.clone("fresh")
    verified = fresh.run("state", "verify")
    assert verified.code == 3
    assert culprit[:12] in verified.err
    assert f".state/{FILE}:2:1  the state file is damaged: it does not" in verified.err
    refused = fresh.run("state", "compact", "--keep", "1")
    assert refused.code == 3
    grown.put_state({FILE: data}, name="somebody else")
    mended = grown.clone("mended")
    assert mended.run("plan").code == 0
    assert mended.run("state", "verify", "--since", str(grown.tip())).code == 0


def test_lines_that_were_removed_or_a_fold_that_names_another_file_are_found(grown: Workplace) -> None:
    compacted(grown)
    data = grown.state_files()[FILE]
    grown.put_state({FILE: data[: data[:-1].rindex(b"\n") + 1]})
    stopped = grown.run("plan")
    assert (stopped.code, f".state/{FILE}:5:" in stopped.err) == (3, True), stopped.err
    grown.put_state({FILE: forged(data, detail="0" * 40)}, name="somebody else")
    verified = grown.run("state", "verify")
    assert "not in this clone" in verified.err


def test_a_branch_that_was_forced_back_to_before_is_noticed(grown: Workplace, scheduler: Counting) -> None:
    compacted(grown)
    for place in (grown, grown.clone("fresh")):
        place.git("fetch", "-q", "origin", place.state)
    grown.git("push", "-q", "--force", "origin", f"FETCH_HEAD~1:refs/heads/{grown.state}")
    for place in (grown, grown.clone("another")):
        stopped = place.run("plan")
        assert (stopped.code, "rewritten" in stopped.err) == (3, True)


def test_a_compaction_may_be_undone_by_putting_the_file_back(grown: Workplace) -> None:
    before, data = looks(grown), grown.state_files()[FILE]
    compacted(grown)
    grown.put_state({FILE: data})
    for place in (grown, grown.clone("fresh")):
        assert looks(place) == before
        verified = place.run("state", "verify")
        assert (verified.code, "warning" in verified.err) == (0, False), verified.err


def test_a_shallow_clone_plans_and_says_where_history_ends(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, state={"branch": "main"})
    place.state = "main"
    place.declare("fact.yaml", backfill("fact", between(1, 2)))
    assert place.apply().code == 0
    long_past(place)
    place.declare("fact.yaml", backfill("fact", between(1, 8)))
    digest = place.run("plan", "--format", "json").json["digest"]
    compacted(place)
    shallow = place.clone("shallow", "--depth=1")
    for form in ("text", "markdown", "json"):
        planned = shallow.run("plan", "--format", form)
        assert (planned.code, digest in planned.out) == (0, True), planned.err
    stopped = shallow.run("history", SALES)
    assert stopped.code == 1
    assert "it has those that were triggered since 2026-01-" in stopped.err
    assert "git fetch --unshallow" in stopped.err
    verified = shallow.run("state", "verify")
    assert (verified.code, "not verified" in verified.err, "37 triggers" in verified.out) == (0, True, True)
    assert shallow.apply("--format", "markdown").code == 0
    assert compacted(shallow, "state", "compact", "--keep", "1").code == 0
    assert place.clone("whole").run("state", "verify").code == 0
    shallow.git("fetch", "-q", "--unshallow")
    assert shallow.run("history", SALES).code == 0
    assert scheduler.runs(SALES) == hours(1, 8)


def test_state_that_moves_onto_the_manifests_branch_takes_its_history_along(
    place: Workplace, scheduler: Counting
) -> None:
    """As docs/state.md tells it."""
    long_past(place)
    compacted(place)
    told = place.run("history", SALES).out
    place.git("fetch", "-q", "origin")
    place.git("merge", "-q", "-s", "ours", "--no-commit", "--allow-unrelated-histories", f"origin/{place.state}")
    place.git("checkout", f"origin/{place.state}", "--", "triggers/.state")
    place.configure(scheduler.url, state={"branch": "main"})
    place.publish()
    place.state = "main"
    alone = place.clone("alone", "--single-branch", "--branch=main")
    for clone in (place, alone):
        assert clone.run("history", SALES).out == told
        assert clone.run("state", "verify").code == 0


def test_a_run_that_is_under_way_notices_nothing(grown: Workplace, scheduler: Counting) -> None:
    gate = Gate()
    scheduler.decide = gate.decide
    process = grown.start("apply", "--table", SALES)
    assert gate.reached.wait(20)
    compacted(grown.clone("other"))
    scheduler.decide = no_fault
    gate.open()
    assert ended(process).code == 0
    assert grown.run("state", "verify").code == 0
    assert grown.run("plan", "--table", SALES, "--exit-code").code == 0
    assert fold_of(grown)["lines"] == 36


@pytest.mark.claim("state compact beside appliers: nothing lost, nothing twice")
def test_appliers_and_compactions_that_race_lose_nothing(place: Workplace, scheduler: Counting) -> None:
    tables = [f"c.d.T{number}" for number in range(3)]
    for table in tables:
        long_past(place, table=table)
    clones = [place.clone(f"clone{number}") for number in range(5)]
    manifests = [backfill(f"m{at}", between(1, 12), table=table, chunk="1h") for at, table in enumerate(tables)]
    place.declare("all.yaml", *manifests)
    for clone in clones:
        clone.git("pull", "-q")
    appliers = [clone.start("apply", "--table", table) for clone, table in zip(clones, tables, strict=False)]
    keeps = (9, 3)
    compactors = [
        clone.start("state", "compact", "--keep", str(keep)) for clone, keep in zip(clones[3:], keeps, strict=True)
    ]
    done = [ended(process) for process in (*appliers, *compactors)]
    assert {each.code for each in done} <= {0, 8}, [each.err for each in done]
    for clone in clones:
        assert clone.apply().code == 0
    compacted(place)
    for table in tables:
        ran = scheduler.runs(table)
        assert set(ran.values()) == {1}, ran
        assert len(place.run("history", table, "--format", "csv").out.splitlines()) == 1 + 36 + 12
    assert place.clone("fresh").run("state", "verify").code == 0
