"""The journal: durable lines, a lock that tells a live run from a dead one, a last line that a crash may cut."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from reconciler.core.outcome import NotSent, Outcome, Rejected, Triggered, Unknown
from reconciler.core.settlement import Event, Sending
from reconciler.errors import Failure, InvalidInput
from reconciler.state.journal import Journal, prune_journals, read_journal, read_journals
from tests.state.records import OTHER_RUN, RUN, SINCE

LATER = "2026-01-21T00:00:05Z"


def written(folder: Path) -> Path:
    journal = Journal(folder, RUN, SINCE)
    journal.sending("a", SINCE)
    journal.outcome("a", Triggered("fbb0.1"), LATER)
    journal.sending("b", LATER)
    journal.close(keep=True)
    return journal.path


def test_the_last_event_of_each_call_counts(tmp_path: Path) -> None:
    reading = read_journal(written(tmp_path / "deep" / "folder"))
    assert (reading.run, reading.live, reading.begun) == (RUN, False, True)
    assert reading.events == {"a": Event(LATER, Triggered("fbb0.1")), "b": Event(LATER, Sending())}


@pytest.mark.parametrize("outcome", [Triggered(None), Rejected("no", "t"), NotSent("away"), Unknown("lost\u2028\n")])
def test_every_outcome_is_read_back(tmp_path: Path, outcome: Outcome) -> None:
    journal = Journal(tmp_path, RUN, SINCE)
    journal.outcome("a", outcome, SINCE)
    journal.close(keep=True)
    assert read_journal(journal.path).events["a"].what == outcome


def test_a_run_lives_while_it_holds_the_lock(tmp_path: Path) -> None:
    journal = Journal(tmp_path, RUN, SINCE)
    assert read_journal(journal.path).live
    assert [reading.live for reading in read_journals(tmp_path)] == [True]
    journal.close(keep=True)
    assert not read_journal(journal.path).live


def test_a_killed_process_lives_no_more(tmp_path: Path) -> None:
    code = "import sys,time; from pathlib import Path; from reconciler.state.journal import Journal\n"
    code += "j = Journal(Path(sys.argv[1]), sys.argv[2], ''); j.sending('a', 'now'); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path, RUN], stdout=subprocess.PIPE)
    assert process.stdout
    with process.stdout:
        process.stdout.readline()
    (alive,) = read_journals(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (dead,) = read_journals(tmp_path)
    assert (alive.live, dead.live) == (True, False)
    assert dead.events == {"a": Event("now", Sending())}


def test_a_torn_last_line_is_what_a_crash_leaves(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes().removesuffix(b'{"event":"ended"}\n')
    last = len(whole.split(b"\n")[-2])
    for cut in range(1, last + 1):
        path.write_bytes(whole[:-cut])
        assert read_journal(path).events == {"a": Event(LATER, Triggered("fbb0.1"))}


def test_a_journal_that_was_closed_in_order_says_so(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert read_journal(path).ended
    path.write_bytes(path.read_bytes().removesuffix(b'{"event":"ended"}\n'))
    assert not read_journal(path).ended


def test_a_journal_that_was_copied_with_its_clone_proves_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "one")
    assert len(tuple(read_journals(tmp_path / "one"))) == 1
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert tuple(read_journals(tmp_path / "two")) == ()
    assert read_journal(tmp_path / "two" / path.name).events == read_journal(path).events


def test_after_a_line_that_failed_the_journal_takes_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path, RUN, SINCE)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.stat().st_size + 10, before[1]))
    try:
        with pytest.raises(OSError, match=r"No space|too large"):
            journal.sending("a", SINCE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    with pytest.raises(OSError, match=r"No space|too large"):
        journal.sending("b", SINCE)
    journal.close(keep=True)
    assert read_journal(journal.path).events == {}


def test_a_journal_without_its_first_line_proves_nothing(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:20])
    assert not read_journal(path).begun
    path.write_bytes(b"")
    assert not read_journal(path).begun


@pytest.mark.parametrize("line", [1, 2, 3, 4])
@pytest.mark.parametrize("text", [b"", b"{}", b"null", b'{"event":"outcome","id":"a","at":"x","outcome":"maybe"}'])
def test_a_journal_that_is_damaged_before_its_end_is_refused(tmp_path: Path, line: int, text: bytes) -> None:
    path = written(tmp_path)
    lines = path.read_bytes().split(b"\n")
    lines[line - 1] = text
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(InvalidInput, match=f":{line}: "):
        read_journal(path)


def test_what_is_no_journal_is_refused_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("mine\n")
    assert list(read_journals(tmp_path)) == []
    assert list(read_journals(tmp_path / "missing")) == []
    with pytest.raises(InvalidInput):
        read_journal(tmp_path / "notes.jsonl")
    with pytest.raises(InvalidInput):
        read_journal(tmp_path / "missing")


def test_a_journal_that_cannot_be_removed_does_not_stop_its_run_from_telling(tmp_path: Path) -> None:
    journal = Journal(tmp_path, RUN, SINCE)
    journal.path.unlink()
    journal.path.mkdir()  # and a folder cannot be unlinked
    journal.close(keep=False)
    os.utime(journal.path, (0, 0))
    prune_journals(tmp_path, frozenset())


def test_two_runs_cannot_have_one_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path, RUN, SINCE)
    with pytest.raises(Failure):
        Journal(tmp_path, RUN, SINCE)
    journal.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_lines_of_several_threads_stay_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path, RUN, SINCE)

    def write(name: int) -> None:
        for number in range(10):
            journal.sending(f"{name}-{number}", SINCE)

    threads = [Thread(target=write, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close(keep=True)
    assert len(read_journal(journal.path).events) == 80


def test_only_old_journals_of_runs_with_nothing_in_doubt_are_removed(tmp_path: Path) -> None:
    for run in (RUN, OTHER_RUN):
        Journal(tmp_path, run, SINCE).close(keep=True)
    prune_journals(tmp_path, frozenset())
    assert len(list(tmp_path.iterdir())) == 2
    old = time.time() - 31 * 86_400
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    prune_journals(tmp_path, frozenset({RUN}))
    assert [path.stem for path in tmp_path.iterdir()] == [RUN]
