"""The window algebra agrees with sets of seconds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.window import (
    Window,
    Windows,
    inside,
    intersect,
    near,
    overlaps,
    partition,
    seconds,
    subtract,
    union,
)

_raw = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)
_windows = _raw.map(union)
_layers = st.lists(st.tuples(_windows, st.sampled_from("abc")), max_size=5)


def _held(windows: Windows | list[Window]) -> set[int]:
    return {second for start, end in windows for second in range(start, end)}


def _is_normal(windows: Windows) -> bool:
    return all(start < end for start, end in windows) and all(a[1] <= b[0] for a, b in pairwise(windows))


@given(_raw)
def test_a_union_holds_every_second_once_and_joins_what_touches(raw: list[Window]) -> None:
    joined = union(raw)
    assert _held(joined) == _held(raw)
    assert all(start < end for start, end in joined)
    assert all(a[1] < b[0] for a, b in pairwise(joined))


@given(_windows, _windows)
def test_subtracting_leaves_exactly_what_was_not_taken(wanted: Windows, taken: Windows) -> None:
    left = subtract(wanted, taken)
    assert _held(left) == _held(wanted) - _held(taken)
    assert _is_normal(left)


def test_windows_that_only_touch_stay_apart_when_subtracted_from() -> None:
    assert subtract(((0, 5), (5, 9)), ((2, 3),)) == ((0, 2), (3, 5), (5, 9))


@given(_windows, _windows)
def test_an_intersection_holds_what_both_hold(one: Windows, other: Windows) -> None:
    both = intersect(one, other)
    assert _held(both) == _held(one) & _held(other)
    assert _is_normal(both)
    assert overlaps(one, other) == bool(both)
    assert inside(one, other) == (_held(one) <= _held(other))
    assert inside(both, other)


@given(_windows, st.integers(0, 60), st.integers(0, 60))
def test_the_windows_near_a_span_are_those_that_touch_it(windows: Windows, start: int, end: int) -> None:
    assert near(windows, start, end) == tuple(w for w in windows if w[1] > start and w[0] < end)


@given(_windows)
def test_seconds_are_counted_once(windows: Windows) -> None:
    assert seconds(windows) == len(_held(windows))


@given(_layers)
def test_a_partition_puts_every_second_beside_exactly_its_labels(layers: list[tuple[Windows, str]]) -> None:
    pieces = partition(layers)
    found = {second: labels for (start, end), labels in pieces for second in range(start, end)}
    expected: dict[int, set[str]] = {}
    for windows, label in layers:
        for second in _held(windows):
            expected.setdefault(second, set()).add(label)
    assert found == expected
    assert _is_normal(tuple(window for window, _ in pieces))


@given(_layers)
def test_a_partition_has_the_longest_windows(layers: list[tuple[Windows, str]]) -> None:
    for (left, labels), (right, others) in pairwise(partition(layers)):
        assert left[1] < right[0] or labels != others
