"""The credential: found, checked, sent to allowed hosts only, never shown."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.config import Auth, FromEnv, FromFile, Target
from reconciler.errors import InvalidInput
from reconciler.scheduler.credential import ALLOWED_HOSTS, Credential, check_allowed_host, read_credential

CANARY = "CANARY-5f1e-never-seen"
FROM_ENV = Target("prod", "http://scheduler:8083", "tn_1", Auth("APIKEY", FromEnv("SECRET")), "UTC")


def from_file(path: Path) -> Target:
    return replace(FROM_ENV, auth=Auth("TOKEN", FromFile(str(path))))


def refusal(target: Target, environ: dict[str, str]) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_credential(target, environ)
    assert caught.value.hint
    assert caught.value.__cause__ is None
    return f"{caught.value} {caught.value.hint} {caught.value!r}"


@pytest.mark.parametrize("value", ["x", "463663891121963008", "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~", "a" * 32])
def test_a_value_is_read_as_it_is(value: str, tmp_path: Path) -> None:
    credential = read_credential(FROM_ENV, {"SECRET": value})
    assert (credential.type, credential.value) == ("APIKEY", value)
    file = tmp_path / "secret"
    for content in (value, value + "\n"):
        file.write_text(content)
        assert read_credential(from_file(file), {}).value == value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "is empty"),
        (CANARY + "x" * 20, "is longer than 32"),
        (CANARY + " ", "holds a space"),
        (CANARY + "\nx: y", "holds a space"),
        (CANARY + "\x00", "holds a space"),
        (CANARY + "\x7f", "holds a space"),
        (CANARY + "é", "holds a space"),
        (CANARY + "\udcff", "holds a space"),
        (CANARY + "\n\n", "holds a space"),
        (CANARY + "\r\n", "holds a space"),
    ],
)
def test_a_malformed_value_is_refused_and_never_shown(value: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(value.encode("utf-8", "surrogateescape"))
    for target, source in ((FROM_ENV, "environment variable SECRET"), (from_file(file), f"file {file}")):
        said = refusal(target, {"SECRET": value})
        assert f"target prod: the credential in {source} {why}" in said
        assert "CANARY" not in said


def test_a_variable_or_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "target prod: environment variable SECRET is not set" in refusal(FROM_ENV, {"OTHER": "x"})
    assert "No such file or directory" in refusal(from_file(tmp_path / "none"), {})
    assert "Is a directory" in refusal(from_file(tmp_path), {})
    assert "not a path" in refusal(from_file(Path("/a\x00b")), {})


def test_a_huge_file_is_not_read_whole() -> None:
    assert "is longer than 32" in refusal(from_file(Path("/dev/zero")), {})


def test_only_an_embedded_target_needs_no_credential() -> None:
    embedded = replace(FROM_ENV, url="embedded", auth=None)
    assert read_credential(embedded, {}).type == "UID"
    assert read_credential(embedded, {}).value == "embedded"
    assert "no credential is configured" in refusal(replace(FROM_ENV, auth=None), {})


def test_a_credential_is_never_shown_copied_or_pickled() -> None:
    @dataclasses.dataclass
    class Holder:
        credential: Credential

    credential = Credential("APIKEY", CANARY)
    holder = Holder(credential)
    assert repr(credential) == str(credential) == f"{credential}" == "Credential(APIKEY, ***)"
    assert "CANARY" not in f"{holder!r} {[credential]} {dir(credential)}"
    leaks: tuple[Callable[[], object], ...] = (
        lambda: pickle.dumps(credential),
        lambda: copy.copy(credential),
        lambda: copy.deepcopy(holder),
        lambda: dataclasses.asdict(holder),
        lambda: dataclasses.astuple(holder),
        lambda: json.dumps(credential),
        lambda: vars(credential),
    )
    for leak in leaks:
        with pytest.raises(TypeError) as caught:
            leak()
        assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://scheduler:8083", "scheduler"),
        ("http://Scheduler:8083", " other , SCHEDULER:8083 "),
        ("http://scheduler", "scheduler:80"),
        ("https://scheduler/base", "scheduler:443"),
        ("http://[::1]:8083", "::1"),
        ("http://[::1]:8083", "[::1]:8083"),
    ],
)
def test_a_target_on_an_allowed_host_is_let_through(url: str, allowed: str) -> None:
    check_allowed_host(replace(FROM_ENV, url=url), {ALLOWED_HOSTS: allowed})


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://scheduler:8083", ""),
        ("http://scheduler:8083", " , "),
        ("http://scheduler:8083", "scheduler:80"),
        ("http://scheduler:8083", "other"),
        ("http://scheduler.evil:8083", "scheduler"),
        ("http://evil-scheduler:8083", "scheduler"),
        ("http://scheduler@evil", "scheduler"),
        ("http://evil\\@scheduler", "scheduler"),
        ("http://evil#@scheduler", "scheduler"),
        ("http://evil?@scheduler", "scheduler"),
        ("http://scheduler:99999", "scheduler"),
        ("http://scheduler:0", "scheduler"),
        ("ftp://scheduler", "scheduler"),
        ("http://ſcheduler", "scheduler"),
        ("http://scheduler\n", "scheduler"),
    ],
)
def test_a_credential_goes_to_no_other_host(url: str, allowed: str) -> None:
    with pytest.raises(InvalidInput, match="target prod"):
        check_allowed_host(replace(FROM_ENV, url=url), {ALLOWED_HOSTS: allowed})


def test_a_proxy_is_a_host_that_the_credential_goes_to() -> None:
    target = replace(FROM_ENV, proxy=f"http://user:{CANARY}@proxy:3128")
    check_allowed_host(target, {ALLOWED_HOSTS: "scheduler,proxy"})
    with pytest.raises(InvalidInput, match="the proxy's host proxy:3128 is not in") as caught:
        check_allowed_host(target, {ALLOWED_HOSTS: "scheduler"})
    assert "CANARY" not in f"{caught.value} {caught.value.hint}"


def test_without_the_variable_or_for_the_embedded_target_nothing_is_checked() -> None:
    check_allowed_host(FROM_ENV, {})
    check_allowed_host(replace(FROM_ENV, url="embedded"), {ALLOWED_HOSTS: "other"})
