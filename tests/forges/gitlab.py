"""GitLab for tests: the calls that the client makes, answered in the shapes of GitLab's REST API pages.

State is set up in plain words, oldest first: `forge.merge_request(7, author="dana", commits=[sha])`,
`forge.approve(7, "lee")`, `forge.push(7, sha)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.forges.serving import Asked, Json, Reply, Serving

TOKEN = "glpat-for-the-tests"
"""A project access token with the scope api: its account is BOT."""

BOT = "project_8_bot_4ffca233d8298ea1"
PROJECT = 8

_SCOPE = {
    "error": "insufficient_scope",
    "error_description": "The request requires higher privileges than provided by the access token.",
    "scope": "api",
}


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a merge request, with what git says of who wrote it."""

    sha: str
    name: str = "Dana Doe"
    email: str = "dana@example.org"


@dataclass(slots=True)
class _Request:
    iid: int
    author: str | None
    target: str
    state: str
    project: int
    merged_as: str | None = None
    commits: list[Commit] = field(default_factory=list)
    versions: list[Json] = field(default_factory=list)
    approvals: dict[str, str] = field(default_factory=dict)
    notes: list[Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Rights:
    who: str
    writes: bool
    groups: bool
    job: bool


class GitLab(Serving):
    """One project. `iids` says which merge requests hold a commit: None for a commit that is not there.

    `dates_approvals` is False for a GitLab from before approvals had a time of their own.
    """

    def __init__(
        self,
        project: str = "acme/warehouse/data",
        *,
        default_branch: str = "main",
        dates_approvals: bool = True,
        page_size: int = 100,
        iids: Callable[[str], Sequence[int] | None] | None = None,
    ) -> None:
        super().__init__("/api/v4", page_size)
        self.project = project
        self.default_branch = default_branch
        self.dates_approvals = dates_approvals
        self.iids = iids or self._holding
        self._people: dict[str, Json] = {}
        self._requests: dict[int, _Request] = {}
        self._groups: dict[str, list[str]] = {}
        self._tokens: dict[str, _Rights] = {}
        self._next = 1000
        self.token(TOKEN)
        request = "/projects/{project}/merge_requests/{iid}"
        self.route("GET", "/projects/{project}", self._get_project)
        self.route("GET", "/projects/{project}/repository/commits/{sha}/merge_requests", self._commit_requests)
        self.route("GET", request, self._get_request)
        self.route("GET", f"{request}/commits", self._get_commits)
        self.route("GET", f"{request}/versions", self._get_versions)
        self.route("GET", f"{request}/approvals", self._get_approvals)
        self.route("GET", f"{request}/notes", self._get_notes)
        self.route("POST", f"{request}/notes", self._post_note)
        self.route("PUT", f"{request}/notes/{{note}}", self._put_note)
        self.route("GET", "/groups/{group}/members/all", self._get_members)
        self.route("GET", "/users/{id}", self._get_account)
        self.route("GET", "/user", self._get_user)

    def person(self, username: str, *, name: str = "", email: str = "", bot: bool = False) -> int:
        """Know an account with its full name and its public e-mail address, and return its id."""
        user = self._user(username)
        user.update(name=name or user["name"], public_email=email or None, bot=bot)
        return int(user["id"])

    def rename(self, old: str, new: str) -> None:
        """Give an account another username; its id stays."""
        user = self._people.pop(old)
        self._people[new] = user
        user["username"] = new
        for request in self._requests.values():
            request.author = new if request.author == old else request.author
            request.approvals = {new if who == old else who: when for who, when in request.approvals.items()}
            for note in request.notes:
                note["author"] = new if note["author"] == old else note["author"]

    def token(
        self, value: str, *, who: str = BOT, writes: bool = True, groups: bool = False, job: bool = False
    ) -> None:
        """Know a token: whose it is, whether its scope is api, and whether it may see groups. `job`: CI_JOB_TOKEN."""
        self._tokens[value] = _Rights(who, writes, groups, job)

    def group(self, path: str, *usernames: str) -> None:
        """Have a group, named by its full path."""
        self._groups[path.lower()] = list(usernames)

    def merge_request(
        self,
        iid: int,
        *,
        author: str | None = "dana",
        commits: Sequence[Commit | str] = (),
        state: str = "merged",
        target: str = "",
        project: int = PROJECT,
    ) -> None:
        """Have a merge request: one version with these commits, whose last is its head."""
        request = _Request(iid, author, target or self.default_branch, state, project)
        self._requests[iid] = request
        self.push(iid, *commits)

    def push(self, iid: int, *commits: Commit | str) -> None:
        """Add commits, which makes a version of them."""
        request = self._requests[iid]
        request.commits += [Commit(commit) if isinstance(commit, str) else commit for commit in commits]
        head = request.commits[-1].sha
        request.versions.append({"id": self._new_id(), "head_commit_sha": head, "created_at": self.tick()})

    def merge(self, iid: int, as_commit: str | None = None) -> None:
        """Merge a merge request; `as_commit` is the merge commit."""
        self._requests[iid].state = "merged"
        self._requests[iid].merged_as = as_commit

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which a job in this forge's CI finds it, the token included."""
        return {"CI_API_V4_URL": self.url, "CI_PROJECT_PATH": self.project, "GITLAB_TOKEN": TOKEN}

    def approve(self, iid: int, who: str) -> None:
        """Let somebody approve a merge request: before it is merged. Source: GitLab's merge request 138925."""
        request, when = self._requests[iid], self.tick()
        assert request.merged_as is None, "GitLab takes no approval of what is merged"
        request.approvals[who] = when
        self._note(request, who, "approved this merge request", when, system=True)

    def unapprove(self, iid: int, who: str) -> None:
        request = self._requests[iid]
        del request.approvals[who]
        self._note(request, who, "unapproved this merge request", self.tick(), system=True)

    def note(self, iid: int, who: str, body: str) -> int:
        """Let somebody write a comment, and return its id."""
        return int(self._note(self._requests[iid], who, body, self.tick(), system=False)["id"])

    def bodies(self, iid: int) -> list[str]:
        """Return the texts of people's comments on a merge request, oldest first."""
        return [note["body"] for note in self._requests[iid].notes if not note["system"]]

    def refuse(self, asked: Asked) -> Reply | None:
        rights = self._rights(asked)
        if rights is None:
            return Reply(401, {"message": "401 Unauthorized"})
        if rights.job and not _open_to_jobs(asked):
            return Reply(401, {"message": "401 Unauthorized"})
        if asked.method != "GET" and not rights.writes:
            return Reply(403, _SCOPE)
        if asked.path.startswith("/projects/"):
            named = asked.path.split("/")[2].replace("%2F", "/")
            known = named.lower() == self.project.lower() or named == str(PROJECT)
            return None if known else Reply(404, {"message": "404 Project Not Found"})
        return None

    def _rights(self, asked: Asked) -> _Rights | None:
        for header, job in (("private-token", False), ("job-token", True)):
            rights = self._tokens.get(asked.headers.get(header, ""))
            if rights is not None and rights.job == job:
                return rights
        return None

    def _holding(self, sha: str) -> Sequence[int] | None:
        found = [
            one.iid
            for one in self._requests.values()
            if sha in {one.merged_as, *(commit.sha for commit in one.commits)}
        ]
        return found or None

    def _new_id(self) -> int:
        self._next += 1
        return self._next

    def _user(self, username: str) -> Json:
        if username not in self._people:
            self._people[username] = {
                "id": 500 + len(self._people),
                "username": username,
                "name": f"{username.title()} Doe",
                "state": "active",
                "public_email": None,
                "bot": username == BOT,
            }
        return self._people[username]

    def _basic(self, username: str | None) -> Json | None:
        if username is None:
            return None
        user = self._user(username)
        shown = {name: user[name] for name in ("id", "username", "name", "state")}
        return {**shown, "avatar_url": None, "web_url": f"https://gitlab.test/{user['username']}"}

    def _get_project(self, _: Asked, __: str) -> Reply:
        name = self.project.rpartition("/")[2]
        return Reply(
            200,
            {
                "id": PROJECT,
                "name": name,
                "path_with_namespace": self.project,
                "default_branch": self.default_branch,
                "web_url": f"https://gitlab.test/{self.project}",
            },
        )

    def _commit_requests(self, _: Asked, __: str, sha: str) -> Reply:
        iids = self.iids(sha)
        if iids is None:
            return Reply(404, {"message": "404 Commit Not Found"})
        return Reply(200, [self._shown(self._requests[iid]) for iid in iids])

    def _shown(self, request: _Request) -> Json:
        return {
            "id": 7000 + request.iid,
            "iid": request.iid,
            "project_id": request.project,
            "title": f"merge request {request.iid}",
            "state": request.state,
            "target_branch": request.target,
            "source_branch": "topic",
            "author": self._basic(request.author),
            "sha": request.commits[-1].sha if request.commits else None,
            "merge_commit_sha": request.merged_as,
            "squash": False,
            "squash_commit_sha": None,
            "web_url": f"https://gitlab.test/{self.project}/-/merge_requests/{request.iid}",
        }

    def _found(self, iid: str) -> _Request | None:
        return self._requests.get(int(iid))

    def _get_request(self, _: Asked, __: str, iid: str) -> Reply:
        request = self._found(iid)
        return Reply(200, self._shown(request)) if request else Reply(404, {"message": "404 Not found"})

    def _get_commits(self, _: Asked, __: str, iid: str) -> Reply:
        # GitLab lists the newest first.
        return Reply(
            200,
            [
                {
                    "id": commit.sha,
                    "short_id": commit.sha[:8],
                    "title": "Ask for a rerun",
                    "author_name": commit.name,
                    "author_email": commit.email,
                    "committer_name": commit.name,
                    "committer_email": commit.email,
                }
                for commit in reversed(self._requests[int(iid)].commits)
            ],
        )

    def _get_versions(self, _: Asked, __: str, iid: str) -> Reply:
        more = {"base_commit_sha": "0" * 40, "start_commit_sha": "0" * 40, "state": "collected", "real_size": "1"}
        return Reply(200, [{**version, **more} for version in reversed(self._requests[int(iid)].versions)])

    def _get_approvals(self, _: Asked, __: str, iid: str) -> Reply:
        approvals = [
            {"user": self._basic(who), **({"approved_at": when} if self.dates_approvals else {})}
            for who, when in self._requests[int(iid)].approvals.items()
        ]
        return Reply(200, {"iid": int(iid), "approved": bool(approvals), "approved_by": approvals})

    def _get_notes(self, asked: Asked, _: str, iid: str) -> Reply:
        notes = [{**note, "author": self._basic(note["author"])} for note in self._requests[int(iid)].notes]
        return Reply(200, notes if asked.query.get("sort") == "asc" else notes[::-1])

    def _note(self, request: _Request, who: str, body: str, when: str, *, system: bool) -> Json:
        note = {
            "id": self._new_id(),
            "body": body,
            "author": who,
            "created_at": when,
            "updated_at": when,
            "system": system,
            "noteable_type": "MergeRequest",
            "noteable_iid": request.iid,
        }
        request.notes.append(note)
        return note

    def _post_note(self, asked: Asked, _: str, iid: str) -> Reply:
        rights = self._rights(asked)
        assert rights is not None
        note = self._note(self._requests[int(iid)], rights.who, asked.json["body"], self.tick(), system=False)
        return Reply(201, {**note, "author": self._basic(rights.who)})

    def _put_note(self, asked: Asked, _: str, iid: str, note_id: str) -> Reply:
        for note in self._requests[int(iid)].notes:
            if note["id"] == int(note_id):
                note["body"] = asked.json["body"]
                return Reply(200, {**note, "author": self._basic(note["author"])})
        return Reply(404, {"message": "404 Not found"})

    def _get_members(self, asked: Asked, group: str) -> Reply:
        rights = self._rights(asked)
        members = self._groups.get(group.lower())
        if members is None or rights is None or not rights.groups:
            return Reply(404, {"message": "404 Group Not Found"})
        return Reply(200, [{**(self._basic(name) or {}), "access_level": 30} for name in members])

    def _get_account(self, _: Asked, number: str) -> Reply:
        for user in self._people.values():
            if user["id"] == int(number):
                return Reply(200, user)
        return Reply(404, {"message": "404 User Not Found"})

    def _get_user(self, asked: Asked) -> Reply:
        rights = self._rights(asked)
        assert rights is not None
        return Reply(200, self._user(rights.who))


def _open_to_jobs(asked: Asked) -> bool:
    """Tell whether a job's token may do this. Source: GitLab's page on CI_JOB_TOKEN."""
    parts = asked.path.split("/")
    if asked.method != "GET" or len(parts) < 4:
        return False
    return parts[3] == "repository" or (parts[3] == "merge_requests" and (len(parts) == 5 or parts[5] == "notes"))
