"""The unseen lines of a comment: found again as they were written, and ended by nothing that they hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.marks import read_run_mark, root_mark, run_mark


def test_a_run_is_read_with_the_pull_requests_that_approved_it() -> None:
    assert read_run_mark(f"### 2 triggered\n\n{run_mark('20260122T020000Z-00aa', (7, 12))}\n") == (
        "20260122T020000Z-00aa",
        (7, 12),
    )
    assert read_run_mark(run_mark("r", ())) == ("r", ())


def test_a_text_that_tells_of_no_calls_has_none() -> None:
    assert read_run_mark("### Nothing to do\n\n`<!-- run r -->`\n") is None


def test_of_several_results_the_newest_which_is_first_counts() -> None:
    assert read_run_mark(f"{run_mark('new', (1,))}\n\n{run_mark('old', (2,))}\n") == ("new", (1,))


@given(st.text())
def test_no_name_ends_a_mark(name: str) -> None:
    for mark in (root_mark(name), run_mark(name, ())):
        assert mark.index("-->") == len(mark) - 3
        assert "\n" not in mark
