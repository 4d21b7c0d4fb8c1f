"""The fast reader of ledgers says what the slow one says, or nothing: on sound files and on damaged ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import Range, Span, Times
from reconciler.core.ledger import CoveredBy, Trigger
from reconciler.core.wallclock import FIRST, LAST
from reconciler.state.fold import fold, pack, unpack
from reconciler.state.json_lines import DamagedState
from reconciler.state.ledger_file import append, read_ledger
from reconciler.state.plain import plain_triggers
from tests.figures import Tried
from tests.state.records import TABLE, TARGET, hours, points, trigger

SECONDS = st.integers(FIRST, LAST - 1)
TEXTS = st.one_of(
    st.text('ab"\\\n\x7f\u2028é😀{}[],:', max_size=6), st.sampled_from(["", "a.yaml#1", "null", "late-0121"])
)
NAMES = st.lists(TEXTS, max_size=3).map(tuple)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    if draw(st.booleans()):
        return Times(tuple(sorted(draw(st.sets(SECONDS, min_size=1, max_size=5)))))
    start, end = sorted(draw(st.sets(SECONDS, min_size=2, max_size=2)))
    return Range((start, end), draw(st.sampled_from(["inclusive", "exclusive"])))


TRIGGERS = st.lists(
    st.builds(
        Trigger,
        id=TEXTS,
        span=spans(),
        rerun=NAMES,
        requests=NAMES,
        approved_by=NAMES,
        trace_id=st.none() | TEXTS,
        triggered_at=TEXTS,
        run=TEXTS,
        commit=TEXTS,
        covered_by=st.none() | st.builds(CoveredBy, TEXTS, TEXTS),
    ),
    max_size=6,
)


@given(TRIGGERS)
def test_both_readers_find_the_same_in_what_was_written(triggers: list[Trigger]) -> None:
    data = append(None, TARGET, TABLE, triggers)
    found = fold(data, TARGET, TABLE)
    assert found in (None, read_ledger("p", data, TARGET, TABLE).coverage)
    assert plain_triggers(data, TARGET, TABLE) in (None, tuple(triggers))


PLAIN = [
    trigger(hours(1, 2)),
    trigger(points(4, 5)),
    replace(trigger(hours(6, 7)), rerun=("b", "a"), covered_by=CoveredBy("c.d.ABOVE", "é")),
    replace(trigger(Range(hours(7, 8).window, "exclusive")), trace_id=None, rerun=("a",)),
    replace(trigger(hours(9, 9)), rerun=("a", "b"), requests=(), approved_by=("dana", "lee")),
]
FILE = append(None, TARGET, TABLE, PLAIN)


def test_what_is_written_plainly_is_read_fast() -> None:
    found = fold(FILE, TARGET, TABLE)
    assert found is not None
    assert found == read_ledger("p", FILE, TARGET, TABLE).coverage
    assert unpack(pack(found)) == found
    assert plain_triggers(FILE, TARGET, TABLE) == tuple(PLAIN)
    assert [tokens for tokens, _ in found.layers] == [(), ("a",), ("a", "b")]


@pytest.mark.claim("a damaged ledger is never read fast: one byte changed, taken away or put in")
def test_no_damage_is_read_fast(tried: Tried) -> None:
    cases = 0
    for at in range(len(FILE)):
        damaged = {FILE[:at], FILE[:at] + FILE[at + 1 :]}
        damaged |= {FILE[:at] + byte + FILE[at + 1 :] for byte in (b"0", b'"', b"\\", b"\n", b"\xff", b" ", b"e")}
        damaged |= {FILE[:at] + byte + FILE[at:] for byte in (b"0", b"\r", b"\n")}
        for data in damaged - {FILE}:
            cases += 1
            found = fold(data, TARGET, TABLE)
            if found is not None:
                assert found == read_ledger("p", data, TARGET, TABLE).coverage, (at, data[at : at + 9])
            lines = plain_triggers(data, TARGET, TABLE)
            if lines is not None:
                assert lines == read_ledger("p", data, TARGET, TABLE).triggers, (at, data[at : at + 9])
    tried(cases)


@pytest.mark.parametrize(("target", "table"), [("test", TABLE), (TARGET, "c.d.t")])
def test_another_tables_ledger_is_not_read_fast(target: str, table: str) -> None:
    assert fold(FILE, target, table) is None
    with pytest.raises(DamagedState):
        read_ledger("p", FILE, target, table)


@given(TRIGGERS, TRIGGERS)
def test_lines_that_are_added_later_cover_what_all_of_them_do(before: list[Trigger], after: list[Trigger]) -> None:
    whole = read_ledger("p", append(None, TARGET, TABLE, before + after), TARGET, TABLE)
    first = read_ledger("p", append(None, TARGET, TABLE, before), TARGET, TABLE)
    grown = first.grown(tuple(after), whole.head)
    assert grown.coverage == whole.coverage == unpack(pack(whole.coverage))
    assert grown == whole
