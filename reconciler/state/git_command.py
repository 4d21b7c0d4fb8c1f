"""The one door to git: commands run through GitPython, with fixed settings, a scrubbed environment and deadlines."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import TYPE_CHECKING, cast

from reconciler.errors import Failure
from reconciler.state.git_process import ENVIRONMENT, SETTINGS, kill, scrub, undisturbed
from reconciler.state.patience import Patience

if TYPE_CHECKING:
    from git.cmd import Git as GitPython

_FULL = re.compile(r"no space left|out of diskspace|quota exceeded|file too large|SIGXFSZ", re.IGNORECASE)
_LOCKED = re.compile(r"\.lock'?: File exists")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a git command said: exit status, standard output, and its last words."""

    status: int
    out: bytes
    words: str

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "surrogateescape").strip("\n")


class GitCommand:
    """Runs git in one folder."""

    def __init__(self, folder: Path) -> None:
        self._git = _gitpython(folder)

    def execute(self, arguments: Sequence[str], stdin: bytes, timeout: float, patience: Patience) -> Answer:
        """Run git in a session of its own, so that a Ctrl-C for us does not kill a push half-way.

        After `timeout` seconds, as patience ends, or where a Ctrl-C ends us, the whole session is killed: a helper that
        hangs must not keep us, nor outlive us.
        """
        with self._running(arguments, stdin) as process:
            try:
                out, words = patience.communicate(process, timeout)
            except subprocess.TimeoutExpired:
                why = "no answer when the run was stopped" if patience.over else f"no answer within {timeout:g} seconds"
                return Answer(-signal.SIGKILL, b"", why)
        return Answer(process.returncode, out, _ending(process, words))

    def stream(
        self, arguments: Sequence[str], stdin: bytes, timeout: float, patience: Patience
    ) -> Generator[bytes, None, None]:
        """Yield what git prints as it comes, for what is too much to be held; whoever stops asking ends git.

        Raises Failure where git does not succeed.
        """
        words = bytearray()
        with self._running(arguments, stdin) as process:
            try:
                for which, data in patience.pieces(process, timeout):
                    if which:
                        words += data
                    else:
                        yield data
            except subprocess.TimeoutExpired:
                why = f"git {arguments[0]} did not end within {timeout:g} seconds"
                raise Failure(why, "see what holds git up") from None
        if process.returncode:
            last = _ending(process, bytes(words)) or "no reason given"
            raise Failure(f"git {arguments[0]} failed: {last}", way_out(last, "see what `git fsck` says"))

    @contextmanager
    def _running(self, arguments: Sequence[str], stdin: bytes) -> Iterator[subprocess.Popen[bytes]]:
        """Run git for as long as the block runs; what is left of it then is killed."""
        started: GitPython.AutoInterrupt | None = None
        with _fed(stdin) as feed:
            try:
                with undisturbed():
                    started = self._start(arguments, feed)
                yield cast("subprocess.Popen[bytes]", started.proc)
            finally:
                kill(started.proc if started is not None else None)

    def _start(self, arguments: Sequence[str], feed: BufferedRandom) -> GitPython.AutoInterrupt:
        """Start git. What is returned has to be kept: where nobody does, GitPython ends the process."""
        from git.exc import GitCommandNotFound

        try:
            started = self._git.execute(
                ["git", *SETTINGS, *arguments],
                istream=feed,
                as_process=True,
                env=cast("Mapping[str, str]", ENVIRONMENT),
                start_new_session=True,
            )
        except GitCommandNotFound:
            raise Failure("git is not installed", "install git 2.31 or newer") from None
        except OSError as error:
            words = error.strerror or type(error).__name__
            raise Failure(f"git cannot be started: {words}", "see whether `git --version` works") from None
        if started.proc is None:
            raise Failure("git did not start", "see whether `git --version` works")
        return started


def _gitpython(folder: Path) -> GitPython:
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    scrub()
    from git.cmd import Git as GitPython

    return GitPython(os.fspath(folder))


def _fed(stdin: bytes) -> BufferedRandom:
    """Return a file that holds `stdin`: git may answer before it has read all, which would block a pipe."""
    try:
        feed = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
        feed.write(stdin)
        feed.seek(0)
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise Failure(
            f"what git is to read cannot be written to a temporary file: {words}",
            way_out(words, "see that TMPDIR names a folder where you may write, and that its disk has room"),
        ) from None
    return feed


def _ending(process: subprocess.Popen[bytes], words: bytes) -> str:
    """Return git's last words, or by which signal it ended where it had none."""
    last = _last_words(words)
    if process.returncode < 0 and not last:
        return f"it was ended by {signal.Signals(-process.returncode).name}"
    return last


def way_out(words: str, otherwise: str) -> str:
    """Return what to do about a failure, by its words: about a full disk or a lock left behind, where it is that."""
    if _FULL.search(words):
        return "make room on the disk that holds this clone (and its temporary files), then run again"
    if _LOCKED.search(words):
        return (
            "wait for the git command that holds the lock; where none runs any more, remove that file, then run again"
        )
    return otherwise


def _last_words(words: bytes) -> str:
    """Return the lines of git's complaint that say most, without passwords of URLs or control characters."""
    text = words.decode("utf-8", "replace")
    text = re.sub(r"://[^/\s]*@", "://***@", text)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("hint:")]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "!"))]
    chosen = " / ".join((telling or lines)[:3])
    return "".join(c if c.isprintable() else "?" for c in chosen)[:400]
