"""GitHub for tests: the calls that the client makes, answered in the shapes of GitHub's REST API pages.

State is set up in plain words: `forge.pull_request(7, author="dana", commits=[sha])`, `forge.review(7, "lee",
"APPROVED", commit=sha)`. What is set up first is older.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.forges.serving import Asked, Json, Reply, Serving

ACTIONS = "github-actions[bot]"
TOKEN = "ghs_for-the-tests"
"""A token that may read and write, as GITHUB_TOKEN with `pull-requests: write`: it is an App's and reads no team."""

_DOCS = "https://docs.github.com/rest"
_APPS_WORDS = "Resource not accessible by integration"
_PERSONS_WORDS = "Resource not accessible by personal access token"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a pull request. `author` and `committer` are logins; None where the e-mail address is nobody's."""

    sha: str
    author: str | None = "dana"
    committer: str | None = "web-flow"
    email: str = "dana@example.org"


@dataclass(slots=True)
class _Pull:
    number: int
    author: str | None
    commits: tuple[Commit, ...]
    state: str
    base: str
    repository: str
    merged_as: str | None = None
    reviews: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Rights:
    """Whose token it is and what it may; an App's where `who` is a bot."""

    who: str
    writes: bool
    teams: bool


class GitHub(Serving):
    """One repository. `numbers` says which pull requests hold a commit: None for a commit that is not there."""

    def __init__(
        self,
        repository: str = "acme/data",
        *,
        default_branch: str = "main",
        prefix: str = "/api/v3",
        page_size: int = 100,
        numbers: Callable[[str], Sequence[int] | None] | None = None,
    ) -> None:
        super().__init__(prefix, page_size)
        self.repository = repository
        self.default_branch = default_branch
        self.numbers = numbers or self._holding
        self._ids: dict[str, int] = {}
        self._kinds: dict[str, str] = {ACTIONS: "Bot"}
        self._pulls: dict[int, _Pull] = {}
        self._comments: dict[int, list[Json]] = {}
        self._teams: dict[str, list[str]] = {}
        self._tokens: dict[str, _Rights] = {}
        self._next = 1000
        self.token(TOKEN)
        repo = r"/(?:repos/[^/]+/[^/]+|repositories/1300192)"
        self.route("GET", rf"{repo}/commits/{{sha}}/pulls", self._commit_pulls)
        self.route("GET", rf"{repo}/pulls/{{number}}", self._get_pull)
        self.route("GET", rf"{repo}/pulls/{{number}}/commits", self._get_commits)
        self.route("GET", rf"{repo}/pulls/{{number}}/reviews", self._get_reviews)
        self.route("GET", rf"{repo}/issues/{{number}}/events", self._get_events)
        self.route("GET", rf"{repo}/issues/{{number}}/comments", self._get_comments)
        self.route("POST", rf"{repo}/issues/{{number}}/comments", self._post_comment)
        self.route("PATCH", rf"{repo}/issues/comments/{{id}}", self._patch_comment)
        self.route("GET", "/orgs/{org}/teams/{slug}/members", self._get_members)
        self.route("GET", "/user", self._get_user)
        self.route("POST", "(?:/api)?/graphql", self._graphql)

    def person(self, login: str, *, kind: str = "User") -> None:
        """Know an account of another kind than a person: `Bot`, `Organization`, `Mannequin`."""
        self._kinds[login] = kind

    def rename(self, old: str, new: str) -> None:
        """Give an account another login; its id stays, and what it said is shown under the new one."""
        number = self._ids.pop(old)
        self._ids[new] = number

    def token(self, value: str, *, who: str = ACTIONS, writes: bool = True, teams: bool = False) -> None:
        """Know a token: whose it is, whether it may write comments, and whether it may read teams."""
        self._tokens[value] = _Rights(who, writes, teams)

    def team(self, name: str, *logins: str) -> None:
        """Have a team, named as in CODEOWNERS without the `@`: `acme/data-platform`."""
        self._teams[name.lower()] = list(logins)

    def pull_request(
        self,
        number: int,
        *,
        author: str | None = "dana",
        commits: Sequence[Commit | str] = (),
        merged: bool = True,
        state: str = "",
        base: str = "",
        repository: str = "",
    ) -> None:
        """Have a pull request; its last commit is its head. `author` None is a ghost."""
        known = tuple(Commit(commit) if isinstance(commit, str) else commit for commit in commits)
        self._pulls[number] = _Pull(
            number,
            author,
            known,
            state or ("merged" if merged else "open"),
            base or self.default_branch,
            repository or self.repository,
        )

    def review(self, number: int, who: str | None, state: str, *, commit: str | None) -> None:
        """Add a review: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING. `who` None is a ghost."""
        # GitHub remembers who by id, so what is kept is the id and the login comes with each answer.
        who_id = None if who is None else self._user(who)["id"]
        self._pulls[number].reviews.append(
            {"id": self._new_id(), "who": who_id, "state": state, "commit_id": commit, "submitted_at": self.tick()}
        )

    def dismiss(self, number: int, who: str) -> None:
        """Dismiss somebody's last review that is more than a comment: it stays in its place in the list."""
        reviews = [one for one in self._pulls[number].reviews if one["who"] == self._user(who)["id"]]
        [one for one in reviews if one["state"] in ("APPROVED", "CHANGES_REQUESTED")][-1]["state"] = "DISMISSED"

    def push(self, number: int, *commits: Commit | str) -> None:
        """Add commits to a pull request."""
        pull = self._pulls[number]
        pull.commits += tuple(Commit(commit) if isinstance(commit, str) else commit for commit in commits)

    def merge(self, number: int, as_commit: str | None = None) -> None:
        """Merge a pull request; `as_commit` is the commit of its branch that did it, or that it was squashed to."""
        self._pulls[number].state = "merged"
        self._pulls[number].merged_as = as_commit

    def retarget(self, number: int, base: str) -> None:
        """Have a pull request be for another branch."""
        self._pulls[number].base = base
        self._pulls[number].events.append(
            {"id": self._new_id(), "event": "base_ref_changed", "created_at": self.tick()}
        )

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which a job in this forge's CI finds it, the token included."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": self.repository, "GITHUB_TOKEN": TOKEN}

    def comment(self, number: int, who: str | None, body: str) -> int:
        """Let somebody write a comment, and return its id. `who` None is a ghost."""
        comment = self._new_comment(number, who, body)
        return int(comment["id"])

    def bodies(self, number: int) -> list[str]:
        """Return the texts of the comments on a pull request, oldest first."""
        return [comment["body"] for comment in self._comments.get(number, [])]

    def refuse(self, asked: Asked) -> Reply | None:
        rights = self._rights(asked)
        if rights is None:
            return _no(401, "Bad credentials")
        said = _APPS_WORDS if rights.who.endswith("[bot]") else _PERSONS_WORDS
        if asked.method != "GET" and not asked.path.endswith("/graphql") and not rights.writes:
            return _no(403, said)
        if asked.path.startswith("/repos/"):
            named = "/".join(asked.path.split("/")[2:4])
            return None if named.lower() == self.repository.lower() else _no(404, "Not Found")
        return None

    def no_such(self, asked: Asked) -> Reply:
        return _no(404, "Not Found")

    def link_path(self, path: str) -> str:
        """Return the path that GitHub's Link headers have: repositories by number."""
        parts = path.split("/")
        return "/".join(["", "repositories", "1300192", *parts[4:]]) if parts[1] == "repos" else path

    def _rights(self, asked: Asked) -> _Rights | None:
        kind, _, value = asked.headers.get("authorization", "").partition(" ")
        return self._tokens.get(value) if kind == "Bearer" else None

    def _holding(self, sha: str) -> Sequence[int] | None:
        found = [
            pull.number
            for pull in self._pulls.values()
            if sha in {pull.merged_as, *(commit.sha for commit in pull.commits)}
        ]
        return found or None

    def _new_id(self) -> int:
        self._next += 1
        return self._next

    def _user(self, login: str | None) -> Any:
        if login is None:
            return None
        number = self._ids.setdefault(login, 500 + len(self._ids))
        kind = self._kinds.get(login, "User")
        return {
            "login": login,
            "id": number,
            "node_id": f"U_{number}",
            "url": f"{self.url}/users/{login}",
            "html_url": f"https://github.test/{login}",
            "type": kind,
            "site_admin": False,
        }

    def _by_id(self, number: int | None) -> Any:
        return None if number is None else self._user(next(name for name, one in self._ids.items() if one == number))

    def _commit_pulls(self, _: Asked, sha: str) -> Reply:
        numbers = self.numbers(sha)
        if numbers is None:
            return _no(422, f"No commit found for SHA: {sha}")
        return Reply(200, [self._simple(self._pulls[number]) for number in numbers])

    def _simple(self, pull: _Pull) -> Json:
        owner, name = pull.repository.split("/")
        repository = {
            "id": 1300192,
            "node_id": "R_1300192",
            "name": name,
            "full_name": pull.repository,
            "owner": self._user(owner),
            "default_branch": self.default_branch,
        }
        return {
            "url": f"{self.url}/repos/{pull.repository}/pulls/{pull.number}",
            "id": 7000 + pull.number,
            "node_id": f"PR_{pull.number}",
            "html_url": f"https://github.test/{pull.repository}/pull/{pull.number}",
            "number": pull.number,
            "state": "open" if pull.state == "open" else "closed",
            "title": f"pull request {pull.number}",
            "user": self._user(pull.author),
            "merge_commit_sha": pull.merged_as,
            "merged_at": "2026-01-21T09:00:00Z" if pull.state == "merged" else None,
            "head": {"ref": "topic", "sha": pull.commits[-1].sha if pull.commits else "0" * 40, "repo": None},
            "base": {"ref": pull.base, "sha": "0" * 40, "repo": repository},
        }

    def _get_pull(self, _: Asked, number: str) -> Reply:
        pull = self._pulls.get(int(number))
        if pull is None:
            return _no(404, "Not Found")
        return Reply(
            200, {**self._simple(pull), "merged": pull.state == "merged", "commits": len(pull.commits), "comments": 0}
        )

    def _get_commits(self, _: Asked, number: str) -> Reply:
        return Reply(200, [self._commit(commit) for commit in self._pulls[int(number)].commits[:250]])

    def _commit(self, commit: Commit) -> Json:
        signature = {"name": "Dana", "email": commit.email, "date": "2026-01-20T08:00:00Z"}
        return {
            "sha": commit.sha,
            "node_id": f"C_{commit.sha}",
            "commit": {"author": signature, "committer": signature, "message": "Ask for a rerun"},
            "author": self._user(commit.author),
            "committer": self._user(commit.committer),
            "parents": [],
        }

    def _get_reviews(self, _: Asked, number: str) -> Reply:
        return Reply(
            200,
            [
                {
                    **{name: value for name, value in review.items() if name != "who"},
                    "node_id": f"PRR_{review['id']}",
                    "user": self._by_id(review["who"]),
                    "body": "",
                    "author_association": "MEMBER",
                }
                for review in self._pulls[int(number)].reviews
            ],
        )

    def _get_events(self, _: Asked, number: str) -> Reply:
        opened = {"id": 1, "event": "review_requested", "created_at": "2026-01-01T00:00:00Z"}
        return Reply(200, [opened, *self._pulls[int(number)].events])

    def _get_members(self, asked: Asked, organisation: str, slug: str) -> Reply:
        rights = self._rights(asked)
        team = self._teams.get(f"{organisation}/{slug}".lower())
        if team is None or rights is None or not rights.teams:
            return _no(404, "Not Found")
        return Reply(200, [self._user(login) for login in team])

    def _get_user(self, asked: Asked) -> Reply:
        rights = self._rights(asked)
        assert rights is not None
        if rights.who.endswith("[bot]"):
            return _no(403, _APPS_WORDS)
        return Reply(200, self._user(rights.who))

    def _graphql(self, asked: Asked) -> Reply:
        rights = self._rights(asked)
        assert rights is not None
        assert "viewer" in asked.json["query"]
        user = self._user(rights.who)
        return Reply(200, {"data": {"viewer": {"login": user["login"], "databaseId": user["id"]}}})

    def _get_comments(self, _: Asked, number: str) -> Reply:
        comments = self._comments.get(int(number), [])
        return Reply(200, [{**one, "user": one["user"] and self._by_id(one["user"]["id"])} for one in comments])

    def _post_comment(self, asked: Asked, number: str) -> Reply:
        rights = self._rights(asked)
        assert rights is not None
        return Reply(201, self._new_comment(int(number), rights.who, asked.json["body"]))

    def _new_comment(self, number: int, who: str | None, body: str) -> Json:
        comment_id, when = self._new_id(), self.tick()
        comment = {
            "id": comment_id,
            "node_id": f"IC_{comment_id}",
            "url": f"{self.url}/repos/{self.repository}/issues/comments/{comment_id}",
            "html_url": f"https://github.test/{self.repository}/pull/{number}#issuecomment-{comment_id}",
            "user": self._user(who),
            "created_at": when,
            "updated_at": when,
            "body": body,
            "performed_via_github_app": None,
        }
        self._comments.setdefault(number, []).append(comment)
        return comment

    def _patch_comment(self, asked: Asked, comment_id: str) -> Reply:
        for comments in self._comments.values():
            for comment in comments:
                if comment["id"] == int(comment_id):
                    comment.update(body=asked.json["body"], updated_at=self.tick())
                    return Reply(200, comment)
        return _no(404, "Not Found")


def _no(status: int, message: str) -> Reply:
    return Reply(status, {"message": message, "documentation_url": _DOCS, "status": str(status)})
