"""Bad input: one clear message with place and way out, exit 3, and no call."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.counting import Counting
from tests.e2e.manifests import SALES, Document, at, backfill, between
from tests.e2e.nursery import Nursery
from tests.e2e.workplace import SECRET, SECRET_NAME, Ended, Workplace


def refused(place: Workplace, scheduler: Counting, **env: str) -> Ended:
    end = place.apply(**env)
    assert (end.code, scheduler.calls) == (3, 0), end.err
    assert end.err.strip()
    return end


@pytest.fixture
def ready(place: Workplace) -> Workplace:
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    return place


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (SECRET + "x" * 32, "longer than 32 characters"),
        (SECRET + "\n", "line break"),
        (SECRET + "\r\nx: y", "line break"),
        ("ü" + SECRET, "not printable ASCII"),
        (SECRET + " x", "a space"),
        ("", "is empty"),
    ],
)
def test_a_malformed_credential_is_refused_and_never_shown(
    ready: Workplace, scheduler: Counting, value: str, words: str
) -> None:
    end = refused(ready, scheduler, **{SECRET_NAME: value})
    assert words in end.err
    assert SECRET_NAME in end.err
    assert ready.tip() is None


def test_a_missing_credential_is_refused(ready: Workplace, scheduler: Counting) -> None:
    ready.env.clear()
    assert f"{SECRET_NAME} is not set" in refused(ready, scheduler).err


def test_a_credential_may_come_from_a_file_and_a_missing_one_is_refused(
    ready: Workplace, scheduler: Counting, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    auth = {"type": "UID", "valueFrom": {"file": os.fspath(file)}}
    ready.configure(scheduler.url, target={"auth": auth})
    ready.publish()
    assert os.fspath(file) in refused(ready, scheduler).err
    file.write_text(SECRET + "\n")
    ready.env.clear()
    assert ready.apply().code == 0


CONFIGS: dict[str, tuple[Document, str]] = {
    "a target that is not configured": ({"defaultTarget": "test"}, "test"),
    "a url that is none": ({"target": {"url": "anymetrics:8083"}}, "url"),
    "a port beyond 65535": ({"target": {"url": "http://127.0.0.1:99999"}}, "65535"),
    "a password in the url": ({"target": {"url": "http://me:hunter2@127.0.0.1:1"}}, "url"),
    "a tenant id that is too long": ({"target": {"tenantId": "t" * 33}}, "tenantId"),
    "a tenant id with a newline": ({"target": {"tenantId": "t\n"}}, "tenantId"),
    "an auth value in the file": ({"target": {"auth": {"type": "UID", "value": "x"}}}, "auth"),
    "an unknown time zone": ({"target": {"timeZone": "Asia/Shangai"}}, "timeZone"),
    "a setting that does not exist": ({"target": {"concurency": 2}}, "concurrency"),
    "a branch that is none": ({"state": {"branch": "a..b"}}, "branch"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_is_refused_for(ready: Workplace, scheduler: Counting, case: str) -> None:
    parts, words = CONFIGS[case]
    ready.configure(scheduler.url, **parts)  # type: ignore[arg-type]
    ready.publish()
    end = refused(ready, scheduler)
    assert words in end.err
    assert "hunter2" not in end.err
    assert "triggers/reconciler.yaml:" in end.err or "triggers/fact.yaml:" in end.err


def test_every_problem_is_reported_at_once_with_its_place(place: Workplace, scheduler: Counting) -> None:
    place.declare("a.yaml", backfill("a", between(5, 1)), backfill("a", at(1, 1)))
    place.write("b.yaml", "apiVersion: reconciler/v1\nkind: Backfill\nkind: Backfill\n")
    place.publish()
    end = refused(place, scheduler)
    assert "triggers/a.yaml:" in end.err
    assert "triggers/b.yaml:3:1" in end.err
    assert "is before startTime" in end.err
    assert end.err.rstrip().endswith("nothing was triggered")


def _no_config(place: Workplace) -> None:
    (place.base / "reconciler.yaml").unlink()


def _no_manifests(place: Workplace) -> None:
    (place.base / "fact.yaml").unlink()


def _symlink(place: Workplace) -> None:
    (place.base / "link.yaml").symlink_to("/etc/hostname")


def _linked_folder(place: Workplace) -> None:
    (place.base / "elsewhere").symlink_to("/etc")


def _too_large(place: Workplace) -> None:
    place.write("large.yaml", "#" * (1 << 20) + "\n")


def _latin(place: Workplace) -> None:
    place.write("latin.yaml", "a: é".encode("latin-1"))


def test_a_root_without_manifests_owes_nothing_and_says_so(ready: Workplace, scheduler: Counting) -> None:
    _no_manifests(ready)
    ready.publish()
    for command in ("validate", "plan", "apply"):
        done = ready.run(command)
        assert (done.code, scheduler.calls) == (0, 0)
        assert "the root holds no manifests" in done.out + done.err


@pytest.mark.parametrize("spoil", [_no_config, _symlink, _linked_folder, _too_large, _latin])
def test_a_root_is_refused_with(ready: Workplace, scheduler: Counting, spoil: Callable[[Workplace], None]) -> None:
    spoil(ready)
    assert ready.run("validate").code == 3
    assert ready.run("plan").code == 3
    ready.publish()
    refused(ready, scheduler)


def test_a_root_in_no_repository_and_one_that_is_not_there_are_refused(
    folder: Path, nursery: Nursery, scheduler: Counting
) -> None:
    place = Workplace(folder, None, nursery)
    assert "no folder triggers" in refused(place, scheduler).err
    place.configure(scheduler.url)
    place.write("fact.yaml", "")
    end = refused(place, scheduler)
    assert "not in a git repository" in end.err
    assert "git init" in end.err


def test_a_repository_without_a_commit_is_refused(folder: Path, nursery: Nursery, scheduler: Counting) -> None:
    place = Workplace(folder, None, nursery)
    place.git("init", "-q")
    place.configure(scheduler.url)
    assert "no commit yet" in refused(place, scheduler).err


@pytest.mark.parametrize(("hosts", "code"), [("", 3), ("other.example.org", 3), ("127.0.0.1:1", 3), ("127.0.0.1", 0)])
def test_a_credential_goes_only_to_allowed_hosts(ready: Workplace, scheduler: Counting, hosts: str, code: int) -> None:
    end = ready.apply(RECONCILER_ALLOWED_HOSTS=hosts)
    assert (end.code, bool(scheduler.runs(SALES))) == (code, code == 0)
    assert code == 0 or "RECONCILER_ALLOWED_HOSTS" in end.err


def test_proxy_variables_of_the_environment_are_not_used(ready: Workplace, scheduler: Counting) -> None:
    proxy = "http://127.0.0.1:1"
    assert ready.apply(HTTP_PROXY=proxy, http_proxy=proxy, ALL_PROXY=proxy).code == 0
    assert scheduler.calls == 1
