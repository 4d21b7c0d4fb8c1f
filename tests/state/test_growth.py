"""Verifying the state: all its files, and that every line that was ever written still stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.core.change import Change, Entry
from reconciler.errors import InvalidInput
from reconciler.state.branch import StateBranch
from reconciler.state.git import Git
from reconciler.state.growth import Growth, growth
from reconciler.state.ledger_file import append
from reconciler.state.snapshot import GitSnapshot
from reconciler.state.verify import verify_files
from tests.state.records import RUN, TABLE, TARGET, hours, intent, points, repository, sh, trigger

FILE = f".state/{TARGET}/{TABLE}.jsonl"
KEY = (TARGET, TABLE)


@pytest.fixture
def git(folder: Path) -> Git:
    return repository(folder / "clone")


@pytest.fixture
def branch(git: Git) -> StateBranch:
    """Return a state branch with a ledger of three lines, a line a commit, and a pending file."""
    found = StateBranch(git, "", "state", None, warn=print)
    for number in (1, 2, 3):
        write(found, Change(entries=(Entry(KEY, trigger(points(number))),)))
    write(found, Change(intents=(intent(hours(5, 6)),)))
    return found


def write(branch: StateBranch, change: Change) -> None:
    assert isinstance(branch.commit(branch.read(), change, "A change\n"), GitSnapshot)


def by_hand(git: Git, path: str, data: bytes | None, *, onto: str = "refs/heads/state") -> str:
    """Change a state file as somebody would, and return the commit."""
    commit = git.write_commit(git.commit_of(onto), {path: data}, "By hand\n", "refs/heads/made")
    git.set_ref("refs/heads/state", commit)
    return commit


def lines(git: Git, *chosen: int) -> bytes:
    """Return the header of the ledger as it is now, and the chosen lines of it."""
    data = GitSnapshot.load(git, git.commit_of("refs/heads/state"), ".state").content(FILE)
    assert data is not None
    every = data.split(b"\n")
    return b"".join(every[number] + b"\n" for number in (0, *chosen))


def verified(git: Git, since: str | None = None) -> Growth:
    return growth(git, GitSnapshot.load(git, git.commit_of("refs/heads/state"), ".state"), since)


def test_a_branch_that_only_grew_has_no_problem(git: Git, branch: StateBranch) -> None:
    assert verified(git) == Growth(4, ())
    found = verify_files(branch.read())
    assert (found.ledgers, found.triggers, len(found.intents), found.problems) == (1, 3, 1, ())


DAMAGE: dict[str, tuple[Callable[[Git], bytes | None], int]] = {
    "cut": (lambda git: lines(git, 1, 2), 4),
    "emptied": (lines, 2),
    "removed": (lambda _: None, 0),
    "edited": (lambda git: lines(git, 1, 2, 3).replace(b"02:00:00", b"12:00:00"), 3),
    "reordered": (lambda git: lines(git, 1, 3, 2), 3),
}


@pytest.mark.claim("damaged and tampered state: noticed, with file and line")
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_commit_that_took_lines_away_is_named(git: Git, branch: StateBranch, kind: str) -> None:
    damage, line = DAMAGE[kind]
    culprit = by_hand(git, FILE, damage(git))
    by_hand(git, ".state/note", b"a later commit hides nothing\n")
    (problem,) = verified(git).problems
    assert (problem.file, problem.line, problem.severity) == (FILE, line, "error")
    assert culprit[:12] in problem.message
    assert verified(git, since=culprit).problems == ()


def test_lines_that_were_put_back_are_a_warning(git: Git, branch: StateBranch) -> None:
    whole = lines(git, 1, 2, 3)
    culprit = by_hand(git, FILE, lines(git, 1))
    by_hand(git, FILE, whole)
    (problem,) = verified(git).problems
    assert (problem.severity, culprit[:12] in problem.message) == ("warning", True)


def test_a_line_that_was_cut_and_written_over_is_an_error(git: Git, branch: StateBranch) -> None:
    by_hand(git, FILE, lines(git, 1, 2))
    forget_what_was_seen(git)
    write(branch, Change(entries=(Entry(KEY, trigger(points(9))),)))
    (problem,) = verified(git).problems
    assert (problem.line, problem.severity) == (4, "error")
    assert verify_files(branch.read()).problems == ()


def forget_what_was_seen(git: Git) -> None:
    for ref in git.local_refs("refs/reconciler/"):
        git.drop_ref(ref)


def test_a_merge_that_drops_one_sides_lines_is_an_error(git: Git, branch: StateBranch) -> None:
    """`git merge -s ours`: no commit of either side took anything away, the merge did."""
    tip = git.commit_of("refs/heads/state")
    by_hand(git, FILE, append(lines(git, 1, 2, 3), *KEY, [trigger(points(4))]))
    sh(git.top, "checkout", "-q", "-b", "side", str(tip))
    sh(git.top, "merge", "-q", "-s", "ours", "-m", "Merge", "state")
    git.set_ref("refs/heads/state", sh(git.top, "rev-parse", "HEAD"))
    (problem,) = verified(git).problems
    assert (problem.file, problem.line) == (FILE, 5)


def test_a_damaged_ledger_that_was_put_right_is_a_warning(git: Git, branch: StateBranch) -> None:
    whole = lines(git, 1, 2, 3)
    by_hand(git, FILE, whole.replace(b"01:00:00", b"00:00:00", 1))
    mended = by_hand(git, FILE, whole)
    (problem,) = verified(git).problems
    assert (problem.file, problem.severity) == (FILE, "warning")
    assert f"damaged before commit {mended[:12]}, which put it right" in problem.message


PENDING = f".state/pending/{RUN}.jsonl"


def test_an_intent_that_was_removed_without_a_word_is_an_error(git: Git, branch: StateBranch) -> None:
    culprit = by_hand(git, PENDING, None)
    (problem,) = verified(git).problems
    assert (problem.file, problem.severity) == (PENDING, "error")
    assert culprit[:12] in problem.message
    assert intent(hours(5, 6)).call.id in problem.message
    assert verified(git, since=culprit).problems == ()


def test_an_intent_that_was_put_back_is_no_problem_nor_is_it_once_it_was_settled(git: Git, branch: StateBranch) -> None:
    data = branch.read().content(PENDING)
    by_hand(git, PENDING, None)
    by_hand(git, PENDING, data)
    assert verified(git).problems == ()
    test_an_intent_whose_end_the_commit_tells_is_no_problem(git, branch)


def test_a_clone_that_has_seen_an_intent_misses_it(git: Git, branch: StateBranch) -> None:
    branch.read()
    data = branch.read().content(PENDING)
    by_hand(git, PENDING, None)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="in doubt were removed"):
            branch.read()
    by_hand(git, PENDING, data)
    assert len(branch.read().intents) == 1


def test_an_intent_whose_end_the_commit_tells_is_no_problem(git: Git, branch: StateBranch) -> None:
    settled = intent(hours(5, 6))
    change = Change(settled=(settled,))
    assert isinstance(branch.commit(branch.read(), change, f"Owed again\n\n{settled.call.id}\n"), GitSnapshot)
    assert verified(git).problems == ()


def test_every_damaged_file_is_reported_at_once(git: Git, branch: StateBranch) -> None:
    by_hand(git, FILE, lines(git, 1, 2, 3)[:-5])
    by_hand(git, f".state/pending/{RUN}.jsonl", b"{}\n")
    by_hand(git, f".state/{TARGET}/x.y.jsonl", lines(git))
    by_hand(git, ".state/pending/note.txt", b"\n")
    by_hand(git, ".state/README", b"\n")
    found = verify_files(GitSnapshot.load(git, git.commit_of("refs/heads/state"), ".state"))
    assert [(problem.file, problem.severity) for problem in found.problems] == [
        (".state/README", "warning"),
        (f".state/pending/{RUN}.jsonl", "error"),
        (".state/pending/note.txt", "error"),
        (FILE, "error"),
        (f".state/{TARGET}/x.y.jsonl", "error"),
    ]


def test_an_instant_that_was_triggered_twice_is_a_warning(branch: StateBranch) -> None:
    write(branch, Change(entries=(Entry(KEY, trigger(hours(2, 9))),)))
    (problem,) = verify_files(branch.read()).problems
    assert (problem.line, problem.severity) == (5, "warning")
    assert "2026-01-20 02:00:00" in problem.message
