"""Tables split among appliers: each in one shard, what is bound stays together, and nothing else moves anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.change import Key
from reconciler.core.config import Target
from reconciler.core.lineage import Lineage
from reconciler.core.request import Declared, Dependency, Rules
from reconciler.core.sharding import Shard, Share, homes, number_of
from tests.core import worlds
from tests.figures import Tried

NAMES = tuple(f"t{number}" for number in range(12))
TARGETS = {
    name: replace(worlds.target(), name=name, coalesce=name != "plain", lineage="lineage.yaml")
    for name in ("prod", "spare", "plain")
}
keys = st.tuples(st.sampled_from(sorted(TARGETS)), st.sampled_from(NAMES))
pairs = st.lists(st.tuples(keys, keys), max_size=8)
edges = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda edge: edge[0] < edge[1]), max_size=8)


@dataclass(frozen=True, slots=True)
class Root:
    """Tables, which of them wait for which, and the lineage of each target; edges go from lower to higher numbers."""

    tables: frozenset[Key]
    waits: tuple[tuple[Key, Key], ...]
    lineage: dict[str, tuple[tuple[int, int], ...]]

    @property
    def declared(self) -> Declared:
        asked = (replace(worlds.request(f"{key}#1", ((0, 1),)), target=key[0], table=key[1]) for key in self.tables)
        above: dict[Key, list[Dependency]] = {}
        for below, key in self.waits:
            above.setdefault(below, []).append(Dependency("m", key))
        rules = {key: Rules(depends_on=tuple(some)) for key, some in above.items()}
        return Declared(len(self.tables), tuple(asked), rules, {n: _lineage(some) for n, some in self.lineage.items()})

    def homes(self, targets: dict[str, Target] = TARGETS) -> dict[Key, Key]:
        return homes(self.declared, targets)

    def together(self) -> list[set[Key]]:
        """Return the tables that are bound together, counted out: sets are joined until none share a table."""
        sets = [{key} for key in self.tables] + [{one, other} for one, other in self.waits]
        for target, some in self.lineage.items():
            if TARGETS[target].coalesce:
                sets += [{(target, one), (target, other)} & self.tables for one, other in _reached(some)]
        found: list[set[Key]] = []
        for each in filter(None, sets):
            sharing = [other for other in found if other & each]
            found = [other for other in found if not other & each] + [each.union(*sharing)]
        return found


def _lineage(some: Iterable[tuple[int, int]]) -> Lineage:
    direct: dict[str, list[str]] = {}
    for one, other in some:
        direct.setdefault(NAMES[one], []).append(NAMES[other])
    return Lineage({table: tuple(below) for table, below in direct.items()})


def _reached(some: Iterable[tuple[int, int]]) -> set[tuple[str, str]]:
    """Return all pairs of tables of which the second lies downstream of the first, however far."""
    found = set(some)
    for _ in NAMES:
        found |= {(one, far) for one, near in found for begin, far in some if begin == near}
    return {(NAMES[one], NAMES[other]) for one, other in found}


@st.composite
def roots(draw: st.DrawFn) -> Root:
    waits = tuple(draw(pairs))
    tables = draw(st.frozensets(keys, min_size=1)) | {key for pair in waits for key in pair}
    return Root(tables, waits, {name: tuple(draw(edges)) for name in TARGETS})


@pytest.mark.claim("tables split among 1 to 9 shards: each in exactly one, bound ones together")
def test_each_table_is_in_exactly_one_shard_and_what_is_bound_is_together(tried: Tried) -> None:
    count = 0

    @settings(max_examples=100)
    @given(roots(), st.integers(1, 9))
    def holds(root: Root, shards: int) -> None:
        nonlocal count
        count += 1
        found = root.homes()
        shares = [Share(Shard(number, shards), found) for number in range(1, shards + 1)]
        mine = {key: [share.shard.number for share in shares if key in share] for key in root.tables}
        assert all(len(numbers) == 1 for numbers in mine.values())
        for bound in root.together():
            assert {found.get(key, key) for key in bound} == {min(bound)}
            assert len({mine[key][0] for key in bound}) == 1
            assert mine[min(bound)] == [number_of(min(bound), shards)]

    holds()
    tried(count)


@given(roots(), roots())
def test_tables_that_come_along_move_no_table_that_they_are_not_bound_to(root: Root, more: Root) -> None:
    strangers = Root(
        frozenset((target, f"x.{name}") for target, name in more.tables),
        tuple(((one[0], f"x.{one[1]}"), (other[0], f"x.{other[1]}")) for one, other in more.waits),
        {},
    )
    both = Root(root.tables | strangers.tables, root.waits + strangers.waits, root.lineage)
    before, after = root.homes(), both.homes()
    assert {key: after.get(key, key) for key in root.tables} == {key: before.get(key, key) for key in root.tables}


def test_lineage_binds_only_on_a_target_that_coalesces() -> None:
    tables = frozenset({("plain", "t0"), ("plain", "t1"), ("prod", "t0"), ("prod", "t2"), ("spare", "t0")})
    root = Root(tables, (), {"plain": ((0, 1),), "prod": ((0, 1), (1, 2))})
    found = {key: home for key, home in root.homes().items() if key != home}
    assert found == {("prod", "t2"): ("prod", "t0")}  # through a table that no manifest declares


def test_two_tables_above_one_that_nobody_declares_are_not_bound() -> None:
    root = Root(frozenset({("prod", "t0"), ("prod", "t1")}), (), {"prod": ((0, 2), (1, 2))})
    assert all(key == home for key, home in root.homes().items())


def test_the_split_is_the_same_on_every_machine_and_in_every_version() -> None:
    names = [f"catalog.sales.T{number}" for number in range(8)]
    assert [number_of(("prod", name), 8) for name in names] == [7, 5, 6, 1, 7, 6, 5, 2]
    assert number_of(("prod", "catalog.größe"), 1000) == 20
    assert number_of(("prod", "a"), 1000) != number_of(("spare", "a"), 1000)


def test_shards_are_of_much_the_same_size() -> None:
    sizes = Counter(number_of(("prod", f"c.t{number}"), 8) for number in range(8000))
    assert len(sizes) == 8
    assert all(850 < size < 1150 for size in sizes.values())


@pytest.mark.parametrize(
    "text", ["", "8", "0/8", "9/8", "1/0", "-1/8", "1/8/2", "a/b", "1/ 8", " 1/8", "٣/8", "01/8", "1/8\n"]
)
def test_what_is_no_shard_of_others_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"shard|I/N"):
        Shard.parse(text)


def test_a_shard_is_read_as_it_is_written() -> None:
    assert [str(Shard.parse(text)) for text in ("1/1", "8/8", "3/16")] == ["1/1", "8/8", "3/16"]
