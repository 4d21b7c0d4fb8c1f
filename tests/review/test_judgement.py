"""Whose approving review of a pull request counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.errors import ForgeFailure
from reconciler.review.forge import Person, Review, Reviewed
from reconciler.review.judgement import Approvers, judge

HEAD, OLD = "a" * 40, "b" * 40
DANA, LEE, ERIN = Person("1", "dana"), Person("2", "Lee"), Person("3", "erin")
BOT = Person("9", "merge-bot[bot]", bot=True)


def _nobody(team: str) -> frozenset[str]:
    raise AssertionError(f"the team {team} was looked up, and nobody had to know")


def _judge(
    *reviews: Review,
    names: tuple[str, ...] = ("dana", "lee"),
    members: Callable[[str], frozenset[str]] = _nobody,
    author: Person | None = ERIN,
    writers: tuple[Person, ...] = (ERIN,),
) -> tuple[list[str], str]:
    found = judge(Reviewed(HEAD, None, author, writers, reviews), Approvers(names, members))
    return [person.login for person in found.approved], "; ".join(found.because)


def _approved(person: Person, head: str | None = HEAD) -> Review:
    return Review(person, "approved", head)


def test_an_approving_review_of_the_last_commit_by_an_approver_counts() -> None:
    assert _judge(_approved(DANA)) == (["dana"], "")


def test_case_does_not_matter_in_logins() -> None:
    assert _judge(_approved(LEE)) == (["Lee"], "")


def test_each_person_counts_once() -> None:
    assert _judge(_approved(DANA), _approved(DANA), _approved(LEE))[0] == ["dana", "Lee"]


@pytest.mark.parametrize(
    ("review", "reason"),
    [
        (Review(DANA, "dismissed", HEAD), "the review by dana was dismissed"),
        (Review(DANA, "changes requested", HEAD), "dana asked for changes"),
        (_approved(DANA, OLD), "dana approved bbbbbbb, but its last commit is aaaaaaa"),
        (_approved(DANA, None), "which version dana approved is not known any more"),
        (_approved(BOT), "merge-bot[bot] is a bot"),
        (_approved(Person("7", "mallory")), "mallory is no approver"),
    ],
)
def test_other_reviews_do_not_count_and_say_why(review: Review, reason: str) -> None:
    assert _judge(review, names=("dana", "merge-bot[bot]")) == ([], reason)


def test_who_opened_it_does_not_approve_it_whatever_the_account_is_called_now() -> None:
    assert _judge(_approved(DANA), author=DANA) == ([], "dana opened it")
    assert _judge(_approved(DANA), author=Person("1", "dana-as-she-was"))[0] == []


def test_who_wrote_part_of_it_does_not_approve_it() -> None:
    assert _judge(_approved(DANA), writers=(ERIN, DANA)) == ([], "dana wrote part of it")


def test_a_renamed_account_does_not_inherit_the_old_names_right() -> None:
    assert _judge(_approved(Person("1", "dana-renamed"))) == ([], "dana-renamed is no approver")


def test_a_team_is_looked_up_only_where_the_login_does_not_tell() -> None:
    team = ("dana", "@acme/data")
    assert _judge(_approved(DANA), names=team) == (["dana"], "")
    assert _judge(_approved(LEE), names=team, members=lambda _: frozenset({"2"})) == (["Lee"], "")
    assert _judge(_approved(LEE), names=team, members=lambda _: frozenset({"3"}))[0] == []


def test_a_team_that_cannot_be_seen_is_no_approval_and_the_way_out_is_told() -> None:
    def unseen(team: str) -> frozenset[str]:
        raise ForgeFailure(f"the token may not see {team}", "grant it read:org")

    approved, because = _judge(_approved(LEE), names=("@acme/data",), members=unseen)
    assert approved == []
    assert "may not see acme/data" in because
    assert "grant it read:org" in because


def test_where_an_author_cannot_be_told_nobody_approves_what_may_be_their_own() -> None:
    stranger = "Dana <old@example.org>"
    found = judge(Reviewed(HEAD, None, ERIN, (ERIN,), (_approved(DANA),), (stranger,)), Approvers(("dana",), _nobody))
    assert found.approved == ()
    assert found.because == (f"no account has the e-mail address of {stranger}, who wrote part of it: let one add it",)
