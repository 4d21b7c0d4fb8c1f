"""What was folded is read again from git; where it is not here, what can be told without is."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.ledger import Lines
from reconciler.errors import NotHere
from reconciler.state.compacted import Parts, compacted, lost_at
from reconciler.state.detail import Details, lost_line
from reconciler.state.git import Git
from reconciler.state.json_lines import DamagedState
from reconciler.state.ledger_file import append, read_ledger
from reconciler.state.shelf import Contents
from tests.e2e.folds import forged
from tests.state.records import TABLE, TARGET, points, repository, trigger

KEY = (TARGET, TABLE)
TRIGGERS = [trigger(points(number)) for number in range(1, 9)]
PLAIN = append(None, *KEY, TRIGGERS)
MISSING = "0" * 40


@pytest.fixture
def git(folder: Path) -> Git:
    return repository(folder / "clone")


@pytest.fixture
def details(git: Git) -> Details:
    return Details(git, Contents())


def stored(git: Git, data: bytes) -> str:
    return git.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()


def folded(git: Git, data: bytes, number: int) -> bytes:
    return compacted(Parts.of("p", data), stored(git, data), number)


def test_a_ledger_is_whole_again_however_often_it_was_compacted(git: Git, details: Details) -> None:
    grown, data = PLAIN, folded(git, PLAIN, 3)
    for number in (6, 9, 11):
        more = [trigger(points(number + 6))] * 2
        grown, data = append(grown, *KEY, more), append(data, *KEY, more)
        data = folded(git, data, number)
    details.bring([data])
    assert details.whole("p", data) == grown
    read_ledger("p", grown, *KEY)
    found = list(details.forms("p", data))
    assert [Parts.of("p", form).folded for form in found] == [11, 9, 6, 3, 0]
    assert lost_line("p", PLAIN, data, details) is None
    assert all(lost_line("p", form, data, details) is None for form in found)


def test_a_version_from_before_is_compared_through_all_folds(git: Git, details: Details) -> None:
    data = folded(git, folded(git, PLAIN, 4), 6)
    other = append(None, *KEY, [*TRIGGERS[:2], trigger(points(20))])
    assert lost_line("p", append(None, *KEY, TRIGGERS[:2]), data, details) is None
    assert lost_line("p", other, data, details) == 2
    assert lost_line("p", append(PLAIN, *KEY, [trigger(points(20))]), data, details) == 5


def test_without_the_detail_a_fold_has_to_cover_what_was_seen(git: Git, details: Details) -> None:
    data = compacted(Parts.of("p", PLAIN), MISSING, 6)
    before = append(None, *KEY, TRIGGERS[:2])
    assert lost_line("p", before, data, details) == 2  # a clone that is not cut has it, or it never was
    (git.common_dir / "shallow").write_text(f"{git.commit_of('HEAD')}\n", "ascii")
    assert lost_line("p", before, data, details) is None
    assert lost_line("p", PLAIN, data, details) is None
    stranger = append(None, *KEY, [trigger(points(20))])
    assert lost_line("p", stranger, data, details) == 2
    short = forged(data, windows=[{"rerun": [], "times": ["2026-01-20 02:00:00 *5 +3600"]}])
    assert lost_line("p", before, short, details) == 2
    assert lost_line("p", PLAIN, short, details) == 2
    with pytest.raises(NotHere, match="its first 6 lines are folded"):
        details.whole("p", data)
    assert list(details.forms("p", data)) == [data]


@pytest.mark.parametrize("other", [append(None, *KEY, TRIGGERS[:4]), append(None, *KEY, TRIGGERS[::-1]), b"", b"x\n"])
def test_a_fold_that_names_another_file_is_found_out(git: Git, details: Details, other: bytes) -> None:
    data = compacted(Parts.of("p", PLAIN), stored(git, other), 6)
    with pytest.raises(DamagedState):
        details.whole("p", data)
    assert lost_line("p", append(None, *KEY, TRIGGERS[:2]), data, details) == 2
    assert list(details.forms("p", data)) == [data]


def test_a_fold_that_names_itself_ends(git: Git, details: Details) -> None:
    data = folded(git, PLAIN, 3)
    details._contents.put(MISSING, forged(data, detail=MISSING))
    data = forged(data, detail=MISSING)
    details.bring([data])
    with pytest.raises(DamagedState):
        details.whole("p", data)
    assert list(details.forms("p", data)) == [data]


def test_what_is_no_blob_is_not_here(git: Git, details: Details) -> None:
    data = compacted(Parts.of("p", PLAIN), git.commit_of("HEAD") or "", 3)
    with pytest.raises(NotHere):
        details.whole("p", data)


def test_the_newest_lines_are_looked_at_without_the_others() -> None:
    read: list[str] = []

    def every() -> list[object]:
        read.append("all")
        return list(TRIGGERS)

    lines = Lines(len(TRIGGERS), every, lambda: TRIGGERS[-3:])  # type: ignore[arg-type]
    backwards = reversed(lines)
    assert [next(backwards) for _ in range(3)] == TRIGGERS[:-4:-1]
    assert not read
    assert list(backwards) == TRIGGERS[-4::-1]
    assert list(reversed(lines)) == TRIGGERS[::-1]
    assert read == ["all"]


def test_a_prefix_without_its_last_lines_has_lost_these(git: Git) -> None:
    data = folded(git, PLAIN, 3)
    grown = append(data, *KEY, [trigger(points(20))])
    assert lost_at(Parts.of("p", grown), Parts.of("p", data)) == 8
