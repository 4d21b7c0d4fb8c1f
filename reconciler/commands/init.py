"""`init`: a repository that is ready for backfills. Nothing that is there is overwritten."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.init_files import Forge, Report, Setup, Wanted, config_text, report_of, wanted_files
from reconciler.commands.init_steps import next_steps
from reconciler.commands.placing import check_places, is_there, place
from reconciler.commands.questions import Question, refuse_open
from reconciler.commands.tool_source import Tool, installed_tool, read_tool
from reconciler.core.config import EMBEDDED, ForgeApprovals
from reconciler.core.text import printable
from reconciler.errors import ExitCode, InvalidInput, UsageFailure
from reconciler.manifests import branch as branches
from reconciler.manifests.root import CONFIG, read_root
from reconciler.state.git import Git

_PLAIN_ROOT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_PLAIN_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
_APPROVER = re.compile(r"@?[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


@dataclass(frozen=True, slots=True)
class InitOptions:
    """The options of `init`; None and () are open. `folder` is where it runs: `root` is relative to it."""

    root: Path
    forge: Forge | None = None
    url: str | None = None
    tenant: str | None = None
    time_zone: str | None = None
    approvers: tuple[str, ...] = ()
    tool: str | None = None
    branch: str | None = None
    folder: Path = Path()
    report: Report | None = None


def questions(options: InitOptions) -> tuple[Question, ...]:
    """Return what is still open. An answer may open others: ask the first, put it into the options, and call again."""
    asked = []
    git = _repository(options.folder)
    if options.forge is None:
        origin = git.setting("remote.origin.url") if git else None
        asked.append(Question("--forge", "github or gitlab", "gitlab" if "gitlab" in (origin or "") else "github"))
    if not (options.folder / options.root / CONFIG).is_file():
        asked += _target_questions(options)
    if not options.approvers:
        asked.append(Question("--approver", "who approves reruns: logins, or teams such as @acme/data-platform"))
    if options.tool is None and installed_tool() is None:
        text = "where CI gets this tool from, OWNER/REPO@COMMIT or https://…/REPO@COMMIT: this copy does not know it"
        asked.append(Question("--tool", text))
    return tuple(asked)


def _target_questions(options: InitOptions) -> Iterable[Question]:
    if options.url is None:
        yield Question("--url", "the scheduler's address, or embedded: the emulator that comes along", EMBEDDED)
    elif options.url != EMBEDDED:
        if options.tenant is None:
            yield Question("--tenant", "the tenant's id, from the scheduler's API integration page")
        if options.time_zone is None:
            yield Question("--time-zone", "whose wall clock the schedule times are, such as Asia/Shanghai")


def answered(options: InitOptions, option: str, text: str) -> InitOptions:
    """Return the options with an answer to the question of that option. Raises UsageFailure for an unknown forge."""
    match option:
        case "--forge":
            forges: dict[str, Forge] = {"github": "github", "gitlab": "gitlab"}
            if text not in forges:
                raise UsageFailure(f"there is no forge {printable(text)}", "write github or gitlab")
            return replace(options, forge=forges[text])
        case "--url":
            return replace(options, url=text)
        case "--tenant":
            return replace(options, tenant=text)
        case "--time-zone":
            return replace(options, time_zone=text)
        case "--approver":
            return replace(options, approvers=tuple(text.replace(",", " ").split()))
        case "--tool":
            return replace(options, tool=text)
        case _:
            raise ValueError(f"{option} is no question")


def run(options: InitOptions, console: Console) -> ExitCode:
    """Write what is missing and say what is next.

    What is open has its default. Raises UsageFailure for what has none, InvalidInput for answers that make no valid
    config, Failure where something is in the way; then nothing was written.
    """
    given = options
    while open_questions := questions(options):
        refuse_open(open_questions)
        options = answered(options, open_questions[0].option, open_questions[0].default or "")
    git = _repository(options.folder)
    top = git.top if git else options.folder.resolve()
    setup = _setup(options, git, top)
    files = wanted_files(setup)
    check_places(top, [path for file in files for path in (file.path, *_there(top, file))])
    if git is None:
        Git.begin(top, setup.branch)
        console.message(f"Made a git repository, on the branch {setup.branch}.")
    wrote = [file.path for file in files if _settle(top, file, replace(options, url=given.url), console)]
    console.message(next_steps(setup, wrote))
    return ExitCode.DONE


def _settle(top: Path, file: Wanted, options: InitOptions, console: Console) -> bool:
    """Write a file, or say that it is kept and what is missing in it. Returns whether it was written."""
    there = next(iter(_there(top, file)), None)
    if there is None and place(top, file.path, file.text.encode()):
        console.result(f"wrote  {file.path}\n")
        return True
    kept = there or file.path
    console.result(f"kept   {kept}\n")
    text = (top / kept).read_text("utf-8", "replace")
    if any(need not in text for need in file.needs):
        if file.lines:
            console.warning(f"Add to {kept}:\n" + "".join(f"    {line}\n" for line in file.lines.splitlines()))
        else:
            console.warning(
                f"{kept} is not this tool's, and stays; what belongs there was not written. Rename it, run init again"
            )
    elif options.report is not None and file.report is not None and report_of(text) != file.report:
        console.warning(
            f"{kept} is kept as it is, without --report {options.report}. To have it, delete the file, run init again,"
            " and take over by hand what you changed in it"
        )
    if kept.endswith(f"/{CONFIG}"):
        _tell_config(text, options, console)
    return False


def _tell_config(text: str, options: InitOptions, console: Console) -> None:
    """Say where a config that was there is not what the answers ask for."""
    config = read_root({CONFIG: text.encode()}).config
    if config is None:
        console.warning("The config is kept as it is, and it is not valid: see reconciler validate.")
        return
    approvals = config.approvals
    by = approvals.forge if isinstance(approvals, ForgeApprovals) else None
    if by != options.forge:
        console.warning(
            f"The config is kept as it is: its reruns are not approved by reviews on {options.forge}. For that, set "
            f"approvals.reruns to {{provider: {options.forge}, approvers: [{', '.join(options.approvers)}]}}."
        )
    if options.url is not None and options.url not in {target.url for target in config.targets.values()}:
        console.warning(f"The config is kept as it is: it has no target with the url {printable(options.url)}.")


def _there(top: Path, file: Wanted) -> list[str]:
    return [path for path in file.places or (file.path,) if is_there(top, path)]


def _repository(folder: Path) -> Git | None:
    try:
        return Git.find(folder)
    except InvalidInput:
        return None


def _setup(options: InitOptions, git: Git | None, top: Path) -> Setup:
    setup = Setup(
        forge=options.forge or "github",
        root=_root(options, top),
        branch=_branch(options.branch, git),
        url=options.url or EMBEDDED,
        tenant=options.tenant or "tn_1",
        time_zone=options.time_zone or "UTC",
        approvers=_approvers(options.approvers),
        tool=_tool(options),
        report=options.report or "artifact",
    )
    _check_config(setup)
    return setup


def _root(options: InitOptions, top: Path) -> str:
    """Return the root's path from the repository's top; `..` and the like are taken out without following links."""
    path = Path(os.path.normpath(options.folder.resolve() / options.root))
    inside = path.relative_to(top.resolve()).as_posix() if path.is_relative_to(top.resolve()) else ""
    if not _PLAIN_ROOT.fullmatch(inside):
        raise UsageFailure(
            f"the root {printable(os.fspath(options.root))} does not suit",
            f"name a folder below {top}, in ASCII letters, digits, dots, dashes and underscores, no dot first:"
            " workflows, patterns and shell lines hold it",
        )
    return inside


def _branch(named: str | None, git: Git | None) -> str:
    head = git.head_branch() if git else None
    branch = named or (head.removeprefix("refs/heads/") if head else "main")
    if branches.complaint(branch) or not _PLAIN_BRANCH.fullmatch(branch):
        raise UsageFailure(
            f"the branch {printable(branch)} does not suit", "name the one that is applied: --branch main"
        )
    return branch


def _approvers(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return logins bare and teams with their @, each once."""
    for name in names:
        if not _APPROVER.fullmatch(name):
            raise UsageFailure(f"{printable(name)} is no login and no team", "write dana, or @acme/data-platform")
    bare = (name.removeprefix("@") for name in names)
    found = {name.casefold(): f"@{name}" if "/" in name else name for name in bare}
    return tuple(found.values())


def _tool(options: InitOptions) -> Tool:
    tool = read_tool(options.tool) if options.tool else installed_tool()
    if tool is None:
        raise UsageFailure("nothing says where CI gets this tool from", "name it: --tool OWNER/REPO@COMMIT")
    if options.forge == "github" and tool.path.count("/") != 1:
        raise UsageFailure(f"{tool.url} is no repository of GitHub's", "name it: --tool OWNER/REPO@COMMIT")
    return tool


def _check_config(setup: Setup) -> None:
    """Raise InvalidInput with the loader's problems where an answer makes no valid config."""
    reading = read_root({CONFIG: config_text(setup).encode("utf-8", "surrogatepass")})
    problems = tuple(problem for problem in reading.problems if problem.severity == "error")
    if problems:
        raise InvalidInput("the answers make no valid config", "", problems)
