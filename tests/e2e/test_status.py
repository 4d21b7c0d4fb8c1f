"""`status` for daily use: what needs attention first, as text on a terminal and in a pipe, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between
from tests.e2e.terminal import ON_A_TERMINAL, screen
from tests.e2e.workplace import PACKAGE, Workplace


@pytest.fixture
def busy(place: Workplace) -> Workplace:
    """Return a workplace with a table that is done, one that owes, and one whose rerun is held."""
    place.declare("a.yaml", backfill("a", between(1, 5), table="a.DONE"))
    place.declare("b.yaml", backfill("b", at(1, 3), table=ORDERS))
    assert place.apply().code == 0
    place.declare("b.yaml", backfill("b", at(1, 3), again("late", at(3)), table=ORDERS))
    place.declare("c.yaml", backfill("c", between(2, 4), table=SALES))
    return place


def test_what_needs_somebody_comes_first_in_each_format(busy: Workplace) -> None:
    order = [ORDERS, SALES, "a.DONE"]
    text = busy.run("status").out
    assert [next(name for name in order if name in line) for line in text.splitlines()[1:4]] == order
    assert [table["tableName"] for table in busy.run("status", "--format", "json").json["tables"]] == order
    done = busy.run("status", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["tableName"], row["needs"]) for row in rows] == [(ORDERS, "held"), (SALES, "owed"), ("a.DONE", "")]
    assert (rows[2]["from"], rows[2]["to"]) == ("2026-01-20 01:00:00", "2026-01-20 05:00:00")
    assert "█" in text
    assert "░ owed  ! held" in text


def test_a_pipe_has_a_hundred_columns_or_as_many_as_it_says(busy: Workplace) -> None:
    for width, named in ((100, ""), (60, "60"), (160, "160"), (100, "wide")):
        table = busy.run("status", COLUMNS=named).out.split("\n\n")[0].splitlines()
        assert {len(line) for line in table[1:]} == {width}


def test_an_output_that_has_no_blocks_gets_ascii(busy: Workplace) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "reconciler", "--root", busy.root, "status"],
        cwd=busy.top,
        env={**os.environ, **busy.env, "PYTHONPATH": os.fspath(PACKAGE), "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    ).stdout
    assert shown.isascii()
    assert b"# triggered" in shown
    assert b"\\u" not in shown


def test_a_terminal_gets_its_width_and_colours(busy: Workplace) -> None:
    sized = (
        f"import fcntl, struct, termios; fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 72, 0, 0)); {RUN}"
    )
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    shown = subprocess.run(
        [sys.executable, "-c", ON_A_TERMINAL, sys.executable, "-c", sized],
        cwd=busy.top,
        env={**env, **busy.env, "PYTHONPATH": os.fspath(PACKAGE), "TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    ).stdout.decode()
    lines = screen(shown)
    assert {len(line) for line in lines[1:4]} == {72}
    assert "\x1b[35m" in shown


RUN = "import sys; sys.argv[1:] = ['--root', 'triggers', 'status']; from reconciler.cli import main; main()"


def test_a_damaged_table_is_named_first_and_the_others_are_shown(busy: Workplace) -> None:
    damaged = busy.state_files()[f"prod/{ORDERS}.jsonl"].replace(b"triggeredAt", b"triggeredOn")
    busy.put_state({f"prod/{ORDERS}.jsonl": damaged})
    done = busy.run("status")
    assert done.code == 3
    lines = done.out.splitlines()
    assert lines[1].split()[-5:] == [ORDERS, "state", "problem:", "see", "above"]
    assert [SALES in lines[2], "a.DONE" in lines[3]] == [True, True]
    rows = list(csv.DictReader(io.StringIO(busy.run("status", "--format", "csv").out)))
    assert (rows[0]["tableName"], rows[0]["needs"], rows[0]["asked"]) == (ORDERS, "damaged", "")
    document = busy.run("status", "--format", "json").json
    assert [table["tableName"] for table in document["tables"]] == [SALES, "a.DONE"]
    assert document["problems"]


def test_no_tables_at_all_say_what_to_do(place: Workplace) -> None:
    done = place.run("status")
    assert (done.code, done.out.splitlines()[0]) == (0, "No table is asked for yet.")
    assert place.run("status", "--format", "csv").out.count("\n") == 1
    assert place.run("status", "--format", "json").json["tables"] == []


def test_the_same_table_on_two_targets_has_two_rows(place: Workplace) -> None:
    prod = json.loads((place.base / "reconciler.yaml").read_text())["targets"]["prod"]
    place.configure(prod["url"], targets={"second": {**prod, "tenantId": "tn_2"}})
    place.declare("a.yaml", backfill("a", between(1, 5)), backfill("b", between(1, 5), target="second"))
    assert place.apply("--target", "second").code == 0
    rows = [line.split() for line in place.run("status").out.splitlines()[1:3]]
    assert [(row[0], row[1]) for row in rows] == [("prod", SALES), ("second", SALES)]
    assert (rows[0][-1][0], rows[1][-1][0]) == ("░", "█")
