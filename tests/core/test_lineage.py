"""Lineage against an oracle that follows every edge on its own, and at sizes that a recursion would not survive."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.lineage import Edges, Lineage, cycles

pytestmark = pytest.mark.claim("what lies downstream, in which order, and which cycles there are: as an oracle has it")

NAMES = tuple("abcdefg")
edges = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), unique=True, max_size=4).map(tuple), max_size=7
)
acyclic = edges.map(
    lambda found: {above: tuple(below for below in some if below > above) for above, some in found.items()}
)
some = st.lists(st.sampled_from((*NAMES, "elsewhere")), max_size=8)


def _reaches(direct: Edges, table: str) -> set[str]:
    """Return what lies downstream, by adding edges until nothing more is added."""
    found = set(direct.get(table, ()))
    while True:
        more = found | {below for each in found for below in direct.get(each, ())}
        if more == found:
            return found
        found = more


@given(acyclic)
def test_downstream_is_whatever_a_way_leads_to(direct: Edges) -> None:
    found = Lineage(direct).among(NAMES)
    assert found == {table: tuple(sorted(_reaches(direct, table))) for table in NAMES}


@given(acyclic, some)
def test_among_tables_only_they_are_named_and_those_between_are_walked_through(direct: Edges, few: list[str]) -> None:
    found = Lineage(direct).among(few)
    assert found == {table: tuple(sorted(_reaches(direct, table) & set(few))) for table in few}


@given(acyclic, some)
def test_upstreams_come_before_their_downstreams_in_one_order(direct: Edges, few: list[str]) -> None:
    order = Lineage(direct).order(few)
    assert sorted(order) == sorted(set(few))
    assert order == Lineage(dict(reversed(list(direct.items())))).order(reversed(few))
    for at, table in enumerate(order):
        assert not _reaches(direct, table) & set(order[:at])


@settings(max_examples=400)
@given(edges)
def test_each_cycle_that_is_told_is_one_and_where_there_is_any_one_is_told(direct: Edges) -> None:
    found = list(cycles(direct, 10))
    for cycle in found:
        assert cycle[0] == min(cycle)
        for above, below in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            assert below in direct[above]
    tables = [table for cycle in found for table in cycle]
    assert len(tables) == len(set(tables))
    round_trips = {table for table in NAMES if table in _reaches(direct, table)}
    assert bool(found) == bool(round_trips)
    if found:
        with pytest.raises(ValueError, match="cycle"):
            Lineage(direct)
    left = {above: tuple(b for b in below if b not in tables) for above, below in direct.items() if above not in tables}
    assert not list(cycles(left, 1))


def test_the_number_of_cycles_that_are_told_is_limited() -> None:
    pairs = {f"{number:02}{side}": (f"{number:02}{other}",) for number in range(30) for side, other in ("ab", "ba")}
    assert list(cycles(pairs, 3)) == [("00a", "00b"), ("01a", "01b"), ("02a", "02b")]


def test_a_chain_of_twenty_thousand_and_a_dense_graph_are_walked_without_recursion() -> None:
    chain = {f"t{number:05}": (f"t{number + 1:05}",) for number in range(20_000)}
    lineage = Lineage(chain)
    assert lineage.among(("t00000", "t10000", "t20000")) == {
        "t00000": ("t10000", "t20000"),
        "t10000": ("t20000",),
        "t20000": (),
    }
    assert lineage.order(("t20000", "t00000", "t10000")) == ("t00000", "t10000", "t20000")
    (ring,) = cycles({**chain, "t20000": ("t00000",)}, 10)
    assert len(ring) == 20_001
    names = [f"d{number:03}" for number in range(450)]
    dense = Lineage({name: tuple(names[at + 1 :]) for at, name in enumerate(names)})
    assert sum(map(len, dense.among(names).values())) == 450 * 449 // 2
    assert dense.order(reversed(names)) == tuple(names)
