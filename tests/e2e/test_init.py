"""`init`: what it writes, what it keeps, what it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reconciler.commands import init
from reconciler.commands.init import InitOptions, answered, questions
from reconciler.commands.init_files import Forge
from reconciler.commands.tool_source import read_tool, tool_of, web_url
from reconciler.core.config import Config, ForgeApprovals, FromEnv
from reconciler.errors import ExitCode, Failure, InvalidInput, UsageFailure
from reconciler.manifests.root import read_root
from tests.e2e.readying import COMMIT, TOOL, console, contents, make_ready, options
from tests.e2e.workplace import git

GITHUB = {
    *("triggers/reconciler.yaml", "schemas/backfill.v1.schema.json", "schemas/config.v1.schema.json"),
    *(f".github/workflows/backfills-{name}.yml" for name in ("plan", "apply", "resolve")),
    *(".github/CODEOWNERS", ".pre-commit-config.yaml"),
}
GITLAB = {
    *("triggers/reconciler.yaml", "schemas/backfill.v1.schema.json", "schemas/config.v1.schema.json"),
    *(".gitlab-ci.yml", ".gitlab/backfills.yml", ".gitlab/CODEOWNERS", ".pre-commit-config.yaml"),
}
REAL = {"url": "https://anymetrics.example.org:8443", "tenant": "tn_7", "time_zone": "Europe/Paris"}


def read_config(root: Path) -> Config:
    """Return the config of a root."""
    reading = read_root({"reconciler.yaml": (root / "reconciler.yaml").read_bytes()})
    assert not [problem for problem in reading.problems if problem.file], "only that there are no manifests yet"
    assert reading.config
    return reading.config


@pytest.mark.parametrize(("forge", "files"), [("github", GITHUB), ("gitlab", GITLAB)])
def test_an_empty_folder_becomes_a_repository_with_all_files(
    folder: Path, forge: str, files: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert init.run(options(folder, forge=forge), console()) == ExitCode.DONE
    assert set(contents(folder)) == files
    assert git(folder, "symbolic-ref", "HEAD").strip() == "refs/heads/main"
    said = capsys.readouterr()
    assert set(said.out.split()) == {"wrote", *files}
    assert [line for line in said.err.splitlines() if line.startswith(("  1. ", "  2. ", "  3. "))]


@pytest.mark.parametrize("given", [{}, REAL], ids=["embedded", "real"])
@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_what_is_written_is_a_valid_config(folder: Path, forge: Forge, given: dict[str, str]) -> None:
    root = make_ready(folder, forge=forge, **given)
    config = read_config(root)
    target = config.targets[config.default_target or ""]
    wanted = given or {"url": "embedded", "tenant": "tn_1", "time_zone": "UTC"}
    assert (target.url, target.tenant, target.time_zone) == tuple(wanted.values())
    token = FromEnv("APPROVALS_TOKEN") if forge == "github" else None  # GITHUB_TOKEN reads no team
    assert config.approvals == ForgeApprovals(forge, ("dana", "@acme/data-platform"), 1, token_from=token)


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_a_second_time_changes_nothing(folder: Path, forge: str, capsys: pytest.CaptureFixture[str]) -> None:
    make_ready(folder, forge=forge)
    before = contents(folder)
    capsys.readouterr()
    make_ready(folder, forge=forge)
    said = capsys.readouterr()
    assert contents(folder) == before
    assert "wrote" not in said.out
    assert "Add to" not in said.err


@pytest.mark.parametrize(("forge", "files"), [("github", GITHUB), ("gitlab", GITLAB)])
def test_nothing_is_overwritten(folder: Path, forge: str, files: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    git(folder, "init", "-q", "--template=", "-b", "trunk")
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("# mine\n")
    make_ready(folder, forge=forge)
    assert set(contents(folder)) == files
    assert set(contents(folder).values()) == {b"# mine\n"}
    told = capsys.readouterr().err
    for path in ("CODEOWNERS", ".pre-commit-config.yaml", *([".gitlab-ci.yml"] if forge == "gitlab" else [])):
        assert f"{path}:\n" in told


def test_code_owners_that_count_already_are_not_outdone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "docs").mkdir()
    (folder / "docs" / "CODEOWNERS").write_text("* @lee\n")
    make_ready(folder)
    assert not (folder / ".github" / "CODEOWNERS").exists()
    told = capsys.readouterr().err
    assert "Add to docs/CODEOWNERS:\n    /triggers/ @dana @acme/data-platform\n" in told


def test_a_pipeline_that_is_there_is_told_what_to_include(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".gitlab-ci.yml").write_text("test: {script: [make]}\n")
    make_ready(folder, forge="gitlab")
    assert (folder / ".gitlab-ci.yml").read_text() == "test: {script: [make]}\n"
    assert "Add to .gitlab-ci.yml:\n    include:\n      - local: .gitlab/backfills.yml\n" in capsys.readouterr().err


def test_a_folder_inside_a_repository_gets_no_repository_of_its_own(folder: Path) -> None:
    git(folder, "init", "-q", "--template=", "-b", "trunk")
    inside = folder / "data"
    inside.mkdir()
    make_ready(inside)
    assert (folder / "data" / "triggers" / "reconciler.yaml").is_file()
    plan = (folder / ".github" / "workflows" / "backfills-plan.yml").read_text()
    apply = (folder / ".github" / "workflows" / "backfills-apply.yml").read_text()
    assert '- "data/triggers/**"' in plan
    assert "reconciler --root data/triggers validate" in plan
    assert '- "trunk"' in apply
    assert "args: [--root, data/triggers, validate]" in (folder / ".pre-commit-config.yaml").read_text()


def _in_the_way(folder: Path, how: str) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    match how:
        case "a folder in a file's place":
            (folder / ".github" / "CODEOWNERS").mkdir(parents=True)
        case "a file in a folder's place":
            (folder / "schemas").write_text("")
        case "a link to a file":
            (elsewhere / "file").write_text("")
            (folder / ".pre-commit-config.yaml").symlink_to(elsewhere / "file")
        case "a dead link":
            (folder / ".pre-commit-config.yaml").symlink_to("nowhere")
        case "a link out of the repository":
            (folder / "schemas").symlink_to(elsewhere)
        case _:
            os.mkfifo(folder / ".pre-commit-config.yaml")


WAYS = (
    *("a folder in a file's place", "a file in a folder's place", "a link to a file", "a dead link"),
    *("a link out of the repository", "a pipe"),
)


@pytest.mark.parametrize("how", WAYS)
def test_where_something_is_in_the_way_nothing_is_written(folder: Path, how: str) -> None:
    _in_the_way(folder, how)
    before = contents(folder)
    with pytest.raises(Failure, match="nothing was written"):
        make_ready(folder)
    assert contents(folder) == before
    assert not list((folder.parent / "elsewhere").glob("*.json"))
    assert not (folder / ".git").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written_is_told_before_anything_is(folder: Path) -> None:
    (folder / ".github").mkdir(mode=0o500)
    with pytest.raises(Failure, match="no permission"):
        make_ready(folder)
    assert not contents(folder)


def test_in_a_pipe_what_has_no_default_is_named(folder: Path) -> None:
    with pytest.raises(UsageFailure) as caught:
        init.run(InitOptions(Path("triggers"), folder=folder, tool=TOOL), console())
    assert caught.value.message == "--approver is needed"
    with pytest.raises(UsageFailure) as caught:
        init.run(options(folder, url="https://anymetrics.example.org"), console())
    assert caught.value.message == "--tenant, --time-zone are needed"
    assert not contents(folder)


def test_on_a_terminal_each_answer_leads_to_the_next_question(folder: Path) -> None:
    answers = {
        "--forge": "gitlab",
        "--url": REAL["url"],
        "--tenant": "tn_7",
        "--time-zone": "Europe/Paris",
        "--approver": "dana, lee",
        "--tool": f"https://git.example.org/data/tools/reconciler@{COMMIT}",
    }
    settled, asked = InitOptions(Path("triggers"), folder=folder), []
    while found := questions(settled):
        asked.append(found[0].option)
        settled = answered(settled, found[0].option, answers[found[0].option])
    assert asked[:5] == ["--forge", "--url", "--tenant", "--time-zone", "--approver"]
    assert settled.approvers == ("dana", "lee")


def test_the_forge_is_guessed_by_the_remote(folder: Path) -> None:
    git(folder, "init", "-q", "--template=")
    git(folder, "remote", "add", "origin", "git@gitlab.example.org:data/backfills.git")
    assert {q.option: q.default for q in questions(options(folder))}["--forge"] == "gitlab"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "ftp://x", "tenant": "t", "time_zone": "UTC"}, "url"),
        ({**REAL, "time_zone": "Mars/Base"}, "time zone"),
        ({**REAL, "tenant": 'a"b c'}, "tenantId"),
        ({**REAL, "url": "https://x.example\nevil: yes"}, "url"),
    ],
)
def test_answers_that_make_no_valid_config_write_nothing(folder: Path, given: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_ready(folder, **given)
    assert any(says in f"{problem.path} {problem.message}" for problem in caught.value.problems)
    assert not contents(folder)


@pytest.mark.parametrize(
    "given",
    [
        *({"root": root} for root in (".", "..", "../x", "/etc", ".hidden", "a b", "a'b", "ü", "-x", "a/*")),
        *({"branch": branch} for branch in ("-x", "a b", "a..b", "a'b", "${{ x }}", "*")),
        *({"approvers": (name,)} for name in ("da na", "@", "a b", "dana\n* @eve", "", "${{ x }}")),
        *({"tool": tool} for tool in ("acme/reconciler", "acme/reconciler@main", f"a b/c@{COMMIT}", f"@{COMMIT}")),
        {"tool": f"https://git.example.org/a/b/c@{COMMIT}"},
    ],
    ids=str,
)
def test_what_would_not_stand_safely_in_a_workflow_is_refused(folder: Path, given: dict[str, object]) -> None:
    with pytest.raises(UsageFailure):
        init.run(options(folder, **given), console())  # type: ignore[arg-type]
    assert not contents(folder)


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("https://github.com/acme/reconciler.git", "https://github.com/acme/reconciler"),
        ("https://dana:secret@git.example.org:8443/a/b/c.git", "https://git.example.org:8443/a/b/c"),
        ("git+https://github.com/acme/reconciler", "https://github.com/acme/reconciler"),
        ("git@github.com:acme/reconciler.git", "https://github.com/acme/reconciler"),
        ("ssh://git@git.example.org:2222/acme/reconciler", "https://git.example.org/acme/reconciler"),
        ("/srv/git/reconciler.git", None),
        ("file:///srv/git/reconciler.git", None),
        ("https://github.com/acme/rec onciler", None),
        ('https://github.com/acme/x"; rm -rf', None),
        ("https://github.com/../..", None),
    ],
)
def test_a_repository_is_known_by_its_web_address_without_a_password(source: str, url: str | None) -> None:
    assert web_url(source) == url


def test_the_tool_is_found_by_how_it_was_installed(folder: Path) -> None:
    by_git = {"url": "https://github.com/acme/reconciler.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}
    found = tool_of(json.dumps(by_git))
    assert found
    assert (found.path, found.commit) == ("acme/reconciler", COMMIT)
    git(folder, "init", "-q", "--template=")
    by_folder = json.dumps({"url": folder.as_uri(), "dir_info": {"editable": True}})
    assert tool_of(by_folder) is None  # no commit, no origin
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    git(folder, "remote", "add", "origin", "git@github.com:acme/reconciler.git")
    found = tool_of(by_folder)
    assert found
    assert (found.url, found.commit) == ("https://github.com/acme/reconciler", git(folder, "rev-parse", "HEAD").strip())
    inside = folder / "vendored"
    inside.mkdir()
    assert tool_of(json.dumps({"url": inside.as_uri(), "dir_info": {}})) is None
    assert tool_of(None) is None


def test_a_tool_is_read_with_all_of_its_commit() -> None:
    assert read_tool(TOOL).url == "https://github.com/acme/reconciler"
    assert read_tool(f"https://git.example.org/a/b/c.git@{COMMIT}").path == "a/b/c"


def test_a_workflow_of_somebody_else_stays_and_is_said_to_be_in_the_way(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = folder / ".github" / "workflows" / "backfills-plan.yml"
    plan.parent.mkdir(parents=True)
    plan.write_text("name: mine\n")
    make_ready(folder)
    assert plan.read_text() == "name: mine\n"
    assert ".github/workflows/backfills-plan.yml is not this tool's, and stays" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("provider: github", "provider: manifest", "not approved by reviews on github"),
        ("kind: Config", "kind: Konfig", "it is not valid"),
    ],
)
def test_a_config_that_is_not_what_was_asked_for_is_kept_and_the_difference_told(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    file = make_ready(folder, approvers=("dana",)) / "reconciler.yaml"
    text = file.read_text().replace(old, new)
    file.write_text(text)
    capsys.readouterr()
    make_ready(folder)
    assert file.read_text() == text
    assert words in capsys.readouterr().err
