"""Where this tool comes from: the repository and the commit that CI is to install."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reconciler import __version__
from reconciler.errors import Failure, UsageFailure
from reconciler.state.git import Git

_PATH = r"(?P<path>[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+)/?"
_HOST = r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*)"
_WEB = re.compile(rf"(?:git\+)?(?P<scheme>https?)://(?:[^@/\s]*@)?{_HOST}(?P<port>:[0-9]{{1,5}})?/{_PATH}")
_SSH = re.compile(rf"(?:git\+)?ssh://(?:[^@/\s]*@)?{_HOST}(?::[0-9]{{1,5}})?/{_PATH}")
_SCP = re.compile(rf"(?:[^@/:\s]+@){_HOST}:{_PATH}")
_SHORT = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_][A-Za-z0-9._-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Tool:
    """A commit of the tool's repository. `url` is its page's, without a password; `version` where it is known."""

    url: str
    commit: str
    version: str | None = None

    @property
    def path(self) -> str:
        """The repository's path on its server: `owner/name`, or with more folders on GitLab."""
        return urlsplit(self.url).path.strip("/")


def read_tool(text: str) -> Tool:
    """Return what `--tool` names: OWNER/REPO@COMMIT on github.com, or URL@COMMIT. Raises UsageFailure elsewhere."""
    source, _, commit = text.rpartition("@")
    url = f"https://github.com/{source}" if _SHORT.fullmatch(source) else web_url(source)
    if url is None or not _COMMIT.fullmatch(commit):
        raise UsageFailure(
            "--tool does not name a repository and a commit of it",
            "write OWNER/REPO@COMMIT or https://…/REPO@COMMIT, with all 40 digits of the commit:"
            " a tag or a branch can be moved, and with it what runs with your credential",
        )
    return Tool(url, commit)


def installed_tool() -> Tool | None:
    """Return where the running tool was installed from, None where nothing says it."""
    try:
        return tool_of(distribution("backfill-reconciler").read_text("direct_url.json"))
    except PackageNotFoundError:
        return None


def tool_of(direct_url: str | None) -> Tool | None:
    """Return what a `direct_url.json` tells: a git URL with its commit, or a clone on this machine.

    Source: PEP 610. A clone counts as its `origin` and its HEAD.
    """
    origin = json.loads(direct_url) if direct_url else {}
    if origin.get("vcs_info", {}).get("vcs") == "git":
        return _tool(origin["url"], origin["vcs_info"].get("commit_id"))
    folder = urlsplit(origin.get("url", ""))
    return _clone(Path(unquote(folder.path))) if folder.scheme == "file" else None


def _clone(folder: Path) -> Tool | None:
    try:
        git = Git.find(folder)
    except Failure:
        return None
    if git.top.resolve() != folder.resolve():  # a copy inside a repository of others
        return None
    return _tool(git.setting("remote.origin.url"), git.commit_of("HEAD"))


def _tool(source: str | None, commit: str | None) -> Tool | None:
    url = web_url(source) if source else None
    return Tool(url, commit, __version__) if url and commit and _COMMIT.fullmatch(commit) else None


def web_url(source: str) -> str | None:
    """Return the https address of a repository that git names in one of its ways, None for any other text.

    What stands before an @ is left out: it may be a password.
    """
    match = _WEB.fullmatch(source)
    if match:
        return f"{match['scheme']}://{match['host']}{match['port'] or ''}/{match['path'].removesuffix('.git')}"
    match = _SSH.fullmatch(source) or _SCP.fullmatch(source)
    return f"https://{match['host']}/{match['path'].removesuffix('.git')}" if match else None
