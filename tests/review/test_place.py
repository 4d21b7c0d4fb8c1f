"""Where reviews are found, and that a token goes nowhere else."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.errors import ForgeFailure
from reconciler.review.place import ALLOWED_HOSTS, ForgeName, Place, check_allowed_host, locate, read_api
from tests.examples import examples

GITHUB_CI = {"GITHUB_API_URL": "https://api.github.com", "GITHUB_REPOSITORY": "acme/data"}
GITLAB_CI = {
    "CI_API_V4_URL": "https://git.acme.example/api/v4",
    "CI_PROJECT_PATH": "acme/warehouse/data",
    "CI_PROJECT_ID": "8",
}


def place(environ: dict[str, str], remote: str | None = None, **config: str) -> tuple[str, str, str]:
    found = locate(environ, remote, **config)  # type: ignore[arg-type]
    return found.forge, found.api.url, found.repository


def refusal(environ: dict[str, str], remote: str | None = None, **config: str) -> str:
    with pytest.raises(ForgeFailure) as caught:
        place(environ, remote, **config)
    assert caught.value.hint
    return f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/acme/data.git",
        "https://github.com/acme/data",
        "https://github.com/acme/data/",
        "https://dana:secret@GitHub.com/acme/data.git",
        "ssh://git@github.com/acme/data.git",
        "ssh://git@github.com:22/acme/data.git",
        "ssh://git@ssh.github.com:443/acme/data.git",
        "git@github.com:acme/data.git",
        "github.com:acme/data",
        "git@github.com:/acme/data.git",
    ],
)
def test_a_remote_of_github_is_asked_at_its_api(remote: str) -> None:
    assert place({}, remote) == ("github", "https://api.github.com", "acme/data")
    assert place({}, remote, forge="github") == ("github", "https://api.github.com", "acme/data")


@pytest.mark.parametrize(
    ("forge", "remote", "url", "repository"),
    [
        ("github", "https://git.acme.example/acme/data.git", "https://git.acme.example/api/v3", "acme/data"),
        ("github", "https://git.acme.example:8443/acme/data", "https://git.acme.example:8443/api/v3", "acme/data"),
        ("github", "ssh://git@git.acme.example:2222/acme/data", "https://git.acme.example/api/v3", "acme/data"),
        ("github", "https://acme.ghe.com/acme/data", "https://api.acme.ghe.com", "acme/data"),
        ("gitlab", "git@gitlab.com:acme/warehouse/data.git", "https://gitlab.com/api/v4", "acme/warehouse/data"),
        ("gitlab", "ssh://git@altssh.gitlab.com:443/acme/data", "https://gitlab.com/api/v4", "acme/data"),
        ("gitlab", "http://127.0.0.1:8080/acme/data.git", "http://127.0.0.1:8080/api/v4", "acme/data"),
        ("gitlab", "http://[::1]:8080/acme/data.git", "http://[::1]:8080/api/v4", "acme/data"),
    ],
)
def test_a_remote_of_another_host_is_asked_there(forge: ForgeName, remote: str, url: str, repository: str) -> None:
    assert place({}, remote, forge=forge) == (forge, url, repository)


def test_what_ci_says_goes_before_the_remote() -> None:
    elsewhere = "git@github.com:mallory/data.git"
    assert place(GITHUB_CI, elsewhere) == ("github", "https://api.github.com", "acme/data")
    assert place(GITLAB_CI, elsewhere) == ("gitlab", "https://git.acme.example/api/v4", "acme/warehouse/data")
    by_number = {name: value for name, value in GITLAB_CI.items() if name != "CI_PROJECT_PATH"}
    assert place(by_number) == ("gitlab", "https://git.acme.example/api/v4", "8")
    of_a_fork = {**GITLAB_CI, "CI_PROJECT_PATH": "dana/data", "CI_MERGE_REQUEST_PROJECT_PATH": "acme/warehouse/data"}
    assert place(of_a_fork)[2] == "acme/warehouse/data"


def test_what_the_config_says_goes_before_ci() -> None:
    asked = place(GITHUB_CI, None, forge="github", url="https://git.acme.example/api/v3/", repository="acme/other")
    assert asked == ("github", "https://git.acme.example/api/v3", "acme/other")
    assert place(GITHUB_CI, None, repository="acme/other")[2] == "acme/other"
    assert place(GITHUB_CI, "git@gitlab.com:acme/data.git", forge="gitlab")[1:] == (
        "https://gitlab.com/api/v4",
        "acme/data",
    )


def test_a_repository_of_one_forge_is_never_asked_for_at_another() -> None:
    said = refusal(GITHUB_CI, "git@github.com:acme/data.git", url="https://git.acme.example/api/v3")
    assert "which repository of git.acme.example" in said
    assert "approvals.reruns.repository" in said
    with_remote = place(GITHUB_CI, "git@git.acme.example:acme/data.git", url="https://git.acme.example/api/v3")
    assert with_remote == ("github", "https://git.acme.example/api/v3", "acme/data")


@pytest.mark.parametrize(
    ("config", "remote", "why"),
    [
        ({}, None, "which forge"),
        ({}, "/srv/git/data.git", "which forge"),
        ({}, "git@git.acme.example:acme/data.git", "which forge"),
        ({"forge": "github"}, None, "no git remote"),
        ({"forge": "github"}, "file:///srv/data.git", "no git remote"),
        ({"forge": "github"}, "http://git.acme.example/acme/data.git", "without encryption"),
        ({"forge": "github"}, "git@github.com:acme/data/more.git", "owner/name"),
        ({"forge": "github"}, "git@github.com:acme/..", "owner/name"),
        ({"forge": "github", "repository": "acme/da ta"}, "git@github.com:acme/data", "owner/name"),
        ({"forge": "gitlab", "repository": "data"}, "git@gitlab.com:acme/data", "group/project"),
        ({"forge": "gitlab", "repository": "a/../b"}, "git@gitlab.com:acme/data", "group/project"),
        ({"forge": "github", "url": "http://git.acme.example"}, None, "never sent unencrypted"),
        ({"forge": "github", "url": "http://127.evil.example"}, None, "never sent unencrypted"),
        ({"forge": "github", "url": "https://git.acme.example:99999"}, None, "port 99999"),
        ({"forge": "github", "url": "https://git.acme.example?x=1"}, None, "is not written as"),
        ({"forge": "github", "url": "https://git.acme.example#x"}, None, "is not written as"),
        ({"forge": "github", "url": "ftp://git.acme.example"}, None, "is not written as"),
        ({"forge": "github", "url": "https://a/../b"}, None, "is not written as"),
    ],
)
def test_what_is_missing_or_wrong_is_said(config: dict[str, str], remote: str | None, why: str) -> None:
    assert why in refusal({}, remote, **config)


def test_a_password_in_a_url_is_never_shown() -> None:
    assert "CANARY" not in refusal({}, "https://dana:CANARY@git.acme.example/acme/data.git")
    assert "CANARY" not in refusal({}, "http://dana:CANARY@git.acme.example/acme/data.git", forge="github")
    assert "CANARY" not in refusal({}, None, forge="github", url="https://dana:CANARY@git.acme.example")
    assert "CANARY" not in refusal({"GITHUB_API_URL": "https://dana:CANARY@git.acme.example"}, None, forge="github")


_HOSTS = ("github.com", "Git.acme.example", "evil.example", "localhost", "127.0.0.1", "[::1]")
_MARKS = (
    "",
    "",
    ":",
    "/",
    "@",
    "?",
    "#",
    "\\",
    "%2f",
    "..",
    ".",
    " ",
    "\t",
    "\n",
    "ſ",
    "K",
    "。",
    "evil.example",
    "x:y@",
)


def _address(parts: tuple[str, ...], mark: str, place: int) -> str:
    """Write an address with one thing too many at some place, or with nothing."""
    text = "".join(parts)
    place %= len(text) + 1
    return text[:place] + mark + text[place:]


_ADDRESSES = st.builds(
    _address,
    st.tuples(
        st.sampled_from(("https://", "https://", "http://", "ssh://")),
        st.sampled_from(("", "", "git@", "dana:secret@")),
        st.sampled_from(_HOSTS),
        st.sampled_from(("", ":443", ":8443", ":0", ":99999")),
        st.sampled_from(("", "/", "/api/v3", "/acme/data.git")),
    ),
    st.sampled_from(_MARKS),
    st.integers(0, 60),
)


@pytest.mark.claim("a token goes to the host that is written there, and over https or to loopback")
@settings(max_examples=examples(250))
@given(_ADDRESSES)
@example("https://evil.example\\@github.com")
@example("http://localhost@evil.example")
def test_an_api_is_on_the_host_that_two_other_parsers_read(text: str) -> None:
    with suppress(ForgeFailure):
        api = read_api(text)
        for host in (urlsplit(text).hostname, httpx.URL(text).host, httpx.URL(api.url).host):
            assert host is not None
            assert host.lower() == api.host.strip("[]")
        assert httpx.URL(api.url).scheme == api.scheme
        assert api.scheme == "https" or api.host in {"localhost", "127.0.0.1", "[::1]"}


@pytest.mark.claim("a token goes to the host that is written there, and over https or to loopback")
@settings(max_examples=examples(250))
@given(_ADDRESSES)
@example("ssh://[:::1]/acme/data")
def test_a_remote_is_on_the_host_that_another_parser_reads(text: str) -> None:
    with suppress(ForgeFailure):
        found = locate({}, text, forge="gitlab")
        assert found.api.host.strip("[]") == (urlsplit(text).hostname or "").lower()
        assert found.api.scheme == "https" or found.api.host in {"localhost", "127.0.0.1", "[::1]"}


def _allowed(url: str, environ: dict[str, str], remote: str | None = None) -> None:
    check_allowed_host(Place("github", read_api(url), "acme/data"), environ, remote)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://git.acme.example/api/v3", "git.acme.example"),
        ("https://git.acme.example/api/v3", " other , GIT.acme.example:443 "),
        ("http://[::1]:8083", "::1"),
        ("http://127.0.0.1:8083", "127.0.0.1:8083"),
    ],
)
def test_an_api_on_an_allowed_host_is_let_through(url: str, allowed: str) -> None:
    _allowed(url, {ALLOWED_HOSTS: allowed})


@pytest.mark.parametrize("allowed", ["", " , ", "acme.example", "git.acme.example:8443", "xgit.acme.example"])
def test_a_token_goes_to_no_other_host(allowed: str) -> None:
    with pytest.raises(ForgeFailure, match=r"GitHub's host git\.acme\.example:443 is neither") as caught:
        _allowed("https://git.acme.example/api/v3", {ALLOWED_HOSTS: allowed})
    assert ALLOWED_HOSTS in caught.value.hint


def test_the_api_that_ci_itself_names_is_allowed() -> None:
    own = {ALLOWED_HOSTS: "scheduler", "GITHUB_API_URL": "https://git.acme.example/api/v3"}
    _allowed("https://git.acme.example/api/v3", own)
    for other in ("https://api.github.com", "https://git.acme.example:8443/api/v3"):
        with pytest.raises(ForgeFailure, match="no token is sent there"):
            _allowed(other, own)
    with pytest.raises(ForgeFailure, match="no token is sent there"):
        _allowed("https://git.acme.example/api/v4", {ALLOWED_HOSTS: "", "CI_API_V4_URL": "https://git.acme.example"})


@pytest.mark.parametrize("environ", [{}, {"CI": "true"}, {"GITHUB_API_URL": "https://api.github.com"}])
def test_a_host_that_the_config_alone_names_has_to_be_on_the_list(environ: dict[str, str]) -> None:
    remote = "git@github.com:acme/data.git"
    with pytest.raises(ForgeFailure, match="no token is sent there"):
        _allowed("https://elsewhere.example/api/v3", environ, remote)
    _allowed("https://elsewhere.example/api/v3", {**environ, ALLOWED_HOSTS: "elsewhere.example"}, remote)


def test_the_forge_of_the_git_remote_is_asked_where_there_is_no_list() -> None:
    _allowed("https://api.github.com", {}, "git@github.com:acme/data.git")
    _allowed("https://git.acme.example/api/v3", {}, "ssh://git@git.acme.example:22/acme/data.git")
    with pytest.raises(ForgeFailure, match="no token is sent there"):
        _allowed("https://api.github.com", {}, None)
    with pytest.raises(ForgeFailure, match="no token is sent there"):
        _allowed("https://api.github.com", {ALLOWED_HOSTS: ""}, "git@github.com:acme/data.git")
    with pytest.raises(ForgeFailure, match="no token is sent there"):
        _allowed("https://git.acme.example:9999/api/v3", {}, "ssh://git@git.acme.example:22/acme/data.git")
