"""What manifests mean: windows, keys, limits, reruns."""

from __future__ import annotations

import pytest

from reconciler.core.config import Limits
from reconciler.core.request import Place, Request, Rerun
from reconciler.core.wallclock import parse
from tests.manifests.roots import CONFIG, FULL_CONFIG, MANIFEST, changed, only, read


def _requests(config: str = CONFIG, **manifests: str) -> dict[str, Request]:
    reading = read(config, **manifests)
    assert reading.declared is not None, reading.problems
    return {request.key: request for request in reading.declared.requests}


def test_a_range_includes_its_end() -> None:
    request = _requests(a=MANIFEST)["a.yaml#outage"]
    assert request.windows == ((parse("2026-01-20 01:00:00"), parse("2026-01-20 05:00:01")),)
    assert request.rerun is None
    assert request.reason == "INC-4211: ingest was down"
    assert request.place == Place("a.yaml", 11, 7, 15)


def test_schedule_times_are_windows_of_one_second() -> None:
    request = _requests(a=MANIFEST)["a.yaml#2"]
    first, second = parse("2026-01-20 00:00:00"), parse("2026-01-22 07:00:00")
    assert request.windows == ((first, first + 1), (second, second + 1))


def test_a_request_knows_its_manifest() -> None:
    request = _requests(a=MANIFEST)["a.yaml#late-files"]
    assert (request.manifest, request.owner, request.target, request.table) == (
        "orders",
        "sales-data",
        "demo",
        "sales.core.orders",
    )
    assert request.rerun == Rerun("late-files-0121", "files for the 20th arrived a day late")


def test_limits_of_a_manifest_take_the_place_of_the_configs() -> None:
    config = CONFIG + "limits: {calls: 7, instances: 9, future: allow}\n"
    assert _requests(config, a=MANIFEST)["a.yaml#2"].limits == Limits(10, 30 * 86_400, 9, True)


def test_request_keys_name_the_manifest_where_a_file_has_several() -> None:
    other = changed(changed(MANIFEST, "name: orders", "name: more"), "core.orders", "core.more")
    keys = _requests(a=MANIFEST + "---\n" + other).keys()
    assert sorted(keys) == [
        f"a.yaml#{name}/{entry}" for name in ("more", "orders") for entry in ("2", "late-files", "outage")
    ]


def test_a_default_name_must_not_clash_with_a_given_one() -> None:
    problem = only(read(a=changed(MANIFEST, "name: outage", "name: 2")))
    assert problem.message == "without a name this is request 2, but requests[0] has that name"
    assert (problem.line, problem.path) == (16, "spec.requests[1]")


def test_an_end_before_its_start_names_both_times() -> None:
    problem = only(read(a=changed(MANIFEST, "endTime: 2026-01-20 05:00:00", "endTime: 2026-01-19 05:00:00")))
    assert (problem.line, problem.column, problem.path) == (14, 9, "spec.requests[0].timeRange")
    assert problem.message == "endTime 2026-01-19 05:00:00 is before startTime 2026-01-20 01:00:00"
    assert problem.hint == "swap the two times"


def test_a_time_that_does_not_exist_says_why() -> None:
    problem = only(read(a=changed(MANIFEST, "2026-01-22 07:00:00", "2026-02-30 07:00:00")))
    assert problem.message == '"2026-02-30 07:00:00" is a day that does not exist'
    assert "2026-01-20 01:00:00" in problem.hint


def test_a_target_that_is_not_configured_is_refused_with_those_that_are() -> None:
    problem = only(read(a=changed(MANIFEST, "spec:\n", "spec:\n  target: dem0\n")))
    assert problem.message == 'the target "dem0" is not configured'
    assert problem.hint == "did you mean `demo`? configured: demo, other"


def test_without_a_default_target_a_manifest_must_name_one() -> None:
    problem = only(read(changed(CONFIG, "defaultTarget: demo\n", ""), a=MANIFEST))
    assert "no target is named" in problem.message
    assert problem.hint.endswith("configured: demo, other")


APPROVED = changed(MANIFEST, "rerun: late-files-0121", "rerun: late-files-0121\n      approvedBy: [dana, lee]")


def test_names_in_the_manifest_approve_where_the_config_says_so() -> None:
    reading = read(FULL_CONFIG, a=APPROVED)
    assert reading.problems == ()
    rerun = _requests(FULL_CONFIG, a=APPROVED)["a.yaml#late-files"].rerun
    assert rerun is not None
    assert rerun.approved_by == ("dana", "lee")


@pytest.mark.parametrize("approvals", ["", "approvals: {reruns: {provider: none}}\n"])
def test_approved_by_is_warned_of_where_it_has_no_effect(approvals: str) -> None:
    problem = only(read(CONFIG + approvals, a=APPROVED))
    assert problem.severity == "warning"
    assert "no effect" in problem.message
    assert (problem.line, problem.column) == (19, 19)


def test_a_token_may_serve_several_requests() -> None:
    more = MANIFEST + "    - {rerun: late-files-0121, reason: more, scheduleTimes: [2026-02-01 00:00:00]}\n"
    assert read(a=more).problems == ()


def test_one_place_gets_one_problem() -> None:
    assert only(read(a=changed(MANIFEST, "sales.core.orders", '"a\\e[2K"'))).message.startswith("an escape")
    assert "not written as" in only(read(a=changed(MANIFEST, "2026-01-22 07:00:00", "2026-1-22 7:0:0"))).message


LAYOUTS = """\
  requests:
    - reason: |
        two
        lines

      # between
      timeRange: {startTime: 2026-01-20 01:00:00,
        endTime: 2026-01-20 05:00:00}

    # of the next one
    - scheduleTimes:
        - 2026-01-20 00:00:00
        - 2026-01-22 07:00:00
      reason: >-
        folded
        text
    - {reason: in one line, scheduleTimes: [2026-01-20 09:00:00]}  # said here

# after all of them
"""


def test_a_request_knows_its_last_line_whatever_follows_it() -> None:
    text = MANIFEST.split("  requests:")[0] + LAYOUTS
    lines = [line.strip() for line in text.split("\n")]
    places = [request.place for request in _requests(a=text).values()]
    assert [lines[place.line - 1][:9] for place in places] == ["- reason:", "- schedul", "- {reason"]
    assert [lines[place.last - 1][:13] for place in places] == ["endTime: 2026", "text", "- {reason: in"]
