"""`plan --explain`: why a table's instants are called, covered, held or in doubt."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, Gate, no_fault
from tests.e2e.manifests import ORDERS, SALES, Document, again, at, backfill, between, hour
from tests.e2e.workplace import SECRET_NAME, Workplace

DOCUMENT = {"version", "state", "tables", "problems"}
TABLE = {"target", "tableName", "schedule", "ledger", "at", "pieces"}
PIECE = {"first", "last", "instances", "verdict", "reasons", "ledgerLines", "inDoubt", "calls", "coveredBy"}
REASON = {"request", "file", "line", "rerun", "because", "ledgerLine", "calls", "rule"}
CALL = {"id", "method", "body", "rerun", "status", "held"}
INSTANT = {"scheduleTime", "onSchedule", "before", "after", "skipped", "doubled"}


def told(place: Workplace, table: str = SALES, *options: str) -> dict[str, Any]:
    """Return what the JSON says of a table, whose keys are as documented."""
    done = place.run("plan", "--explain", table, "--format", "json", *options)
    assert done.code == 0, done.err
    assert (set(done.json), done.json["version"], done.json["state"]) == (DOCUMENT, 1, place.tip())
    (found,) = done.json["tables"]
    assert set(found) == TABLE
    for piece in found["pieces"]:
        assert set(piece) == PIECE
        assert all(set(reason) == REASON for reason in piece["reasons"])
        assert all(set(call) == CALL for call in piece["calls"])
    assert found["at"] is None or set(found["at"]) == INSTANT
    assert isinstance(found, dict)
    return found


def verdicts(place: Workplace, table: str = SALES, *options: str) -> list[tuple[str, str, str]]:
    """Return the pieces of a table in short: times of the tests' day, and what becomes of them."""
    return [
        (piece["first"].removeprefix("2026-01-20 "), piece["last"].removeprefix("2026-01-20 "), piece["verdict"])
        for piece in told(place, table, *options)["pieces"]
    ]


HOURLY = "0 0 * * * ?"


@pytest.fixture
def applied(place: Workplace) -> Workplace:
    """Return a workplace whose first five hours were triggered."""
    place.declare("fact.yaml", backfill("fact", between(1, 5, name="outage"), schedule=HOURLY))
    assert place.apply().code == 0
    return place


def test_what_a_line_covers_is_told_by_its_line_and_what_was_added_is_called(applied: Workplace) -> None:
    applied.declare("fact.yaml", backfill("fact", between(1, 8, name="outage"), schedule=HOURLY))
    table = told(applied)
    assert (table["schedule"], table["ledger"]["triggers"]) == ("0 0 * * * ?", 1)
    assert table["ledger"]["file"] == f".state/prod/{SALES}.jsonl"
    covered, called = table["pieces"]
    assert (covered["first"], covered["last"], covered["instances"]) == (hour(1), hour(5), 5)
    (reason,) = covered["reasons"]
    assert (covered["verdict"], reason["because"], reason["ledgerLine"]) == ("covered", "covered", 2)
    assert "a request that is no rerun needs nothing more once any trigger covers it" in reason["rule"]
    (line,), (recorded,) = covered["ledgerLines"], applied.ledger(SALES)
    assert line == {"line": 2, **{name: value for name, value in recorded.items() if name != "prev"}}
    assert (called["first"], called["last"], called["instances"], called["verdict"]) == (hour(6), hour(8), 3, "called")
    planned = applied.run("plan", "--format", "json").json["calls"]
    assert [call["id"] for call in called["calls"]] == [call["id"] for call in planned] == called["reasons"][0]["calls"]
    assert [call["body"] for call in called["calls"]] == [call["body"] for call in planned]


def test_a_rerun_is_held_until_somebody_approves_it_and_then_called(applied: Workplace) -> None:
    outage, late = between(1, 5, name="outage"), again("late-0121", at(3, name="late"))
    applied.declare("fact.yaml", backfill("fact", outage, late, schedule=HOURLY))
    expected = [("01:00:00", "02:00:00", "covered"), ("03:00:00", "03:00:00", "held")]
    assert verdicts(applied) == [*expected, ("04:00:00", "05:00:00", "covered")]
    piece = told(applied, SALES, "--at", hour(3))["pieces"][0]
    reasons = {reason["request"]: reason for reason in piece["reasons"]}
    assert reasons["fact.yaml#outage"]["because"] == "covered"
    held = reasons["fact.yaml#late"]
    assert (held["because"], held["rerun"], held["calls"]) == ("approval", "late-0121", [piece["calls"][0]["id"]])
    assert "token late-0121 has no line here, and it is not approved yet" in held["rule"]
    assert piece["calls"][0]["held"]["because"] == "approval"
    approved = again("late-0121", at(3, name="late"), "dana")
    applied.declare("fact.yaml", backfill("fact", outage, approved, schedule=HOURLY))
    text = applied.run("plan", "--explain", SALES, "--at", hour(3))
    assert "token late-0121 has no line here, and dana approved it: call " in text.out
    assert applied.apply().code == 0
    piece = told(applied, SALES, "--at", hour(3))["pieces"][0]
    assert (piece["verdict"], [line["line"] for line in piece["ledgerLines"]]) == ("covered", [2, 3])
    assert {reason["because"]: reason["ledgerLine"] for reason in piece["reasons"]} == {"covered": 3} | {"covered": 2}
    assert any("line 3 bears the token late-0121: each token runs once" in r["rule"] for r in piece["reasons"])


def test_what_a_killed_run_left_is_in_doubt_and_the_rest_of_the_table_is_called(
    place: Workplace, scheduler: Counting
) -> None:
    place.declare("fact.yaml", backfill("fact", at(1, 3, name="lost")))
    gate = Gate()
    scheduler.decide = gate.decide
    process = place.start("apply")
    assert gate.reached.wait(30)
    process.send_signal(signal.SIGKILL)
    assert process.wait()[0] == -signal.SIGKILL
    gate.open()
    scheduler.decide = no_fault
    place.declare("fact.yaml", backfill("fact", at(1, 3, name="lost"), at(4, name="more")))
    (intent,) = place.pending()
    pieces = told(place)["pieces"]
    assert [piece["verdict"] for piece in pieces] == ["inDoubt", "inDoubt", "called"]
    (reason,) = pieces[0]["reasons"]
    assert (reason["because"], reason["calls"]) == ("inDoubt", [intent["id"]])
    assert "never sent again by itself" in reason["rule"]
    assert pieces[0]["inDoubt"][0]["id"] == intent["id"]
    text = place.run("plan", "--explain", SALES, "--exit-code")
    assert text.code == 7
    assert f"reconciler resolve {intent['id']} settles it" in text.out


def test_a_table_that_waits_for_another_says_for_which_as_an_apply_of_all_would(
    place: Workplace, scheduler: Counting
) -> None:
    place.declare(
        "all.yaml",
        backfill("orders", between(1, 2), again("late", at(1)), table=ORDERS),
        backfill("fact", at(1), dependsOn=["orders"]),
    )
    (piece,) = told(place)["pieces"]
    assert (piece["verdict"], piece["calls"][0]["held"]["because"]) == ("held", "dependency")
    assert "waits for orders" in piece["reasons"][0]["rule"]
    place.declare(
        "all.yaml",
        backfill("orders", between(1, 2), table=ORDERS),
        backfill("fact", at(1), dependsOn=["orders"]),
    )
    assert verdicts(place) == [("01:00:00", "01:00:00", "called")]


def test_limits_and_the_future_are_told_with_what_raises_them(place: Workplace) -> None:
    place.declare(
        "all.yaml",
        backfill("fact", at(1, 2), limits={"instances": 1}),
        backfill("orders", {"scheduleTimes": ["9998-12-31 00:00:00"]}, table=ORDERS),
    )
    for table, because, knob in ((SALES, "limit", "limits.instances"), (ORDERS, "future", "limits.future")):
        piece = told(place, table)["pieces"][0]
        assert (piece["verdict"], piece["calls"][0]["held"]["because"]) == ("held", because)
        assert knob in piece["reasons"][0]["rule"]
        assert place.run("plan", "--explain", table, "--exit-code").code == 5


def test_a_time_off_the_schedule_and_one_that_nobody_asks_for_are_told_so(applied: Workplace) -> None:
    off = told(applied, SALES, "--at", "2026-01-20 02:30:00")
    assert off["at"] == {
        "scheduleTime": "2026-01-20 02:30:00",
        "onSchedule": False,
        "before": hour(2),
        "after": hour(3),
        "skipped": False,
        "doubled": False,
    }
    (piece,) = off["pieces"]
    assert (piece["verdict"], piece["instances"]) == ("notScheduled", 0)
    assert [reason["because"] for reason in piece["reasons"]] == ["notScheduled"]
    assert verdicts(applied, SALES, "--at", hour(9)) == [("09:00:00", "09:00:00", "notAsked")]
    text = applied.run("plan", "--explain", SALES, "--at", "2026-01-20 02:30:00").out
    assert "not on the schedule" in text
    assert f"the nearest instants: {hour(2)} and {hour(3)}" in text


def test_what_daylight_saving_skips_or_doubles_is_told_so(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, target={"timeZone": "Europe/Berlin"})
    year: Document = {"timeRange": {"startTime": "2025-01-01 00:00:00", "endTime": "2025-12-31 23:00:00"}}
    place.declare("fact.yaml", backfill("fact", year, schedule="0 30 * * * ?"))
    skipped = place.run("plan", "--explain", SALES, "--at", "2025-03-30 02:30:00").out
    assert "the clock of Europe/Berlin is put forward then, and never shows this time" in skipped
    assert "the nearest instants: 2025-03-30 01:30:00 and 2025-03-30 03:30:00" in skipped
    doubled = place.run("plan", "--explain", SALES, "--at", "2025-10-26 02:30:00").out
    assert "one schedule time for two moments, which count once" in doubled
    assert "called" in doubled


def test_a_table_that_no_manifest_asks_for_any_more_is_told_by_its_ledger(applied: Workplace) -> None:
    applied.declare("fact.yaml", backfill("fact", at(1), table=ORDERS))
    table = told(applied)
    assert (table["schedule"], table["ledger"]["triggers"]) == (None, 1)
    assert verdicts(applied) == [("01:00:00", "05:00:01", "notAsked")]  # the range ended a second late
    text = applied.run("plan", "--explain", SALES)
    assert text.code == 0
    assert "no manifest asks for it" in text.out
    assert "line 2: call " in text.out


def test_a_table_on_two_targets_is_told_for_both_or_for_the_one_that_is_chosen(
    place: Workplace, scheduler: Counting
) -> None:
    auth: Document = {"type": "UID", "valueFrom": {"env": SECRET_NAME}}
    other: Document = {"url": scheduler.url, "tenantId": "tn_1", "timeZone": "UTC", "auth": auth}
    place.configure(scheduler.url, targets={"test": other})
    place.declare("fact.yaml", backfill("fact", at(1)), backfill("test", at(2), target="test"))
    done = place.run("plan", "--explain", SALES, "--format", "json")
    assert done.code == 0, done.err
    both = done.json["tables"]
    assert [(table["target"], table["pieces"][0]["first"]) for table in both] == [("prod", hour(1)), ("test", hour(2))]
    assert verdicts(place, SALES, "--target", "test") == [("02:00:00", "02:00:00", "called")]
    refused = place.run("plan", "--explain", SALES, "--target", "tset")
    assert (refused.code, refused.out) == (2, "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--explain", SALES.lower()], f"did you mean {SALES}?"),
        (["--explain", "*"], f"the tables: {SALES}"),
        (["--explain", "x\x1b[31m"], "no table is named x\\x1b[31m"),
        (["--explain", SALES, "--format", "markdown"], "--format text or json"),
        (["--explain", SALES, "--save", "plan.json"], "nothing to save"),
        (["--explain", SALES, "--base", "main"], "only of what a branch adds"),
        (["--explain", SALES, "--table", "*"], "leave --table out"),
        (["--explain", SALES, "--at", "2026-01-20"], "write it like '2026-01-20 05:00:00'"),
        (["--at", hour(1)], "plan --explain TABLE --at TIME"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_a_way_out(place: Workplace, options: list[str], says: str) -> None:
    place.declare("fact.yaml", backfill("fact", at(1)))
    refused = place.run("plan", *options)
    assert (refused.code, refused.out) == (2, "")
    assert says in refused.err


def test_a_damaged_ledger_stops_what_explains_its_table_and_no_other(applied: Workplace) -> None:
    applied.declare("orders.yaml", backfill("orders", at(1), table=ORDERS))
    applied.put_state({f"prod/{SALES}.jsonl": b"{}\n"})
    damaged = applied.run("plan", "--explain", SALES)
    assert (damaged.code, damaged.out) == (3, "")
    assert f".state/prod/{SALES}.jsonl" in damaged.err
    assert "is not explained" in damaged.err
    document = applied.run("plan", "--explain", SALES, "--format", "json")
    assert (document.code, document.json["tables"], len(document.json["problems"])) == (3, [], 1)
    assert verdicts(applied, ORDERS) == [("01:00:00", "01:00:00", "called")]
    applied.declare("fact.yaml")
    assert applied.run("plan", "--explain", SALES).code == 3


def test_manifests_that_are_not_valid_are_told_in_the_format_asked_for(place: Workplace) -> None:
    place.write("bad.yaml", "apiVersion: reconciler/v1\nkind: Backfill\n")
    invalid = place.run("plan", "--explain", SALES, "--format", "json")
    assert (invalid.code, invalid.json["tables"]) == (3, [])
    assert invalid.json["problems"]


def test_it_goes_into_a_file_and_names_stay_text(place: Workplace, scheduler: Counting) -> None:
    scheduler.decide = lambda _: Fault.LOST
    place.git("config", "user.name", "<b>Dana\x1b[31m")
    place.declare("##[group]<i>.yaml", backfill("fact", at(1, name="lost")))
    assert place.apply().code == 7
    written = place.run("plan", "--explain", SALES, "--out", "why.txt")
    assert (written.code, written.out) == (0, "")
    text = (place.top / "why.txt").read_text()
    assert "##\\x5bgroup]<i>.yaml#lost" in text
    assert "\x1b" not in text
    assert "##[" not in text


def test_of_many_pieces_fifty_are_shown_and_how_to_see_the_rest(place: Workplace) -> None:
    times: Document = {"scheduleTimes": [f"2026-01-{day:02} {h:02}:00:00" for day in (1, 2, 3) for h in range(20)]}
    place.declare("fact.yaml", backfill("fact", times))
    text = place.run("plan", "--explain", SALES).out
    assert text.count("  + 2026-") == 50
    assert "And 10 more pieces, up to 2026-01-03 19:00:00: --at TIME looks at one" in text
    assert len(told(place)["pieces"]) == 60
