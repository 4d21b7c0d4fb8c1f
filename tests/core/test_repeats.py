"""What a ledger tells of the promise, against an oracle that counts second by second."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.call import Range, Span, Times
from reconciler.core.ledger import Ledger, Trigger
from reconciler.core.repeats import repeats

SPANS: st.SearchStrategy[Span] = st.one_of(
    st.tuples(st.integers(0, 20), st.integers(1, 5)).map(lambda pair: Range((pair[0], pair[0] + pair[1]), "inclusive")),
    st.sets(st.integers(0, 25), min_size=1, max_size=4).map(lambda seconds: Times(tuple(sorted(seconds)))),
)
LINES = st.tuples(SPANS, st.sampled_from([(), ("a",), ("b",), ("a", "b"), ("b", "a")]))


def line(span: Span, rerun: tuple[str, ...]) -> Trigger:
    return Trigger("id", span, rerun, (), (), None, "", "run", "commit")


@given(st.lists(LINES, max_size=8))
def test_an_overlap_is_found_where_and_only_where_a_second_ran_twice_for_the_same_tokens(
    lines: list[tuple[Span, tuple[str, ...]]],
) -> None:
    found = list(repeats(Ledger("prod", "t", tuple(line(*some) for some in lines), "")))
    ran = Counter(
        (frozenset(rerun), second)
        for span, rerun in lines
        for start, end in span.windows
        for second in range(start, end)
    )
    assert bool(found) == any(times > 1 for times in ran.values())
    for repeat in found:
        tokens = {frozenset(lines[position][1]) for position in (repeat.first, repeat.second)}
        assert len(tokens) == 1
        assert all(ran[next(iter(tokens)), second] > 1 for second in range(*repeat.window))


def test_what_was_imported_tells_of_hands_and_not_of_the_promise() -> None:
    imported = Trigger("id", Times((1,)), (), ("import:past.csv:2",), (), None, "", "run", "commit")
    assert not list(repeats(Ledger("prod", "t", (imported, imported, line(Times((1,)), ())), "")))
