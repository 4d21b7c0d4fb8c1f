"""The demo plays its whole story: each command ends as it says, and what ran is what the story tells."""

from __future__ import annotations

from pathlib import Path

from reconciler.scheduler.emulator import Database
from tests.e2e.manifests import SALES, hours, twice
from tests.e2e.workplace import Workplace


def test_the_demo_plays_to_its_end_and_runs_each_hour_once_but_for_the_rerun(place: Workplace, tmp_path: Path) -> None:
    played = place.run("demo", "--dir", str(tmp_path / "demo"))
    assert played.code == 0, played.out + played.err
    database = Database(tmp_path / "demo" / "backfills" / ".git" / "reconciler" / "emulator" / "demo.db")
    try:
        assert {row.time: row.runs for row in database.instances(SALES)} == {**hours(1, 13), **twice(3, 4)}
        assert [call.instances for call in database.calls()] == [7, 3, 3, 2]
    finally:
        database.close()
    for said in ("+ range  2026-01-20 06:00:00 .. 2026-01-20 08:00:01  3 instances", "over limits.span of 366d"):
        assert said in played.out
