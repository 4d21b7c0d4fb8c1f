"""A plan is shown again where nothing has changed, and made anew where anything has that it depends on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reconciler.core.outcome import Unknown
from reconciler.state.journal import Journal
from tests.e2e.answers import AGAIN, change_kept, file_of, keep_marked, made, settle
from tests.e2e.counting import Counting
from tests.e2e.manifests import ORDERS, SALES, Document, again, at, backfill, between, text_of
from tests.e2e.team import Team, manifest, plain, rerun
from tests.e2e.workplace import PACKAGE, STATE, Workplace, git
from tests.figures import Tried
from tests.forges.github import TOKEN

_RUN = "20260120T000000Z-0123456789ab"
_HEAVY = ("import yaml", "import git", "reconciler.core", "reconciler.manifests", "reconciler.commands.gather")

STRIDE = int(os.environ.get("CHANGES_STRIDE", "2"))
"""A normal run tries every other change; CHANGES_STRIDE=1 tries all of them."""


def _ready(place: Workplace) -> None:
    """Trigger some, and owe some."""
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.apply().code == 0
    place.declare("orders.yaml", backfill("orders", between(1, 5), table=ORDERS))


@pytest.mark.parametrize("options", [(), ("--format", "json"), ("--format", "markdown"), ("--exit-code",)])
def test_an_unchanged_root_gets_its_plan_again_byte_for_byte(place: Workplace, options: tuple[str, ...]) -> None:
    _ready(place)
    settle()
    first = place.run("plan", *options)
    assert place.run("plan", *options) == first == made(place, *options)
    keep_marked(place, *options)
    shown = place.run("plan", *options)
    assert (shown.code, shown.out) == (first.code, AGAIN)


def test_where_there_is_no_remote_a_plan_is_kept_too(folder: Path, place: Workplace, scheduler: Counting) -> None:
    (folder / "lonely").mkdir()
    lonely = Workplace.make(folder / "lonely", place.nursery, scheduler.url, remote=False)
    lonely.declare("fact.yaml", backfill("fact", between(1, 5)))
    keep_marked(lonely)
    assert lonely.run("plan").out == AGAIN
    assert lonely.apply().code == 0
    assert lonely.run("plan").out != AGAIN
    keep_marked(lonely)
    assert lonely.run("plan").out == AGAIN
    lonely.git("update-ref", "refs/reconciler/state/triggers/other", "HEAD")
    assert lonely.run("plan").out != AGAIN


def _process(place: Workplace) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "reconciler", "plan", "--exit-code"],
        cwd=place.top,
        env={**os.environ, "PYTHONPATH": os.fspath(PACKAGE)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plan_given_again_reads_no_yaml_and_plans_nothing(place: Workplace) -> None:
    _ready(place)
    settle()
    first, second = _process(place), _process(place)
    assert (second.returncode, second.stdout) == (first.returncode, first.stdout)
    assert first.returncode == 4
    names = [line.rpartition("|")[2].strip() for line in second.stderr.splitlines()]
    assert "reconciler.commands.answers" in names
    assert not [name for name in names if f"import {name}" in _HEAVY or name.startswith(_HEAVY)]
    assert "reconciler.core.planner" in first.stderr


def _write(name: str, *documents: Document) -> Callable[[Workplace], None]:
    return lambda place: place.write(name, text_of(*documents))


def _committed(place: Workplace) -> None:
    place.declare("orders.yaml", backfill("orders", between(1, 7), table=ORDERS))


def _same_size_and_time(place: Workplace) -> None:
    file = place.base / "orders.yaml"
    before = file.stat()
    file.write_bytes(file.read_bytes().replace(b"05:00:00", b"07:00:00"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def _ignored(place: Workplace) -> None:
    (place.top / ".git" / "info").mkdir(exist_ok=True)
    (place.top / ".git" / "info" / "exclude").write_text("hidden.yaml\n")
    place.write("hidden.yaml", text_of(backfill("hidden", at(9), table="sales.hidden")))


def _unseen_by_git(option: str) -> Callable[[Workplace], None]:
    def change(place: Workplace) -> None:
        place.git("update-index", option, "triggers/orders.yaml")
        _same_size_and_time(place)

    return change


def _windows_lines(place: Workplace) -> None:
    (place.top / ".git" / "info").mkdir(exist_ok=True)
    (place.top / ".git" / "info" / "attributes").write_text("*.yaml text\n")
    file = place.base / "orders.yaml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


def _elsewhere(place: Workplace) -> None:
    other = place.clone("other")
    assert other.apply().code == 0


def _state_gone(place: Workplace) -> None:
    place.git("push", "-q", "origin", "--delete", STATE)


def _state_rewritten(place: Workplace) -> None:
    place.put_state({"prod/x": b"x"}, force=True)


def _mark_moved(place: Workplace) -> None:
    [mark] = git(place.top, "ls-remote", "origin", "refs/reconciler/*").split()[1::2]
    place.git("push", "-q", "--force", "origin", f"HEAD:{mark}")


def _other_mark(place: Workplace) -> None:
    [mark] = git(place.top, "ls-remote", "origin", "refs/reconciler/*").split()[1::2]
    place.git("push", "-q", "origin", f"HEAD:{mark}-other", "HEAD:refs/heads/other")


def _local_state(place: Workplace) -> None:
    place.git("fetch", "-q", "origin", STATE)
    tree = place.git("write-tree").strip()
    commit = place.git("commit-tree", "-p", "FETCH_HEAD", "-m", "mine", tree).strip()
    place.git("branch", STATE, commit)


def _seen_elsewhere(place: Workplace) -> None:
    place.git("update-ref", f"refs/reconciler/remotes/origin/{STATE}", "HEAD")


def _journal(place: Workplace) -> None:
    journal = Journal(place.journal_folder, _RUN, "2026-01-20T00:00:00Z")
    journal.sending("0" * 16, "2026-01-20T00:00:00Z")
    journal.outcome("0" * 16, Unknown("x"), "2026-01-20T00:00:00Z")
    journal.close(keep=True)


def _other_url(place: Workplace) -> None:
    other = place.top.parent / "other.git"
    git(place.top.parent, "init", "-q", "--bare", os.fspath(other))
    place.git("remote", "set-url", "origin", os.fspath(other))


def _other_remote(place: Workplace) -> None:
    place.git("config", "reconciler.remote", "nowhere")


def _link(place: Workplace) -> None:
    (place.base / "link.yaml").symlink_to("orders.yaml")


def _unstaged(place: Workplace) -> None:
    place.git("rm", "-q", "--cached", "triggers/orders.yaml")


def _head(place: Workplace) -> None:
    place.git("reset", "-q", "--soft", "HEAD~1")


def _detached_files(place: Workplace) -> None:
    (place.base / "orders.yaml").unlink()


_CHANGES: dict[str, Callable[[Workplace], object]] = {
    "a manifest, committed": _committed,
    "a manifest, not committed": _write("orders.yaml", backfill("orders", between(1, 7), table=ORDERS)),
    "a manifest, of the same size and time": _same_size_and_time,
    "a manifest that git is told not to look at": _unseen_by_git("--assume-unchanged"),
    "a manifest that git takes for absent": _unseen_by_git("--skip-worktree"),
    "a manifest that a filter makes equal": _windows_lines,
    "a manifest that is gone": _detached_files,
    "an untracked manifest": _write("new.yaml", backfill("new", at(9), table="sales.new")),
    "an ignored manifest": _ignored,
    "a broken manifest": _write("orders.yaml", {"kind": "Backfill"}),
    "a link": _link,
    "the config": lambda place: place.configure("http://127.0.0.1:1", target={"timeZone": "UTC"}),
    "the index": _unstaged,
    "HEAD": _head,
    "the state, by another clone": _elsewhere,
    "the state, gone": _state_gone,
    "the state, rewritten": _state_rewritten,
    "the mark": _mark_moved,
    "another branch's mark": _other_mark,
    "the local branch": _local_state,
    "what was seen": _seen_elsewhere,
    "a journal": _journal,
    "the remote's URL": _other_url,
    "the remote's name": _other_remote,
}


@pytest.mark.claim("a plan is made anew after any change to what it depends on")
@pytest.mark.parametrize("name", list(_CHANGES)[::STRIDE])
def test_after_a_change_the_next_plan_tells_the_new_truth(place: Workplace, name: str, tried: Tried) -> None:
    _ready(place)
    keep_marked(place)
    assert place.run("plan").out == AGAIN
    _CHANGES[name](place)
    then = place.run("plan")
    assert then.out != AGAIN
    assert then == made(place)
    tried(1, of=len(_CHANGES) + len(_OTHERWISE))


def test_where_the_remote_does_not_answer_no_kept_plan_hides_it(place: Workplace) -> None:
    _ready(place)
    keep_marked(place)
    assert place.remote
    away = place.remote.rename(place.remote.with_name("away.git"))
    then = place.run("plan")
    assert (then.code, then.out) == (1, "")
    assert "does not answer" in then.err
    away.rename(place.remote)
    assert place.run("plan").out == AGAIN


_OTHERWISE: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "format": (("--format", "json"), {}),
    "exit code": (("--exit-code",), {}),
    "table": (("--table", "*.ORDERS"), {}),
    "target": (("--target", "prod"), {}),
    "columns": ((), {"COLUMNS": "60"}),
    "CI": ((), {"CI": "true"}),
    "a token": ((), {"GITHUB_TOKEN": "t"}),
    "colour": ((), {"NO_COLOR": "1"}),
    "the tool's own": ((), {"RECONCILER_ALLOWED_HOSTS": "x"}),
    "zones": ((), {"PYTHONTZPATH": "/nowhere"}),
}


@pytest.mark.claim("a plan is made anew after any change to what it depends on")
def test_a_question_put_otherwise_is_another_question(place: Workplace, tried: Tried) -> None:
    _ready(place)
    for options, env in _OTHERWISE.values():
        keep_marked(place)
        then = place.run("plan", *options, **env)
        assert then.out != AGAIN
        assert then == made(place, *options, **env)
    keep_marked(place)
    assert place.nursery.start(["-v", "plan"], place.top, {**os.environ, **place.env}).wait()[1] != AGAIN
    tried(len(_OTHERWISE) + 1, of=len(_CHANGES) + len(_OTHERWISE))


@pytest.mark.parametrize(("name", "far"), [("since", 3600), ("until", -3600)])
def test_a_clock_that_went_back_or_a_plan_of_old_gives_no_answer(place: Workplace, name: str, far: int) -> None:
    _ready(place)
    keep_marked(place)
    change_kept(place, lambda fields: fields.update({name: time.time_ns() + far * 1_000_000_000}))
    assert place.run("plan").out != AGAIN


def test_a_damaged_file_of_answers_is_no_answer(place: Workplace) -> None:
    _ready(place)
    keep_marked(place)
    data = file_of(place).read_bytes()
    for cut in (data[: len(data) // 2], data[:-9] + b"x" * 9, b"", b"\0" * len(data)):
        file_of(place).write_bytes(cut)
        assert place.run("plan") == made(place)


def _kept(place: Workplace, *options: str, **env: str) -> bool:
    settle()
    made(place, *options, **env)
    return file_of(place).exists()


def _soon(seconds: int) -> str:
    return f"{datetime.now(ZoneInfo('Asia/Shanghai')) + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"


def test_a_plan_that_a_moment_changes_is_not_kept(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", {"scheduleTimes": [_soon(3)]}))
    settle()
    assert "held" in place.run("plan").out
    assert not file_of(place).exists()
    time.sleep(4)
    assert "1 call to make" in place.run("plan").out


def test_a_plan_that_waits_for_another_tables_moment_is_not_kept(place: Workplace) -> None:
    fact = backfill("fact", {"scheduleTimes": [_soon(3600)]})
    orders = backfill("orders", at(2), table=ORDERS, dependsOn=["fact"])
    place.declare("fact.yaml", fact, orders)
    assert not _kept(place)
    assert not _kept(place, "--table", ORDERS)


def test_a_plan_with_hours_is_not_kept(place: Workplace, scheduler: Counting) -> None:
    place.configure(scheduler.url, target={"window": "00:00-24:00"})
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    assert place.run("plan").code == 0
    assert not _kept(place)


def test_a_plan_with_more_to_tell_than_itself_is_not_kept(place: Workplace) -> None:
    _ready(place)
    assert _kept(place)
    assert not _kept(place, "--save", os.fspath(place.top.parent / "saved.json"))
    assert not _kept(place, "--base", "HEAD")
    place.write("orders.yaml", text_of(backfill("orders", between(1, 6), table=ORDERS)))
    assert not _kept(place)
    place.git("checkout", "-q", "triggers/orders.yaml")
    assert _kept(place)
    place.put_state({f"prod/{SALES}.jsonl": b"damaged\n"})
    assert not _kept(place)


def test_a_manifest_written_just_now_is_too_young_to_be_kept(place: Workplace) -> None:
    _ready(place)
    ahead = time.time() + 60
    os.utime(place.base / "orders.yaml", (ahead, ahead))
    assert not _kept(place)


def test_held_reruns_that_the_manifest_approves_are_kept(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", again("t", at(2))))
    assert _kept(place)


def test_where_attributes_lie_in_a_file_of_their_own_every_plan_is_made(place: Workplace) -> None:
    """What that file says of line ends decides what git takes for changed, and nobody watches it."""
    _ready(place)
    place.git("config", "core.attributesFile", os.fspath(place.top.parent / "attributes"))
    assert not _kept(place)


def test_a_linked_work_tree_makes_every_plan(place: Workplace) -> None:
    _ready(place)
    place.git("worktree", "add", "-q", "--detach", os.fspath(place.top.parent / "linked"))
    linked = Workplace(place.top.parent / "linked", place.remote, place.nursery)
    settle()
    assert linked.run("plan").out == place.run("plan").out
    file_of(place).unlink()
    linked.run("plan")
    assert not file_of(place).exists()


def test_a_plan_that_hangs_on_open_reviews_is_not_kept(team: Team) -> None:
    number = team.open({"a.yaml": manifest("a", plain(1, 2), rerun(1, 2))})
    team.merge(number)
    assert "held" in team.place.run("plan", GITHUB_TOKEN=TOKEN).out
    assert not _kept(team.place, GITHUB_TOKEN=TOKEN)
    other = team.open({"a.yaml": manifest("a", plain(1, 2))})
    team.merge(other)
    assert _kept(team.place, GITHUB_TOKEN=TOKEN)
