"""What the config means: targets, addresses, branches, approvals, and the values that come of them."""

from __future__ import annotations

import pytest

from reconciler.core.config import (
    ApprovalsUnset,
    Auth,
    Config,
    FromEnv,
    FromFile,
    Hours,
    Limits,
    ManifestApprovals,
    NoApprovals,
    State,
    Target,
)
from reconciler.manifests import branch
from reconciler.manifests.address import read_address
from tests.manifests.roots import CONFIG, FULL_CONFIG, MANIFEST, changed, only, read

URL = "https://anymetrics.internal:8083"


def _config(text: str) -> Config:
    reading = read(text, a=MANIFEST)
    assert reading.config is not None, reading.problems
    return reading.config


def test_a_full_config_is_read_as_it_is_written() -> None:
    assert _config(FULL_CONFIG) == Config(
        targets={
            "prod": Target(
                name="prod",
                url=URL,
                tenant="tn_19487697",
                auth=Auth("APIKEY", FromEnv("ANYMETRICS_AUTH_VALUE")),
                time_zone="Asia/Shanghai",
                calls_per_second=10.0,
            )
        },
        default_target="prod",
        approvals=ManifestApprovals(("dana", "@acme/data-platform"), 1),
    )


def test_what_is_not_written_has_its_default() -> None:
    config = _config(CONFIG)
    assert config.targets["demo"] == Target("demo", "embedded", "tn_1", None, "Asia/Shanghai")
    assert (config.state, config.limits, config.approvals) == (State(), Limits(), ApprovalsUnset())


def test_what_is_written_takes_the_place_of_the_default() -> None:
    text = changed(FULL_CONFIG, "rangeEnd: inclusive", "rangeEnd: exclusive")
    text = changed(text, "concurrency: 4", "concurrency: 64")
    text = changed(text, "callsPerSecond: 10", "callsPerSecond: 0.25")
    text = changed(text, "pointsPerCall: 100", "pointsPerCall: 1")
    text = changed(text, "timeout: 30s", "timeout: 2m")
    text = changed(text, "proxy: null", "proxy: HTTP://Proxy:3128/")
    text = changed(text, "{env: ANYMETRICS_AUTH_VALUE}", "{file: /run/secrets/a b}")
    target = _config(text).targets["prod"]
    assert (target.range_end, target.concurrency, target.calls_per_second) == ("exclusive", 64, 0.25)
    assert (target.points_per_call, target.timeout, target.proxy) == (1, 120.0, "http://proxy:3128")
    assert target.auth == Auth("APIKEY", FromFile("/run/secrets/a b"))


def test_reruns_without_approval_have_to_be_asked_for() -> None:
    assert _config(CONFIG + "approvals: {reruns: {provider: none}}\n").approvals == NoApprovals()


def test_approvers_that_nobody_asks_are_warned_of() -> None:
    problem = only(read(CONFIG + "approvals: {reruns: {provider: none, approvers: [dana]}}\n", a=MANIFEST))
    assert problem.severity == "warning"


@pytest.mark.parametrize("host", ["anymetrics.internal:8083", "10.0.0.1", "[fe80::1]:80", "localhost.example.com"])
def test_plain_http_beyond_this_machine_is_warned_of(host: str) -> None:
    problem = only(read(changed(FULL_CONFIG, URL, f'"http://{host}"'), a=MANIFEST))
    assert problem.severity == "warning"
    assert "the credential travels unencrypted" in problem.message


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "127.8.8.8:9", "[::1]:80", "a.localhost"])
def test_plain_http_on_this_machine_is_not(host: str) -> None:
    assert read(changed(FULL_CONFIG, URL, f'"http://{host}"'), a=MANIFEST).problems == ()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("HTTPS://Any.Internal/", "https://any.internal"),
        ("http://a:80/x/y/", "http://a:80/x/y"),
        ("http://[::1]:65535", "http://[::1]:65535"),
        ("http://1.2.3.4", "http://1.2.3.4"),
        ("http://a_b-c.d.", "http://a_b-c.d."),
    ],
)
def test_an_address_is_normalised(text: str, url: str) -> None:
    assert read_address(text).url == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http:",
        "http://",
        "http:/a",
        "//a",
        "http://a:",
        "http://a:080",
        "http://a:65536",
        "http://a:1:2",
        "http://[::1",
        "http://::1",
        "http://-a",
        "http://a..b",
        "http://0x7f.1",
        "http://1.2.3",
        "http://a/%2e%2e",
        "http://a\\b",
        "http://[1.2.3.4]",
        "http://a/é",
    ],
)
def test_what_is_not_plainly_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"(has|is|holds)"):
        read_address(text)


def test_one_scheduler_and_tenant_under_two_names_is_refused() -> None:
    other = (
        "  other: {url: 'https://ANYMETRICS.internal:8083/', tenantId: tn_19487697, timeZone: UTC, "
        "auth: {type: UID, valueFrom: {env: A}}}\n"
    )
    problem = only(read(changed(FULL_CONFIG, "state:\n", other + "state:\n"), a=MANIFEST))
    assert "the same scheduler and tenant as the target `prod`" in problem.message
    assert problem.path == "targets.other"


@pytest.mark.parametrize("name", ["a", "a-b_c.d", "state/2026", "a@b", "数据"])
def test_a_good_branch_name_is_taken(name: str) -> None:
    assert branch.complaint(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "-a",
        "refs/x",
        "@",
        "HEAD",
        "a@{b",
        "a b",
        "a\n",
        "a\x7f",
        "a..b",
        "a.",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
    ]
    + [f"a{char}b" for char in "~^:?*[\\"],
)
def test_a_name_that_git_refuses_is_refused(name: str) -> None:
    assert branch.complaint(name) is not None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("22:00-06:00", Hours(22 * 3600, 6 * 3600)),
        ('"22:00-06:00"', Hours(22 * 3600, 6 * 3600)),
        ("00:00-24:00", Hours(0, 86_400)),
        ("09:30-17:05", Hours(9 * 3600 + 1800, 17 * 3600 + 300)),
        ("23:59-00:00", Hours(86_340, 0)),
    ],
)
def test_hours_are_read_as_they_are_written_quoted_or_not(written: str, meant: Hours) -> None:
    config = _config(changed(FULL_CONFIG, "timeout: 30s", f"timeout: 30s\n    window: {written}\n    pause: 2m"))
    target = config.targets["prod"]
    assert (target.window, target.pause) == (meant, 120.0)
    assert str(meant) == written.strip('"')


def test_hours_close_at_their_second_time_and_may_go_past_midnight() -> None:
    night, day = Hours(22 * 3600, 6 * 3600), Hours(9 * 3600, 86_400)
    assert [time in night for time in (22 * 3600 - 1, 22 * 3600, 86_399, 86_400, 6 * 3600 - 1, 6 * 3600)] == [
        *(False, True, True, True, True, False),
    ]
    assert [time in day for time in (9 * 3600 - 1, 9 * 3600, 86_399, 86_400)] == [False, True, True, False]


def test_a_lag_without_effect_is_a_warning() -> None:
    limits = "future: forbid}"
    assert _config(changed(FULL_CONFIG, limits, "future: forbid, lag: 2h}")).limits.lag == 7200
    reading = read(changed(FULL_CONFIG, limits, "future: allow, lag: 2h}"), a=MANIFEST)
    (problem,) = reading.problems
    assert (problem.severity, problem.path) == ("warning", "limits.lag")
    assert "has no effect" in problem.message
    assert reading.config is not None
