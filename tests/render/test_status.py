"""The status as text and CSV: what comes first, what is dropped where there is no room, names that would break it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.call import Range, Times
from reconciler.core.ledger import Intent, Trigger
from reconciler.core.needs import Table
from reconciler.core.plan import make_plan
from reconciler.core.planner import plan_table
from reconciler.core.policy import Waiting
from reconciler.core.request import Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import parse
from reconciler.core.window import Windows
from reconciler.render.csv_text import csv_text
from reconciler.render.paint import Paint
from reconciler.render.status import Listed, Screen, status_text
from reconciler.render.status_data import status_csv, status_document
from reconciler.render.width import padded, shortened, width
from tests.core.worlds import intent, ledger, request, target, trigger
from tests.render.sheets import NASTY

PLAIN = Paint(enabled=False)
DAILY = Schedule("0 0 6 * * ?", Every(86_400, 21_600))


def day(text: str) -> int:
    return parse(f"2026-{text} 00:00:00")


def span(first: str, end: str) -> tuple[int, int]:
    return day(first), day(end)


def standing(
    name: str,
    asked: Windows = (),
    sent: Sequence[Trigger] = (),
    doubts: Sequence[Intent] = (),
    rerun: Windows = (),
    where: str = "prod",
    schedule: Schedule | None = None,
) -> Standing:
    requests = [request("m.yaml#1", asked)] if asked else []
    requests += [request("m.yaml#late", rerun, "late")] if rerun else []
    lines = ledger(*sent) if sent else None
    aim = replace(target(), name=where)
    table = Table(aim, name, tuple(requests), lines, tuple(doubts), day("03-01"), Rules(schedule))
    return Standing(table, plan_table(table, {"m.yaml#late": Waiting("ask dana")}))


def sent(first: str, end: str, *tokens: str) -> Trigger:
    return trigger(Range(span(first, end), "inclusive"), tokens)


JANUARY = (span("01-01", "02-01"),)
ROWS = (
    standing("c.DONE", JANUARY, [sent("01-01", "02-01"), sent("01-09", "01-13", "late")]),
    standing("c.OWED", JANUARY, [sent("01-01", "01-17")], schedule=DAILY),
    standing("c.HELD", JANUARY, [sent("01-01", "02-01")], rerun=(span("01-20", "01-25"),)),
    standing("c.DOUBT", JANUARY, [sent("01-01", "01-09")], [intent(Range(span("01-09", "01-17"), "inclusive"))]),
    standing("c.DONE", (span("01-10", "01-11"),), [trigger(Times((day("01-10"),)))], where="alpha"),
)


def text(rows: Sequence[Standing], columns: int = 100, *, blocks: bool = True, damaged: Sequence[str] = ()) -> str:
    plan = make_plan(None, [row.plan for row in rows])
    listed = Listed.of(rows, [("prod", name) for name in damaged])
    return status_text(plan, listed, Screen(columns, PLAIN, blocks), frozenset())


GOLDEN = """\
TARGET  TABLE     REQUESTS  DONE  INSTANCES  TO MAKE  HELD  IN DOUBT  2026-01-01          2026-01-31
prod    c.BROKEN  state problem: see above
prod    c.DOUBT   1         0     -          1        -     1         ███████?????????░░░░░░░░░░░░░░
prod    c.HELD    2         1     -          -        1     -         ██████████████████!!!!!!██████
alpha   c.DONE    1         0     -          1        -     -         ········░░····················
prod    c.OWED    1         0     16 of 31   1        -     -         ███████████████░░░░░░░░░░░░░░░
prod    c.DONE    1         1     -          -        -     -         ███████▓▓▓▓▓██████████████████

█ triggered  ▓ rerun  ░ owed  ! held  ? in doubt  · not asked  (wall clock of UTC)

  a.b
    ? in doubt since 2026-01-01T00:00:00Z: 2026-01-09 00:00:00 .. 2026-01-16 23:59:59
"""


def test_a_small_status_is_what_it_looks_like() -> None:
    assert text(ROWS, 100, damaged=["c.BROKEN"]).startswith(GOLDEN)


def test_where_blocks_cannot_be_shown_it_is_ascii_throughout() -> None:
    shown = text(ROWS, 100, blocks=False, damaged=["c.BROKEN"])
    assert shown.isascii()
    assert "#######?????????++++++++++++++" in shown
    assert "# triggered  = rerun  + owed  ! held  ? in doubt  . not asked" in shown


def test_tables_that_need_somebody_come_first_in_every_format() -> None:
    order = [("prod", "c.DOUBT"), ("prod", "c.HELD"), ("alpha", "c.DONE"), ("prod", "c.OWED"), ("prod", "c.DONE")]
    listed = Listed.of(ROWS, [("prod", "c.BROKEN")])
    assert [(row.plan.target.name, row.plan.table) for row in listed.rows] == order
    lines = text(ROWS, 160, damaged=["c.BROKEN"]).splitlines()
    assert [tuple(line.split()[:2]) for line in lines[1:7]] == [("prod", "c.BROKEN"), *order]
    document = status_document(make_plan(None, [row.plan for row in ROWS]), listed, ())
    tables = document["tables"]
    assert isinstance(tables, list)
    assert [(row["target"], row["tableName"]) for row in tables] == order
    rows = list(csv.DictReader(io.StringIO(status_csv(listed), newline="")))
    assert [(row["target"], row["tableName"]) for row in rows] == [("prod", "c.BROKEN"), *order]
    assert [row["needs"] for row in rows] == ["damaged", "in doubt", "held", "owed", "owed", ""]
    assert (rows[4]["instancesTriggered"], rows[4]["from"], rows[4]["to"]) == (
        "16",
        "2026-01-01 00:00:00",
        "2026-01-31 23:59:59",
    )


@pytest.mark.parametrize("columns", [50, 60, 80, 100, 120, 200, 400])
@pytest.mark.parametrize("blocks", [True, False])
def test_every_line_fits_and_all_timelines_begin_in_one_column(columns: int, blocks: bool) -> None:
    long = standing("x" * 256, JANUARY)
    wide = standing("目录.销售.订单事实表" * 8, JANUARY)
    shown = text([*ROWS, long, wide], columns, blocks=blocks)
    table, rest = shown.split("\n\n", 1)
    lines = table.splitlines()
    assert all(width(line) <= columns for line in (*lines, *rest.split("\n\n")[0].splitlines()))
    assert shown.isascii() or blocks or "目" in shown
    marks = "█▄▓░!?·" if blocks else "#:=+!?."
    strips = {match.group() for line in lines[1:] if (match := re.search(f"[{re.escape(marks)}]+$", line))}
    assert len({len(strip) for strip in strips}) == 1
    assert len(next(iter(strips))) >= 20
    assert len({width(line) for line in lines[1:]}) == 1


def test_what_says_least_is_dropped_first() -> None:
    headings = [text(ROWS, columns).splitlines()[0] for columns in (50, 60, 80, 100, 140)]
    dropped = ("LAST TRIGGERED", "CALLS MADE", "REQUESTS", "INSTANCES", "DONE", "TO MAKE", "HELD", "IN DOUBT")
    here = [[name in heading for name in dropped] for heading in headings]
    assert all(each == sorted(each) for each in here)
    assert [sum(each) for each in here] == sorted(map(sum, here))
    assert (sum(here[0]), sum(here[-1])) == (0, 8)


def test_no_tables_say_what_to_do() -> None:
    assert "reconciler new TABLE" in text(())
    assert text((), damaged=["c.BROKEN"]).splitlines()[1].startswith("prod    c.BROKEN  state problem")


@pytest.mark.parametrize("name", NASTY)
def test_a_hostile_name_stays_on_its_line(name: str) -> None:
    safe = name.encode(errors="replace").decode()
    shown = text([standing(safe, JANUARY), ROWS[0]])
    assert len(shown.split("\n\n")[0].splitlines()) == 3
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", shown)


@given(st.text(), st.integers(4, 40))
@example("目录", 4)
@example("e\u0301" * 20, 5)
def test_text_is_cut_and_filled_to_the_column(name: str, columns: int) -> None:
    cut = shortened(name, columns)
    assert width(cut) <= columns
    assert (cut == name) == (width(name) <= columns) or "…" in name
    assert width(padded(cut, columns)) == columns


cells = st.one_of(st.none(), st.integers(-5, 5), st.text(alphabet=st.characters(exclude_categories=["Cs"])))


@given(st.lists(st.tuples(cells, cells), max_size=5))
@example([("=1+1", "+1"), ("-1", "@x"), ("\tx", "\rx"), ('a"b', "a,b"), ("a\nb", "'")])
def test_rows_read_back_and_no_cell_is_a_formula(rows: list[tuple[str | int | None, str | int | None]]) -> None:
    written = csv_text(("one", "other"), rows)
    assert written.count("\r\n") == written.count("\n") == len(rows) + 1
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert len(read) == len(rows) + 1
    for row, back in zip(rows, read[1:], strict=True):
        for cell, shown in zip(row, back, strict=True):
            assert shown == str(cell) if isinstance(cell, int) else not shown.startswith(("=", "+", "-", "@"))
            if isinstance(cell, str) and cell.isprintable() and "##[" not in cell:
                assert shown.removeprefix("'") == cell.removeprefix("'")
