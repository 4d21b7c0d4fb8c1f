"""`comment`: one comment a pull request, brought up to date; the job's summary where none can be written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.e2e.manifests import at, backfill
from tests.e2e.workplace import Ended, Workplace
from tests.figures import Tried
from tests.forges.github import TOKEN, Commit, GitHub
from tests.forges.serving import BROKEN, HTML, Reply, limited

FORKS = "ghs_of-a-fork"
PLAN = "### 1 call for 1 table\n"
MARK = "<!-- backfill-reconciler: triggers -->"
BODY = f"{MARK}\n{PLAN}"
AT_7 = {"GITHUB_REF": "refs/pull/7/merge"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A job that has written a plan into `file` and is to comment; `summary` is where a job's summary goes."""

    place: Workplace
    forge: GitHub
    file: Path
    summary: Path

    def comment(self, *options: str, **env: str) -> Ended:
        ended = self.place.run("comment", str(self.file), *options, **env)
        assert not [token for token in (TOKEN, FORKS) if token in ended.out + ended.err]
        return ended

    def with_summary(self, *options: str, **env: str) -> Ended:
        return self.comment(*options, GITHUB_STEP_SUMMARY=str(self.summary), **env)


@pytest.fixture
def desk(place: Workplace, forge: GitHub, tmp_path: Path) -> Iterator[Desk]:
    """Yield a desk at an open pull request, #7, whose head is checked out."""
    place.env.update(forge.environ)
    forge.token(FORKS, writes=False)
    forge.pull_request(7, commits=[Commit(place.git("rev-parse", "HEAD").strip())], merged=False)
    file, summary = tmp_path / "plan.md", tmp_path / "summary.md"
    file.write_text(PLAN)
    summary.write_text("")
    yield Desk(place, forge, file, summary)
    assert TOKEN.encode() not in place.everything_stored()


def test_a_comment_is_made_once_and_brought_up_to_date_after(desk: Desk) -> None:
    made = desk.comment(**AT_7)
    assert (made.code, made.out) == (0, "")
    assert "Commented: https://github.test/acme/backfills/pull/7#issuecomment-" in made.err
    assert desk.forge.bodies(7) == [BODY]
    desk.file.write_text("### Nothing to do\n")
    changed = desk.comment(**AT_7)
    assert "Brought the comment up to date: https://github.test/" in changed.err
    assert desk.forge.bodies(7) == [f"{MARK}\n### Nothing to do\n"]


def test_a_plan_of_nothing_is_a_comment_too(desk: Desk) -> None:
    desk.place.declare("fact.yaml", backfill("fact", at(1)))
    for planned, calls in ((True, "1 call"), (False, "Nothing to do")):
        assert desk.place.run("plan", "--format", "markdown", "--out", str(desk.file)).code == 0
        assert desk.comment(**AT_7).code == 0
        (body,) = desk.forge.bodies(7)
        assert calls in body
        assert desk.place.apply().code == 0 or not planned


def test_a_comment_of_somebody_else_with_our_mark_is_left_alone(desk: Desk) -> None:
    for who in ("eve", "other-app[bot]", None):
        desk.forge.comment(7, who, BODY)
    desk.forge.comment(7, "github-actions[bot]", f"Cited:\n{BODY}")
    for _ in range(2):
        assert desk.comment(**AT_7).code == 0
    assert len(desk.forge.bodies(7)) == 5


def test_two_roots_of_a_repository_have_a_comment_each(desk: Desk) -> None:
    more = replace(desk.place, root="more")
    more.configure("http://127.0.0.1:9")
    for place in (desk.place, more, desk.place):
        assert replace(desk, place=place).comment(**AT_7).code == 0
    assert [body.partition("\n")[0] for body in desk.forge.bodies(7)] == [MARK, MARK.replace("triggers", "more")]


def test_the_pull_request_is_the_one_that_is_named_or_that_ci_is_at_or_that_brought_the_commit(desk: Desk) -> None:
    head = desk.place.git("rev-parse", "HEAD").strip()
    for number in (3, 4, 5):
        desk.forge.pull_request(number, commits=[Commit(f"{number}" * 40)])
    desk.forge.pull_request(9, commits=[Commit("9" * 40)], merged=False)
    desk.forge.merge(5, as_commit="e" * 40)
    asked: list[tuple[list[str], dict[str, str], int]] = [
        (["--pull-request", "3"], AT_7, 3),
        ([], {"GITHUB_REF": "refs/pull/4/merge", "GITHUB_SHA": head}, 4),
        ([], {"GITHUB_REF": "refs/heads/main", "GITHUB_SHA": "e" * 40}, 5),
        ([], {"GITHUB_REF": "refs/heads/topic", "GITHUB_SHA": "9" * 40}, 9),
        ([], {}, 7),
    ]
    for options, env, number in asked:
        assert desk.comment(*options, **env).code == 0
        assert len(desk.forge.bodies(number)) == 1, number


UNWRITTEN: dict[str, tuple[dict[str, str], list[Reply], str]] = {
    "a fork": (
        {**AT_7, "GITHUB_TOKEN": FORKS},
        [],
        "grant the token `pull-requests: write`; where it comes from a fork",
    ),
    "a bad token": (
        {**AT_7, "GITHUB_TOKEN": "ghs_bad"},
        [],
        "the token in environment variable GITHUB_TOKEN is not valid",
    ),
    "no token": ({**AT_7, "GITHUB_TOKEN": ""}, [], "there is no token"),
    "no such pull request": ({"GITHUB_REF": "refs/pull/12/merge"}, [Reply(404, {"message": "Not Found"})], "HTTP 404"),
    "a wait": (AT_7, [limited(3600)], "asks to wait until"),
    "a login page": (AT_7, [HTML], "is not JSON"),
    "locked": (AT_7, [Reply(200, []), Reply(403, {"message": "Unable to create comment"})], "Unable to create comment"),
    "nobody knows": (AT_7, [Reply(200, []), BROKEN], "it is not known whether it took a new comment on #7"),
    "no pull request": ({"GITHUB_SHA": "d" * 40}, [Reply(200, [])], "o pull request brought this commit"),
}


@pytest.mark.claim("where no comment can be written, the job's summary has it, or the job fails and says why")
def test_where_no_comment_can_be_written_the_summary_has_it_or_the_job_fails(desk: Desk, tried: Tried) -> None:
    for case, (env, replies, words) in UNWRITTEN.items():
        desk.summary.write_text("From another step\n")
        where = "/commits" if "GITHUB_SHA" in env else "/issues"
        desk.forge.fault(*replies, where=where)
        told = desk.with_summary(**env)
        assert (told.code, told.out) == (0, ""), case
        assert words in told.err, case
        assert "The job's summary has it instead." in told.err
        assert desk.summary.read_text() == f"From another step\n{BODY}\n", case
        desk.forge.fault(*replies, where=where)
        failed = desk.comment(**env)
        assert failed.code == (2 if case == "no pull request" else 1), case
        assert words in failed.err, case
    assert desk.forge.bodies(7) == []
    tried(len(UNWRITTEN))


def test_a_commit_that_no_pull_request_brought_says_how_to_name_one(desk: Desk) -> None:
    desk.forge.numbers = lambda _: []
    assert "name one: reconciler comment FILE --pull-request N" in desk.comment(GITHUB_REF="refs/heads/main").err


def test_a_summary_that_cannot_be_written_is_told(desk: Desk, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "summary.md"):
        failed = desk.comment(GITHUB_STEP_SUMMARY=str(path), GITHUB_TOKEN=FORKS, **AT_7)
        assert failed.code == 1
        assert f"Nor can it go to the job's summary, {path}: " in failed.err
        assert "pull-requests: write" in failed.err
    none = desk.comment(GITHUB_STEP_SUMMARY="", GITHUB_TOKEN=FORKS, **AT_7)
    assert (none.code, "refuses a new comment on #7" in none.err) == (1, True)


FILES: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "cannot be read: No such file or directory"),
    "empty": (b"", "is empty"),
    "blank": (b" \n\n", "is empty"),
    "no text": (b"\xff\xfe", "cannot be read: it is not UTF-8"),
    "too long": (b"x" * 65_536, "has 65,536 characters; a comment holds 65,"),
}


def test_a_file_that_is_no_comment_is_refused_and_the_comment_stays_as_it_is(desk: Desk, tmp_path: Path) -> None:
    assert desk.comment(**AT_7).code == 0
    for case, (content, words) in FILES.items():
        file = tmp_path / f"{case}.md"
        if content is not None:
            file.write_bytes(content)
        refused = replace(desk, file=file).comment(**AT_7)
        assert (refused.code, words in refused.err) == (2 if content is None else 3, True), refused.err
        assert "write it with: reconciler plan --format markdown --out FILE" in refused.err
    assert desk.forge.bodies(7) == [BODY]


def test_a_comment_is_written_though_the_config_is_broken(desk: Desk) -> None:
    desk.place.write("reconciler.yaml", "apiVersion: [")
    assert desk.comment(**AT_7).code == 0
    assert desk.forge.bodies(7) == [BODY]
