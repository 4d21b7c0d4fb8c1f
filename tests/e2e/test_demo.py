"""The demo plays its whole story: each command ends as it says, and what ran is what the story tells."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

import pytest

from reconciler.scheduler.emulator import Database
from tests.e2e.counting import Counting
from tests.e2e.manifests import ORDERS, SALES, backfill, between, hours, twice
from tests.e2e.workplace import Ended, Workplace

STORES = "default_catalog.sales.DIM_STORE"


def _watched(place: Workplace, folder: Path) -> Ended:
    """Play the demo, and look at its page once."""
    running = place.start("demo", "--watch", "--pause", "0.1", "--dir", str(folder))
    running.wait_until_said("Watch what the scheduler runs, live: http://127.0.0.1:", timeout=60)
    (url,) = re.findall(r"live: (http://\S+)\n", running._err.read_text("utf-8"))
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - loopback
        assert '<span id="live" role="status"' in answer.read().decode()
    return Ended(*running.wait(timeout=300))


def test_the_demo_can_be_watched_and_leaves_something_of_every_kind_to_see(place: Workplace, tmp_path: Path) -> None:
    played = _watched(place, tmp_path / "demo")
    assert played.code == 0, played.out + played.err
    database = Database(tmp_path / "demo" / "backfills" / ".git" / "reconciler" / "emulator" / "demo.db")
    try:
        assert {row.time: row.runs for row in database.instances(SALES)} == {**hours(1, 13), **twice(3, 4)}
        assert {row.time: row.runs for row in database.instances(STORES)} == hours(0, 5)
        assert [call.instances for call in database.calls()] == [7, 3, 3, 2, 6]
        assert [call.answer for call in database.calls()] == [*["triggered"] * 4, "lost"]
    finally:
        database.close()
    for said in ("+ range  2026-01-20 06:00:00 .. 2026-01-20 08:00:01  3 instances", "over limits.span of 366d"):
        assert said in played.out
    assert (tmp_path / "demo" / "report.html").exists()
    status = place.run("--root", str(tmp_path / "demo" / "backfills" / "triggers"), "status", "--format", "json")
    counts = ("triggered", "missing", "held", "inDoubt")
    assert {row["tableName"]: [row[name] for name in counts] for row in status.json["tables"]} == {
        SALES: [4, 1, 1, 0],
        STORES: [0, 0, 0, 1],
    }


def _embedded(place: Workplace) -> None:
    embedded = {"url": "embedded", "tenantId": "tn_1", "timeZone": "UTC"}
    place.configure("http://127.0.0.1:1", targets={"demo": embedded})
    place.declare("orders.yaml", backfill("orders", between(1, 5), table=ORDERS, target="demo"))


@pytest.mark.parametrize("spec", ["lost=2", "nonsense"])
def test_faults_that_do_not_exist_stop_an_apply_before_it_calls(place: Workplace, spec: str) -> None:
    _embedded(place)
    done = place.apply(RECONCILER_EMULATOR_FAULTS=spec)
    assert done.code == 2
    assert "RECONCILER_EMULATOR_FAULTS: " in done.err
    assert "or unset it" in done.err
    assert place.pending() == []
    assert place.apply().code == 0


def test_faults_of_an_embedded_target_are_those_that_the_environment_names(place: Workplace) -> None:
    _embedded(place)
    assert place.apply(RECONCILER_EMULATOR_FAULTS="reject=1").code == 6
    assert place.apply(RECONCILER_EMULATOR_FAULTS="lost=1").code == 7
    assert len(place.pending()) == 1


def test_a_target_that_is_no_emulator_knows_nothing_of_its_faults(place: Workplace, scheduler: Counting) -> None:
    place.declare("orders.yaml", backfill("orders", between(1, 5), table=ORDERS))
    assert place.apply(RECONCILER_EMULATOR_FAULTS="nonsense").code == 0
    assert scheduler.runs(ORDERS) == hours(1, 5)
