"""Pending files: what is written is read back, and damage is an error at its line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import Call, Range, Times
from reconciler.core.ledger import Intent
from reconciler.state.json_lines import DamagedState
from reconciler.state.pending_file import read_pending, write_pending
from tests.state.records import OTHER_RUN, RUN, TARGET, hours, intent, points

pytestmark = pytest.mark.claim("damaged and tampered state: noticed, with file and line")

INTENTS = (intent(hours(1, 2)), intent(points(4), rerun=("t",)))
FILE = write_pending(INTENTS)


def test_what_is_written_is_read_back() -> None:
    assert read_pending("p", FILE, RUN) == INTENTS


def _cover(table: str, span: Range | Times, *rerun: str) -> Call:
    return Call(TARGET, table, "tn_1", span, rerun, ("b.yaml#1",), ("dana",) if rerun else ())


def _covering(*covers: Call) -> Intent:
    first = INTENTS[0]
    return replace(first, call=replace(first.call, covers=covers))


COVERING = write_pending([_covering(_cover("c.d.BELOW", points(1, 2)), _cover("c.d.BELOW", hours(3, 4), "t"))])

spans = st.one_of(
    st.builds(hours, st.integers(0, 9), st.integers(10, 20)),
    st.builds(Range, st.tuples(st.integers(0, 9), st.integers(20, 30)), st.just("exclusive")),
    st.sets(st.integers(0, 23), min_size=1, max_size=5).map(lambda some: points(*sorted(some))),
)
covers = st.builds(_cover, st.sampled_from(("c.d.B", "c.d.`\u8868`", "x")), spans, st.sampled_from(("red", "blue")))


@given(st.lists(covers, max_size=4))
def test_what_a_call_covers_is_read_back(some: list[Call]) -> None:
    intents = (_covering(*some), INTENTS[1])
    data = write_pending(intents)
    assert read_pending("p", data, RUN) == intents
    assert (data == FILE) == (not some)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"covers":[{', b'"covers":[{"target":"prod",'),
        (b'"covers":[{', b'"covers":[1,{'),
        (b'"covers":[{', b'"covers":[[],{'),
        (b'"covers":[{', b'"covers":[{"covers":[],'),
        (b'"tableName":"c.d.BELOW"', b'"tableName":"c.d.T"'),
        (b'"tableName":"c.d.BELOW"', b'"tableName":"c.d.ELSEWHERE"'),
        (b'"rerun":["t"]', b'"rerun":["u"]'),
        (b'"approvedBy":["dana"]', b'"approvedBy":"dana"'),
    ],
)
def test_what_a_call_covers_is_read_as_strictly(old: bytes, new: bytes) -> None:
    damaged = COVERING.replace(old, new, 1)
    assert damaged != COVERING
    with pytest.raises(DamagedState, match="p:2"):
        read_pending("p", damaged, RUN)


def test_a_call_that_covers_nothing_does_not_say_so() -> None:
    head, tail = FILE.split(b'"approvedBy":[],"since"', 1)
    with pytest.raises(DamagedState, match="p:2"):
        read_pending("p", head + b'"approvedBy":[],"covers":[],"since"' + tail, RUN)


def test_a_cover_for_its_own_table_is_refused() -> None:
    with pytest.raises(DamagedState, match="its own table"):
        read_pending("p", write_pending([_covering(_cover(INTENTS[0].call.table, points(1)))]), RUN)


def test_a_file_of_another_run_is_refused() -> None:
    with pytest.raises(DamagedState, match="p:1"):
        read_pending("p", FILE, OTHER_RUN)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"01:00:00", b"00:00:00", 2),
        (b'"rerun":["t"]', b'"rerun":["u"]', 3),
        (b'"by":', b'"who":', 1),
        (b'"version":1', b'"version":2', 1),
        (b'"since":', b'"when":', 2),
    ],
)
def test_a_value_that_was_changed_is_found_out_where_it_stands(old: bytes, new: bytes, line: int) -> None:
    with pytest.raises(DamagedState, match=f"p:{line}"):
        read_pending("p", FILE.replace(old, new, 1), RUN)


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_a_file_that_was_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(DamagedState, match="p:3"):
        read_pending("p", FILE[:-cut], RUN)
