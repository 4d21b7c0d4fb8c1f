"""A user's workplace: a clone with a root, its remote, and the command line as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.manifests import Document, text_of
from tests.e2e.nursery import Nursery, Process
from tests.e2e.remotes import push_first

PACKAGE = Path(__file__).parents[2]
SECRET = "canary-5d1f0c7e9b24"
"""The credential of every target: found in no output, no commit, no journal."""
SECRET_NAME = "SCHEDULER_AUTH"
TENANT = "tn_19487697"
STATE = "reconciler-state"


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, which has to be one JSON document and nothing else."""
        return json.loads(self.out)


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git, which has to succeed, and return what it printed."""
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, input=stdin, check=False)
    assert done.returncode == 0, f"git {arguments}: {done.stderr.decode()}"
    return done.stdout.decode("utf-8", "surrogateescape")


def blobs(folder: Path, oids: Sequence[str]) -> Iterator[bytes]:
    """Yield the contents of blobs, in the order asked, for the price of one process."""
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    data = git(folder, "cat-file", "--batch", stdin=asked).encode("utf-8", "surrogateescape")
    for _ in oids:
        header, data = data.split(b"\n", 1)
        size = int(header.split(b" ")[2])
        yield data[:size]
        data = data[size + 1 :]


@dataclass(slots=True)
class Workplace:
    """A clone (`top`) and what its root holds. `root` is the root's path in it, "" for the top itself."""

    top: Path
    remote: Path | None
    nursery: Nursery
    root: str = "triggers"
    state: str = STATE
    env: dict[str, str] = field(default_factory=lambda: {SECRET_NAME: SECRET})

    @classmethod
    def make(
        cls, folder: Path, nursery: Nursery, url: str, *, remote: bool = True, root: str = "triggers"
    ) -> Workplace:
        """Make a repository with a config whose target `prod` is at `url`, commit it, and push it."""
        top, bare = folder / "clone", folder / "remote.git"
        git(folder, "init", "-q", "--template=", os.fspath(top))
        place = cls(top, bare if remote else None, nursery, root)
        place.configure(url)
        place.commit()
        if remote:
            push_first(top, bare)
        return place

    @property
    def base(self) -> Path:
        return self.top / self.root if self.root else self.top

    def configure(
        self, url: str, *, targets: Document | None = None, target: Document | None = None, **parts: object
    ) -> None:
        """Write the config.

        `target` changes fields of `prod`, `targets` adds others, `parts` are top-level keys, None for none.
        """
        prod: Document = {
            "url": url,
            "tenantId": TENANT,
            "auth": {"type": "UID", "valueFrom": {"env": SECRET_NAME}},
            "timeZone": "Asia/Shanghai",
            **(target or {}),
        }
        config = {
            "apiVersion": "reconciler/v1",
            "kind": "Config",
            "defaultTarget": "prod",
            "targets": {"prod": prod, **(targets or {})},
            "approvals": {"reruns": {"provider": "manifest", "approvers": ["dana", "lee"]}},
            **parts,
        }
        config = {key: value for key, value in config.items() if value is not None}
        self.write("reconciler.yaml", text_of(config))

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file of the root."""
        file = self.base / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def declare(self, path: str, *manifests: Document) -> None:
        """Write a file of manifests and publish it."""
        self.write(path, text_of(*manifests))
        self.publish()

    def rename_target(self, name: str) -> None:
        """Give the target prod another name in the config, and publish it: the same scheduler under a new name."""
        config = json.loads((self.base / "reconciler.yaml").read_text())
        config["targets"][name] = config["targets"].pop("prod")
        config["defaultTarget"] = name
        self.write("reconciler.yaml", json.dumps(config, indent=1))
        self.publish()

    def publish(self) -> None:
        """Commit all that changed, and push it where there is a remote."""
        self.commit()
        if self.remote:
            self.git("push", "-q", "--set-upstream", "origin", "HEAD")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "Change manifests")

    def git(self, *arguments: str) -> str:
        return git(self.top, *arguments)

    def clone(self, name: str, *options: str) -> Workplace:
        """Clone the remote a second time, beside this clone."""
        assert self.remote
        top = self.top.parent / name
        git(self.top.parent, "clone", "-q", *options, self.remote.as_uri(), os.fspath(top))
        return Workplace(top, self.remote, self.nursery, self.root, self.state, dict(self.env))

    def start(self, *arguments: str, **env: str) -> Process:
        """Start the command line in the clone; `env` adds variables."""
        return self.nursery.start(self._arguments(arguments), self.top, {**os.environ, **self.env, **env})

    def run(self, *arguments: str, **env: str) -> Ended:
        """Run the command line. Whatever it does, it shows no traceback and no secret."""
        return ended(self.start(*arguments, **env))

    def run_afresh(self, *arguments: str) -> Ended:
        """Run the command line as `python -m reconciler` in a new interpreter that treats warnings as errors."""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "reconciler", *self._arguments(arguments)],
            cwd=self.top,
            env={**os.environ, "PYTHONPATH": os.fspath(PACKAGE), **self.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return checked(done.returncode, done.stdout, done.stderr)

    def _arguments(self, arguments: tuple[str, ...]) -> list[str]:
        return ["--root", self.root or ".", *arguments]

    def apply(self, *arguments: str, **env: str) -> Ended:
        return self.run("apply", *arguments, **env)

    @property
    def _store(self) -> Path:
        return self.remote or self.top

    def tip(self, branch: str | None = None) -> str | None:
        """Return the tip of the state branch, where others see it; None where there is none."""
        ref = f"refs/heads/{branch or self.state}"
        return git(self._store, "for-each-ref", "--format=%(objectname)", ref).strip() or None

    def state_files(self) -> dict[str, bytes]:
        """Return the state files at the branch's tip by their path below `.state`."""
        tip = self.tip()
        folder = f"{self.root}/.state" if self.root else ".state"
        if tip is None:
            return {}
        listed = git(self._store, "ls-tree", "-r", "-z", tip, "--", folder).split("\0")[:-1]
        names = [line.split("\t", 1)[1].removeprefix(folder + "/") for line in listed]
        oids = [line.split("\t", 1)[0].split(" ")[2] for line in listed]
        return dict(zip(names, blobs(self._store, oids), strict=True))

    def ledger(self, table: str, target: str = "prod") -> list[dict[str, Any]]:
        """Return the lines of a ledger without its header."""
        data = self.state_files().get(f"{target}/{table}.jsonl", b"")
        return [json.loads(line) for line in data.splitlines()[1:]]

    def pending(self) -> list[dict[str, Any]]:
        """Return all intents of all runs."""
        files = [data for path, data in self.state_files().items() if path.startswith("pending/")]
        return [json.loads(line) for data in files for line in data.splitlines()[1:]]

    @property
    def journal_folder(self) -> Path:
        return self.top / ".git" / "reconciler" / "journal"

    def journals(self) -> list[Path]:
        return sorted(self.journal_folder.glob("*.jsonl"))

    def put_state(self, files: dict[str, bytes | None], *, force: bool = False, name: str = "somebody") -> None:
        """Change state files (None deletes) in a commit of somebody: on top of the tip, or by force in its place."""
        assert self.remote
        other = self.top.parent / name
        git(self.top.parent, "clone", "-q", "--branch", self.state, self.remote.as_uri(), os.fspath(other))
        if force:
            git(other, "checkout", "-q", "--orphan", "other")
        for path, data in files.items():
            file = other / self.root / ".state" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if data is None:
                file.unlink()
            else:
                file.write_bytes(data)
        git(other, "add", "--all")
        git(other, "commit", "-q", "--allow-empty", "-m", "By hand")
        git(other, "push", "-q", *(["--force"] if force else []), "origin", f"HEAD:refs/heads/{self.state}")

    def everything_stored(self) -> bytes:
        """Return every object of the clone and the remote, and every journal: where a secret could have gone."""
        stores = (git(store, "cat-file", "--batch-all-objects", "--batch") for store in {self.top, self._store})
        found = [path.read_bytes() for path in self.journals()]
        found += [text.encode("utf-8", "surrogateescape") for text in stores]
        return b"".join(found)


def ended(process: Process) -> Ended:
    """Wait for a process of `Workplace.start`."""
    return checked(*process.wait())


def checked(code: int, out: str, err: str) -> Ended:
    for text in (out, err):
        assert "Traceback" not in text, text
        assert "this is a bug" not in text, text
        assert SECRET not in text, "the secret was shown"
    return Ended(code, out, err)
