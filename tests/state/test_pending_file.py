"""Pending files: what is written is read back, and damage is an error at its line."""

from __future__ import annotations

import pytest

from reconciler.state.json_lines import DamagedState
from reconciler.state.pending_file import read_pending, write_pending
from tests.state.records import OTHER_RUN, RUN, hours, intent, points

pytestmark = pytest.mark.claim("damaged and tampered state: noticed, with file and line")

INTENTS = (intent(hours(1, 2)), intent(points(4), rerun=("t",)))
FILE = write_pending(INTENTS)


def test_what_is_written_is_read_back() -> None:
    assert read_pending("p", FILE, RUN) == INTENTS


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
