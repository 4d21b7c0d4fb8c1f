"""Compacted ledgers: whatever was folded, a plan finds the same; what is forged, lost or damaged is found out."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.call import Range
from reconciler.core.ledger import Coverage, Trigger
from reconciler.core.needs import Table
from reconciler.core.plan import make_plan
from reconciler.core.planner import plan_table
from reconciler.core.wallclock import FIRST, LAST
from reconciler.core.window import Windows, union
from reconciler.render.paint import Paint
from reconciler.render.plan_text import plan_text
from reconciler.state.compacted import Parts, compacted, coverage_of, lost_at
from reconciler.state.fold import fold
from reconciler.state.fold_line import detail_named, is_compacted
from reconciler.state.json_lines import DamagedState
from reconciler.state.ledger_file import append, read_file, read_ledger
from reconciler.state.windows_text import read_windows, write_windows
from tests.core.worlds import HORIZON, World, triggers, worlds
from tests.e2e.folds import forged
from tests.examples import examples
from tests.figures import Tried
from tests.state.records import TABLE, TARGET, hours, points, trigger
from tests.state.test_fold import TRIGGERS

KEY = (TARGET, TABLE)
OID = "0123456789abcdef0123456789abcdef01234567"
OTHER_OID = OID[::-1]


def folded(data: bytes, number: int, oid: str = OID) -> bytes:
    return compacted(Parts.of("p", data), oid, number)


def covers(data: bytes) -> Coverage:
    """Return what a file covers, which both readers have to say."""
    slow = read_file("p", data, *_key(data)).coverage
    assert fold(data, *_key(data)) in (None, slow)
    return slow


def _key(data: bytes) -> tuple[str, str]:
    return Parts.of("p", data).key


SECONDS = st.integers(FIRST, LAST)
APART = st.lists(st.tuples(SECONDS, st.integers(1, 90_000)), max_size=8)
REPEATED = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(1, 5000), st.integers(1, 9000), st.integers(1, 12)), max_size=4
)


@settings(max_examples=examples(80))
@given(APART, REPEATED)
def test_windows_are_read_as_they_were_written(apart: list[tuple[int, int]], repeated: list[tuple[int, ...]]) -> None:
    windows = [(start, min(start + length, LAST + 1)) for start, length in apart]
    for start, length, gap, number in repeated:
        windows += [(start + (length + gap) * at, start + (length + gap) * at + length) for at in range(number)]
    found = union(windows)
    assert read_windows(write_windows(found)) == found


def test_what_repeats_is_written_once() -> None:
    days: Windows = tuple((day * 86_400, day * 86_400 + 1) for day in range(1000))
    hours_of_days = tuple((day * 86_400, day * 86_400 + 3600) for day in range(2000, 2003))
    assert write_windows(days) == ["1970-01-01 00:00:00 *1000 +86400"]
    assert write_windows(hours_of_days) == ["1975-06-24 00:00:00..1975-06-24 00:59:59 *3 +86400"]
    assert write_windows(((0, 1), (7, 9))) == ["1970-01-01 00:00:00", "1970-01-01 00:00:07..1970-01-01 00:00:08"]


@pytest.mark.parametrize(
    "items",
    [
        ["2026-01-20"],
        ["2026-02-30 00:00:00"],
        ["2026-01-20 00:00:00 "],
        ["2026-01-20 00:00:00..2026-01-20 00:00:00"],
        ["2026-01-20 00:00:01..2026-01-20 00:00:00"],
        ["2026-01-20 00:00:00 *3 +1"],
        ["2026-01-20 00:00:00 *9999999 +2"],
        ["9999-12-31 00:00:00 *3 +86400"],
        ["2026-01-20 00:00:00", "2026-01-20 00:00:01"],
        ["2026-01-20 00:00:09", "2026-01-20 00:00:00"],
        ["2026-01-20 00:00:00 *3 +10", "2026-01-20 00:00:20"],
    ],
)
def test_what_no_windows_are_is_refused(items: list[str]) -> None:
    with pytest.raises(ValueError, match=r"time|end|repeat|day"):
        read_windows(items)


@settings(max_examples=examples(60))
@given(TRIGGERS.filter(lambda some: len(some) > 1), TRIGGERS, st.data())
def test_a_ledger_covers_the_same_after_it_was_compacted_and_goes_on(
    before: list[Trigger], after: list[Trigger], data: st.DataObject
) -> None:
    plain = append(None, *KEY, before)
    if not readable(plain):
        return
    number = data.draw(st.integers(1, len(before) - 1))
    small = folded(plain, number)
    assert covers(small) == covers(plain)
    assert covers(append(small, *KEY, after)) == covers(append(plain, *KEY, after))
    assert lost_at(Parts.of("p", plain), Parts.of("p", small)) is None
    assert lost_at(Parts.of("p", plain), Parts.of("p", append(small, *KEY, after))) is None


def readable(data: bytes) -> bool:
    """Say whether a ledger that was drawn is one: a call for a table may not be covered by the table itself."""
    try:
        read_file("p", data, *KEY)
    except DamagedState:
        return False
    return True


@settings(max_examples=examples(60))
@given(TRIGGERS.filter(lambda some: len(some) > 2), st.data())
def test_to_compact_twice_is_to_compact_once(before: list[Trigger], data: st.DataObject) -> None:
    plain = append(None, *KEY, before)
    if not readable(plain):
        return
    first = data.draw(st.integers(1, len(before) - 2))
    second = data.draw(st.integers(first + 1, len(before) - 1))
    assert folded(folded(plain, first), second) == folded(plain, second)


@settings(max_examples=examples(60))
@given(st.lists(triggers, min_size=2, max_size=8), st.data())
def test_a_fold_covers_each_second_that_one_of_its_lines_does(lines: list[Trigger], data: st.DataObject) -> None:
    number = data.draw(st.integers(1, len(lines) - 1))
    fold_of = Parts.of("p", folded(append(None, *KEY, lines), number)).fold
    assert fold_of is not None
    for tokens in {tuple(sorted(set(line.rerun))) for line in lines[:number]}:
        mine = [line for line in lines[:number] if tuple(sorted(set(line.rerun))) == tokens]
        windows = dict(fold_of.covers.layers)[tokens]
        for second in range(2 * HORIZON):
            held = any(start <= second < end for line in mine for start, end in line.span.windows)
            assert held == any(start <= second < end for start, end in windows)


def planned(world: World, data: bytes) -> str:
    """Return the plan, its digest included, of a world whose ledger is a file."""
    key = (world.table.target.name, world.table.name)
    file = read_file("p", data, *key)
    assert world.table.ledger is not None
    table: Table = replace(
        world.table,
        ledger=replace(world.table.ledger, triggers=(), head=file.head, known=lambda: coverage_of("p", data, key)),
    )
    plan = make_plan(None, [plan_table(table, world.approvals)])
    return plan_text(plan, Paint(False), verbose=True, live=frozenset()) + repr(plan.tables)


@pytest.mark.claim("state compact: plans before and after are the same, byte for byte")
@settings(max_examples=examples(60))
@given(worlds(), st.lists(triggers, max_size=3), st.data())
def test_plans_are_the_same_before_and_after(world: World, more: list[Trigger], data: st.DataObject) -> None:
    lines = tuple(world.table.ledger.triggers) if world.table.ledger else ()
    if len(lines) < 2:
        return
    key = (world.table.target.name, world.table.name)
    plain = append(None, *key, lines)
    small = folded(plain, data.draw(st.integers(1, len(lines) - 1)))
    assert planned(world, small) == planned(world, plain)
    assert planned(world, append(small, *key, more)) == planned(world, append(plain, *key, more))


PLAIN = append(
    None,
    *KEY,
    [
        trigger(hours(1, 2)),
        trigger(points(4, 5)),
        replace(trigger(hours(6, 7)), rerun=("b", "a")),
        replace(trigger(Range(hours(7, 8).window, "exclusive")), rerun=("a",)),
        trigger(hours(9, 9)),
    ],
)
SMALL = folded(PLAIN, 3)


def test_the_second_line_has_the_documented_fields() -> None:
    first, second, *_ = SMALL.split(b"\n")
    assert json.loads(first) == {"version": 2, "target": TARGET, "tableName": TABLE}
    value = json.loads(second)
    assert list(value) == ["lines", "last", "detail", "windows", "sum"]
    lines = PLAIN.split(b"\n")
    assert (value["lines"], value["last"], value["detail"]) == (3, sha256(lines[3]).hexdigest(), OID)
    assert value["windows"] == [
        {
            "rerun": [],
            "times": ["2026-01-20 01:00:00..2026-01-20 02:00:00", "2026-01-20 04:00:00", "2026-01-20 05:00:00"],
        },
        {"rerun": ["a", "b"], "times": ["2026-01-20 06:00:00..2026-01-20 07:00:00"]},
    ]
    assert SMALL.split(b"\n")[2:] == lines[4:]
    assert detail_named(SMALL) == OID
    assert detail_named(PLAIN) is None


@pytest.mark.claim("a damaged ledger is never read fast: one byte changed, taken away or put in")
def test_no_damage_of_a_compacted_ledger_is_read_fast_or_passes(tried: Tried) -> None:
    cases = 0
    end = SMALL.index(b"\n", SMALL.index(b"\n") + 1)
    for at in range(len(SMALL)):
        damaged = {SMALL[:at], SMALL[:at] + SMALL[at + 1 :]}
        damaged |= {SMALL[:at] + byte + SMALL[at + 1 :] for byte in (b"0", b'"', b"\n", b"\xff", b" ")}
        for data in damaged - {SMALL}:
            cases += 1
            found = fold(data, *KEY)
            if found is not None:
                assert at > end, "damage of the fold was read"
                assert found == read_file("p", data, *KEY).coverage
            elif at < end:
                with pytest.raises(DamagedState):
                    read_file("p", data, *KEY)
    tried(cases)


WINDOWS = json.loads(SMALL.split(b"\n")[1])["windows"]
FORGED: dict[str, dict[str, object]] = {
    "a window missing": {"windows": [{**WINDOWS[0], "times": WINDOWS[0]["times"][1:]}, WINDOWS[1]]},
    "a window added": {"windows": [{**WINDOWS[0], "times": [*WINDOWS[0]["times"], "2026-01-20 23:00:00"]}, WINDOWS[1]]},
    "a rerun missing": {"windows": WINDOWS[:1]},
    "a rerun renamed": {"windows": [WINDOWS[0], {**WINDOWS[1], "rerun": ["c"]}]},
    "fewer lines": {"lines": 2},
    "more lines": {"lines": 4},
}


def test_a_forgery_that_changes_nothing_is_none() -> None:
    assert forged(SMALL) == SMALL


@pytest.mark.claim("damaged and tampered state: noticed, with file and line")
@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_fold_is_not_what_the_ledger_was(kind: str) -> None:
    data = forged(SMALL, **FORGED[kind])
    assert read_file("p", data, *KEY).head == read_file("p", SMALL, *KEY).head
    assert lost_at(Parts.of("p", PLAIN), Parts.of("p", data)) is not None


MALFORMED: dict[str, dict[str, object]] = {
    "no lines": {"lines": 0},
    "lines as text": {"lines": "3"},
    "lines that are true": {"lines": True},
    "another field": {"note": "x"},
    "a last that is no hash": {"last": "x" * 64},
    "another last": {"last": "0" * 64},
    "a detail that is an option": {"detail": "--batch-all-objects"},
    "no windows": {"windows": []},
    "tokens that are not sorted": {"windows": WINDOWS[::-1]},
    "tokens twice": {"windows": [WINDOWS[0], WINDOWS[0]]},
    "no times": {"windows": [{"rerun": [], "times": []}]},
    "times as text": {"windows": [{"rerun": [], "times": "2026-01-20 00:00:00"}]},
}


@pytest.mark.claim("damaged and tampered state: noticed, with file and line")
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_fold_that_is_none_is_refused_whatever_its_checksum(kind: str) -> None:
    data = forged(SMALL, **MALFORMED[kind])
    assert fold(data, *KEY) is None
    with pytest.raises(DamagedState) as damage:
        read_file("p", data, *KEY)
    assert damage.value.problem.line in (2, 3)


def test_a_fold_of_another_table_is_refused() -> None:
    first = SMALL.replace(TABLE.encode(), b"c.d.U", 1)
    for reader in (fold, lambda data, *key: read_file("p", data, *key)):
        assert reader(SMALL, *KEY) is not None
    assert fold(first, TARGET, "c.d.U") is None
    with pytest.raises(DamagedState, match="checksum"):
        read_file("p", first, TARGET, "c.d.U")


def test_a_fold_alone_is_no_ledger() -> None:
    alone = SMALL[: SMALL.index(b"\n", SMALL.index(b"\n") + 1) + 1]
    assert fold(alone, *KEY) is None
    with pytest.raises(DamagedState):
        read_file("p", alone, *KEY)


def test_where_all_lines_are_needed_a_compacted_ledger_does_not_pass_for_one() -> None:
    with pytest.raises(DamagedState):
        read_ledger("p", SMALL, *KEY)
    assert is_compacted(SMALL)
    assert not is_compacted(PLAIN)


CUT = b"".join(line + b"\n" for line in SMALL.split(b"\n")[:3])


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (PLAIN, SMALL, None),
        (SMALL, PLAIN, None),
        (SMALL, folded(SMALL, 4, OTHER_OID), None),
        (folded(PLAIN, 2), SMALL, None),
        (folded(PLAIN, 4), folded(PLAIN, 2), None),
        (SMALL, CUT, 4),
        (PLAIN, CUT, 4),
        (CUT, SMALL, None),
        (append(SMALL, *KEY, [trigger(points(11))]), SMALL, 5),
        (append(PLAIN, *KEY, [trigger(points(11))]), SMALL, 5),
        (append(SMALL, *KEY, [trigger(points(11))]), append(SMALL, *KEY, [trigger(points(12))]), 5),
        (folded(PLAIN, 4), CUT, 4),
        (folded(append(PLAIN, *KEY, [trigger(points(11))]), 5), CUT, 4),
    ],
)
def test_a_file_that_stands_for_less_is_told_by_its_line(old: bytes, new: bytes, line: int | None) -> None:
    assert lost_at(Parts.of("p", old), Parts.of("p", new)) == line
