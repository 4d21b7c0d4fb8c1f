"""`comment`: one comment a pull request, made or brought up to date; a job goes on where none can be written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.forges import open_forge
from reconciler.commands.gather import work_tree_config
from reconciler.commands.state import open_checkout
from reconciler.core.config import ForgeApprovals
from reconciler.errors import ExitCode, Failure, ForgeFailure, InvalidInput, UsageFailure
from reconciler.render.marks import read_run_mark, root_mark
from reconciler.review.forge import Comment, Forge
from reconciler.state.checkout import Checkout

_LONGEST = 65_536
"""The most characters of a comment. Source: GitHub refuses longer ones with `body is too long`."""
_PULL = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WRITE_IT = "write it with: reconciler plan --format markdown --out FILE"
_FOLD = "\n<details>\n<summary>Before</summary>\n\n"


@dataclass(frozen=True, slots=True)
class CommentOptions:
    """The options of `comment`. `file` holds Markdown; `number` is the pull request, None for the one that CI is at."""

    root: Path
    file: Path
    number: int | None


def run(options: CommentOptions, console: Console) -> ExitCode:
    """Write the comment, and say where. Raises Failure where it cannot be written, and no job shows it instead.

    The pull request is the one that CI says it runs for, or else the one that brought the commit at hand; and where the
    text tells of reruns that were made, those by which they were approved, too.
    """
    checkout = open_checkout(options.root, console.progress)
    mark = root_mark(checkout.prefix)
    text = _read(options.file, mark)
    try:
        with (
            console.progress.waiting("writing the comment"),
            open_forge(checkout, _policy(options.root, os.environ), os.environ) as forge,
        ):
            numbers = [options.number] if options.number else _numbers(forge, checkout, text, os.environ)
            if numbers:
                _write_all(forge, numbers, mark, text, console)
                return ExitCode.DONE
        why = "No pull request brought this commit."
        failed: Failure = UsageFailure(
            "no pull request brought this commit", "name one: reconciler comment FILE --pull-request N"
        )
    except ForgeFailure as failure:
        why, failed = f"No comment could be written: {failure.message} ({failure.hint}).", failure
    instead = _instead(f"{mark}\n{text}", why, os.environ)
    if instead is None:
        raise failed
    console.warning(f"{why} {instead}")
    return ExitCode.DONE


def _read(file: Path, mark: str) -> str:
    """Return the comment's text, without the mark that it will begin with."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageFailure(f"{file} cannot be read: {error.strerror}", _WRITE_IT) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} cannot be read: it is not UTF-8", _WRITE_IT) from None
    if not text.strip() or len(mark) + len(text) >= _LONGEST:
        size = "is empty" if not text.strip() else f"has {len(text):,} characters; a comment holds {_LONGEST:,}"
        raise InvalidInput(f"{file} {size}", _WRITE_IT)
    return text


def _policy(root: Path, environ: Mapping[str, str]) -> ForgeApprovals | None:
    """Return how the config says that the forge is reached, None where CI says it, or nothing does.

    In CI the config is the pull request's own, and may name another repository.
    """
    if environ.get("GITHUB_REPOSITORY") or environ.get("CI_PROJECT_ID"):
        return None
    try:
        policy = work_tree_config(root).approvals
    except InvalidInput:  # the comment may be about just that
        return None
    return policy if isinstance(policy, ForgeApprovals) else None


def _numbers(forge: Forge, checkout: Checkout, text: str, environ: Mapping[str, str]) -> list[int]:
    """Return the pull requests to write to: where CI is, or what brought the commit and those whose reruns it made."""
    here = _number(environ)
    if here is not None:
        return [here]
    told = read_run_mark(text)
    brought = _brought(forge, checkout, environ)
    return sorted({*(told[1] if told else ()), *([brought] if brought else [])})


def _number(environ: Mapping[str, str]) -> int | None:
    """Return the pull request that CI says it runs for. Source: GitHub's and GitLab's pages on their variables."""
    pull = _PULL.fullmatch(environ.get("GITHUB_REF", ""))
    merge = _NUMBER.fullmatch(environ.get("CI_MERGE_REQUEST_IID", ""))
    return int(pull[1]) if pull else int(merge[0]) if merge else None


def _brought(forge: Forge, checkout: Checkout, environ: Mapping[str, str]) -> int | None:
    """Return the pull request that brought the commit at hand, None where it was pushed without one."""
    named = environ.get("GITHUB_SHA") or environ.get("CI_COMMIT_SHA") or ""
    commit = named if _COMMIT.fullmatch(named) else checkout.head()
    pulls = forge.pull_requests(commit)
    merged = [pull.number for pull in pulls if pull.state == "merged" and pull.lasting]
    return max(merged or [pull.number for pull in pulls if pull.state == "open"], default=None)


def _write_all(forge: Forge, numbers: Sequence[int], mark: str, text: str, console: Console) -> None:
    """Write to each pull request. One that refuses does not keep the others from it; its failure is raised last."""
    failed: ForgeFailure | None = None
    for number in numbers:
        try:
            console.message(_write(forge, number, mark, text))
        except ForgeFailure as failure:
            failed = failed or failure
    if failed is not None:
        raise failed


def _write(forge: Forge, number: int, mark: str, text: str) -> str:
    """Make the comment, or bring it up to date. What it tells of calls that were made is never lost."""
    mine = [comment for comment in forge.comments(number) if comment.mine and _first_line(comment) == mark]
    if not mine:
        return "Commented: " + forge.create_comment(number, f"{mark}\n{text}")
    old = mine[0].body.partition("\n")[2]
    told, tells = read_run_mark(old), read_run_mark(text)
    if told and not tells:
        return f"The comment on pull request {number} keeps what run {told[0]} did: nothing was called since."
    if told and tells and told[0] != tells[0]:
        text = _with_earlier(text, old, _LONGEST - len(mark) - 1)
    return "Brought the comment up to date: " + forge.update_comment(number, mine[0].id, f"{mark}\n{text}")


def _with_earlier(text: str, old: str, room: int) -> str:
    """Return a text with what was told before folded below it, as far as there is room."""
    for earlier in (old, old.partition(_FOLD)[0]):
        both = f"{text}{_FOLD}{earlier}\n</details>\n"
        if len(both) <= room:
            return both
    return text


def _first_line(comment: Comment) -> str:
    return comment.body.partition("\n")[0].rstrip("\r")


def _instead(body: str, why: str, environ: Mapping[str, str]) -> str | None:
    """Show the text where a job is looked at, and say where that is; None outside of a job.

    GitLab's jobs have no summary. There `plan` and `apply` told the log all of it, and a comment that cannot be written
    is no reason for a job to fail: a fork has no token for it, nor has who did not set one up.
    """
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if not summary:
        return "This job's log has to do." if environ.get("GITLAB_CI") else None
    try:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"{body}\n")
    except OSError as error:
        raise Failure(
            f"{why} Nor can it go to the job's summary, {summary}: {error.strerror}",
            "correct what GITHUB_STEP_SUMMARY names, or unset it",
        ) from None
    return "The job's summary has it instead."
