"""Strips of the emulator's pages: every instance is in one piece, told as often as it ran."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.wallclock import parse, render
from reconciler.scheduler.emulator import CallRow, Database
from reconciler.scheduler.emulator.strips import CELLS, marks, pieces, window_of

START = parse("2026-01-20 00:00:00")
steps = st.sampled_from([1, 60, 900, 3600, 86_400, 30 * 86_400])
runs = st.dictionaries(st.integers(0, 400), st.integers(1, 3), min_size=1, max_size=60)


def _ran(table: str, step: int, often: dict[int, int]) -> Database:
    database = Database(None)
    for turn in range(3):
        seconds = [START + number * step for number, times in often.items() if times > turn]
        database.record(CallRow("at", "scheduleTime", "tn", table, "{}", "trace", "triggered", "", 0), "", seconds)
    return database


@given(runs, steps)
def test_every_instance_is_in_one_piece_that_says_how_often_it_ran(often: dict[int, int], step: int) -> None:
    database = _ran("a.b", step, often)
    rows = database.tables()
    window = window_of(rows)
    assert window is not None
    strip = pieces(database.cells(rows, window, CELLS), window)["a.b", "tn"]
    database.close()
    assert sum(int(re.findall(r": ([0-9]+) inst", piece.told)[0]) for piece in strip) == len(often)
    edge = -0.01
    for piece in strip:
        assert edge <= piece.left < piece.left + piece.width <= 100.01
        assert piece.width >= round(100 / CELLS, 2) - 0.01
        edge = piece.left + piece.width - 0.02  # both are rounded
    for number, times in often.items():
        at = 100 * (START + number * step - window[0]) / (window[1] - window[0])
        over = [piece for piece in strip if piece.left - 0.02 <= at <= piece.left + piece.width + 0.02]
        assert over
        if times > 1:
            assert any(piece.again for piece in over)


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True))
def test_tables_share_one_axis_and_keep_their_own_strips(names: list[str]) -> None:
    database = Database(None)
    for number, name in enumerate(names):
        call = CallRow("at", "scheduleTime", "tn", name, "{}", "trace", "triggered", "", 0)
        database.record(call, "", [START + number * 86_400])
    rows = database.tables()
    window = window_of(rows)
    assert window is not None
    found = pieces(database.cells(rows, window, CELLS), window)
    database.close()
    assert sorted(name for name, _ in found) == sorted(names)
    for number, name in enumerate(names):
        (piece,) = found[name, "tn"]
        assert piece.told == f"{render(START + number * 86_400)}: 1 instance, ran once"


def test_no_tables_have_no_axis_and_marks_are_inside_it() -> None:
    assert window_of(()) is None
    for span in (1, 3600, 86_400, 400 * 86_400):
        assert all(0 <= mark.left <= 100 for mark in marks((START, START + span)))
