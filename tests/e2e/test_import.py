"""`state import`: a team that has a past starts without reruns."""

from __future__ import annotations

import json

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, Gate, no_fault
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between, hour, hours
from tests.e2e.pasts import MARK, WHY, adopt, body, past, points
from tests.e2e.workplace import Workplace, ended, git
from tests.figures import Tried


def test_what_was_triggered_by_hand_is_not_triggered_again(place: Workplace, scheduler: Counting) -> None:
    """The story whole: a past, a manifest that asks for more, an import, and an apply that calls the rest alone."""
    place.declare("fact.yaml", backfill("fact", between(1, 8), at(12, 13)))
    done = adopt(place, body(1, 5, traceId="fbb0.1", triggeredAt="2026-01-21T02:00:00Z"), points(12))
    assert (done.code, scheduler.calls) == (0, 0)
    owed = [call["body"] for call in place.run("plan", "--format", "json").json["calls"]]
    assert [(body.get("startTime"), body.get("scheduleTimes")) for body in owed] == [
        ("2026-01-20 05:00:01", None),
        (None, [hour(13)]),
    ]
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(6, 8) | hours(13, 13)
    assert place.clone("fresh").apply().code == 0
    assert scheduler.calls == 2


def test_an_adopted_line_says_where_it_is_from(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 8)))
    assert adopt(place, body(1, 5, traceId="fbb0.1", triggeredAt="2026-01-21T02:00:00Z"), points(7)).code == 0
    first, second = place.ledger(SALES)
    assert first["requests"] == ["import:past.jsonl:1"]
    assert (first["traceId"], first["triggeredAt"], first["endTime"]) == ("fbb0.1", "2026-01-21T02:00:00Z", hour(5))
    assert (first["rerun"], first["approvedBy"], first["commit"]) == ([], [], place.git("rev-parse", "HEAD").strip())
    assert (second["traceId"], second["run"]) == (None, first["run"])
    shown = place.run("history", SALES).out
    assert f"{hour(1)} .. {hour(5)}  by hand" in shown
    assert "imported from past.jsonl:1, manifests at" in shown
    listed = place.run("history", SALES, "--format", "json").json["triggers"]
    assert [trigger["requests"] for trigger in listed] == [["import:past.jsonl:1"], ["import:past.jsonl:2"]]
    message = git(place.remote or place.top, "log", "-1", "--format=%B", place.state)
    assert message.startswith(f"Import 2 calls triggered before: {SALES} on prod\n")
    assert "Reason: curl commands from the wiki\n" in message
    assert "By: Tess Ter <tess@example.org> at" in message
    assert f"Run: {first['run']}\n" in message


def test_csv_of_a_spreadsheet_is_read(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5), at(7, 9)))
    rows = [
        "tableName,startTime,endTime,scheduleTimes",
        f"{SALES},{hour(1)},{hour(5)},",
        f'"{SALES}",,,{hour(7)};{hour(9)}',
    ]
    file = place.top.parent / "past.csv"
    file.write_bytes("\r\n".join(["\ufeff" + rows[0], *rows[1:], ""]).encode())
    assert place.run("state", "import", str(file), *WHY).code == 0
    assert [line["requests"] for line in place.ledger(SALES)] == [["import:past.csv:2"], ["import:past.csv:3"]]
    assert "Nothing to do: 3 requests" not in place.run("plan").out
    assert place.run("plan", "--exit-code").code == 0


def test_the_same_file_twice_changes_nothing(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 8)))
    calls = body(1, 5), points(7), body(1, 5), body(4, 6)
    assert "4 calls" not in adopt(place, *calls).out
    tip = place.tip()
    assert len(place.ledger(SALES)) == 3
    second = adopt(place, *calls)
    assert (second.code, place.tip()) == (0, tip)
    assert second.out == "Nothing to do: 4 calls recorded already.\n"


def test_what_apply_has_triggered_is_left_out(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    done = adopt(place, body(2, 4), points(7))
    assert "1 call to record for 1 table; 1 call recorded already." in done.out
    assert len(place.ledger(SALES)) == 2


def test_a_dry_run_shows_and_writes_nothing(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 8)))
    file = past(place, body(1, 5), points(7))
    shown = place.run("state", "import", file, "--dry-run")
    assert (shown.code, place.tip()) == (0, None)
    assert f"{SALES}  2 calls  {hour(1)} .. {hour(7)}" in shown.out
    assert f"{file}:2" not in shown.out
    assert f"{hour(7)}  {file}:2" in place.run("-v", "state", "import", file, "--dry-run").out


def test_without_a_reason_or_with_names_that_are_none_nothing_is_read(place: Workplace) -> None:
    good = past(place, body(1, 5))
    for arguments in (
        (good,),
        (good, "--reason", " "),
        (past(place, body(1, 5), name="past.txt"), *WHY),
        (past(place, body(1, 5), name="pa\tst.jsonl"), *WHY),
        (str(place.top / "nowhere.csv"), *WHY),
        WHY,
        (good, *WHY, "--review", "a b"),
        (good, *WHY, "--review", place.state),
        (good, *WHY, "--review", "main"),
    ):
        assert (place.run("state", "import", *arguments).code, place.tip()) == (2, None), arguments


def test_one_bad_line_keeps_all_from_being_written(place: Workplace) -> None:
    good = past(place, body(1, 5), name="good.jsonl")
    swapped = {**body(5, 1), "tenantId": "tn_other"}
    bad = past(place, body(1, 5), swapped, body(1, 2, target="prd"))
    refused = place.run("state", "import", good, bad, *WHY)
    assert (refused.code, refused.out, place.tip()) == (3, "", None)
    for field, value in (("tenantId", "tn_other"), ("endTime", hour(1))):
        column = json.dumps(swapped).index(json.dumps(value)) + 1
        assert f"{bad}:2:{column}  {field}: " in refused.err
    assert f"{bad}:3:" in refused.err
    assert "did you mean prod?" in refused.err
    assert refused.err.endswith("3 errors; nothing was recorded.\n")


def test_a_table_that_no_manifest_declares_is_told_of(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", at(1)))
    done = adopt(place, body(1, 5, table=ORDERS), points(1, table=SALES.lower()), points(1))
    assert done.code == 0
    assert f"past.jsonl:1:1  warning: no manifest declares {ORDERS} on prod" in done.err
    assert f"did you mean {SALES}?" in done.err
    assert ":3:" not in done.err
    place.declare("orders.yaml", backfill("orders", between(1, 6), table=ORDERS))
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS)) == ({}, hours(6, 6))


def test_many_tables_that_none_declares_are_counted(place: Workplace) -> None:
    calls = [points(1, table=f"c.d.T{number:02}") for number in range(50)]
    done = adopt(place, *calls)
    assert (done.code, done.err.count("warning: ")) == (0, 20)
    assert "and 30 more tables that no manifest declares" in done.err
    assert "and 30 more tables: reconciler -v shows all" in done.out
    assert place.run("-v", "state", "import", past(place, *calls), *WHY).err.count("warning: ") == 50


def test_an_exclusive_target_s_end_is_not_part_of_the_past(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, target={"rangeEnd": "exclusive"})
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert adopt(place, body(1, 5)).code == 0
    line = place.ledger(SALES)[0]
    assert (line["endTime"], line["rangeEnd"]) == (hour(5), "exclusive")
    assert place.apply().code == 0
    assert scheduler.bodies()[0].get("scheduleTimes") == [hour(5)]


def test_a_rerun_over_the_past_is_still_a_rerun(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5), again("late", between(2, 3), "dana")))
    assert adopt(place, body(1, 5)).code == 0
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(2, 3)


def test_a_call_in_doubt_is_settled_first(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    scheduler.decide = lambda _: Fault.LOST
    assert place.apply().code == 7
    scheduler.decide = no_fault
    tip, name = place.tip(), place.pending()[0]["id"]
    refused = adopt(place, points(9), body(4, 8))
    assert (refused.code, place.tip()) == (3, tip)
    assert f"past.jsonl:2:1  overlaps call {name}" in refused.err
    assert f"reconciler resolve {name} --as triggered" in refused.err
    assert place.run("resolve", name, "--as", "triggered", *WHY).code == 0
    assert adopt(place, points(9), body(4, 8)).code == 0
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), len(place.ledger(SALES))) == (hours(1, 5), 3)


def test_an_import_and_an_apply_at_once_lose_nothing(place: Workplace, scheduler: Counting) -> None:
    """What the apply is calling cannot be imported; what it has not come to yet can, and it calls that no more."""
    place.configure(scheduler.url, target={"pointsPerCall": 1}, state={"batch": 1})
    place.declare("fact.yaml", backfill("fact", at(1, 2, 3)))
    gate = Gate()
    scheduler.decide = gate.decide
    applying = place.start("apply")
    assert gate.reached.wait(30)
    assert adopt(place, points(1)).code == 3
    assert adopt(place, points(3)).code == 0
    gate.open()
    assert ended(applying).code == 0
    assert scheduler.runs(SALES) == hours(1, 2)
    assert place.run("plan", "--exit-code").code == 0


@pytest.mark.claim("imports at once all land")
def test_imports_at_once_all_land(place: Workplace, tried: Tried) -> None:
    tried(5)
    place.declare("fact.yaml", backfill("fact", between(1, 8)))
    clones = [place, *(place.clone(f"clone-{number}") for number in range(4))]
    files = [past(place, points(number), points(number, table=ORDERS), name=f"{number}.jsonl") for number in range(5)]
    started = [one.start("state", "import", file, *WHY) for one, file in zip(clones, files, strict=True)]
    assert [ended(process).code for process in started] == [0] * 5
    for table in (SALES, ORDERS):
        found = sorted(line["requests"][0] for line in place.ledger(table))
        assert found == [f"import:{number}.jsonl:{1 if table == SALES else 2}" for number in range(5)]


def test_a_race_that_is_lost_again_and_again_ends(place: Workplace) -> None:
    """The hook lets somebody else be first, whenever the state branch is pushed."""
    assert place.remote
    hook = place.remote / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    who = "GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x"
    hook.write_text(
        f'#!/bin/sh\ncase $1 in */{place.state}) ;; *) exit 0;; esac\nold=$(git rev-parse -q --verify "$1")\n'
        f'new=$(echo x | {who} git commit-tree ${{old:+-p $old}} "$(git mktree </dev/null)")\n'
        'git update-ref "$1" "$new"\nexit 1\n'
    )
    hook.chmod(0o755)
    lost = adopt(place, body(1, 5))
    assert (lost.code, place.ledger(SALES)) == (8, [])
    assert "other runs kept changing the state" in lost.err


def test_state_beside_the_manifests_is_imported_there(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, state={"branch": "main"})
    place.state = "main"
    place.declare("fact.yaml", backfill("fact", between(1, 6)))
    assert adopt(place, body(1, 5)).code == 0
    assert (place.base / ".state" / "prod" / f"{SALES}.jsonl").is_file()
    assert place.git("status", "--porcelain") == ""
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(6, 6)


def test_an_import_before_any_manifest_counts_once_there_is_one(place: Workplace, scheduler: Counting) -> None:
    assert adopt(place, body(1, 5)).code == 0
    assert MARK in place.git("ls-remote", "origin")
    place.declare("fact.yaml", backfill("fact", between(1, 6)))
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(6, 6)


def test_a_past_does_not_hide_that_a_target_was_renamed(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    place.rename_target("production")
    tip = place.tip()
    refused = adopt(place, body(1, 2))
    assert (refused.code, place.tip()) == (3, tip)
    assert "has its ledger under the target prod" in refused.err
    assert place.apply().code == 3
    assert scheduler.runs(SALES) == hours(1, 5)


def test_a_damaged_ledger_takes_no_past(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    name = f"prod/{SALES}.jsonl"
    place.put_state({name: place.state_files()[name][:-20]})
    tip = place.tip()
    refused = place.clone("fresh").run("state", "import", past(place, body(7, 8)), *WHY)
    assert (refused.code, place.tip()) == (3, tip)
    assert f".state/{name}:2" in refused.err
    assert "nothing was triggered" not in refused.err
