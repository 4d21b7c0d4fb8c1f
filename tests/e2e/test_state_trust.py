"""State that cannot be trusted: never read as empty, never repaired by guessing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between, hours
from tests.e2e.nursery import Nursery
from tests.e2e.workplace import Workplace

pytestmark = pytest.mark.claim("damaged and tampered state: noticed, with file and line")

FILE = f"prod/{SALES}.jsonl"


@pytest.fixture
def applied(place: Workplace) -> Workplace:
    """Return a workplace whose ledger has two lines, and whose manifests owe three more hours and another table."""
    place.declare("fact.yaml", backfill("fact", between(1, 2), between(4, 5)))
    assert place.apply().code == 0
    place.declare("fact.yaml", backfill("fact", between(1, 8)), backfill("orders", at(2), table=ORDERS))
    return place


def edited(data: bytes) -> bytes:
    return data.replace(b"01:00:00", b"00:00:00", 1)


def conflicted(data: bytes) -> bytes:
    first, second, third, _ = data.split(b"\n")
    return b"\n".join([first, b"<<<<<<< HEAD", second, b"=======", third, b">>>>>>> x", b""])


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "an edited line": (edited, 2),
    "a cut tail": (lambda data: data[:-20], 3),
    "a last line that is gone": (lambda data: data[: data[:-1].rindex(b"\n") + 1], 3),
    "conflict markers": (conflicted, 2),
    "another version": (lambda data: data.replace(b'"version":1', b'"version":3'), 1),
}


CLONES: dict[str, Callable[[Workplace, str], Workplace]] = {
    "the clone that applied": lambda place, _: place,
    "a fresh clone": lambda place, name: place.clone(name),
    "a shallow clone": lambda place, name: place.clone(name, "--depth=1"),
}


@pytest.fixture(params=CLONES)
def here(applied: Workplace, request: pytest.FixtureRequest) -> Callable[[], Workplace]:
    """Return what gives the clone that has to notice: one that has seen the state before, or each time a new one."""
    names = (f"clone{number}" for number in count())
    return lambda: CLONES[request.param](applied, next(names))


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_ledger_stops_its_table_and_no_other(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace], kind: str
) -> None:
    """Every kind of damage is in the tests of the file format; here are those that differ in who can see them."""
    damage, line = DAMAGE[kind]
    data = applied.state_files()[FILE]
    applied.put_state({FILE: damage(data)})
    for _ in range(2):  # the first of them changes nothing about what the next one knows
        stopped = here().apply()
        assert stopped.code == 3
        assert f".state/{FILE}:{line}:" in stopped.err
    assert scheduler.runs(SALES) == hours(1, 2) | hours(4, 5)
    assert scheduler.runs(ORDERS) == hours(2, 2)
    assert applied.state_files()[FILE] == damage(data)


def test_a_damaged_pending_file_stops_everything(applied: Workplace, scheduler: Counting) -> None:
    run = "20260120T000000Z-0123456789ab"
    applied.put_state({f"pending/{run}.jsonl": b'{"version":1,"run":"x"}\n'})
    stopped = applied.apply()
    assert (stopped.code, scheduler.runs(ORDERS)) == (3, {})
    assert f".state/pending/{run}.jsonl:1" in stopped.err
    assert applied.run("plan").code == 3


def test_a_state_branch_that_is_gone_is_not_an_empty_one(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace]
) -> None:
    applied.git("push", "-q", "origin", f":refs/heads/{applied.state}")
    place = here()
    assert [place.run(command).code for command in ("plan", "status")] == [3, 3]
    stopped = place.apply()
    assert (stopped.code, scheduler.runs(ORDERS)) == (3, {})
    obey(place, stopped.err, "restore it: ")
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 8)


def obey(place: Workplace, message: str, before: str) -> None:
    """Run the command that a message gives on one line, after `before`."""
    command = message.split(before)[1].splitlines()[0].split("; where")[0]
    subprocess.run(["sh", "-c", command], cwd=place.top, check=True, capture_output=True)


def test_a_state_branch_that_was_forced_back_is_refused(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace]
) -> None:
    tip = applied.tip()
    applied.git("fetch", "-q", "origin", applied.state)
    applied.git("push", "-q", "--force", "origin", f"FETCH_HEAD~1:refs/heads/{applied.state}")
    place = here()
    stopped = place.apply()
    assert (stopped.code, scheduler.runs(ORDERS)) == (3, {})
    assert "rewritten" in stopped.err
    obey(place, stopped.err, "restore it: ")
    assert applied.tip() == tip
    assert place.apply().code == 0


def test_a_state_branch_with_another_history_is_refused_until_it_is_accepted(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace]
) -> None:
    applied.put_state({}, force=True)
    place = here()
    stopped = place.apply()
    assert (stopped.code, scheduler.runs(ORDERS)) == (3, {})
    obey(place, stopped.err, "accept it: ")
    assert (place.apply().code, scheduler.runs(SALES)) == (0, hours(1, 8))


def test_an_apply_that_was_killed_leaves_a_mark_that_others_can_live_with(applied: Workplace) -> None:
    """The mark moves when an apply ends: until then it stays behind, and is no lie."""
    mark = "refs/reconciler/state/triggers/reconciler-state"
    old = applied.git("ls-remote", "origin", mark).split()[0]
    applied.put_state({})
    assert applied.tip() != old
    fresh = applied.clone("fresh")
    assert fresh.apply().code == 0
    assert applied.git("ls-remote", "origin", mark).split()[0] == applied.tip()


def test_a_ledger_that_is_gone_is_not_an_empty_one(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace]
) -> None:
    assert applied.apply("--table", ORDERS).code == 0
    applied.put_state({FILE: None})
    for _ in range(2):
        stopped = here().apply()
        assert (stopped.code, scheduler.runs(SALES)) == (3, hours(1, 2) | hours(4, 5))
        assert f".state/{FILE}" in stopped.err


def test_a_lone_ledger_that_is_gone_is_missed(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace]
) -> None:
    applied.put_state({FILE: None})
    for _ in range(2):
        stopped = here().apply()
        assert (stopped.code, scheduler.runs(SALES)) == (3, hours(1, 2) | hours(4, 5))


def test_a_lost_line_that_is_put_back_is_lost_no_longer(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace]
) -> None:
    data = applied.state_files()[FILE]
    applied.put_state({FILE: data[: data[:-1].rindex(b"\n") + 1]})
    assert here().apply().code == 3
    applied.put_state({FILE: data}, name="somebody else")
    assert here().apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 8)


def test_doubt_that_was_removed_by_hand_is_not_forgotten(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace]
) -> None:
    scheduler.decide = lambda _: Fault("lost")
    assert applied.apply("--table", ORDERS).code == 7
    scheduler.decide = no_fault
    (path, data), *_ = ((path, data) for path, data in applied.state_files().items() if path.startswith("pending/"))
    applied.put_state({path: None})
    for _ in range(2):
        stopped = here().apply()
        assert (stopped.code, scheduler.runs(ORDERS)) == (3, hours(2, 2))
        assert f".state/{path}" in stopped.err
    applied.put_state({path: data}, name="somebody else")
    assert here().apply().code == 7
    assert scheduler.runs(ORDERS) == hours(2, 2)
    assert here().run("state", "verify").code == 0


def test_a_lost_line_may_be_accepted_and_then_it_is_owed_again(
    applied: Workplace, scheduler: Counting, here: Callable[[], Workplace]
) -> None:
    data = applied.state_files()[FILE]
    applied.put_state({FILE: data[: data[:-1].rindex(b"\n") + 1]})
    place = here()
    stopped = place.apply("--table", SALES)
    assert stopped.code == 3
    obey(place, stopped.err, "where all that is missing since then is to stay so: ")
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == {**hours(1, 8), **dict.fromkeys(hours(4, 5), 2)}
    assert here().apply().code == 0
    verified = here().run("state", "verify")
    assert verified.code == 3
    since = verified.err.split("verify --since ")[1].split()[0]
    assert place.run("state", "verify", "--since", since).code == 0


@pytest.mark.parametrize("options", [(), ("--depth=1",)], ids=["whole", "shallow"])
def test_with_state_on_the_manifests_branch_a_fresh_clone_notices_too(
    place: Workplace, scheduler: Counting, options: tuple[str, ...]
) -> None:
    place.configure(scheduler.url, state={"branch": "main"})
    place.state = "main"
    for name, table in (("fact", SALES), ("orders", ORDERS)):
        place.declare(f"{name}.yaml", backfill(name, between(1, 2), table=table))
        assert place.apply().code == 0
    place.put_state({FILE: None})
    for number in range(2):
        assert place.clone(f"fresh{number}", *options).apply().code == 3
    assert scheduler.runs(SALES) == hours(1, 2)


def test_a_target_that_was_renamed_does_not_start_again(applied: Workplace, scheduler: Counting) -> None:
    """The ledger's folder has the target's name: another name for the same scheduler must not trigger all again."""
    applied.rename_target("production")
    before = scheduler.runs(SALES)
    stopped = applied.apply()
    assert (stopped.code, scheduler.runs(SALES)) == (3, before), stopped.out


def test_nor_does_one_whose_table_has_a_name_too_long_for_a_file(place: Workplace, scheduler: Counting) -> None:
    table = f"default_catalog.sales.{'é' * 120}"
    place.declare("long.yaml", backfill("long", between(1, 2), table=table))
    assert place.apply().code == 0
    place.rename_target("production")
    stopped = place.apply()
    assert (stopped.code, scheduler.runs(table)) == (3, hours(1, 2)), stopped.out


def config_with(place: Workplace, **state: str) -> None:
    """Change `state` in the config, and publish it."""
    config = json.loads((place.base / "reconciler.yaml").read_text())
    config["state"] = {**config.get("state", {}), **state}
    place.write("reconciler.yaml", json.dumps(config, indent=1))
    place.publish()


def test_another_state_branch_in_the_config_does_not_start_again(applied: Workplace, scheduler: Counting) -> None:
    config_with(applied, branch="elsewhere")
    before = scheduler.runs(SALES)
    for place in (applied, applied.clone("fresh")):
        stopped = place.apply()
        assert (stopped.code, scheduler.runs(SALES)) == (3, before)
        assert "is on the branch reconciler-state" in stopped.err


def test_a_state_branch_that_was_moved_is_not_moved_back_by_a_revert(applied: Workplace, scheduler: Counting) -> None:
    applied.git("fetch", "origin", "reconciler-state")
    applied.git("push", "origin", "FETCH_HEAD:refs/heads/elsewhere")
    config_with(applied, branch="elsewhere")
    assert applied.apply().code == 0
    after = scheduler.runs(SALES)
    config_with(applied, branch="reconciler-state")
    for place in (applied, applied.clone("fresh")):
        stopped = place.apply()
        assert (stopped.code, scheduler.runs(SALES)) == (3, after)
        assert "elsewhere holds newer state" in stopped.err


@pytest.mark.parametrize(("old", "new"), [("triggers", "jobs"), ("triggers", ""), ("", "triggers")])
def test_a_root_that_was_renamed_does_not_start_again(
    folder: Path, nursery: Nursery, scheduler: Counting, old: str, new: str
) -> None:
    place = Workplace.make(folder, nursery, scheduler.url, root=old)
    place.declare("fact.yaml", backfill("fact", between(1, 2)))
    assert place.apply().code == 0
    for name in ("fact.yaml", "reconciler.yaml"):
        target = place.top / new / name
        target.parent.mkdir(exist_ok=True)
        (place.base / name).rename(target)
    place.root = new
    place.publish()
    for one in (place, place.clone("fresh")):
        stopped = one.apply()
        assert (stopped.code, scheduler.runs(SALES)) == (3, hours(1, 2))
        assert "git mv" in stopped.err


def test_a_branch_that_is_pushed_to_a_fork_uses_the_same_state(applied: Workplace, scheduler: Counting) -> None:
    before = scheduler.runs(SALES)
    applied.git("init", "--bare", "-q", "../fork.git")
    applied.git("remote", "add", "fork", "../fork.git")
    applied.git("checkout", "-q", "-b", "feature")
    applied.git("push", "-q", "-u", "fork", "feature")
    assert applied.apply().code == 0
    assert all(scheduler.runs(SALES)[hour] == 1 for hour in before)


def test_a_mark_that_is_missing_is_made_again_even_where_nothing_is_owed(applied: Workplace) -> None:
    mark = "refs/reconciler/state/triggers/reconciler-state"
    for _ in range(2):
        applied.git("push", "-q", "origin", f":{mark}")
        assert applied.apply().code == 0
        assert mark in applied.git("ls-remote", "origin")


def test_doubt_alone_is_state_that_a_revert_does_not_forget(applied: Workplace, scheduler: Counting) -> None:
    assert applied.apply().code == 0
    applied.git("fetch", "origin", "reconciler-state")
    applied.git("push", "origin", "FETCH_HEAD:refs/heads/elsewhere")
    config_with(applied, branch="elsewhere")
    scheduler.decide = lambda _: Fault("lost")
    applied.declare("new.yaml", backfill("new", at(1), table="c.d.NEW"))
    assert applied.apply().code == 7
    scheduler.decide = no_fault
    config_with(applied, branch="reconciler-state")
    for place in (applied, applied.clone("fresh")):
        assert place.apply().code == 3
    assert scheduler.runs("c.d.NEW") == hours(1, 1)


def test_a_first_apply_that_was_all_refused_is_no_lost_state(place: Workplace, scheduler: Counting) -> None:
    scheduler.decide = lambda _: Fault("reject")
    place.declare("fact.yaml", backfill("fact", at(1)))
    assert place.apply().code == 6
    scheduler.decide = no_fault
    assert place.clone("fresh").apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 1)


def test_a_sparse_work_tree_says_what_its_plan_lacks(applied: Workplace) -> None:
    applied.declare("more.yaml", backfill("more", at(1), table="c.d.MORE"))
    assert "Not in this work tree" not in applied.run("plan").err
    applied.git("sparse-checkout", "set", "--no-cone", "/triggers/reconciler.yaml", "/triggers/fact.yaml")
    planned = applied.run("plan")
    assert "c.d.MORE" not in planned.out
    assert "more.yaml" in planned.err


def test_a_table_whose_only_trace_is_doubt_is_known_by_its_old_target(place: Workplace, scheduler: Counting) -> None:
    scheduler.decide = lambda _: Fault("lost")
    place.declare("fact.yaml", backfill("fact", between(1, 2)))
    assert place.apply().code == 7
    scheduler.decide = no_fault
    place.rename_target("production")
    assert place.apply().code == 7
    assert scheduler.runs(SALES) == hours(1, 2)


def apply_afresh(place: Workplace, output: int, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Apply with an interpreter of its own, which opens its streams by itself."""
    command = [sys.executable, "-m", "reconciler", "apply"]
    environ = {**os.environ, **place.env, **env}
    return subprocess.run(command, cwd=place.top, env=environ, stdout=output, stderr=output, check=False)


def test_an_output_that_nobody_reads_costs_no_outcome(place: Workplace, scheduler: Counting) -> None:
    place.declare("many.yaml", *(backfill(f"t{n}", at(1), table=f"c.d.T{n}") for n in range(6)))
    reader, writer = os.pipe()
    os.close(reader)
    apply_afresh(place, writer)
    os.close(writer)
    assert (place.pending(), scheduler.calls) == ([], 6)
    assert all(len(place.ledger(f"c.d.T{n}")) == 1 for n in range(6))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("fault", [None, Fault("lost")])
def test_an_output_that_cannot_be_written_costs_no_outcome_and_no_higher_exit_code(
    place: Workplace, scheduler: Counting, fault: Fault | None
) -> None:
    place.declare("many.yaml", *(backfill(f"t{n}", at(1), table=f"c.d.T{n}") for n in range(3)))
    scheduler.decide = lambda arrival: fault if arrival.number == 1 else None
    command = [sys.executable, "-m", "reconciler", "apply"]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            command, cwd=place.top, env={**os.environ, **place.env}, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert b"the output could not be written: No space left on device" in ended.stderr
    assert (ended.returncode, len(place.pending())) == ((7, 1) if fault else (1, 0))
    assert sum(len(place.ledger(f"c.d.T{n}")) for n in range(3)) == (2 if fault else 3)


def test_text_that_the_terminal_cannot_show_costs_no_outcome(place: Workplace) -> None:
    place.declare("\u8ba2\u5355.yaml", backfill("orders", at(1), table="c.d.\u8ba2\u5355"))
    ended = apply_afresh(place, subprocess.PIPE, PYTHONIOENCODING="ascii")
    assert (ended.returncode, place.pending()) == (0, [])
    assert b"\\u8ba2\\u5355" in ended.stdout


def test_a_table_that_another_root_has_triggered_is_told_of(applied: Workplace) -> None:
    for name in ("fact.yaml", "reconciler.yaml"):
        (applied.top / "jobs").mkdir(exist_ok=True)
        (applied.top / "jobs" / name).write_bytes((applied.base / name).read_bytes())
    applied.root = "jobs"
    planned = applied.run("plan", "--format", "json").json
    assert {problem["severity"] for problem in planned["problems"]} == {"warning"}
    assert f"{SALES} has a ledger under the root triggers" in planned["problems"][0]["message"]
