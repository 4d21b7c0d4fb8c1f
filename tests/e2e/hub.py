"""A team at work: a repository made by `init`, pull requests on a forge's stand-in, and the jobs that `init` wrote."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.jobs import Ran, Runner
from tests.e2e.manifests import Document, text_of
from tests.e2e.nursery import Nursery
from tests.e2e.workplace import SECRET, Workplace, git
from tests.forges.github import Commit, GitHub

ROOT = "triggers"


@dataclass(slots=True)
class Hub:
    """The team's repository: `top` is somebody's clone, `remote` what all share, `forge` the stand-in of GitHub."""

    top: Path
    remote: Path
    forge: GitHub
    runner: Runner
    place: Workplace
    squash: bool = False
    heads: dict[int, str] = field(default_factory=dict)

    @classmethod
    def begin(cls, folder: Path, forge: GitHub, nursery: Nursery, **runner_env: str) -> Hub:
        """Make an empty repository and its remote."""
        remote, top, machine = folder / "remote.git", folder / "clone", folder / "machine"
        machine.mkdir()
        git(folder, "init", "-q", "--bare", "--template=", os.fspath(remote))
        git(folder, "init", "-q", "--template=", os.fspath(top))
        git(top, "remote", "add", "origin", os.fspath(remote))
        environ = forge.environ
        known = {
            "github.token": environ.pop("GITHUB_TOKEN"),
            "github.server_url": "https://github.test",
            "github.event.pull_request.base.ref": "main",
            "secrets.ANYMETRICS_AUTH_VALUE": SECRET,
            "vars.RECONCILER_ALLOWED_HOSTS": "127.0.0.1",
        }
        env = {**environ, "GITHUB_SERVER_URL": "https://github.test", "GITHUB_ACTIONS": "true", **runner_env}
        return cls(top, remote, forge, Runner(machine, remote, known, env), Workplace(top, remote, nursery))

    def git(self, *arguments: str) -> str:
        return git(self.top, *arguments).strip()

    def push_main(self, message: str) -> None:
        """Commit all that is there and push it to main, without a pull request."""
        self.git("add", "--all")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "origin", "HEAD:main")

    def pull_request(self, number: int, file: str, *manifests: Document, author: str = "dana") -> str:
        """Open a pull request that writes one file of the root; return its head."""
        return self.pull_request_with(number, f"{ROOT}/{file}", text_of(*manifests), author=author)

    def pull_request_with(self, number: int, path: str, text: str, *, author: str = "dana") -> str:
        """Open a pull request that writes one file; return its head."""
        self.git("checkout", "-q", "-B", f"pull-{number}", "origin/main")
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", f"Pull request {number}")
        self.git("push", "-q", "origin", f"HEAD:pull-{number}")
        head = self.git("rev-parse", "HEAD")
        self.forge.pull_request(number, author=author, commits=[Commit(head, author)], merged=False)
        self.heads[number] = head
        return head

    def approve(self, number: int, who: str) -> None:
        """Let somebody approve a pull request, as it is now."""
        self.forge.review(number, who, "APPROVED", commit=self.heads[number])

    def plan(self, number: int) -> Ran:
        """Run the job that a pull request starts, on its head merged into main."""
        self.git("checkout", "-q", "--detach", "origin/main")
        self.git("merge", "-q", "--no-ff", "-m", "Merge", f"origin/pull-{number}")
        commit = self.git("rev-parse", "HEAD")
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/pull/{number}/merge", f"HEAD:refs/heads/merge-{number}")
        ref = f"refs/pull/{number}/merge"
        return self.runner.run("backfills-plan.yml", commit, GITHUB_REF=ref, GITHUB_SHA=commit)

    def merge(self, number: int) -> str:
        """Merge a pull request, or squash it, and return the commit of main."""
        self.git("checkout", "-q", "-B", "main", "origin/main")
        if self.squash:
            self.git("merge", "-q", "--squash", f"origin/pull-{number}")
            self.git("commit", "-q", "-m", f"Squashed {number}")
        else:
            self.git("merge", "-q", "--no-ff", "-m", f"Merge {number}", f"origin/pull-{number}")
        self.git("push", "-q", "origin", "main")
        self.git("push", "-q", "origin", "--delete", f"pull-{number}")
        self.forge.merge(number, as_commit=self.git("rev-parse", "HEAD"))
        return self.git("rev-parse", "HEAD")

    def apply(self) -> Ran:
        """Run the job that a push to main starts."""
        self.git("fetch", "-q", "origin")
        commit = self.git("rev-parse", "origin/main")
        return self.runner.run("backfills-apply.yml", commit, GITHUB_REF="refs/heads/main", GITHUB_SHA=commit)

    def comment(self, number: int) -> str:
        """Return the one comment that the jobs keep on a pull request."""
        (body,) = self.forge.bodies(number)
        return body
