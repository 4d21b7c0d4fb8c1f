"""GitHub behind the port: pull requests, their reviews and comments, and teams. Source: GitHub's REST API pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from time import sleep as real_sleep
from time import time as real_time
from typing import Literal, Self

from reconciler.errors import CommitUnknown, ForgeFailure
from reconciler.review.forge import Comment, Person, PullRequest, Reviewed
from reconciler.review.github_people import account, last_words, person, retargeted, strangers, writers
from reconciler.review.place import Place
from reconciler.review.rest import Ask, Refusal, Rest
from reconciler.review.shape import Record, is_commit
from reconciler.review.token import Token

MOST_COMMITS = 250
"""How many commits of a pull request GitHub lists. Source: its page on pull requests, "List commits"."""

_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+")
_SEE = "grant the token `pull-requests: read` and `contents: read`, and let it see this repository"
_EVENTS = f"{_SEE}; and `issues: read`, which tells whether it was given another base"
_WRITE = "grant the token `pull-requests: write`; where it comes from a fork it may never write"
_TEAMS = (
    "teams need a token with read:org, or a fine-grained or App's one with `Members: read`; GITHUB_TOKEN reads no team"
)
_VIEWER = "query { viewer { login databaseId } }"


class GitHub:
    """One repository of GitHub, or of a GitHub Enterprise Server. Connects when it is first asked."""

    def __init__(
        self,
        place: Place,
        token: Token,
        *,
        sleep: Callable[[float], None] = real_sleep,
        now: Callable[[], float] = real_time,
    ) -> None:
        headers = {
            "authorization": f"Bearer {token.value}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        }
        self._rest = Rest(place, token, headers, sleep=sleep, now=now)
        self._base = place.api.base
        self._name = place.repository.casefold()
        self._path = f"{place.api.base}/repos/{place.repository}"
        self._me: Person | None = None

    def close(self) -> None:
        self._rest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        """Return the pull requests of this repository that hold a commit.

        GitHub lists, for a commit on the default branch, the merged pull request that brought it; for another one the
        merged and open ones that hold it. Those of other repositories, upstream ones of a fork, are left out.
        """
        if not is_commit(commit):
            raise ValueError(f"not the full name of a commit: {commit!r}")
        ask = Ask(
            f"{self._path}/commits/{commit}/pulls?per_page=100", f"the pull requests of commit {commit[:12]}", _SEE
        )
        try:
            found = self._rest.pages(ask)
        except Refusal as refusal:
            if refusal.status == 422 and "no commit found" in refusal.said.casefold():
                raise CommitUnknown(f"commit {commit[:12]} is not on GitHub", "push it, then try again") from None
            raise
        return tuple(self._pull_request(record) for record in found if self._is_ours(record))

    def _is_ours(self, record: Record) -> bool:
        return record.record("base").record("repo").text("full_name").casefold() == self._name

    def reviewed(self, number: int) -> Reviewed:
        """Return who made and who approved a pull request.

        Writers are the accounts that GitHub ties to the commits' e-mail addresses; `strangers` those it ties to none.
        Who is named as a co-author in a message, and who pushed a commit, GitHub does not say here. Of a review from
        before the pull request was given another base, it is not known what was seen: its head is None. Raises
        ForgeFailure for more than MOST_COMMITS commits: GitHub lists no more of them.
        """
        path, about = f"{self._path}/pulls/{number}", f"pull request #{number}"
        pull = self._rest.get(Ask(path, about, _SEE))
        count = pull.number("commits")
        if count > MOST_COMMITS:
            raise ForgeFailure(
                f"{about} has {count} commits, GitHub lists {MOST_COMMITS}, so nobody can tell who wrote them all",
                "bring the rerun in a pull request of its own",
            )
        commits = self._rest.pages(Ask(f"{path}/commits?per_page=100", f"the commits of #{number}", _SEE))
        if len(commits) != count:
            raise ForgeFailure(f"GitHub lists {len(commits)} of the {count} commits of #{number}", "try again later")
        reviews = self._rest.pages(Ask(f"{path}/reviews?per_page=100", f"the reviews of #{number}", _SEE))
        events = Ask(f"{self._path}/issues/{number}/events?per_page=100", f"the events of #{number}", _EVENTS)
        return Reviewed(
            head=pull.record("head").commit("sha"),
            merged=pull.maybe_commit("merge_commit_sha"),
            author=account(pull, "user"),
            writers=writers(commits),
            reviews=last_words(reviews, retargeted(self._rest.pages(events))),
            strangers=strangers(commits),
            ref=f"refs/pull/{number}/head",
        )

    def members(self, team: str) -> frozenset[str]:
        """Return the ids of a team's members, those of its child teams included."""
        if not _TEAM.fullmatch(team):
            raise ForgeFailure(f"@{team} is not written as @organisation/team", "correct approvals.reruns.approvers")
        organisation, slug = team.split("/")
        path = f"{self._base}/orgs/{organisation}/teams/{slug}/members?per_page=100"
        try:
            found = self._rest.pages(Ask(path, f"the members of @{team}", _TEAMS))
        except Refusal as refusal:
            if refusal.status == 404:
                raise Refusal(
                    f"there is no team @{team} on GitHub, or the token may not see it", _TEAMS, 404, refusal.said
                ) from None
            raise
        return frozenset(str(record.number("id")) for record in found)

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return the comments on a pull request, oldest first; not those on its lines, nor the texts of reviews."""
        ask = Ask(f"{self._path}/issues/{number}/comments?per_page=100", f"the comments on #{number}", _SEE)
        return tuple(
            Comment(str(record.number("id")), record.maybe_text("body"), self._is_mine(account(record, "user")))
            for record in self._rest.pages(ask)
        )

    def create_comment(self, number: int, body: str) -> str:
        ask = Ask(f"{self._path}/issues/{number}/comments", f"a new comment on #{number}", _WRITE, writes=True)
        return self._rest.send("POST", ask, {"body": body}).link("html_url")

    def update_comment(self, number: int, comment: str, body: str) -> str:
        path = f"{self._path}/issues/comments/{int(comment)}"
        ask = Ask(path, f"a change of a comment on #{number}", _WRITE, writes=True)
        return self._rest.send("PATCH", ask, {"body": body}).link("html_url")

    def _pull_request(self, record: Record) -> PullRequest:
        base, number = record.record("base"), record.number("number")
        merged = record.maybe_text("merged_at") != ""
        closed: Literal["open", "closed"] = "open" if record.text("state") == "open" else "closed"
        return PullRequest(
            number=number,
            name=f"#{number}",
            url=record.link("html_url"),
            state="merged" if merged else closed,
            base=base.text("ref"),
            lasting=base.text("ref") == base.record("repo").text("default_branch"),
        )

    def _is_mine(self, writer: Person | None) -> bool:
        """Tell whether we wrote it. Not by its text: whoever may comment can copy that."""
        if writer is None:
            return False
        self._me = self._me or self._whoami()
        if self._me.id:
            return writer.id == self._me.id
        return writer.bot and writer.login.casefold() == self._me.login.casefold()

    def _whoami(self) -> Person:
        """Ask who we are. The tokens of Apps, GITHUB_TOKEN among them, may ask GraphQL alone; its id may be missing.

        A login is then enough: an App's ends in `[bot]`, which no person's can.
        """
        try:
            return person(self._rest.get(Ask(f"{self._base}/user", "who the token belongs to", _SEE)))
        except Refusal as refusal:
            if refusal.status != 403:
                raise
        path = f"{self._base.removesuffix('/v3')}/graphql"
        answer = self._rest.send("POST", Ask(path, "who the token belongs to", _SEE), {"query": _VIEWER})
        viewer = answer.record("data").record("viewer")
        known = viewer.fields.get("databaseId") is not None
        return Person(str(viewer.number("databaseId")) if known else "", viewer.text("login"), bot=True)
