"""`plan --base` and `validate --base`: what a branch adds, which guards it lowers, which state it edits."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.commands import plan, validate
from reconciler.commands.gather import Scope
from reconciler.errors import ExitCode, UsageFailure
from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting
from tests.e2e.listening import Listening
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between, hour, text_of
from tests.e2e.nursery import Nursery
from tests.e2e.workplace import Workplace

MAIN = "origin/main"
LEDGER = f".state/prod/{SALES}.jsonl"


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said, and how it ended."""

    code: ExitCode
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def windows(self) -> list[tuple[str, str]]:
        """The status and the times of each call of a plan in JSON."""
        return [(call["status"], _times(call["body"])) for call in self.json["calls"]]

    def problems(self, severity: str) -> list[str]:
        return [f"{p['file']}: {p['message']}" for p in self.json["problems"] if p["severity"] == severity]


def _times(body: dict[str, Any]) -> str:
    times = body.get("scheduleTimes") or [body["startTime"], body["endTime"]]
    return " ".join(time[11:13] for time in times)


def _plan(place: Workplace, base: str | None = MAIN, output: str = "json", **options: Any) -> Told:
    console = Listening()
    wanted = {"out": None, "save": None, "scope": Scope(), "exit_code": False, **options}
    code = plan.run(plan.PlanOptions(place.base, output, base=base, **wanted), console)
    return Told(code, console.out, console.err)


def _validate(place: Workplace, base: str | None = MAIN, paths: Sequence[Path] = ()) -> Told:
    console = Listening()
    code = validate.run(place.base, paths, "json", console, base=base)
    return Told(code, console.out, console.err)


def _start(place: Workplace, *requests: dict[str, object]) -> None:
    """Publish the requests on main, and go to a branch."""
    place.declare("fact.yaml", backfill("fact", *requests))
    place.git("checkout", "-q", "-b", "feature")


def _change(place: Workplace, *requests: dict[str, object]) -> None:
    place.write("fact.yaml", text_of(backfill("fact", *requests)))
    place.commit()


def test_a_branch_that_changes_nothing_shows_nothing_though_its_base_owes(place: Workplace) -> None:
    _start(place, between(1, 5), again("late", at(3)))
    place.commit()
    told = _plan(place)
    assert (told.code, told.windows) == (0, [])
    assert told.json["summary"]["covered"] == 0
    assert "not shown: 1 call owed there already" in told.err
    assert _plan(place, exit_code=True).code == 0
    assert _plan(place, None, exit_code=True).code == 5


def test_only_what_the_branch_adds_is_shown_whether_its_base_is_applied_or_not(place: Workplace) -> None:
    _start(place, between(1, 5))
    _change(place, between(1, 8))
    owed = _plan(place)
    assert owed.windows == [("ready", "05 08")]
    place.git("checkout", "-q", "main")
    assert place.apply().code == 0
    place.git("checkout", "-q", "feature")
    done = _plan(place)
    assert done.json["calls"] == owed.json["calls"]
    assert done.windows == _plan(place, None).windows


def test_what_main_added_since_is_not_this_branchs_doing(place: Workplace) -> None:
    _start(place, between(1, 5))
    _change(place, between(1, 5), at(9))
    place.git("checkout", "-q", "main")
    place.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    place.git("checkout", "-q", "feature")
    assert _plan(place).windows == [("ready", "09")]


def test_the_merge_commit_of_a_pull_request_is_compared_detached(place: Workplace) -> None:
    _start(place, between(1, 5))
    _change(place, between(1, 5), at(9))
    place.git("checkout", "-q", "main")
    place.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    place.git("checkout", "-q", "--detach")
    place.git("merge", "-q", "--no-edit", "feature")
    assert _plan(place).windows == [("ready", "09")]
    assert _plan(place, "HEAD^1").windows == [("ready", "09")]


def test_a_rerun_that_the_branch_approves_is_shown_and_one_that_waits_there_already_is_not(place: Workplace) -> None:
    _start(place, again("late", at(3, name="a")))
    _change(place, again("late", at(3, name="a")), again("later", at(4, name="b")))
    assert _plan(place).windows == [("held", "04")]
    _change(place, again("late", at(3, name="a"), "dana"))
    assert _plan(place).windows == [("ready", "03")]


def test_what_the_base_owes_and_the_branch_drops_is_told(place: Workplace) -> None:
    _start(place, between(1, 5), again("late", at(7)))
    _change(place, between(1, 3))
    told = _plan(place)
    assert told.windows == []
    (message,) = told.problems("warning")
    assert "2 calls that origin/main still owes are no longer asked for" in message
    assert SALES in message
    assert "05:00:00" in message
    assert hour(7) in message
    assert "no longer asked for" in _plan(place, output="text").err
    (place.base / "fact.yaml").unlink()
    place.write("orders.yaml", text_of(backfill("orders", at(2), table=ORDERS)))
    place.commit()
    assert any("2 calls" in message for message in _plan(place).problems("warning"))


def test_a_root_that_is_new_is_all_new_and_one_without_manifests_too(place: Workplace) -> None:
    place.git("checkout", "-q", "-b", "feature")
    _change(place, between(1, 5))
    told = _plan(place)
    assert (told.windows, told.problems("warning")) == ([("ready", "01 05")], [])
    other = place.top / "other"
    other.mkdir()
    for path in place.base.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    place.root = "other"
    told = _plan(place)
    assert (told.windows, told.problems("warning")) == ([("ready", "01 05")], [])


@pytest.mark.parametrize("bad", ["kind: Backfill\n", "link"])
def test_a_base_that_is_not_valid_is_told_and_everything_is_shown(place: Workplace, bad: str) -> None:
    if bad == "link":
        (place.base / "bad.yaml").symlink_to("reconciler.yaml")
    else:
        place.write("bad.yaml", bad)
    _start(place, between(1, 5))
    (place.base / "bad.yaml").unlink()
    _change(place, between(1, 5), at(9))
    told = _plan(place)
    assert (told.code, told.windows) == (0, [("ready", "01 05"), ("ready", "09")])
    (message,) = told.problems("warning")
    assert "cannot be compared with" in message
    assert "bad.yaml" in message
    hints = [problem["hint"] for problem in told.json["problems"]]
    assert ["guard is not known" in hint for hint in hints] == [bad == "link"]


def test_the_scope_may_name_what_the_base_does_not_have(place: Workplace, scheduler: Counting) -> None:
    _start(place, between(1, 5))
    place.configure(scheduler.url, targets={"spare": {"url": "embedded", "tenantId": "t", "timeZone": "UTC"}})
    place.write("orders.yaml", text_of(backfill("orders", at(2), table=ORDERS, target="spare")))
    place.commit()
    assert _plan(place, scope=Scope(ORDERS)).windows == [("ready", "02")]
    assert _plan(place, scope=Scope(None, "spare")).windows == [("ready", "02")]


def test_doubt_is_shown_where_the_branch_touches_its_table(place: Workplace, scheduler: Counting) -> None:
    _start(place, between(1, 5))
    place.git("checkout", "-q", "main")
    scheduler.decide = lambda _: Fault.LOST
    assert place.apply().code == 7
    place.git("checkout", "-q", "feature")
    place.write("orders.yaml", text_of(backfill("orders", at(2), table=ORDERS)))
    place.commit()
    assert _plan(place).json["inDoubt"] == []
    _change(place, between(1, 5), at(9))
    assert len(_plan(place).json["inDoubt"]) == 1


def test_a_plan_against_a_base_is_not_saved(place: Workplace, tmp_path: Path) -> None:
    _start(place, between(1, 5))
    with pytest.raises(UsageFailure, match="cannot be saved"):
        _plan(place, save=tmp_path / "saved.json")
    assert not (tmp_path / "saved.json").exists()


def test_lowered_guards_are_told_at_the_top_and_as_warnings(place: Workplace, scheduler: Counting) -> None:
    _start(place, between(1, 5))
    place.configure(scheduler.url, approvals={"reruns": {"provider": "none"}}, limits={"calls": 900})
    place.write("fact.yaml", text_of(backfill("fact", between(1, 5), limits={"span": "400d"})))
    place.commit()
    sentences = [
        "approvals.reruns: reruns need no approval any more; before, one needed 1 of dana, lee (provider manifest)",
        "limits.calls is raised from 500 to 900",
        "spec.limits.span of fact is raised from 366d to 400d",
    ]
    text = _plan(place, output="text")
    assert (text.code, "raised" in text.err) == (0, False)
    assert [sentence in text.out.split("Nothing to do")[0] for sentence in sentences] == [True] * 3
    for told in (_plan(place), _validate(place)):
        assert told.code == 0
        files = ["fact.yaml", "reconciler.yaml", "reconciler.yaml"]
        assert told.problems("warning") == sorted(map(": ".join, zip(files, sentences[::-1], strict=True)))
    assert _validate(place, None).problems("warning") == []


def _edited(place: Workplace, *, staged: bool = False, commit: bool = False) -> list[str]:
    if staged:
        place.git("add", "--all", "--force")
    if commit:
        place.commit()
    found = []
    for told in (_plan(place), _validate(place)):
        errors = told.problems("error")
        assert (told.code == 3) == bool(errors)
        found.append([error for error in errors if "state" in error])
    assert found[0] == found[1]
    return found[0]


def _undo(place: Workplace) -> None:
    for told in (_validate(place),):
        for problem in told.json["problems"]:
            command = problem["hint"].partition("take it back: ")[2]
            subprocess.run(shlex.split(command), cwd=place.base, check=True, capture_output=True)


def test_state_that_a_branch_edits_is_an_error_that_says_how_to_take_it_back(place: Workplace) -> None:
    _start(place, between(1, 5))
    assert _edited(place) == []
    place.write(LEDGER, '{"forged": true}\n')
    assert _edited(place) == [f"{LEDGER}: the work tree adds to state, which the reconciler alone writes"]
    assert len(_edited(place, staged=True)) == 1
    assert len(_edited(place, commit=True)) == 1
    place.write(LEDGER, '{"forged": "again"}\n')
    assert len(_edited(place)) == 1
    assert "state is edited" in _plan(place, output="text").out.split("Nothing to do")[0]
    _undo(place)
    place.commit()
    assert _edited(place) == []


@pytest.mark.parametrize("how", ["append", "delete", "staged", "odd"])
def test_an_edit_of_state_on_the_manifests_own_branch_is_found(
    folder: Path, nursery: Nursery, scheduler: Counting, how: str
) -> None:
    place = _with_state_on_main(folder, nursery, scheduler)
    assert place.apply().code == 0
    place.git("checkout", "-q", "-b", "feature")
    assert _edited(place) == []
    if how == "delete":
        (place.base / LEDGER).unlink()
    elif how == "odd":
        place.write(".state/pending/it's `odd`;\n$(x)\udcff.jsonl", "x")
    else:
        with (place.base / LEDGER).open("a") as file:
            file.write("{}\n")
    assert len(_edited(place, staged=how == "staged")) == 1
    if how == "odd":
        return
    assert len(_edited(place, commit=True)) == 1
    _undo(place)
    place.commit()
    assert _edited(place) == []


def _with_state_on_main(folder: Path, nursery: Nursery, scheduler: Counting, *, remote: bool = True) -> Workplace:
    place = Workplace.make(folder, nursery, scheduler.url, remote=remote)
    place.state = "main"
    place.configure(scheduler.url, state={"branch": "main"})
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    return place


def test_state_that_an_apply_committed_here_is_no_edit(folder: Path, nursery: Nursery, scheduler: Counting) -> None:
    place = _with_state_on_main(folder, nursery, scheduler, remote=False)
    place.git("branch", "before")
    assert place.apply().code == 0
    place.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    assert _edited_since(place, "before") == []
    with (place.base / LEDGER).open("a") as file:
        file.write("{}\n")
    place.commit()
    assert len(_edited_since(place, "before")) == 1


def _edited_since(place: Workplace, base: str) -> list[str]:
    return _validate(place, base).problems("error")


def test_state_that_was_not_pushed_is_no_edit(folder: Path, nursery: Nursery, scheduler: Counting) -> None:
    place = _with_state_on_main(folder, nursery, scheduler)
    assert place.apply("--no-push").code == 0
    assert _edited_since(place, MAIN) == []


def test_state_that_came_with_a_merge_of_main_is_no_edit(folder: Path, nursery: Nursery, scheduler: Counting) -> None:
    place = _with_state_on_main(folder, nursery, scheduler)
    place.git("checkout", "-q", "-b", "feature")
    _change(place, between(1, 5), at(9))
    place.git("checkout", "-q", "main")
    assert place.apply().code == 0
    place.git("checkout", "-q", "feature")
    assert _edited(place) == []
    place.git("merge", "-q", "--no-edit", "main")
    assert _edited(place) == []
    assert _plan(place).windows == [("ready", "09")]


def test_state_that_main_got_from_another_clone_is_no_edit(folder: Path, nursery: Nursery, scheduler: Counting) -> None:
    place = _with_state_on_main(folder, nursery, scheduler)
    assert place.apply().code == 0
    other = place.clone("other")
    other.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    assert other.apply().code == 0
    place.git("pull", "-q", "--ff-only")
    place.git("checkout", "-q", "-b", "feature")
    assert _edited_since(place, MAIN) == []


def test_a_name_that_is_no_commit_says_what_to_fetch(place: Workplace) -> None:
    _start(place, between(1, 5))
    for name in ("nowhere", "", "--all", "^main", "main..feature", "main^{tree}", "-", "a\nb"):
        with pytest.raises(UsageFailure, match="no commit in this repository") as refused:
            _plan(place, name)
        assert "fetch" in refused.value.hint
    place.git("branch", "-q", "-D", "main")
    with pytest.raises(UsageFailure) as refused:
        _plan(place, "main")
    assert refused.value.hint == "did you mean origin/main?"


def test_a_shallow_clone_that_cannot_tell_says_how_to_fetch_the_rest(place: Workplace) -> None:
    _start(place, between(1, 5))
    _change(place, between(1, 5), at(9))
    place.git("push", "-q", "origin", "feature")
    place.git("checkout", "-q", "main")
    place.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    shallow = place.clone("shallow", "--depth=1", "--no-single-branch", "--branch", "feature")
    for command in (_plan, _validate):
        with pytest.raises(UsageFailure, match="shallow") as refused:
            command(shallow)
        assert "fetch-depth: 0" in refused.value.hint
    shallow.git("fetch", "-q", "--unshallow")
    assert _plan(shallow).windows == [("ready", "09")]


def test_a_shallow_merge_commit_that_holds_the_base_is_enough(place: Workplace) -> None:
    _start(place, between(1, 5))
    _change(place, between(1, 5), at(9))
    place.git("checkout", "-q", "main")
    place.declare("orders.yaml", backfill("orders", at(2), table=ORDERS))
    place.git("checkout", "-q", "-b", "merged")
    place.git("merge", "-q", "--no-edit", "feature")
    place.git("push", "-q", "origin", "merged")
    shallow = place.clone("shallow", "--depth=2", "--branch", "merged")
    assert _plan(shallow, "HEAD^1").windows == [("ready", "09")]


def test_histories_that_have_nothing_in_common_are_refused(place: Workplace) -> None:
    _start(place, between(1, 5))
    place.git("checkout", "-q", "--orphan", "other")
    place.commit()
    with pytest.raises(UsageFailure, match="no history in common"):
        _plan(place)


def test_validate_shows_state_edits_whatever_paths_it_is_asked_for(place: Workplace) -> None:
    _start(place, between(1, 5))
    place.write(LEDGER, "{}\n")
    place.write("fact.yaml", "kind: Backfill\n")
    told = _validate(place, paths=[place.base / "orders.yaml"])
    assert [error.partition(":")[0] for error in told.problems("error")] == [LEDGER]
    assert {error.partition(":")[0] for error in _validate(place).problems("error")} == {LEDGER, "fact.yaml"}


def test_comparing_changes_nothing(place: Workplace) -> None:
    _start(place, between(1, 5))
    _change(place, between(1, 8))
    before = (place.git("for-each-ref"), place.git("status", "--porcelain"), os.fspath(place.top), place.tip())
    _plan(place)
    _validate(place)
    assert (place.git("for-each-ref"), place.git("status", "--porcelain"), os.fspath(place.top), place.tip()) == before
