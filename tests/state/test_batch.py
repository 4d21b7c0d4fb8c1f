"""Blobs from the pieces in which git prints them: the same, however it cuts them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Failure
from reconciler.state.batch import Batch

BLOBS = [b"", b"\n", b"one line\n", b"a missing\nblob 3\n", b"x" * 5000]
PRINTED = b"".join(b"%040d blob %d\n%s\n" % (at, len(data), data) for at, data in enumerate(BLOBS))
PRINTED += b"%040d missing\n" % 9 + b"%040d tree 3\nabc\n" % 10 + b"%040d blob 2\nok\n" % 11


@given(st.lists(st.integers(0, len(PRINTED)), max_size=8))
def test_it_does_not_matter_how_git_cuts_what_it_prints(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(PRINTED)]
    batch = Batch(PRINTED[start:end] for start, end in pairwise(edges))
    assert [batch.next() for _ in range(len(BLOBS) + 3)] == [*BLOBS, None, None, b"ok"]


@pytest.mark.parametrize("cut", [1, 3, 30])
def test_what_ends_too_early_is_no_blob(cut: int) -> None:
    batch = Batch(iter([PRINTED[:-cut]]))
    assert [batch.next() for _ in range(len(BLOBS) + 2)] == [*BLOBS, None, None]
    with pytest.raises(Failure, match="in the middle"):
        batch.next()
