"""A team at work: a repository made by `init`, pull requests on a forge's stand-in, and the jobs that `init` wrote."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.jobs import GitHubRunner, GitLabRunner, Machine, Ran
from tests.e2e.manifests import Document, text_of
from tests.e2e.nursery import Nursery
from tests.e2e.readying import TOOL
from tests.e2e.workplace import SECRET, Workplace, git
from tests.forges import github, gitlab

ROOT = "triggers"
SECRETS = {"ANYMETRICS_AUTH_VALUE": SECRET, "RECONCILER_ALLOWED_HOSTS": "127.0.0.1"}
JOB_TOKEN = "glcbt-of-a-job"


class Hub(ABC):
    """The team's repository: `top` is somebody's clone, `remote` what all share. Request N has a branch `pull-N`."""

    name: str

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        """Make an empty repository and its remote."""
        self.remote, self.top, self.machine = folder / "remote.git", folder / "clone", folder / "machine"
        self.machine.mkdir()
        git(folder, "init", "-q", "--bare", "--template=", os.fspath(self.remote))
        git(folder, "init", "-q", "--template=", os.fspath(self.top))
        git(self.top, "remote", "add", "origin", os.fspath(self.remote))
        self.place = Workplace(self.top, self.remote, nursery)

    def git(self, *arguments: str) -> str:
        return git(self.top, *arguments).strip()

    def begin(self, scheduler: str, *approvers: str, report: str = "artifact") -> None:
        """Let `init` make the repository ready for a scheduler, and push that to main without a pull request."""
        named = [word for who in approvers for word in ("--approver", who)]
        target = ("--url", scheduler, "--tenant", "tn", "--time-zone", "Asia/Shanghai")
        made = self.place.run("init", "--forge", self.name, *named, "--tool", TOOL, *target, "--report", report)
        assert made.code == 0, made.err
        self._commit("Begin")
        self.git("push", "-q", "origin", "HEAD:main")

    def push_main(self, file: str, *manifests: Document) -> str:
        """Write one file of the root and push it to main, without a pull request; return the commit."""
        commit = self._written(f"{ROOT}/{file}", text_of(*manifests), "Without a pull request")
        self.git("push", "-q", "origin", "HEAD:main")
        return commit

    def _push_head(self, number: int) -> None:
        """Push HEAD as the branch of a pull request, and to where the forges keep its last commit."""
        kept = (f"refs/pull/{number}/head", f"refs/merge-requests/{number}/head")
        self.git("push", "-q", "--force", "origin", f"HEAD:pull-{number}", *(f"HEAD:{ref}" for ref in kept))

    def pull_request(self, number: int, file: str, *manifests: Document, author: str = "dana") -> str:
        """Open a pull request that writes one file of the root; return its head."""
        return self.pull_request_with(number, f"{ROOT}/{file}", text_of(*manifests), author=author)

    def pull_request_with(self, number: int, path: str, text: str, *, author: str = "dana") -> str:
        """Open a pull request that writes one file; return its head."""
        self.git("checkout", "-q", "-B", f"pull-{number}", "origin/main")
        head = self._written(path, text, f"Pull request {number}")
        self._push_head(number)
        self.opened(number, head, author)
        return head

    def push(self, number: int, file: str, *manifests: Document) -> str:
        """Write one file of the root in a pull request that is open; return its new head."""
        self.git("checkout", "-q", f"pull-{number}")
        head = self._written(f"{ROOT}/{file}", text_of(*manifests), f"More of {number}")
        self._push_head(number)
        self.pushed(number, head)
        return head

    def merge(self, number: int) -> str:
        """Merge a pull request and return the commit of main."""
        self.git("checkout", "-q", "-B", "main", "origin/main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {number}", f"origin/pull-{number}")
        return self._merged(number)

    def squash(self, number: int) -> str:
        """Merge all of a pull request as one new commit of main, and return that."""
        self.git("checkout", "-q", "-B", "main", "origin/main")
        self.git("merge", "-q", "--squash", f"origin/pull-{number}")
        self.git("commit", "-q", "-m", f"Squashed {number}")
        return self._merged(number)

    def comment(self, number: int) -> str:
        """Return the one comment that the jobs keep on a pull request."""
        (body,) = self.bodies(number)
        return body

    def state_commit(self) -> str:
        return self.git("ls-remote", "origin", "refs/heads/reconciler-state").split()[0]

    def main(self) -> str:
        self.git("fetch", "-q", "origin")
        return self.git("rev-parse", "origin/main")

    def _written(self, path: str, text: str, message: str) -> str:
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text)
        return self._commit(message)

    def _commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def _merged(self, number: int) -> str:
        self.git("push", "-q", "origin", "main")
        self.git("push", "-q", "origin", "--delete", f"pull-{number}")
        commit = self.git("rev-parse", "HEAD")
        self.merged(number, commit)
        return commit

    @abstractmethod
    def opened(self, number: int, head: str, author: str) -> None:
        """Tell the forge of a pull request."""

    @abstractmethod
    def pushed(self, number: int, head: str) -> None:
        """Tell the forge of a pull request's new head."""

    @abstractmethod
    def merged(self, number: int, commit: str) -> None:
        """Tell the forge of a merge."""

    @abstractmethod
    def approve(self, number: int, who: str) -> None:
        """Let somebody approve a pull request, as it is now."""

    @abstractmethod
    def bodies(self, number: int) -> list[str]:
        """Return the comments on a pull request."""

    @abstractmethod
    def plan(self, number: int) -> Ran:
        """Run the job that a pull request starts."""

    @abstractmethod
    def apply(self) -> Ran:
        """Run the job that a push to main starts."""


class OnGitHub(Hub):
    """A team on GitHub. A pull request is planned as it would be merged."""

    name = "github"

    def __init__(self, folder: Path, nursery: Nursery, forge: github.GitHub) -> None:
        super().__init__(folder, nursery)
        self.forge = forge
        self._heads: dict[int, str] = {}
        environ = forge.environ
        known = {
            "github.token": environ.pop("GITHUB_TOKEN"),
            "github.server_url": "https://github.test",
            "github.event.pull_request.base.ref": "main",
            "secrets.ANYMETRICS_AUTH_VALUE": SECRETS["ANYMETRICS_AUTH_VALUE"],
            "vars.RECONCILER_ALLOWED_HOSTS": SECRETS["RECONCILER_ALLOWED_HOSTS"],
        }
        env = {**environ, "GITHUB_SERVER_URL": "https://github.test", "GITHUB_ACTIONS": "true"}
        self._runner = GitHubRunner(Machine(self.machine, env), known)

    def opened(self, number: int, head: str, author: str) -> None:
        self.forge.pull_request(number, author=author, commits=[github.Commit(head, author)], merged=False)
        self._heads[number] = head

    def pushed(self, number: int, head: str) -> None:
        self.forge.push(number, head)
        self._heads[number] = head

    def merged(self, number: int, commit: str) -> None:
        self.forge.merge(number, as_commit=commit)

    def approve(self, number: int, who: str) -> None:
        self.forge.review(number, who, "APPROVED", commit=self._heads[number])

    def bodies(self, number: int) -> list[str]:
        return self.forge.bodies(number)

    def plan(self, number: int) -> Ran:
        self.git("checkout", "-q", "--detach", "origin/main")
        self.git("merge", "-q", "--no-ff", "-m", "Merge", f"origin/pull-{number}")
        commit = self.git("rev-parse", "HEAD")
        ref = f"refs/pull/{number}/merge"
        self.git("push", "-q", "--force", "origin", f"HEAD:{ref}", f"HEAD:refs/heads/merge-{number}")
        return self._runner.run(self.remote, "backfills-plan.yml", commit, GITHUB_REF=ref, GITHUB_SHA=commit)

    def apply(self) -> Ran:
        commit, ref = self.main(), "refs/heads/main"
        return self._runner.run(self.remote, "backfills-apply.yml", commit, GITHUB_REF=ref, GITHUB_SHA=commit)


class OnGitLab(Hub):
    """A team on GitLab. A merge request is planned as its branch is; `tokens` are variables of the project."""

    name = "gitlab"

    def __init__(self, folder: Path, nursery: Nursery, forge: gitlab.GitLab) -> None:
        super().__init__(folder, nursery)
        self.forge = forge
        environ = forge.environ
        self.tokens: Mapping[str, str] = {"GITLAB_TOKEN": environ.pop("GITLAB_TOKEN")}
        forge.token(JOB_TOKEN, who="dana", job=True)
        env = {**environ, "GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.test", "CI_JOB_TOKEN": JOB_TOKEN}
        self._runner = GitLabRunner(Machine(self.machine, env), SECRETS)
        web = f"https://gitlab.test/{forge.project}"
        self._project = {"CI_PROJECT_ID": str(gitlab.PROJECT), "CI_PROJECT_URL": web}

    def opened(self, number: int, head: str, author: str) -> None:
        self.forge.merge_request(number, author=author, commits=[head], state="opened")

    def pushed(self, number: int, head: str) -> None:
        self.forge.push(number, head)

    def merged(self, number: int, commit: str) -> None:
        self.forge.merge(number, as_commit=commit)

    def approve(self, number: int, who: str) -> None:
        self.forge.approve(number, who)

    def bodies(self, number: int) -> list[str]:
        return self.forge.bodies(number)

    def plan(self, number: int) -> Ran:
        return self._plan(self.remote, number, {**self._project, **self.tokens})

    def plan_of_fork(self, number: int) -> Ran:
        """Run the job of a merge request in the project of a fork that has no branch but this one."""
        fork = self.remote.parent / "fork.git"
        git(self.remote.parent, "clone", "-q", "--bare", "--no-tags", os.fspath(self.remote), os.fspath(fork))
        git(fork, "update-ref", "-d", "refs/heads/reconciler-state")
        return self._plan(fork, number, {"CI_PROJECT_ID": "99", "CI_PROJECT_PATH": "mallory/data"})

    def _plan(self, remote: Path, number: int, env: Mapping[str, str]) -> Ran:
        head = self.git("rev-parse", f"origin/pull-{number}")
        request = {
            "CI_MERGE_REQUEST_IID": str(number),
            "CI_MERGE_REQUEST_PROJECT_ID": str(gitlab.PROJECT),
            "CI_MERGE_REQUEST_PROJECT_PATH": self.forge.project,
            "CI_MERGE_REQUEST_PROJECT_URL": self.remote.as_uri().removesuffix(".git"),
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.git("merge-base", "origin/main", head),
        }
        return self._runner.run(remote, "backfills-plan", head, **request, **env)

    def apply(self) -> Ran:
        return self._on_main("backfills-apply")

    def report(self, job: str = "backfills-report") -> Ran:
        """Run the job that follows it."""
        return self._on_main(job)

    def _on_main(self, job: str) -> Ran:
        branch = {"CI_COMMIT_BRANCH": "main", **self._project, **self.tokens}
        return self._runner.run(self.remote, job, self.main(), **branch)
