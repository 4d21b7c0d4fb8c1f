"""JSON Lines as state files hold them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state.json_lines import DamagedState, read_lines, write_lines

HEADER = {"version": 1}
values = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))


@given(st.lists(values))
def test_what_is_written_is_read_back(objects: list[dict[str, object]]) -> None:
    data = write_lines([HEADER, *objects])
    assert [value for _, value in read_lines("p", data)] == [HEADER, *objects]


@given(st.lists(values, min_size=1), st.data())
def test_a_byte_that_is_lost_never_goes_unnoticed_in_a_line(
    objects: list[dict[str, object]], data: st.DataObject
) -> None:
    """A line that lost a byte is no JSON, or other JSON: never the same, so a hash of it shows."""
    whole = write_lines([HEADER, *objects])
    at = data.draw(st.integers(0, len(whole) - 1))
    try:
        read = read_lines("p", whole[:at] + whole[at + 1 :])
    except DamagedState:
        return
    assert [value for _, value in read] != [HEADER, *objects]


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '{"a": 1}', '{"a":"\\u0061"}', '{"a":1e400}', '{"a":Infinity}', '{"a":"\\ud800"}', " {}"]
)
def test_a_line_is_written_the_one_way_or_refused(text: str) -> None:
    with pytest.raises(DamagedState, match="p:2"):
        read_lines("p", write_lines([HEADER]) + text.encode() + b"\n")
