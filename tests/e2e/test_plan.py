"""`plan`: what apply would do, with no credential and without changing anything; and the plan that is saved."""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, Gate, no_fault
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between, hours
from tests.e2e.workplace import Workplace, ended


def test_plan_needs_no_credential_and_calls_nobody(place: Workplace, scheduler: Counting) -> None:
    place.env.clear()
    place.configure("http://scheduler.example.org:8083")
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    planned = place.run("plan", RECONCILER_ALLOWED_HOSTS="")
    assert (planned.code, scheduler.calls) == (0, 0)
    assert "2026-01-20 01:00:00 .. 2026-01-20 05:00:00" in planned.out


def _everything(place: Workplace) -> tuple[object, ...]:
    assert place.remote
    index = place.top / ".git" / "index"
    files = {path: path.stat().st_mtime_ns for path in place.top.rglob("*") if ".git" not in path.parts}
    heads = place.git("for-each-ref", "refs/heads", "refs/remotes", "refs/tags")
    return files, index.read_bytes(), heads, place.git("symbolic-ref", "HEAD"), place.tip(), place.tip("main")


def test_plan_changes_neither_work_tree_nor_index_nor_branches(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    place.write("fact.yaml", (place.base / "fact.yaml").read_text().replace("05:00:00", "07:00:00"))
    place.write("staged.yaml", "")
    (place.base / "staged.yaml").unlink()
    before = _everything(place)
    planned = place.run("plan")
    assert "1 call to make" in planned.out
    assert "Not committed yet" in planned.err
    assert _everything(place) == before


def test_equal_manifests_and_ledgers_give_the_same_plan_byte_for_byte(place: Workplace) -> None:
    fact = backfill("fact", between(1, 5, name="a"), at(9, 7, name="b"), again("t", between(2, 3, name="c")))
    orders = backfill("orders", at(4, name="d"), at(2, name="e"), table=ORDERS)
    place.declare("x.yaml", fact, orders)
    first = [place.run("plan", *form).out for form in ((), ("--format", "json"))]
    spec = fact["spec"]
    assert isinstance(spec, dict)
    spec["requests"].reverse()
    place.declare("x.yaml", orders, fact)
    assert [place.run("plan", *form).out for form in ((), ("--format", "json"))] == first


def test_the_exit_code_tells_what_is_open_only_where_it_is_asked_for(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert (place.run("plan").code, place.run("plan", "--exit-code").code) == (0, 4)
    assert place.run("status", "--exit-code").code == 4
    assert place.apply().code == 0
    assert place.run("plan", "--exit-code").code == 0
    place.declare("fact.yaml", backfill("fact", between(1, 5), again("t", at(2))))
    assert (place.run("plan").code, place.run("plan", "--exit-code").code) == (0, 5)


def test_a_plan_written_to_a_file_leaves_standard_output_empty(place: Workplace, tmp_path: Path) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    file = tmp_path / "plan.json"
    planned = place.run("plan", "--format", "json", "--out", os.fspath(file))
    assert (planned.code, planned.out) == (0, "")
    assert json.loads(file.read_text())["summary"]["calls"] == 1


def _saved(place: Workplace) -> str:
    file = os.fspath(place.top.parent / "saved.json")
    assert place.run("plan", "--save", file).code == 0
    return file


def test_a_saved_plan_is_applied_exactly(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5), at(7)))
    file = _saved(place)
    planned = [call["body"] for call in json.loads(Path(file).read_text())["plan"]["calls"]]
    assert place.apply(file).code == 0
    assert scheduler.bodies() == planned
    again = place.apply(file)
    assert (again.code, scheduler.calls) == (8, 2)
    assert "the saved plan was applied already, as " in again.err


def test_a_saved_plan_is_good_for_one_apply_even_where_that_triggered_nothing(
    place: Workplace, scheduler: Counting
) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    file = _saved(place)
    scheduler.decide = lambda _: Fault.REJECT
    assert place.apply(file).code == 6
    scheduler.decide = no_fault
    other = place.clone("other")
    again = other.apply(file)
    assert (again.code, scheduler.runs(SALES)) == (8, {})
    assert "the saved plan was applied already, as " in again.err
    assert other.apply(_saved(place)).code == 0


def test_a_saved_plan_is_stale_when_a_manifest_changed(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    file = _saved(place)
    place.declare("fact.yaml", backfill("fact", between(1, 6)))
    stale = place.apply(file)
    assert (stale.code, scheduler.calls) == (8, 0)
    assert "no longer owed: " in stale.err
    assert "owed now: default_catalog.sales.FACT_SALES 2026-01-20 01:00:00 .. 2026-01-20 06:00:00" in stale.err


def test_a_saved_plan_is_stale_when_a_ledger_changed(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    file = _saved(place)
    other = place.clone("other")
    assert other.apply().code == 0
    stale = place.apply(file)
    assert (stale.code, scheduler.runs(SALES)) == (8, hours(1, 5))
    assert "no longer owed" in stale.err


def test_a_saved_plan_is_stale_when_its_target_moved(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    file = _saved(place)
    place.configure(scheduler.url + "/elsewhere")
    place.publish()
    stale = place.apply(file)
    assert (stale.code, scheduler.calls) == (8, 0)
    assert f"the url of the target prod was {scheduler.url}, and is {scheduler.url}/elsewhere" in stale.err


def test_what_is_no_saved_plan_is_refused(place: Workplace, scheduler: Counting, tmp_path: Path) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    for text in ("", "[]", "{}", '{"version": 2}', "{" * 5000):
        file = tmp_path / "file.json"
        file.write_text(text)
        refused = place.apply(os.fspath(file))
        assert (refused.code, scheduler.calls) == (3, 0)
        assert "plan --save" in refused.err


def test_a_saved_plan_whose_file_shows_something_else_is_not_applied(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    file = Path(_saved(place))
    document = json.loads(file.read_text())
    document["plan"]["calls"] = []
    file.write_text(json.dumps(document))
    refused = place.apply(os.fspath(file))
    assert (refused.code, scheduler.calls) == (8, 0)
    assert "its file was edited" in refused.err


def test_of_two_that_apply_one_saved_plan_at_once_the_slower_says_that_it_made_nothing(
    place: Workplace, scheduler: Counting
) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    file = _saved(place)
    gate = Gate()
    scheduler.decide = gate.decide
    first = place.start("apply", file)
    assert gate.reached.wait(30)
    second = place.clone("second").apply(file)
    gate.open()
    assert (ended(first).code, second.code) == (0, 8)
    assert scheduler.runs(SALES) == hours(1, 5)


def test_a_file_that_cannot_be_written_is_told_before_anything_is_called(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    for file, code in (("nowhere/x.md", 1), (".", 1), ("triggers/x.yaml", 2)):
        refused = place.apply("--format", "markdown", "--out", file)
        assert (refused.code, scheduler.calls) == (code, 0)
        assert f"error: {file} " in refused.err
        assert place.run("plan", "--out", file).code == code
    assert place.run("plan", "--out", "x.json", "--save", "x.json").code == 2


def test_a_result_that_is_lost_does_not_hide_what_happened(place: Workplace, scheduler: Counting) -> None:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    scheduler.decide = lambda _: Fault.LOST
    done = place.apply("--format", "markdown", "--out", "/dev/full")
    assert done.code == 7
    assert "the output could not be written: /dev/full: No space left on device" in done.err
