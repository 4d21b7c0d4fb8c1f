"""Every guard that a branch lowers is told in one sentence, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.config import (
    Approvals,
    ApprovalsUnset,
    Auth,
    Config,
    ForgeApprovals,
    FromEnv,
    FromFile,
    Hours,
    Limits,
    ManifestApprovals,
    NoApprovals,
    State,
    Target,
)
from reconciler.core.guards import config_guards, lineage_guards, manifest_guards
from reconciler.core.lineage import Lineage
from reconciler.core.request import Request
from tests.core import worlds

PROD = Target("prod", "https://prod.example.org", "tn_1", Auth("UID", FromEnv("SECRET")), "UTC")
BY_NAME = ManifestApprovals(("dana", "lee"), 2)
GITHUB = ForgeApprovals("github", ("dana", "@acme/data"), 2)
BASE = Config({"prod": PROD}, "prod", State(), Limits(), BY_NAME)


def _told(base: Config, head: Config) -> list[str]:
    guards = config_guards(base, head)
    assert all(guard.told == f"reconciler.yaml: {guard.sentence}" for guard in guards)
    return [guard.sentence for guard in guards]


def test_a_config_that_changes_no_guard_is_not_spoken_of() -> None:
    calmer = replace(
        BASE,
        targets={"prod": replace(PROD, concurrency=1, timeout=5.0, points_per_call=7, calls_per_second=1.0)},
        limits=Limits(calls=1, span=60, instances=5),
        state=State(batch=1),
        approvals=replace(BY_NAME, approvers=("Dana", "lee")),
    )
    assert _told(BASE, BASE) == []
    assert _told(BASE, calmer) == []
    assert _told(replace(BASE, limits=Limits(future=True)), BASE) == []


def test_a_branch_that_leaves_calls_to_their_upstreams_is_spoken_of() -> None:
    off = replace(BASE, targets={"prod": replace(PROD, lineage="lineage.yaml")})
    on = replace(BASE, targets={"prod": replace(PROD, lineage="lineage.yaml", coalesce=True)})
    other = replace(BASE, targets={"prod": replace(PROD, lineage="other.yaml", coalesce=True)})
    assert _told(BASE, off) == _told(on, off) == _told(on, on) == []
    assert _told(BASE, on) == _told(off, on)
    assert "targets.prod.coalesce is true now" in _told(off, on)[0]
    assert _told(on, other) == ["targets.prod.lineage changes from lineage.yaml to other.yaml"]


def _lineage_told(before: dict[str, tuple[str, ...]] | None, now: dict[str, tuple[str, ...]]) -> list[str]:
    head = replace(BASE, targets={"prod": replace(PROD, lineage="lineage.yaml", coalesce=True)})
    base = {"prod": Lineage(before)} if before is not None else {}
    return [guard.told for guard in lineage_guards(base, head, {"prod": Lineage(now)})]


def test_an_edge_that_a_branch_adds_to_a_lineage_is_spoken_of_for_it_saves_calls() -> None:
    told = "lineage.yaml: targets.prod coalesces by {} now: a table gets no call where one upstream reruns it"
    assert _lineage_told({"a": ("b",)}, {"a": ("b", "c")}) == [told.format("a -> c")]
    assert _lineage_told(None, {"a": ("b",)}) == [told.format("a -> b")]
    many = {"a": tuple("bcdef")}
    assert _lineage_told({}, many) == [told.format("a -> b, a -> c, a -> d and 2 more edges")]


def test_an_edge_that_was_there_or_is_gone_is_not_spoken_of() -> None:
    assert _lineage_told({"a": ("b", "c")}, {"a": ("b",)}) == []
    assert _lineage_told({"a": ("b",)}, {"a": ("b",)}) == []


def test_a_new_edge_is_not_spoken_of_where_a_target_does_not_coalesce() -> None:
    head = replace(BASE, targets={"prod": replace(PROD, lineage="lineage.yaml")})
    assert lineage_guards({}, head, {"prod": Lineage({"a": ("b",)})}) == ()


STRICTER: list[tuple[Approvals, Approvals]] = [
    (NoApprovals(), BY_NAME),
    (NoApprovals(), GITHUB),
    (NoApprovals(), ApprovalsUnset()),
    (BY_NAME, ApprovalsUnset()),
    (GITHUB, ApprovalsUnset()),
    (ApprovalsUnset(), ApprovalsUnset()),
    (BY_NAME, replace(BY_NAME, minimum=3, approvers=("dana",))),
    (BY_NAME, replace(GITHUB, approvers=("dana",))),
]


@pytest.mark.parametrize(("base", "head"), STRICTER)
def test_stricter_approvals_are_no_loss(base: Approvals, head: Approvals) -> None:
    assert _told(replace(BASE, approvals=base), replace(BASE, approvals=head)) == []


WEAKER: list[tuple[Approvals, Approvals, list[str]]] = [
    (BY_NAME, NoApprovals(), ["need no approval any more; before, one needed 2 of dana, lee (provider manifest)"]),
    (GITHUB, NoApprovals(), ["need no approval any more; before, one needed 2 of dana, @acme/data (provider github)"]),
    (ApprovalsUnset(), NoApprovals(), ["need no approval any more; before, nobody could approve one"]),
    (ApprovalsUnset(), BY_NAME, ["can be approved now, by 2 of dana, lee (provider manifest); before, nobody could"]),
    (BY_NAME, replace(BY_NAME, minimum=1), ["minimum is lowered from 2 to 1"]),
    (BY_NAME, replace(BY_NAME, approvers=("dana", "lee", "kim", "sam")), ["approvers has kim, sam now"]),
    (GITHUB, replace(BY_NAME, approvers=("dana",)), ["provider is manifest now, no longer github"]),
    (GITHUB, replace(GITHUB, forge="gitlab"), ["provider is gitlab now, no longer github"]),
    (GITHUB, replace(GITHUB, url="https://x.example"), ["url changes from nothing to https://x.example"]),
    (GITHUB, replace(GITHUB, repository="a/b"), ["repository changes from nothing to a/b"]),
    (GITHUB, replace(GITHUB, token_from=FromEnv("T")), ["the token of approvals.reruns changes from nothing to"]),
    (BY_NAME, replace(GITHUB, minimum=1), ["minimum is lowered from 2 to 1", "approvers has @acme/data now"]),
]


@pytest.mark.parametrize(("base", "head", "words"), WEAKER)
def test_weaker_approvals_are_told(base: Approvals, head: Approvals, words: list[str]) -> None:
    told = _told(replace(BASE, approvals=base), replace(BASE, approvals=head))
    assert len(told) == len(words)
    assert all(word in sentence for word, sentence in zip(words, told, strict=True)), told


def test_raised_limits_are_told_with_both_values() -> None:
    head = replace(BASE, limits=Limits(calls=501, span=367 * 86_400, instances=100_001, future=True))
    assert _told(BASE, head) == [
        "limits.calls is raised from 500 to 501",
        "limits.span is raised from 366d to 367d",
        "limits.instances is raised from 100000 to 100001",
        "limits.future now allows instances that the target's clock has not reached",
    ]


TARGETS = [
    (replace(PROD, url="https://other.example"), "url changes from https://prod.example.org to https://other.example"),
    (replace(PROD, tenant="tn_2"), "tenantId changes from tn_1 to tn_2"),
    (replace(PROD, auth=None), "auth changes from UID from the variable SECRET to nothing"),
    (replace(PROD, auth=Auth("UID", FromFile("/s"))), "auth changes from UID from the variable SECRET to UID from the"),
    (replace(PROD, proxy="http://p:1"), "proxy changes from nothing to http://p:1"),
    (replace(PROD, range_end="exclusive"), "rangeEnd changes from inclusive to exclusive"),
    (replace(PROD, time_zone="Asia/Shanghai"), "timeZone changes from UTC to Asia/Shanghai"),
]


@pytest.mark.parametrize(("target", "words"), TARGETS)
def test_a_target_that_calls_elsewhere_or_otherwise_is_told(target: Target, words: str) -> None:
    (told,) = _told(BASE, replace(BASE, targets={"prod": target}))
    assert told.startswith(f"targets.prod.{words}")


def test_a_new_target_and_another_default_are_told_and_a_target_that_is_gone_is_not() -> None:
    spare = replace(PROD, name="spare", url="https://spare.example", tenant="tn_9")
    head = replace(BASE, targets={"prod": PROD, "spare": spare}, default_target="spare")
    assert _told(BASE, head) == [
        "targets.spare is new: calls may go to https://spare.example, tenant tn_9",
        "defaultTarget changes from prod to spare",
    ]
    assert _told(replace(head, default_target="prod"), BASE) == []


def test_another_state_branch_and_larger_batches_are_told() -> None:
    assert _told(BASE, replace(BASE, state=State("elsewhere", 21))) == [
        "state.branch changes from reconciler-state to elsewhere",
        "state.batch is raised from 20 to 21",
    ]


def _request(manifest: str, calls: int = 500, span: int = 366 * 86_400, instances: int = 100_000) -> Request:
    limits = Limits(calls, span, instances)
    return replace(worlds.request(f"{manifest}.yaml#1", ((0, 1),), limits=limits), manifest=manifest)


def _raised(base: Config, before: list[Request], head: Config, now: list[Request]) -> list[str]:
    return [guard.told for guard in manifest_guards(base, before, head, now)]


def test_a_manifests_limits_are_measured_by_its_own_before_or_by_the_configs() -> None:
    before = [_request("a", calls=900), _request("b")]
    now = [_request("a", calls=901), _request("b", span=367 * 86_400), _request("new", instances=100_001)]
    assert _raised(BASE, before, BASE, before) == []
    assert _raised(BASE, before, BASE, now) == [
        "m.yaml: spec.limits.calls of a is raised from 900 to 901",
        "m.yaml: spec.limits.instances of new is raised from 100000 to 100001",
        "m.yaml: spec.limits.span of b is raised from 366d to 367d",
    ]
    assert _raised(BASE, now, BASE, before) == []


def test_what_manifests_take_from_the_config_is_said_of_the_config_alone() -> None:
    head = replace(BASE, limits=Limits(calls=1000))
    before, now = [_request("a"), _request("b", calls=100)], [_request("a", calls=1000), _request("b", calls=1000)]
    assert _raised(BASE, before, head, now) == ["m.yaml: spec.limits.calls of b is raised from 100 to 1000"]
    assert _raised(BASE, [_request("b", calls=100)], BASE, [_request("b")]) == [
        "m.yaml: spec.limits.calls of b is raised from 100 to 500"
    ]


def test_who_approved_in_a_manifest_is_no_guard() -> None:
    rerun = worlds.request("a.yaml#1", ((0, 1),), "red")
    assert rerun.rerun is not None
    approved = replace(rerun, rerun=replace(rerun.rerun, approved_by=("dana",)))
    assert _raised(BASE, [rerun], BASE, [approved]) == []


NIGHT = Hours(22 * 3600, 6 * 3600)


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        (NIGHT, None, ["targets.prod.window is gone: calls may start at any hour; before, 22:00-06:00 alone"]),
        (NIGHT, Hours(22 * 3600, 6 * 3600 + 60), ["targets.prod.window changes from 22:00-06:00 to 22:00-06:01"]),
        (NIGHT, Hours(0, 86_400), ["targets.prod.window changes from 22:00-06:00 to 00:00-24:00"]),
        (Hours(0, 86_400), None, []),
        (NIGHT, Hours(8 * 3600, 9 * 3600), ["targets.prod.window changes from 22:00-06:00 to 08:00-09:00"]),
        (NIGHT, Hours(0, 6 * 3600), []),
        (NIGHT, Hours(23 * 3600, 5 * 3600), []),
        (Hours(0, 86_400), NIGHT, []),
        (None, NIGHT, []),
        (NIGHT, NIGHT, []),
    ],
)
def test_hours_that_were_none_before_are_told(before: Hours | None, now: Hours | None, says: list[str]) -> None:
    base, head = (replace(BASE, targets={"prod": replace(PROD, window=hours)}) for hours in (before, now))
    assert _told(base, head) == says


def test_a_shorter_pause_is_told() -> None:
    short, long = (replace(BASE, targets={"prod": replace(PROD, pause=pause)}) for pause in (5.0, 30.0))
    assert _told(long, short) == ["targets.prod.pause is lowered from 30s to 5s"]
    assert _told(short, BASE) == ["targets.prod.pause is lowered from 5s to 0s"]
    assert _told(short, long) == []


def test_a_lowered_lag_is_told_of_the_config_and_of_manifests() -> None:
    short, long = (replace(BASE, limits=Limits(lag=lag)) for lag in (1800, 7200))
    assert _told(long, short) == ["limits.lag is lowered from 2h to 30m"]
    assert _told(short, long) == []
    request = _request("a")
    before, now = ([replace(request, limits=Limits(lag=lag))] for lag in (7200, 60))
    assert _raised(BASE, before, BASE, now) == ["m.yaml: spec.limits.lag of a is lowered from 2h to 1m"]
    assert _raised(BASE, now, BASE, before) == []
