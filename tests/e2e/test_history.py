"""`history`: what superseded what, and with an instant who asked for what holds there, in real repositories."""

from __future__ import annotations

import csv
import io
import shutil
import signal
from typing import Any

import pytest

from tests.e2e.counting import Counting, Gate
from tests.e2e.manifests import ORDERS, SALES, Document, again, at, backfill, between, hour, text_of
from tests.e2e.workplace import Workplace

HOURLY = "0 0 * * * ?"


def commit(place: Workplace, message: str, *manifests: Document, author: str = "Dana", path: str = "fact.yaml") -> str:
    """Commit a file of manifests on the branch that is checked out, and return the commit."""
    place.write(path, text_of(*manifests))
    place.git("add", "--all")
    place.git("commit", "-q", f"--author={author} <x@example.com>", "-m", message)
    return place.git("rev-parse", "HEAD").strip()


def publish(place: Workplace) -> None:
    place.git("push", "-q", "--set-upstream", "origin", "HEAD")
    assert place.apply().code == 0


def asked(place: Workplace, number: int, table: str = SALES) -> list[dict[str, Any]]:
    """Return what the JSON says of the triggers over an hour, oldest first."""
    done = place.run("history", table, "--at", hour(number), "--format", "json")
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = done.json["triggers"]
    return found


@pytest.fixture
def merged(place: Workplace) -> tuple[Workplace, str, str]:
    """Return a workplace, the commit that wrote a request on a branch, and GitHub's merge that brought it."""
    place.git("checkout", "-q", "-b", "late")
    wrote = commit(place, "Ask for the outage", backfill("fact", between(1, 5, name="outage"), schedule=HOURLY))
    place.git("checkout", "-q", "main")
    commit(place, "Another table (#7)", backfill("other", at(1), table=ORDERS), path="other.yaml")
    message = "Merge pull request #12 from acme/late\n\nAsk for the outage"
    place.git("merge", "-q", "--no-ff", "late", "-m", message)
    merge = place.git("rev-parse", "HEAD").strip()
    publish(place)
    return place, wrote, merge


def test_an_instant_tells_who_wrote_its_request_and_which_merge_brought_it(merged: tuple[Workplace, str, str]) -> None:
    place, wrote, merge = merged
    (line,) = asked(place, 3)
    (manifest,) = line["manifest"]
    assert (manifest["request"], manifest["file"], manifest["unknown"]) == ("fact.yaml#outage", "fact.yaml", None)
    assert manifest["lastLine"] > manifest["line"] > 1
    (writer,) = line["writtenBy"]
    assert (writer["commit"], writer["author"], writer["subject"]) == (wrote, "Dana", "Ask for the outage")
    assert line["pullRequests"] == [{"request": "fact.yaml#outage", "name": "#12", "source": "merge", "commit": merge}]
    text = place.run("history", SALES, "--at", hour(3)).out
    assert f"pull request #12, as the merge {merge[:12]} says" in text
    assert f"the same triggers from {hour(1)} to {hour(5)}, 5 instances" in text
    assert f"{wrote[:12]}  " in text
    assert "holds now" in text


def test_a_squash_names_its_pull_request_itself(place: Workplace) -> None:
    wrote = commit(place, "Ask for the outage (#13)", backfill("fact", between(1, 5)))
    publish(place)
    (line,) = asked(place, 3)
    assert [(pull["name"], pull["source"], pull["commit"]) for pull in line["pullRequests"]] == [
        ("#13", "commit", wrote)
    ]


def test_gitlab_names_it_in_the_merges_body(place: Workplace) -> None:
    place.git("checkout", "-q", "-b", "late")
    commit(place, "Ask for the outage", backfill("fact", between(1, 5)))
    place.git("checkout", "-q", "main")
    place.git("merge", "-q", "--no-ff", "late", "-m", "Merge branch 'late'\n\nOutage\n\nSee merge request acme/b!15")
    publish(place)
    (line,) = asked(place, 3)
    assert [(pull["name"], pull["source"]) for pull in line["pullRequests"]] == [("acme/b!15", "merge")]


def test_where_nothing_names_one_it_is_that_of_the_manifests_and_says_so(place: Workplace) -> None:
    commit(place, "Ask for the outage", backfill("fact", between(1, 5)))
    commit(place, "Another table (#7)", backfill("other", at(1), table=ORDERS), path="other.yaml")
    publish(place)
    (line,) = asked(place, 3)
    assert [(pull["name"], pull["source"]) for pull in line["pullRequests"]] == [("#7", "manifests")]
    text = place.run("history", SALES, "--at", hour(3)).out
    assert "no pull request is named by that; the manifests were applied at that of #7" in text


def test_it_is_traced_as_of_what_was_applied_however_the_manifests_changed_since(
    merged: tuple[Workplace, str, str],
) -> None:
    place, wrote, _ = merged
    late = again("late", at(3, name="late"), "dana")
    place.git("rm", "-q", "triggers/fact.yaml")
    commit(place, "Move it", backfill("moved", between(1, 5, name="outage"), late, schedule=HOURLY), path="moved.yaml")
    publish(place)
    first, second = asked(place, 3)
    assert [one["commit"] for one in first["writtenBy"]] == [wrote]
    assert second["writtenBy"][0]["subject"] == "Move it"
    assert (first["superseded"], first["supersededBy"][0]["id"]) == ("whole", second["id"])
    assert (second["superseded"], second["supersededBy"], second["approvedBy"]) == (None, [], ["dana"])
    text = place.run("history", SALES, "--at", hour(3)).out
    assert text.index("holds now") < text.index(f"superseded by call {second['id']}")
    assert text.index(second["traceId"]) < text.index(first["traceId"])
    everything = place.run("history", SALES).out
    assert f"superseded in part by call {second['id']} at {second['triggeredAt']}" in everything
    assert everything.index(first["traceId"]) < everything.index(second["traceId"])
    rows = list(csv.DictReader(io.StringIO(place.run("history", SALES, "--at", hour(3), "--format", "csv").out)))
    assert [(row["pullRequests"], row["superseded"], row["manifest"]) for row in rows] == [
        ("#12", "whole", "fact.yaml"),
        ("#12", "", "moved.yaml"),  # git follows a file that was renamed
    ]
    rows = list(csv.DictReader(io.StringIO(place.run("history", SALES, "--format", "csv").out)))
    assert [(row["superseded"], row["rerun"]) for row in rows] == [("part", ""), ("", "late")]


def test_a_shallow_clone_says_what_it_cannot_tell(merged: tuple[Workplace, str, str]) -> None:
    place, _, merge = merged
    commit(place, "Later", backfill("other", at(1), at(2), table=ORDERS), path="other.yaml")
    place.git("push", "-q")
    for depth, words in ((1, "is not in this clone; it is shallow"), (2, "this clone is shallow: its history ends")):
        clone = place.clone(f"shallow{depth}", f"--depth={depth}", "--branch=main")
        done = clone.run("history", SALES, "--at", hour(3))
        assert done.code == 0, done.err
        assert "who wrote it is not known: " in done.out
        assert words in done.out
        (line,) = asked(clone, 3)
        assert (line["writtenBy"], line["pullRequests"], line["commit"]) == ([], [], merge)
        assert words in line["manifest"][0]["unknown"]


def test_a_commit_that_was_rewritten_is_said_to_be_gone(merged: tuple[Workplace, str, str]) -> None:
    place, _, merge = merged
    place.git("checkout", "-q", "--orphan", "anew")
    place.git("commit", "-q", "-m", "Begin anew")
    place.git("push", "-q", "--force", "origin", "HEAD:main")
    clone = place.clone("anew", "--single-branch", "--branch=main")
    text = clone.run("history", SALES, "--at", hour(3)).out
    assert f"who wrote it is not known: the manifests' commit {merge[:12]} is not in this clone; git fetch" in text


def test_what_nobody_triggered_says_what_becomes_of_it(place: Workplace, scheduler: Counting) -> None:
    late = again("late", at(9, name="late"))
    place.declare("fact.yaml", backfill("fact", between(1, 5), schedule=HOURLY))
    assert place.apply().code == 0
    place.declare("fact.yaml", backfill("fact", between(1, 7), late, schedule=HOURLY))
    expected = {7: "it is owed, the next apply calls it", 9: "it is held", 12: "it is not asked for"}
    for number, words in expected.items():
        done = place.run("history", SALES, "--at", hour(number))
        assert done.code == 0, done.err
        assert f"nothing in the ledger; {words}" in done.out
        assert f"reconciler plan --explain {SALES} --at '{hour(number)}'" in done.out
    beside = place.run("history", SALES, "--at", "2026-01-20 12:30:00")
    assert f"not on the schedule {HOURLY}, the nearest instants: {hour(12)} and {hour(13)}" in beside.out
    (moment,) = place.run("history", SALES, "--at", hour(7), "--format", "json").json["moments"]
    assert (moment["verdict"], moment["first"], moment["onSchedule"]) == ("called", None, True)
    assert place.run("history", SALES, "--at", hour(7), "--format", "csv").out.count("\n") == 1
    place.write("fact.yaml", "not: a manifest\n")
    assert "what is owed is not known" in place.run("history", SALES, "--at", hour(7)).out
    assert place.run("history", "no.SUCH", "--at", hour(7)).code == 2


def test_what_becomes_of_an_instant_is_what_the_plan_says_also_where_other_tables_decide(place: Workplace) -> None:
    orders = backfill("orders", between(1, 5), table=ORDERS, schedule=HOURLY)
    place.declare("fact.yaml", orders, backfill("fact", between(1, 5), schedule=HOURLY, dependsOn=["orders"]))
    (moment,) = place.run("history", SALES, "--at", hour(3), "--format", "json").json["moments"]
    (piece,) = place.run("plan", "--explain", SALES, "--at", hour(3), "--format", "json").json["tables"][0]["pieces"]
    assert moment["verdict"] == piece["verdict"] == "called"


def test_a_call_whose_answer_was_lost_is_told_as_in_doubt(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", at(1, 3, name="lost")))
    gate = Gate()
    scheduler.decide = gate.decide
    process = place.start("apply")
    assert gate.reached.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gate.open()
    shutil.rmtree(place.journal_folder)
    done = place.run("history", SALES, "--at", hour(3))
    assert (done.code, "nothing in the ledger; it is in doubt" in done.out) == (0, True)
    place.git("rm", "-q", "triggers/fact.yaml")
    place.publish()
    done = place.run("history", SALES, "--at", hour(3))
    assert (done.code, "nothing in the ledger; it is in doubt" in done.out) == (0, True)
    assert "it is not asked for" in place.run("history", SALES, "--at", hour(2)).out


def test_what_commits_say_is_shown_inert(place: Workplace) -> None:
    message = "Ask \x1b[31mnow ##[error] (#14)"
    commit(place, message, backfill("fact", between(1, 5)), author="=cmd|' /C calc'!A0 \x1b[2J")
    publish(place)
    text = place.run("history", SALES, "--at", hour(3)).out
    assert "\x1b" not in text
    assert "##[" not in text
    assert "pull request #14" in text
    (row,) = csv.DictReader(io.StringIO(place.run("history", SALES, "--at", hour(3), "--format", "csv").out))
    assert row["authors"].startswith("'=cmd")
