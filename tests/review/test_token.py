"""The token for a forge: found, checked, never shown."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from reconciler.core.config import FromEnv, FromFile, ValueFrom
from reconciler.errors import ForgeFailure
from reconciler.review.token import Token, read_token

CANARY = "CANARY-5f1e-never-seen"


def refusal(value_from: ValueFrom | None, environ: dict[str, str]) -> str:
    with pytest.raises(ForgeFailure) as caught:
        read_token("github", value_from, environ)
    assert caught.value.hint
    assert caught.value.__cause__ is None
    return f"{caught.value} {caught.value.hint} {caught.value!r}"


def test_the_usual_variables_are_read_in_their_order() -> None:
    both = {"GITHUB_TOKEN": "first", "GH_TOKEN": "second", "GITLAB_TOKEN": "third", "CI_JOB_TOKEN": "fourth"}
    assert read_token("github", None, both).value == "first"
    assert read_token("github", None, {"GH_TOKEN": "second"}).value == "second"
    assert read_token("github", None, {"GITHUB_TOKEN": "", "GH_TOKEN": "second"}).value == "second"
    assert read_token("gitlab", None, both).value == "third"


def test_a_token_that_is_not_there_is_named_with_the_rights_that_it_needs() -> None:
    said = refusal(None, {"CI_JOB_TOKEN": "x"})
    assert "GITHUB_TOKEN or GH_TOKEN is not set" in said
    assert "pull-requests: read" in said
    with pytest.raises(ForgeFailure, match="GITLAB_TOKEN is not set") as caught:
        read_token("gitlab", None, {"CI_JOB_TOKEN": "x"})
    assert "read_api" in caught.value.hint
    assert "environment variable MINE is not set" in refusal(FromEnv("MINE"), {"GITHUB_TOKEN": "x"})


def test_a_file_may_end_in_one_newline(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for content in ("t" * 1024, "t" * 1024 + "\n"):
        file.write_text(content)
        assert read_token("github", FromFile(str(file)), {}).value == "t" * 1024


@pytest.mark.parametrize("file", ["/none/here", "/", "/a\x00b"])
def test_a_file_that_cannot_be_read_is_named(file: str) -> None:
    assert "cannot be read" in refusal(FromFile(file), {})


@pytest.mark.parametrize("tail", [" ", "\n\n", "\r\n", "\nx: y", "\x00", "\x7f", "é", "\udcff", "x" * 1024])
def test_a_malformed_token_is_refused_and_never_shown(tail: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes((CANARY + tail).encode("utf-8", "surrogateescape"))
    for value_from in (FromEnv("MINE"), FromFile(str(file))):
        said = refusal(value_from, {"MINE": CANARY + tail})
        assert "the token in" in said
        assert "CANARY" not in said
    assert "is empty" in refusal(FromEnv("MINE"), {"MINE": ""})
    assert "is longer than 1024" in refusal(FromFile("/dev/zero"), {})


def test_a_token_is_never_shown_copied_or_pickled() -> None:
    token = Token(CANARY, "environment variable MINE")
    assert repr(token) == str(token) == f"{token}" == "Token(environment variable MINE, ***)"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy, vars):
        with pytest.raises(TypeError) as caught:
            leak(token)
        assert "CANARY" not in str(caught.value)


def test_a_token_is_blotted_out_however_it_is_written() -> None:
    token = Token('a"b&c/d', "x")
    assert token.blot('1 a"b&c/d 2 a\\"b&c/d 3 a&quot;b&amp;c/d 4 a%22b%26c%2Fd') == "1 *** 2 *** 3 *** 4 ***"
