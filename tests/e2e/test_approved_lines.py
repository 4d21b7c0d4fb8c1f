"""What an approval covers, by real git: the lines that were approved, and what they meant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.team import NEEDS, Case, Merging, Says, Team, judge, manifest, plain, rerun
from tests.e2e.workplace import SECRET_NAME
from tests.figures import Tried

CHANGED = "is not what was approved"
UNKNOWN = "came by no pull request merged into the default branch that is known"


def _merged(how: Merging) -> Case:
    def case(team: Team, name: str) -> Says:
        team.pull({f"{name}.yaml": manifest(name, rerun(1, 3), plain(5, 6))})
        # Two commits, of which the first is not what is approved in the end.
        first, second = (manifest(name, rerun(1, last), rerun(10, last + 10), plain(5, 6)) for last in (8, 3))
        team.pull({f"{name}.yaml": first}, {f"{name}.yaml": second}, how=how)
        return {f"{name}.yaml#1": "", f"{name}.yaml#2": ""}

    return case


def _edited(
    before: str, after: str, says: str, *, by: tuple[str, ...] = (), how: Merging = "merge"
) -> Callable[[Team, str], str]:
    """Return a case where an approved file is changed by a pull request that nobody approves. NAME is the case's."""

    def case(team: Team, name: str) -> str:
        team.pull({f"{name}.yaml": before.replace("NAME", name)}, how=how)
        return says.format(team.pull({f"{name}.yaml": after.replace("NAME", name)}, by=by))

    return case


ONE = manifest("NAME", rerun(1, 3))
TWO = manifest("NAME", rerun(1, 2), rerun(8, 9))
JOINED = manifest("NAME", rerun(1, 9))


def _pushed(team: Team, name: str) -> str:
    team.push({f"{name}.yaml": manifest(name, rerun(1, 3))})
    return UNKNOWN


def _pushed_and_brought_again(team: Team, name: str) -> str:
    team.push({f"{name}.yaml": manifest(name, rerun(1, 3))})
    team.pull({f"{name}.yaml": manifest(name, rerun(1, 3, "late-2"))})
    return ""


def _open(team: Team, name: str) -> str:
    number = team.open({f"{name}.yaml": manifest(name, rerun(1, 3))})
    team.place.git("checkout", "-q", "main")
    team.place.git("merge", "-q", "--ff-only", f"topic-{number}")  # pushed to main while its pull request is open
    return f"{NEEDS.format(number)} or kim: https://github.test/acme/backfills/pull/{number}; then #{number} has to"


def _other_branch(team: Team, name: str) -> str:
    number = team.open({f"{name}.yaml": manifest(name, rerun(1, 3))})
    team.approve(number, "lee")
    team.merge(number)
    team.forge.retarget(number, "develop")
    return UNKNOWN


def _removed_lines(team: Team, name: str) -> str:
    team.pull({f"{name}.yaml": manifest(name, rerun(1, 2), rerun(8, 9))})
    team.pull({f"{name}.yaml": manifest(name, rerun(1, 9))}, by=())
    return CHANGED


def _only_passing(before: str, head: str, after: str, how: Merging = "merge") -> Case:
    """Return a case where an approved pull request asked for `before` in passing, and `after` asks for it again."""

    def case(team: Team, name: str) -> str:
        path = f"{name}.yaml"
        team.pull({path: before.replace("NAME", name)}, {path: head.replace("NAME", name)}, how=how)
        team.push({path: after.replace("NAME", name)})
        return CHANGED

    return case


def _moved(by: tuple[str, ...]) -> Case:
    def case(team: Team, name: str) -> Says:
        team.pull({f"{name}.yaml": manifest(name, plain(5, 6), rerun(1, 3))})
        files = {f"{name}.yaml": manifest(name, plain(5, 6)), f"{name}-2.yaml": _same_table(name, rerun(1, 3))}
        number = team.pull(files, by=by)
        return {f"{name}-2.yaml#1": "" if by else NEEDS.format(number)}

    return case


def _same_table(name: str, *requests: str) -> str:
    return manifest(f"{name}-2", *requests, table=f"db.{name}")


def _renamed_file(team: Team, name: str) -> Says:
    text = manifest(name, rerun(1, 3))
    team.pull({f"{name}.yaml": text})
    team.pull({f"{name}.yaml": None, f"deep/{name}-new.yaml": text}, by=())
    return {f"deep/{name}-new.yaml#1": ""}


def _renamed_in_passing(team: Team, name: str) -> Says:
    text = manifest(name, rerun(1, 3))
    team.pull({f"{name}-old.yaml": text}, {f"{name}-old.yaml": None, f"{name}.yaml": text})
    return {f"{name}.yaml#1": ""}


def _second_with_the_token(team: Team, name: str) -> Says:
    team.pull({f"{name}.yaml": manifest(name, rerun(1, 3))})
    number = team.pull({f"{name}.yaml": manifest(name, rerun(1, 3), rerun(6, 7))}, by=())
    return {f"{name}.yaml#1": "", f"{name}.yaml#2": NEEDS.format(number)}


def _equal_last_lines(team: Team, name: str) -> Says:
    """Blame gives some lines of the approved request, the second, to what was put before it."""
    team.pull({f"{name}.yaml": manifest(name, rerun(1, 3, "b"))})
    number = team.pull({f"{name}.yaml": manifest(name, rerun(2, 3, "a"), rerun(1, 3, "b"))}, by=())
    return {f"{name}.yaml#1": NEEDS.format(number), f"{name}.yaml#2": ""}


def _documents(team: Team, name: str) -> Says:
    first, second = manifest(name, rerun(1, 3)), _same_table(name, rerun(5, 6)).replace(f"db.{name}", f"db.{name}_2")
    team.pull({f"{name}.yaml": f"{first}---\n{second}"})
    number = team.pull({f"{name}.yaml": f"{first}---\n{second.replace('06:00', '07:00')}"}, by=())
    return {f"{name}.yaml#{name}/1": "", f"{name}.yaml#{name}-2/1": NEEDS.format(number)}


def _side_by_side(team: Team, name: str) -> str:
    """Two approved pull requests change one end each, and are merged side by side: each window was approved."""
    path, spaced = f"{name}.yaml", rerun(4, 5).replace("        endTime", "\n\n\n\n        endTime")
    team.pull({path: manifest(name, spaced)})
    starts, ends = spaced.replace("04:00", "03:00"), spaced.replace("05:00", "06:00")
    one = team.open({path: manifest(name, starts)})
    other = team.open({path: manifest(name, ends)})
    for number in (one, other):
        team.approve(number, "lee", "kim")
        team.merge(number)
    return ""


def _withdrawn_and_brought_back(team: Team, name: str) -> Says:
    """A side line that held the rerun before it was withdrawn is merged again, by a pull request nobody approved."""
    path, text = f"{name}.yaml", manifest(name, plain(1, 3), rerun(1, 3))
    team.pull({path: manifest(name, plain(1, 3))})
    first = team.pull({path: text})
    team.pull({path: manifest(name, plain(1, 3))}, by=())
    number = team.open_over(team.heads[first], {path: text})
    team.merge(number)
    return {f"{path}#2": NEEDS.format(number)}


def _never_in_the_head(team: Team, name: str) -> Says:
    """What an approved pull request took back before it was approved comes back by its old commit."""
    path, text = f"{name}.yaml", manifest(name, plain(1, 3), rerun(1, 3))
    team.pull({path: manifest(name, plain(1, 3))})
    number = team.open({path: text}, {path: manifest(name, plain(1, 3))})
    passing = team.place.git("rev-parse", "HEAD~1").strip()
    team.approve(number, "lee")
    team.merge(number)
    again = team.open_over(passing, {path: text})
    team.merge(again)
    return {f"{path}#2": NEEDS.format(again)}


def _given_up_and_taken_back(team: Team, name: str) -> str:
    """What an approved pull request narrowed is widened again by removing its lines."""
    path = f"{name}.yaml"
    team.pull({path: manifest(name, rerun(1, 9))})
    team.pull({path: manifest(name, rerun(1, 2), rerun(8, 9))})
    team.push({path: manifest(name, rerun(1, 9))})
    return CHANGED


def _added_in_the_merge(team: Team, name: str) -> Says:
    """The commit that merges an approved pull request holds a rerun more than its head."""
    path = f"{name}.yaml"
    team.pull({path: manifest(name, plain(1, 3))})
    number = team.open({path: manifest(name, plain(1, 3), rerun(1, 2))})
    team.approve(number, "lee")
    team.merge_by_hand(number, {path: manifest(name, plain(1, 3), rerun(1, 2), rerun(2, 3, "sneak"))})
    return {f"{path}#2": "", f"{path}#3": CHANGED}


def _target_in_passing(team: Team, name: str) -> str:
    """An approved pull request sent its rerun elsewhere in the end; later that line is removed."""
    text = manifest(name, rerun(1, 3))
    team.pull({f"{name}.yaml": text}, {f"{name}.yaml": text.replace("  tableName", "  target: spare\n  tableName")})
    team.pull({f"{name}.yaml": text}, by=())
    return CHANGED


def _token_of_another(team: Team, name: str) -> Says:
    """Nobody approved that a wide request became a rerun; an approved one with its token is joined to it."""
    path, wide = f"{name}.yaml", plain(1, 9)
    team.pull({path: manifest(name, wide)}, by=())
    unapproved = team.pull(
        {path: manifest(name, wide.replace("    - ", "    - rerun: late\n      reason: so\n      "))}, by=()
    )
    short = "    - rerun: late\n      reason: files\n      scheduleTimes: [2026-01-20 20:00:00]\n"
    marked = wide.replace("    - ", "    - rerun: late\n      reason: so\n      ")
    team.pull({path: manifest(name, short, marked)})
    joined = wide.replace("    - ", "    - rerun: late\n      reason: files\n      ")
    team.pull({path: manifest(name, joined)}, by=())
    return {f"{path}#1": NEEDS.format(unapproved)}


def _only_inherited(team: Team, name: str) -> Says:
    """What an approved pull request only inherited from main is withdrawn there, and kept in its merge by hand."""
    path, text = f"{name}.yaml", manifest(name, plain(1, 2), rerun(1, 9))
    team.pull({path: text}, by=())
    number = team.open({f"{name}-2.yaml": manifest(f"{name}-2", plain(1, 2))})
    team.approve(number, "lee")
    team.pull({path: manifest(name, plain(1, 2))}, by=())
    team.merge_by_hand(number, {path: text})
    return {f"{path}#1": "", f"{path}#2": CHANGED, f"{name}-2.yaml#1": ""}


def _pushed_before_it_was_approved(team: Team, name: str) -> Says:
    """The first commit of a pull request is pushed to main; what is approved then shows only the rest."""
    path = f"{name}.yaml"
    number = team.open({path: manifest(name, rerun(1, 9))})
    team.place.git("checkout", "-q", "main")
    team.place.git("merge", "-q", "--ff-only", f"topic-{number}")
    team.add(number, {f"{name}-2.yaml": manifest(f"{name}-2", plain(1, 2))})
    team.approve(number, "lee")
    team.merge(number)
    return {f"{path}#1": CHANGED, f"{name}-2.yaml#1": ""}


def _withdrawn_on_a_side_line(team: Team, name: str) -> Says:
    """Main goes on from before the withdrawal, which becomes the side line."""
    path = f"{name}.yaml"
    team.pull({path: manifest(name, plain(1, 2), rerun(1, 9))})
    before = team.place.git("rev-parse", "main").strip()
    team.pull({path: manifest(name, plain(1, 2))}, by=())
    team.push_merge(before, team.place.git("rev-parse", "main").strip())
    return {f"{path}#1": "", f"{path}#2": CHANGED}


def _in_another_file_too(team: Team, name: str) -> Says:
    """The wide request of another file is withdrawn; the narrow ones of this file are joined to be as wide."""
    path, other = f"{name}.yaml", f"{name}-2.yaml"
    team.pull({path: manifest(name, rerun(1, 2), rerun(8, 9)), other: _same_table(name, rerun(1, 9))})
    team.pull({other: _same_table(name, plain(20, 21))}, by=())
    team.pull({path: manifest(name, rerun(1, 9))}, by=())
    return {f"{path}#1": CHANGED, f"{other}#1": ""}


def _once_invalid(team: Team, name: str) -> str:
    """A file that was not valid once is no reason to hold what was approved with a new token."""
    path, text = f"{name}.yaml", manifest(name, rerun(1, 3, "first"))
    team.pull({path: text.replace("kind: Backfill", "kind: Backfill\nowner: me")}, by=())
    team.pull({path: manifest(name, rerun(1, 3, "second"))})
    team.pull({path: manifest(name, rerun(1, 3, "third"))})
    return ""


def _renamed_twice(team: Team, name: str) -> Says:
    text = manifest(name, rerun(1, 3))
    team.pull({f"{name}.yaml": text})
    team.pull({f"{name}.yaml": None, f"{name}-b.yaml": text}, by=())
    team.pull({f"{name}-b.yaml": None, f"deep/{name}-c.yaml": text}, by=())
    return {f"deep/{name}-c.yaml#1": ""}


def _settled_in_the_branch(team: Team, name: str) -> str:
    """A conflict with main is settled by a merge commit of the pull request, which is then its head."""
    path = f"{name}.yaml"
    team.pull({path: manifest(name, plain(1, 2))})
    number = team.open({path: manifest(name, plain(1, 2), rerun(1, 3))})
    team.pull({path: manifest(name, plain(1, 4))}, by=())
    team.take_main(number, {path: manifest(name, plain(1, 4), rerun(1, 3))})
    team.approve(number, "lee")
    team.merge(number)
    return ""


def _targets(**changes: dict[str, object]) -> dict[str, object]:
    auth = {"type": "UID", "valueFrom": {"env": SECRET_NAME}}
    spare = {"url": "http://127.0.0.1:9", "timeZone": "Asia/Shanghai", "auth": auth}
    return {name: {**spare, "tenantId": name, **changes.get(name, {})} for name in ("spare", "moves", "let", "same")}


def _retargeted(target: str) -> Case:
    """Return a case on a target whose config is changed when all else has been done."""

    def case(team: Team, name: str) -> str:
        team.pull({f"{name}.yaml": manifest(name, rerun(1, 3), spec=f"  target: {target}\n")})
        return "" if target == "same" else CHANGED

    return case


CRLF = ONE.replace("\n", "\r\n")
INDENTED = ONE.replace("\n    ", "\n      ").replace("\n      rerun", "\n        rerun")
POINTS = manifest("NAME", "    - rerun: late\n      reason: late\n      scheduleTimes:\n{}")
POINT = "        - 2026-01-20 0{}:00:00\n"
THREE, LESS = (POINTS.format("".join(POINT.format(at) for at in times)) for times in ("123", "13"))
TRACES: dict[str, Case] = {
    "merged": _merged("merge"),
    "squashed": _merged("squash"),
    "rebased": _merged("rebase"),
    "pushed": _pushed,
    "pushed_and_brought_again": _pushed_and_brought_again,
    "open": _open,
    "other_branch": _other_branch,
    "widened": _edited(ONE, ONE.replace("03:00", "09:00"), NEEDS),
    "widened_and_approved": _edited(ONE, ONE.replace("03:00", "09:00"), "", by=("kim",)),
    "widened_by_removing_lines": _edited(TWO, JOINED, CHANGED),
    "widened_by_removing_lines_squashed": _edited(TWO, JOINED, CHANGED, how="squash"),
    "wide_in_passing": _only_passing(JOINED, TWO, JOINED),
    "wide_in_passing_rebased": _only_passing(JOINED, TWO, JOINED, "rebase"),
    "table_in_passing": _only_passing(ONE, ONE.replace("db.NAME", "db.NAME_other"), ONE),
    "other_table": _edited(ONE, ONE.replace("db.NAME", "db.NAME_other"), CHANGED),
    "other_target": _edited(ONE, ONE.replace("  tableName", "  target: spare\n  tableName"), CHANGED),
    "other_url": _retargeted("moves"),
    "other_tenant": _retargeted("let"),
    "other_pace": _retargeted("same"),
    "other_token": _edited(ONE, ONE.replace("late\n", "later\n", 1), NEEDS),
    "other_reason": _edited(ONE, ONE.replace("arrived late", "arrived"), NEEDS),
    "narrowed": _edited(ONE, ONE.replace("03:00", "02:00"), NEEDS),
    "narrowed_by_removing_a_line": _edited(THREE, LESS, ""),
    "a_line_more": _edited(LESS, THREE, NEEDS),
    "something_else": _edited(ONE, manifest("NAME", rerun(1, 3), plain(5, 6)), ""),
    "something_else_before": _edited(ONE, manifest("NAME", rerun(1, 3)).replace("spec:", "# so\nspec:"), ""),
    "indented": _edited(ONE, INDENTED, NEEDS),
    "indented_and_approved": _edited(ONE, INDENTED, "", by=("lee",)),
    "crlf": _edited(CRLF, CRLF.replace("spec:", "# so\r\nspec:"), ""),
    "crlf_later": _edited(ONE, CRLF, NEEDS),
    "moved": _moved(()),
    "moved_and_approved": _moved(("lee",)),
    "renamed_file": _renamed_file,
    "renamed_in_passing": _renamed_in_passing,
    "second_with_the_token": _second_with_the_token,
    "equal_last_lines": _equal_last_lines,
    "documents": _documents,
    "side_by_side": _side_by_side,
    "settled_in_the_branch": _settled_in_the_branch,
    "withdrawn_and_brought_back": _withdrawn_and_brought_back,
    "never_in_the_head": _never_in_the_head,
    "given_up_and_taken_back": _given_up_and_taken_back,
    "added_in_the_merge": _added_in_the_merge,
    "target_in_passing": _target_in_passing,
    "token_of_another": _token_of_another,
    "only_inherited": _only_inherited,
    "pushed_before_it_was_approved": _pushed_before_it_was_approved,
    "withdrawn_on_a_side_line": _withdrawn_on_a_side_line,
    "in_another_file_too": _in_another_file_too,
    "once_invalid": _once_invalid,
    "renamed_twice": _renamed_twice,
}


@pytest.mark.claim("an approval covers the lines that were approved, and what they meant")
def test_an_approval_covers_what_was_approved_and_no_more(team: Team, tried: Tried) -> None:
    changes: dict[str, dict[str, object]] = {"moves": {"url": "http://127.0.0.1:10"}, "let": {"tenantId": "tn_other"}}
    team.configure(targets=_targets())
    judge(team, TRACES, lambda: team.configure(targets=_targets(**changes, same={"concurrency": 9})))
    tried(len(TRACES))
