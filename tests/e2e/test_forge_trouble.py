"""Reruns that a forge is to be asked about, and it does not answer, or may not be asked."""

from __future__ import annotations

import pytest

from tests.e2e.team import Team, manifest, rerun
from tests.figures import Tried
from tests.forges.github import TOKEN, GitHub
from tests.forges.serving import BROKEN, HTML, Reply, limited

ANSWERS: dict[str, tuple[str, list[Reply], str]] = {
    "no token": ("", [], "there is no token: environment variable GITHUB_TOKEN or GH_TOKEN is not set; in a workflow"),
    "a bad token": ("ghs_bad", [], "the token in environment variable GITHUB_TOKEN is not valid, or no longer"),
    "403": (TOKEN, [Reply(403, {"message": "Not by integration"})], "HTTP 403, Not by integration; grant the token"),
    "404": (
        TOKEN,
        [Reply(404, {"message": "Not Found"})],
        "HTTP 404, Not Found; grant the token `pull-requests: read`",
    ),
    "422": (
        TOKEN,
        [Reply(422, {"message": "No commit found for SHA: 1"})],
        "is not on GitHub; push it, then try again",
    ),
    "a short wait": (TOKEN, [limited(1)], ""),
    "a long wait": (TOKEN, [limited(3600)], "GitHub limits how often it is asked, and asks to wait until"),
    "out of order": (TOKEN, [BROKEN] * 3, "GitHub answers HTTP 502, when asked for the pull requests of commit"),
    "a login page": (TOKEN, [HTML], "is not JSON; is this address the API of the forge?"),
}


@pytest.mark.claim("a forge that does not answer holds reruns, says what to do, and is not asked for long")
def test_where_github_does_not_answer_reruns_wait_and_say_why(team: Team, forge: GitHub, tried: Tried) -> None:
    team.pull({"one.yaml": manifest("one", rerun(1, 3))})
    wrong: dict[str, str] = {}
    for case, (token, replies, words) in ANSWERS.items():
        forge.fault(*replies, where="/pulls")
        said = team.verdicts(team.place, GITHUB_TOKEN=token)["one.yaml#1"]
        fits = words in said and bool(said) == bool(words) and not (token and token in said)
        wrong |= {} if fits else {case: said}
    assert not wrong
    tried(len(ANSWERS))


def test_a_forge_that_is_out_of_order_is_asked_about_one_rerun_of_many(team: Team, forge: GitHub) -> None:
    for name in ("one", "two", "three"):
        team.pull({f"{name}.yaml": manifest(name, rerun(1, 3))})
    forge.fault(limited(3600), where="/pulls")
    found = team.verdicts(team.place)
    assert len(found) == 3
    assert all("asks to wait until" in said for said in found.values())
    assert len(forge.asked) == 1


WEB = "https://github.com/acme/backfills.git"
NOT_SENT = "so no token is sent there; correct approvals.reruns.url, or name the host in RECONCILER_ALLOWED_HOSTS"


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"CI": "true"}, NOT_SENT),
        ({"GITHUB_API_URL": "{own}"}, NOT_SENT),
        ({"GITHUB_API_URL": "{own}", "RECONCILER_ALLOWED_HOSTS": "example.org"}, NOT_SENT),
        ({"RECONCILER_ALLOWED_HOSTS": ""}, NOT_SENT),
        ({"GITHUB_API_URL": "{own}", "RECONCILER_ALLOWED_HOSTS": "{other}"}, ""),
        ({}, NOT_SENT),
        ({"RECONCILER_ALLOWED_HOSTS": "{other}"}, ""),
    ],
)
def test_a_config_cannot_send_the_token_to_a_host_of_its_own_choice(
    team: Team, forge: GitHub, env: dict[str, str], words: str
) -> None:
    team.pull({"one.yaml": manifest("one", rerun(1, 3))})
    team.publish()
    # The remote is GitHub by its name; git itself goes to the folder.
    team.place.git("config", f"url.{team.place.remote}.insteadOf", WEB)
    team.place.git("remote", "set-url", "origin", WEB)
    with GitHub("acme/backfills", numbers=lambda _: []) as other:
        team.configure(url=other.url, repository="acme/backfills")
        for name in forge.environ:
            del team.place.env[name]
        places = {"own": forge.url, "other": other.origin.removeprefix("http://")}
        filled = {name: value.format(**places) for name, value in env.items()}
        said = team.verdicts(team.place, GITHUB_TOKEN=TOKEN, **filled)["one.yaml#1"]
        assert words in said
        assert (len(other.asked) == 0) == bool(words)
        assert forge.asked == []
