"""A team that works by pull requests: commits, reviews and merges on real git, told to the stand-in of GitHub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.e2e.nursery import Nursery
from tests.e2e.workplace import Workplace
from tests.forges.github import Commit, GitHub

Files = Mapping[str, str | None]
"""Files of the root and what they are to say, None where they are to go."""
Merging = Literal["merge", "squash", "rebase"]


@dataclass(slots=True)
class Team:
    """A repository whose reruns reviews approve. Pull requests are merged locally: `publish` lets others see that."""

    place: Workplace
    forge: GitHub
    url: str
    count: int = 0
    brought: dict[str, int] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)

    @classmethod
    def begin(cls, folder: Path, nursery: Nursery, url: str, forge: GitHub) -> Team:
        team = cls(Workplace.make(folder, nursery, url), forge, url)
        team.configure()
        team.place.env.update(forge.environ)
        forge.numbers = team.numbers
        return team

    def configure(
        self,
        approvers: Sequence[str] = ("lee", "kim"),
        *,
        targets: Mapping[str, object] | None = None,
        **approvals: object,
    ) -> None:
        """Write the config: who approves reruns, and what else it says of that."""
        reruns = {"provider": "github", "approvers": list(approvers), **approvals}
        self.place.configure(self.url, approvals={"reruns": reruns}, targets=dict(targets or {}))
        self.place.commit()

    def numbers(self, sha: str) -> Sequence[int] | None:
        """Say which pull requests hold a commit. What was pushed without one is there, too, and in none."""
        return [self.brought[sha]] if sha in self.brought else []

    def push(self, files: Files) -> str:
        """Commit to main without a pull request."""
        self.place.git("checkout", "-q", "main")
        return self._commit(files)

    def open(
        self, *commits: Files, author: str | None = "dana", writer: str | None = "dana", base: str = "main"
    ) -> int:
        """Open a pull request of some commits, on top of `base`, and return its number."""
        self.count += 1
        number = self.count
        self.place.git("checkout", "-q", "-B", f"topic-{number}", base)
        shas = [self._commit(files) for files in commits]
        self.forge.pull_request(number, author=author, commits=[Commit(sha, writer) for sha in shas], merged=False)
        self.brought.update(dict.fromkeys(shas, number))
        self.heads[number] = shas[-1]
        return number

    def approve(self, number: int, *who: str) -> None:
        """Let people approve a pull request as it is now."""
        for login in who:
            self.forge.review(number, login, "APPROVED", commit=self.heads[number])

    def merge(self, number: int, how: Merging = "merge") -> None:
        """Merge a pull request into main."""
        topic = f"topic-{number}"
        self.place.git("checkout", "-q", "main")
        before = self._head()
        match how:
            case "merge":
                self.place.git("merge", "-q", "--no-ff", "-m", f"Merge {number}", topic)
            case "squash":
                self.place.git("merge", "-q", "--squash", topic)
                self.place.git("commit", "-q", "-m", f"Squashed {number}")
            case "rebase":
                # Another committer, as on GitHub: so the commits' ids change even where nothing else does.
                self.place.git("-c", "user.name=GitHub", "cherry-pick", f"main..{topic}")
        self.brought.update(dict.fromkeys(self.place.git("rev-list", f"{before}..HEAD").split(), number))
        self.forge.merge(number, as_commit=self._head())

    def open_over(self, commit: str, files: Files) -> int:
        """Open a pull request whose one commit merges another commit into main's files, which `files` change."""
        self.count += 1
        number = self.count
        self.place.git("checkout", "-q", "-B", f"topic-{number}", "main")
        self._settle(commit, files)
        self.forge.pull_request(number, commits=[Commit(self._head())], merged=False)
        self.brought[self._head()] = number
        self.heads[number] = self._head()
        return number

    def push_merge(self, *parents: str) -> None:
        """Push a merge to main by hand, which has the files of its first parent."""
        lines = [part for parent in parents for part in ("-p", parent)]
        tree = f"{parents[0]}^{{tree}}"
        self.place.git("checkout", "-q", "main")
        self.place.git("reset", "-q", "--hard", self.place.git("commit-tree", tree, *lines, "-m", "By hand").strip())

    def merge_by_hand(self, number: int, files: Files) -> None:
        """Merge a pull request, and change files in the merge commit."""
        self.place.git("checkout", "-q", "main")
        self.place.git("merge", "-q", "--no-ff", "--no-commit", f"topic-{number}")
        self._commit(files)
        self.brought[self._head()] = number
        self.forge.merge(number, as_commit=self._head())

    def add(self, number: int, files: Files) -> None:
        """Add a commit to a pull request that is open."""
        self.place.git("checkout", "-q", f"topic-{number}")
        self.heads[number] = self._commit(files)
        self.brought[self.heads[number]] = number
        self.forge.push(number, Commit(self.heads[number]))

    def take_main(self, number: int, files: Files) -> None:
        """Merge main into a pull request that is open; `files` settle what is in conflict."""
        self.place.git("checkout", "-q", f"topic-{number}")
        self._settle("main", files)
        self.brought[self._head()] = number
        self.heads[number] = self._head()
        self.forge.push(number, Commit(self._head()))

    def pull(self, *commits: Files, by: Sequence[str] = ("lee",), how: Merging = "merge", author: str = "dana") -> int:
        """Open a pull request, have it approved by some (or nobody), merge it, and return its number."""
        number = self.open(*commits, author=author)
        self.approve(number, *by)
        self.merge(number, how)
        return number

    def publish(self) -> None:
        """Push main, and the heads of all pull requests to where GitHub keeps them."""
        heads = [f"{sha}:refs/pull/{number}/head" for number, sha in self.heads.items()]
        self.place.git("push", "-q", "--force", "origin", "main", *heads)

    def verdicts(self, place: Workplace, **env: str) -> dict[str, str]:
        """Return, for each request that owes something by a plan, why it is held, "" where it is not."""
        planned = place.run("plan", "--format", "json", **env)
        assert planned.code == 0, planned.err
        found: dict[str, str] = {}
        for call in planned.json["calls"]:
            for key in call["requests"]:
                found[key] = call["held"]["message"] if call["held"] else ""
        return found

    def _settle(self, branch: str, files: Files) -> None:
        self.place.git("merge", "-q", "--no-ff", "--no-commit", "-s", "ours", branch)
        self._commit(files)

    def _commit(self, files: Files) -> str:
        for path, text in files.items():
            if text is None:
                (self.place.base / path).unlink()
            else:
                self.place.write(path, text)
        self.place.commit()
        return self._head()

    def _head(self) -> str:
        return self.place.git("rev-parse", "HEAD").strip()


def rerun(first: int, last: int, named: str = "late", *, reason: str = "files arrived late") -> str:
    """Return a rerun as a person writes it, a line each; `named` is its token."""
    return (
        f"    - rerun: {named}\n"
        f"      reason: {reason}\n"
        "      timeRange:\n"
        f"        startTime: 2026-01-20 {first:02}:00:00\n"
        f"        endTime: 2026-01-20 {last:02}:00:00\n"
    )


def plain(first: int, last: int) -> str:
    """Return a request that is no rerun."""
    return (
        "    - timeRange:\n"
        f"        startTime: 2026-01-20 {first:02}:00:00\n"
        f"        endTime: 2026-01-20 {last:02}:00:00\n"
    )


def manifest(name: str, *requests: str, table: str = "", spec: str = "") -> str:
    """Return a manifest of requests; its table has its name where nothing else is said."""
    return (
        "apiVersion: reconciler/v1\n"
        "kind: Backfill\n"
        "metadata:\n"
        f"  name: {name}\n"
        "spec:\n"
        f"{spec}"
        f"  tableName: {table or f'db.{name}'}\n"
        "  requests:\n" + "".join(requests)
    )


Says = dict[str, str]
"""Of requests, by their number in a file or their key: words of the reason why they are held, "" where they are not."""
Case = Callable[[Team, str], str | Says]
"""Does something with the file `NAME.yaml` and the table `db.NAME`; returns what the plan has to say of request 1."""

NEEDS = "needs 1 more approving review of #{} by lee"


def judge(team: Team, cases: dict[str, Case], finish: Callable[[], None] = lambda: None) -> None:
    """Play all cases in one repository, plan once in a fresh clone, and compare what it says of each."""
    expected: Says = {}
    for name, case in cases.items():
        says = case(team, name)
        expected |= {f"{name}.yaml#1": says} if isinstance(says, str) else says
    finish()
    team.publish()
    found = team.verdicts(team.place.clone("ci"))
    wrong = {key: (words, found.get(key)) for key, words in expected.items() if not _says(found.get(key), words)}
    assert not wrong, wrong


def _says(said: str | None, words: str) -> bool:
    return said == "" if not words else said is not None and words in said
