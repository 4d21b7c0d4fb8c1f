"""`comment`: one comment a pull request, made or brought up to date; a job goes on where none can be written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.forges import open_forge
from reconciler.commands.gather import work_tree_config
from reconciler.commands.state import open_checkout
from reconciler.core.config import ForgeApprovals
from reconciler.errors import ExitCode, Failure, ForgeFailure, InvalidInput, UsageFailure
from reconciler.review.forge import Comment, Forge
from reconciler.state.checkout import Checkout

_LONGEST = 65_536
"""The most characters of a comment. Source: GitHub refuses longer ones with `body is too long`."""
_PULL = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class CommentOptions:
    """The options of `comment`. `file` holds Markdown; `number` is the pull request, None for the one that CI is at."""

    root: Path
    file: Path
    number: int | None


def run(options: CommentOptions, console: Console) -> ExitCode:
    """Write the comment, and say where. Raises Failure where it cannot be written, and no job shows it instead.

    The pull request is the one that CI says it runs for, or else the one that brought the commit at hand.
    """
    checkout = open_checkout(options.root)
    body = _read(options.file, f"<!-- backfill-reconciler: {checkout.prefix or '.'} -->")
    try:
        with open_forge(checkout, _policy(options.root), os.environ) as forge:
            number = options.number or _number(os.environ) or _brought(forge, checkout, os.environ)
            if number is not None:
                console.message(_write(forge, number, body))
                return ExitCode.DONE
            why = "No pull request brought this commit."
        failed: Failure = UsageFailure(
            "no pull request brought this commit", "name one: reconciler comment FILE --pull-request N"
        )
    except ForgeFailure as failure:
        why, failed = f"No comment could be written: {failure.message} ({failure.hint}).", failure
    instead = _instead(body, os.environ)
    if instead is None:
        raise failed
    console.warning(f"{why} {instead}")
    return ExitCode.DONE


def _read(file: Path, mark: str) -> str:
    """Return the comment's text, which begins with a mark by which it is found again, and is not seen."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
        raise InvalidInput(
            f"{file} cannot be read: {words}", "write it with: reconciler plan --format markdown --out FILE"
        ) from None
    body = f"{mark}\n{text}"
    if not text.strip() or len(body) > _LONGEST:
        size = "is empty" if not text.strip() else f"has {len(text):,} characters; a comment holds {_LONGEST:,}"
        raise InvalidInput(f"{file} {size}", "write it with: reconciler plan --format markdown --out FILE")
    return body


def _policy(root: Path) -> ForgeApprovals | None:
    """Return how the config says that the forge is reached, None where it says nothing, or cannot be read."""
    try:
        policy = work_tree_config(root).approvals
    except InvalidInput:  # the comment may be about just that
        return None
    return policy if isinstance(policy, ForgeApprovals) else None


def _number(environ: Mapping[str, str]) -> int | None:
    """Return the pull request that CI says it runs for. Source: GitHub's and GitLab's pages on their variables."""
    pull = _PULL.fullmatch(environ.get("GITHUB_REF", ""))
    merge = _NUMBER.fullmatch(environ.get("CI_MERGE_REQUEST_IID", ""))
    return int(pull[1]) if pull else int(merge[0]) if merge else None


def _brought(forge: Forge, checkout: Checkout, environ: Mapping[str, str]) -> int | None:
    """Return the pull request that brought the commit at hand, None where it was pushed without one."""
    commit = environ.get("GITHUB_SHA") or environ.get("CI_COMMIT_SHA") or checkout.head()
    pulls = forge.pull_requests(commit)
    merged = [pull.number for pull in pulls if pull.state == "merged" and pull.lasting]
    return max(merged or [pull.number for pull in pulls if pull.state == "open"], default=None)


def _write(forge: Forge, number: int, body: str) -> str:
    mark = body.partition("\n")[0]
    mine = [comment for comment in forge.comments(number) if comment.mine and _first_line(comment) == mark]
    if not mine:
        return f"Commented: {forge.create_comment(number, body)}"
    return f"Brought the comment up to date: {forge.update_comment(number, mine[0].id, body)}"


def _first_line(comment: Comment) -> str:
    return comment.body.partition("\n")[0].rstrip("\r")


def _instead(body: str, environ: Mapping[str, str]) -> str | None:
    """Show the text where a job is looked at, and say where that is; None outside of a job.

    GitLab's jobs have no summary. There `plan` and `apply` told the log all of it, and a comment that cannot be written
    is no reason for a job to fail: a fork has no token for it, nor has who did not set one up.
    """
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"{body}\n")
        return "The job's summary has it instead."
    return "This job's log has to do." if environ.get("GITLAB_CI") else None
