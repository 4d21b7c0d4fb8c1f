"""GitLab behind the port: merge requests, their approvals and notes, and groups. Source: GitLab's REST API pages.

GitLab's answers leave more open than GitHub's. It does not tie the commits of a merge request to accounts, so writers
are known only as far as `gitlab_people` can tell; let the project prevent approvals by its commits' authors. An
approval outlives a push unless the project resets it, so each is dated against the versions of the merge request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from time import sleep as real_sleep
from time import time as real_time
from typing import Literal, Self
from urllib.parse import quote

from reconciler.errors import CommitUnknown, ForgeFailure
from reconciler.review.forge import Comment, PullRequest, Review, Reviewed
from reconciler.review.gitlab_people import Account, Signature, account, person, writers
from reconciler.review.gitlab_time import approvals_in_notes, looked_at
from reconciler.review.place import Place
from reconciler.review.rest import Ask, Refusal, Rest
from reconciler.review.shape import Record, is_commit
from reconciler.review.token import JOB_TOKEN, Token

_STATES: dict[str, Literal["open", "merged", "closed"]] = {"opened": "open", "merged": "merged", "closed": "closed"}
_SEE = f"use a project access token of the role Reporter or above with the scope read_api; {JOB_TOKEN} may not do this"
_WRITE = f"use a project access token of the role Reporter or above with the scope api; {JOB_TOKEN} may not do this"
_GROUPS = "use the token of somebody who may see that group, with the scope read_api; a project's own token may not"
# Not a number alone: GitLab would take that for the id of some other group.
_GROUP = re.compile(r"(?![0-9]+$)(?!\.\.?(?:/|$))[A-Za-z0-9._-]+(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._-]+)*")
_PER_PAGE = "per_page=100"
_OLDEST_FIRST = f"sort=asc&order_by=created_at&{_PER_PAGE}"


class GitLab:
    """One project of gitlab.com or of another GitLab. Connects when it is first asked."""

    def __init__(
        self,
        place: Place,
        token: Token,
        *,
        sleep: Callable[[float], None] = real_sleep,
        now: Callable[[], float] = real_time,
    ) -> None:
        header = "job-token" if token.source == f"environment variable {JOB_TOKEN}" else "private-token"
        headers = {header: token.value, "accept": "application/json"}
        self._rest = Rest(place, token, headers, sleep=sleep, now=now)
        self._base = place.api.base
        self._path = f"{place.api.base}/projects/{quote(place.repository, safe='')}"
        self._project: Record | None = None
        self._me: int | None = None

    def close(self) -> None:
        self._rest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        """Return the merge requests into this project that hold a commit, or whose merge or squash made it.

        Squash commits are known since GitLab 13.8 (its issue 294257): those before belong to no merge request.
        """
        if not is_commit(commit):
            raise ValueError(f"not the full name of a commit: {commit!r}")
        project = self._get_project()
        path = f"{self._path}/repository/commits/{commit}/merge_requests?{_PER_PAGE}"
        try:
            found = self._rest.pages(Ask(path, f"the merge requests of commit {commit[:12]}", _SEE))
        except Refusal as refusal:
            if refusal.status == 404 and "commit" in refusal.said.casefold():
                raise CommitUnknown(f"commit {commit[:12]} is not on GitLab", "push it, then try again") from None
            raise
        lasting = project.maybe_text("default_branch")
        ours = (record for record in found if record.number("project_id") == project.number("id"))
        return tuple(_pull_request(record, lasting) for record in ours)

    def reviewed(self, number: int) -> Reviewed:
        """Return who made and who approved a merge request.

        A review is there for every approval that GitLab still counts; one that was taken back, or reset by a push, is
        gone. Its head is the version that stood when it was given, None where no time of it is known. A bot is what
        GitLab calls one, or what is named as its bots are. Requested changes and pushers are not seen. Commits name
        e-mail addresses and no accounts: writers are those that an address or a name tells of; no stranger is known.
        """
        path = f"{self._path}/merge_requests/{number}"
        request = self._rest.get(Ask(path, f"merge request !{number}", _SEE))
        signatures = self._signatures(path, number)
        approvals = self._rest.get(Ask(f"{path}/approvals", f"the approvals of !{number}", _SEE)).records("approved_by")
        accounts = [self._account(approval.record("user")) for approval in approvals]
        author, squash = request.maybe_record("author"), request.maybe_commit("squash_commit_sha")
        return Reviewed(
            head=request.commit("sha"),
            merged=request.maybe_commit("merge_commit_sha") or squash,
            squash=squash,
            ref=f"refs/merge-requests/{number}/head",
            author=person(author) if author else None,
            writers=writers(signatures, accounts),
            reviews=self._reviews(path, number, approvals, accounts),
        )

    def members(self, team: str) -> frozenset[str]:
        """Return the ids of a group's members, those of the groups above it included."""
        if not _GROUP.fullmatch(team):
            raise ForgeFailure(
                f"@{team} is not written as @group or @group/subgroup", "correct approvals.reruns.approvers"
            )
        path = f"{self._base}/groups/{quote(team, safe='')}/members/all?{_PER_PAGE}"
        try:
            found = self._rest.pages(Ask(path, f"the members of @{team}", _GROUPS))
        except Refusal as refusal:
            if refusal.status == 404:
                raise Refusal(
                    f"there is no group @{team} on GitLab, or the token may not see it", _GROUPS, 404, refusal.said
                ) from None
            raise
        return frozenset(str(record.number("id")) for record in found)

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return the comments on a merge request, oldest first, without the notes that GitLab itself writes."""
        return tuple(
            Comment(str(note.number("id")), note.maybe_text("body"), self._is_mine(note.maybe_record("author")))
            for note in self._notes(f"{self._path}/merge_requests/{number}", number)
            if not note.truth("system")
        )

    def create_comment(self, number: int, body: str) -> str:
        path = f"{self._path}/merge_requests/{number}/notes"
        note = self._rest.send("POST", Ask(path, f"a new comment on !{number}", _WRITE, writes=True), {"body": body})
        return self._note_url(number, note)

    def update_comment(self, number: int, comment: str, body: str) -> str:
        path = f"{self._path}/merge_requests/{number}/notes/{int(comment)}"
        ask = Ask(path, f"a change of a comment on !{number}", _WRITE, writes=True)
        return self._note_url(number, self._rest.send("PUT", ask, {"body": body}))

    def _note_url(self, number: int, note: Record) -> str:
        """Return where a note is read: GitLab answers no address of it."""
        request = self._rest.get(Ask(f"{self._path}/merge_requests/{number}", f"merge request !{number}", _SEE))
        return f"{request.link('web_url')}#note_{note.number('id')}"

    def _get_project(self) -> Record:
        self._project = self._project or self._rest.get(Ask(self._path, "the project", _SEE))
        return self._project

    def _notes(self, path: str, number: int) -> tuple[Record, ...]:
        return self._rest.pages(Ask(f"{path}/notes?{_OLDEST_FIRST}", f"the comments on !{number}", _SEE))

    def _signatures(self, path: str, number: int) -> tuple[Signature, ...]:
        commits = self._rest.pages(Ask(f"{path}/commits?{_PER_PAGE}", f"the commits of !{number}", _SEE))
        found = (
            Signature(commit.maybe_text(f"{role}_name"), commit.maybe_text(f"{role}_email"))
            for commit in commits
            for role in ("author", "committer")
        )
        return tuple(sorted(set(found)))

    def _account(self, user: Record) -> Account:
        """Ask for what the list of approvals leaves out: whether it is a bot, and its public e-mail address."""
        try:
            more = self._rest.get(Ask(f"{self._base}/users/{user.number('id')}", "an approver's account", _SEE))
        except Refusal:
            return account(user)  # not everybody may see every account; its name still says something
        return account(more)

    def _reviews(
        self, path: str, number: int, approvals: tuple[Record, ...], accounts: list[Account]
    ) -> tuple[Review, ...]:
        if not approvals:
            return ()
        versions = self._rest.pages(Ask(f"{path}/versions?{_PER_PAGE}", f"the versions of !{number}", _SEE))
        undated = any(not approval.maybe_text("approved_at") for approval in approvals)
        noted = approvals_in_notes(self._notes(path, number)) if undated else {}
        found = []
        for approval, approver in zip(approvals, accounts, strict=True):
            dated = approval.maybe_text("approved_at") != ""
            when = approval.time("approved_at") if dated else noted.get(approver.person.id)
            found.append(Review(approver.person, "approved", looked_at(versions, when) if when else None))
        return tuple(found)

    def _is_mine(self, author: Record | None) -> bool:
        """Tell whether we wrote it. Not by its text: whoever may comment can copy that."""
        if author is None:
            return False
        if self._me is None:
            self._me = self._rest.get(Ask(f"{self._base}/user", "who the token belongs to", _SEE)).number("id")
        return author.number("id") == self._me


def _pull_request(record: Record, lasting: str) -> PullRequest:
    """Read a merge request. Once it is merged, nobody can approve it. Source: GitLab's merge request 138925."""
    state = _STATES.get(record.text("state"), "open")  # `locked` while it is being merged
    number, base = record.number("iid"), record.text("target_branch")
    return PullRequest(
        number=number,
        name=f"!{number}",
        url=record.link("web_url"),
        state=state,
        base=base,
        lasting=base == lasting,
        approvable=state != "merged",
    )
