"""A glance at a clone: whether what a plan is made of is what it was, by three short git processes and file times.

GitPython takes longer to import than all of this takes to answer. So git is started by the standard library alone, in
the way, and with the settings and the environment, that `git_process` has for both doors. It is asked all at once,
with fixed commands: names of refs go in by standard input, and to a remote as full names. What takes longer than
`_PATIENCE` is no glance: the ordinary way waits longer, and shows that it does.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import NamedTuple

from reconciler.state.file_times import Look, Unclear, look_at, look_below
from reconciler.state.git_process import ENVIRONMENT, SETTINGS, kill, scrub, undisturbed
from reconciler.state.patience import Patience

_PATIENCE = 10.0
_MARKS = "refs/reconciler/state/"
_WATCHED = (
    *("index", "shallow", "commondir", "branches", "remotes"),
    *("info/attributes", "info/grafts", "info/sparse-checkout", "objects/info/alternates"),
)
"""What lies in the git folder and, beside refs and settings, decides what git says of HEAD, index and work tree."""


class Clone(NamedTuple):
    """Where a root lies. `git` is the clone's own git folder: a linked work tree or a submodule has none."""

    top: str
    git: str
    root: str

    @classmethod
    def of(cls, root: str) -> Clone:
        """Find the clone that holds a root. Raises Unclear where that takes more than a look."""
        real = folder = os.path.realpath(root)
        while not os.path.lexists(git := os.path.join(folder, ".git")):
            if folder == (folder := os.path.dirname(folder)):
                raise Unclear("no clone")
        if os.path.islink(git) or not os.path.isdir(git):
            raise Unclear("a linked work tree")
        return cls(folder, git, real)

    @property
    def journals(self) -> bool:
        """Whether there is a journal of a run, dead or alive."""
        try:
            return any(name.endswith(".jsonl") for name in os.listdir(f"{self.git}/reconciler/journal"))
        except FileNotFoundError:
            return False

    @property
    def watched(self) -> Iterator[str]:
        """The files beside the manifests and git's settings that decide what git says of the work tree."""
        yield from (f"{self.git}/{name}" for name in _WATCHED)
        folder = self.root
        while folder != self.top:
            folder = os.path.dirname(folder)
            yield f"{folder}/.gitattributes"
        home = os.path.expanduser("~")
        yield from (os.path.join(os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config", "git", "attributes"),)
        yield "/etc/gitattributes"


class StateAt(NamedTuple):
    """Where state lies, and its tip when it was read. All refs are full names; `marks` is a folder of them."""

    remote: str | None
    ref: str
    seen: str
    marks: str
    mark: str
    tip: str | None


class Sight(NamedTuple):
    """What does not depend on the state: the files below the root, those watched, git's settings, HEAD."""

    files: Look
    watched: Look
    settings: bytes
    head: str

    @property
    def settled(self) -> int:
        """The moment, in nanoseconds since 1970, from which on any change to a file would have shown."""
        return max(self.files.settled, self.watched.settled)

    @property
    def digest(self) -> bytes:
        """Name all of it."""
        parts = (self.files.digest, self.watched.digest, self.settings, self.head.encode())
        return blake2b(b"".join(parts), digest_size=32).digest()


def glance(clone: Clone, state: StateAt | None) -> tuple[Sight, bool]:
    """Return what there is to see, and whether the state is where it was, and reading it would find nothing wrong.

    That is so where the branch, what this clone has seen of it and its mark, if any, are all at one commit, and no
    other branch is marked: then it is neither gone nor moved nor rewritten. None knows of no state. Raises Unclear.
    """
    refs = ("HEAD", state.ref, state.seen) if state else ("HEAD",)
    with _asking(clone.top) as git:
        settings = git.ask("config", "--list", "-z")
        here = git.ask("cat-file", "--batch-check", stdin="".join(f"{ref}\n" for ref in refs).encode())
        there = git.ask(*_published(state)) if state else None
        files, watched = look_below(clone.root), look_at(clone.watched)
        found = dict(zip(refs, map(_commit, git.answer(here).splitlines()), strict=True))
        said = git.answer(settings)
        if b"core.attributesfile\n" in said:
            raise Unclear("attributes lie elsewhere")  # what they make of files is not watched
        digest = blake2b(said, digest_size=32).digest()
        sight = Sight(files, watched, digest, found["HEAD"] or "")
        if state is None or there is None:
            return sight, False
        return sight, _in_place(state, found, _refs(git.answer(there)))


def _published(state: StateAt) -> Sequence[str]:
    """Return the question for the branch's tip and its marks where they count."""
    if state.remote is None:
        return ("for-each-ref", "--format=%(objectname)%09%(refname)", _MARKS)
    if not all(name.startswith("refs/") for name in (state.ref, state.marks)):
        raise Unclear("no full name")
    return ("ls-remote", "--refs", "--end-of-options", state.remote, state.ref, f"{state.marks}*")


def _in_place(state: StateAt, here: dict[str, str | None], there: dict[str, str]) -> bool:
    local, seen = here[state.ref], here[state.seen]
    tip = there.pop(state.ref, None) if state.remote else local
    marks = {name: oid for name, oid in there.items() if state.remote or name.startswith(state.marks)}
    mark = marks.pop(state.mark, None)
    return tip == state.tip == seen and local in {None, tip} and mark in {None, tip} and not marks


def _commit(line: bytes) -> str | None:
    """Return the commit of an answer of `cat-file --batch-check`, None where the ref is missing."""
    oid, _, rest = line.decode("utf-8", "surrogateescape").partition(" ")
    if rest == "missing":
        return None
    if not rest.startswith("commit "):
        raise Unclear("no commit")
    return oid


def _refs(answer: bytes) -> dict[str, str]:
    lines = (line.split("\t") for line in answer.decode("utf-8", "surrogateescape").splitlines())
    return {name: oid for oid, name in lines}


class _Git:
    """Processes that run side by side."""

    def __init__(self, folder: str) -> None:
        self.started: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        self._patience = Patience()
        self._patience.limit(_PATIENCE)

    def ask(self, *arguments: str, stdin: bytes = b"") -> int:
        """Start git, and return the number of the question. `stdin` has to fit into a pipe."""
        with undisturbed():
            process = subprocess.Popen(
                ["git", *SETTINGS, *arguments],
                cwd=self._folder,
                env={**os.environ, "LANGUAGE": "C", "LC_ALL": "C", **ENVIRONMENT},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self.started.append(process)
        if process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        return len(self.started) - 1

    def answer(self, number: int) -> bytes:
        """Return what git said to a question. Raises Unclear where it fails, or takes too long."""
        process = self.started[number]
        try:
            out, _ = self._patience.communicate(process, _PATIENCE)
        except subprocess.TimeoutExpired:
            raise Unclear("no answer") from None
        if process.returncode:
            raise Unclear("git failed")
        return out


@contextmanager
def _asking(folder: str) -> Iterator[_Git]:
    scrub()
    git = _Git(folder)
    try:
        yield git
    finally:
        for process in git.started:
            kill(process)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
