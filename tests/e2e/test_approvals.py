"""Reruns that reviews on GitHub approve: real git, the command line, and the stand-in of GitHub."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from reconciler.scheduler.emulator import Arrival
from tests.e2e.counting import Counting
from tests.e2e.manifests import hour
from tests.e2e.team import NEEDS, Case, Team, judge, manifest, plain, rerun
from tests.figures import Tried
from tests.forges.github import TOKEN, GitHub

OTHER_HEAD = "a" * 40


def _reviewed(
    review: Callable[[GitHub, int, str], None], says: str, *, author: str = "dana", writer: str | None = "dana"
) -> Case:
    """Return a case where one pull request is reviewed; `review` gets forge, number and head. Its number is for {}."""

    def case(team: Team, name: str) -> str:
        number = team.open({f"{name}.yaml": manifest(name, rerun(1, 3))}, author=author, writer=writer)
        review(team.forge, number, team.heads[number])
        team.merge(number)
        return says.format(number)

    return case


def _says_of(who: str | None, *states: str, head: str | None = "") -> Callable[[GitHub, int, str], None]:
    def review(forge: GitHub, number: int, sha: str) -> None:
        for state in states:
            if state == "dismiss":
                assert who
                forge.dismiss(number, who)
            else:
                forge.review(number, who, state, commit=sha if head == "" else head)

    return review


def _a_bot(forge: GitHub, number: int, sha: str) -> None:
    forge.person("kim-bot", kind="Bot")
    forge.review(number, "kim-bot", "APPROVED", commit=sha)


def _renamed(forge: GitHub, number: int, sha: str) -> None:
    forge.review(number, "kit", "APPROVED", commit=sha)
    forge.rename("kit", "kit-at-work")


def _given_the_name_of_an_approver(forge: GitHub, number: int, sha: str) -> None:
    forge.review(number, "mallory-before", "APPROVED", commit=sha)
    forge.rename("mallory-before", "mallory")


def _pushed_to(forge: GitHub, number: int, sha: str) -> None:
    """Approve, and then let another commit come, as GitHub tells of it."""
    forge.review(number, "lee", "APPROVED", commit=sha)
    forge.push(number, OTHER_HEAD)


REVIEWS: dict[str, Case] = {
    "approved": _reviewed(_says_of("lee", "APPROVED"), ""),
    "in_capitals": _reviewed(_says_of("LEE", "APPROVED"), ""),
    "then_a_comment": _reviewed(_says_of("lee", "APPROVED", "COMMENTED"), ""),
    "then_pending": _reviewed(_says_of("lee", "APPROVED", "PENDING"), ""),
    "renamed": _reviewed(_renamed, ""),
    "no_review": _reviewed(_says_of("lee"), NEEDS),
    "own": _reviewed(_says_of("lee", "APPROVED"), "(lee opened it)", author="lee"),
    "written": _reviewed(_says_of("lee", "APPROVED"), "(lee wrote part of it)", writer="lee"),
    "stranger": _reviewed(_says_of("lee", "APPROVED"), "(no account has the e-mail address of Dana <", writer=None),
    "dismissed": _reviewed(_says_of("lee", "APPROVED", "dismiss"), "(the review by lee was dismissed)"),
    "asked_for_changes": _reviewed(_says_of("lee", "APPROVED", "CHANGES_REQUESTED"), "(lee asked for changes)"),
    "only_a_comment": _reviewed(_says_of("lee", "COMMENTED"), NEEDS),
    "another_head": _reviewed(_says_of("lee", "APPROVED", head=OTHER_HEAD), "(lee approved aaaaaaa, but its last"),
    "outdated": _reviewed(_pushed_to, ", but its last commit is aaaaaaa)"),
    "no_head": _reviewed(_says_of("lee", "APPROVED", head=None), "(which version lee approved is not known any more)"),
    "bot": _reviewed(_a_bot, "(kim-bot is a bot)"),
    "ghost": _reviewed(_says_of(None, "APPROVED"), NEEDS),
    "no_approver": _reviewed(_says_of("eve", "APPROVED"), "(eve is no approver)"),
    "renamed_away": _reviewed(_given_the_name_of_an_approver, "(mallory is no approver)"),
}


@pytest.mark.claim("a review that is no approval holds the rerun and says why")
def test_a_review_counts_only_where_it_approves_what_was_merged(team: Team, tried: Tried) -> None:
    team.configure(["lee", "kim", "kim-bot", "kit-at-work", "mallory-before"])
    judge(team, REVIEWS)
    tried(len(REVIEWS))


@pytest.mark.parametrize(
    ("approvers", "minimum", "token", "one", "two"),
    [
        (["lee", "kim"], 1, TOKEN, "", ""),
        (["lee", "kim"], 2, TOKEN, "needs 1 more approving review of #1", ""),
        (["@acme/data"], 1, TOKEN, "whether lee is an approver cannot be told", "read:org"),
        (["@acme/data"], 1, "ghp_reads-teams", "(lee is no approver)", ""),
        (["@acme/data", "lee"], 1, TOKEN, "", ""),
    ],
)
def test_approvers_are_people_and_teams_that_the_token_may_read(
    team: Team, approvers: Sequence[str], minimum: int, token: str, one: str, two: str
) -> None:
    team.forge.team("acme/data", "kim")
    team.forge.token("ghp_reads-teams", who="ada", teams=True)
    team.pull({"one.yaml": manifest("one", rerun(1, 3))}, by=("lee",))
    team.pull({"two.yaml": manifest("two", rerun(1, 3))}, by=("lee", "kim"))
    team.configure(approvers, minimum=minimum)
    found = team.verdicts(team.place, GITHUB_TOKEN=token)
    assert one in found["one.yaml#1"]
    assert two in found["two.yaml#1"]
    assert (found["one.yaml#1"] == "", found["two.yaml#1"] == "") == (one == "", two == "")


def _paths(forge: GitHub) -> list[str]:
    return [asked.path for asked in forge.asked]


def test_a_held_rerun_is_made_once_it_is_approved_and_everything_says_by_whom(
    team: Team, scheduler: Counting, forge: GitHub
) -> None:
    number = team.pull({"sales.yaml": manifest("sales", rerun(1, 3), plain(1, 2))}, by=())
    team.publish()
    held = team.place.apply()
    assert (held.code, scheduler.calls) == (5, 1)
    assert NEEDS.format(number) in held.out
    team.approve(number, "lee", "kim")
    applied = team.place.apply()
    assert (applied.code, scheduler.runs("db.sales")) == (0, {hour(1): 2, hour(2): 2, hour(3): 1})
    assert team.place.ledger("db.sales")[-1]["approvedBy"] == ["kim", "lee"]
    assert team.place.tip()
    assert "approved by kim, lee" in team.place.git("-C", str(team.place.remote), "log", team.place.state)
    assert "approved by kim, lee" in team.place.run("history", "db.sales").out
    forge.asked.clear()
    for command in ("plan", "apply", "status"):
        assert team.place.run(command).code == 0
    assert _paths(forge) == []  # what was made needs nobody's approval any more


def test_a_shallow_clone_holds_reruns_and_makes_the_rest(team: Team, scheduler: Counting, forge: GitHub) -> None:
    team.pull({"sales.yaml": manifest("sales", rerun(1, 3))})
    team.pull({"other.yaml": manifest("other", plain(1, 2))})
    team.publish()
    shallow = team.place.clone("shallow", "--depth", "1")
    applied = shallow.apply()
    assert (applied.code, scheduler.runs("db.sales"), scheduler.calls) == (5, {}, 1)
    assert "this clone is shallow: its history ends before it tells who changed sales.yaml:" in applied.out
    assert "`fetch-depth: 0` in the checkout step, or git fetch --unshallow" in applied.out
    assert _paths(forge) == []
    shallow.git("fetch", "-q", "--unshallow")
    assert shallow.apply().code == 0
    assert scheduler.runs("db.sales") == {hour(1): 1, hour(2): 1, hour(3): 1}


def test_no_setting_hides_a_commit(team: Team) -> None:
    team.pull({"sales.yaml": manifest("sales", rerun(1, 3))})
    number = team.pull({"sales.yaml": manifest("sales", rerun(1, 9))}, by=())
    hidden = team.place.git("log", "--format=%H", "-2", "--no-merges", "--", "triggers/sales.yaml").split()[0]
    (team.place.top / ".git-blame-ignore-revs").write_text(f"{hidden}\n")
    for name, value in (("blame.ignoreRevsFile", ".git-blame-ignore-revs"), ("blame.markIgnoredLines", "true")):
        team.place.git("config", name, value)
    team.place.git("replace", hidden, f"{hidden}^")
    team.place.publish()
    assert NEEDS.format(number) in team.verdicts(team.place)["sales.yaml#1"]


def test_an_apply_that_is_overtaken_asks_nothing_twice(team: Team, scheduler: Counting, forge: GitHub) -> None:
    team.place.configure(
        team.url,
        approvals={"reruns": {"provider": "github", "approvers": ["lee"]}},
        state={"branch": team.place.state, "batch": 1},
    )
    for name in ("one", "two", "three"):
        team.pull({f"{name}.yaml": manifest(name, rerun(1, 3))})
    team.publish()

    def overtake(arrival: Arrival) -> None:
        if arrival.number == 1:
            team.place.put_state({})

    scheduler.decide = overtake
    applied = team.place.apply()
    assert (applied.code, scheduler.calls) == (0, 3), applied.err
    paths = _paths(forge)
    assert len(paths) == len(set(paths)) == 3 * 5
