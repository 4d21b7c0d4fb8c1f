"""How the forges are asked: patiently, within bounds, at one address alone, and without a word of the token."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from reconciler.errors import ForgeFailure
from reconciler.review.forge import Forge
from reconciler.review.rest import PAGES, Refusal
from tests.figures import Tried
from tests.forges.github import GitHub
from tests.forges.serving import BROKEN, CUT, HTML, Reply, limited, moved
from tests.review.asking import Clock, client

A = "a" * 40
NOT_SENT_AGAIN = [BROKEN, CUT, Reply(500, {"message": "Server Error"}), HTML]


@pytest.fixture
def forge() -> Iterator[GitHub]:
    with GitHub() as server:
        server.pull_request(7, commits=[A])
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asked(forge: GitHub, clock: Clock) -> Iterator[Forge]:
    with client(forge, clock=clock) as one:
        yield one


def reset(seconds: int) -> Reply:
    """Answer as GitHub does where an hour's requests are used up; its clock is an hour ahead of ours."""
    headers = {
        "date": "Wed, 21 Jan 2026 13:53:20 GMT",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(1_769_000_000 + 3600 + seconds),
    }
    return Reply(403, {"message": "API rate limit exceeded for installation."}, headers)


@pytest.mark.parametrize("trouble", [BROKEN, CUT, Reply(503, {"message": "Unavailable"})])
def test_a_question_is_put_three_times_where_there_is_trouble(
    forge: GitHub, asked: Forge, clock: Clock, trouble: Reply
) -> None:
    forge.fault(trouble, trouble)
    assert asked.pull_requests(A)
    assert (len(forge.asked), clock.slept) == (3, [1.0, 2.0])
    forge.fault(trouble, trouble, trouble)
    with pytest.raises(ForgeFailure) as caught:
        asked.pull_requests(A)
    assert not isinstance(caught.value, Refusal)
    assert "the pull requests of commit aaaaaaaaaaaa" in caught.value.message
    assert len(forge.asked) == 6


def test_a_forge_that_is_not_there_is_not_reached(clock: Clock) -> None:
    with GitHub() as gone:
        pass
    with client(gone, clock=clock) as asked, pytest.raises(ForgeFailure, match="GitHub was not reached") as caught:
        asked.reviewed(7)
    assert clock.slept == [1.0, 2.0]
    assert not isinstance(caught.value, Refusal)


@pytest.mark.parametrize("reply", [limited(5), limited(5, 403), reset(5)])
def test_a_short_wait_that_a_forge_asks_for_is_waited(forge: GitHub, asked: Forge, clock: Clock, reply: Reply) -> None:
    forge.fault(reply, reply)
    assert asked.pull_requests(A)
    assert clock.slept == [5.0, 5.0]
    forge.fault(reply, reply, reply)
    with pytest.raises(ForgeFailure, match="asks to wait until 12:53 UTC"):
        asked.pull_requests(A)


@pytest.mark.parametrize(
    ("reply", "until"),
    [
        (limited(31), "12:53"),
        (limited(3600), "13:53"),
        (reset(1800), "13:23"),
        (Reply(403, {"message": "You have exceeded a secondary rate limit."}), "12:54"),
        (Reply(429, b"", {"retry-after": "Wed, 21 Jan 2026 14:00:00 GMT"}), "14:00"),
        (Reply(429, b"slow down", {"retry-after": "soon"}), "12:54"),
        (Reply(429, b"", {"retry-after": "9" * 9}), "12:53"),
    ],
)
def test_a_long_wait_is_told_and_not_waited(
    forge: GitHub, asked: Forge, clock: Clock, reply: Reply, until: str
) -> None:
    forge.fault(reply)
    with pytest.raises(ForgeFailure, match=f"asks to wait until {until} UTC") as caught:
        asked.pull_requests(A)
    assert (len(forge.asked), clock.slept) == (1, [])
    assert not isinstance(caught.value, Refusal)


def test_a_refusal_is_taken_for_an_answer(forge: GitHub, asked: Forge, clock: Clock) -> None:
    forge.fault(Reply(403, {"message": "Although you appear to have the correct authorization …"}))
    with pytest.raises(ForgeFailure, match="HTTP 403, Although you appear") as caught:
        asked.pull_requests(A)
    assert isinstance(caught.value, Refusal)
    assert (len(forge.asked), clock.slept) == (1, [])


def test_waiting_has_an_end_for_all_questions_together(forge: GitHub, asked: Forge, clock: Clock) -> None:
    for _ in range(2):
        forge.fault(limited(30), limited(30))
        assert asked.pull_requests(A)
    assert clock.slept == [30.0] * 4
    before = len(forge.asked)
    with pytest.raises(ForgeFailure, match="did not answer for 120s in all, and is asked no more"):
        asked.pull_requests(A)
    assert len(forge.asked) == before


@pytest.mark.claim("a comment whose fate is not known is never sent again")
def test_a_write_whose_fate_is_not_known_is_never_sent_again(forge: GitHub, asked: Forge, tried: Tried) -> None:
    for trouble in NOT_SENT_AGAIN:
        forge.asked.clear()
        forge.fault(trouble)
        with pytest.raises(ForgeFailure) as caught:
            asked.create_comment(7, "the plan")
        assert len(forge.asked) == 1
        assert not isinstance(caught.value, Refusal)
    assert forge.bodies(7) == []
    tried(len(NOT_SENT_AGAIN))


def test_a_write_that_was_certainly_refused_is_sent_again(forge: GitHub, asked: Forge, clock: Clock) -> None:
    forge.fault(limited(5), limited(7, 403))
    asked.create_comment(7, "the plan")
    assert forge.bodies(7) == ["the plan"]
    assert clock.slept == [5.0, 7.0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_never_followed(forge: GitHub, asked: Forge, status: int) -> None:
    with GitHub() as other:
        forge.fault(Reply(status, {}, moved(f"{other.url}/repositories/1300192/commits/{A}/pulls").headers))
        with pytest.raises(ForgeFailure, match="renamed or moved") as caught:
            asked.pull_requests(A)
        assert other.asked == []
    assert "approvals.reruns.repository" in caught.value.hint


@pytest.mark.claim("a token goes to the API's own address, whatever a forge answers")
def test_the_next_page_is_asked_for_at_our_own_address_alone(forge: GitHub, asked: Forge, tried: Tried) -> None:
    with GitHub() as other:
        links = [
            f"{other.url}/user",
            f"{forge.origin}@{other.origin.removeprefix('http://')}/api/v3/user",
            forge.url.replace("http:", "https:") + "/user",
            forge.url.replace("127.0.0.1", "localhost") + "/user",
            f"{forge.origin}/user",
            f"{forge.url}x/user",
            f"{forge.url}/../user",
            f"{forge.url}/%2e%2E/user",
            f"{forge.url}/..\\user",
            f"{forge.url}/x#y",
            f"{forge.origin}:80/api/v3/user",
            "/api/v3/user",
            "",
        ]
        for link in links:
            forge.asked.clear()
            forge.fault(Reply(200, [], {"link": f'<{link}>; rel="next"'}))
            with pytest.raises(ForgeFailure, match="an address outside of"):
                asked.pull_requests(A)
            assert len(forge.asked) == 1
        assert other.asked == []
    tried(len(links))


@pytest.mark.parametrize(
    "link", ["{}>; rel=next", '{}>; title="x"; rel="next"', '{0}&page=9>; rel="last", <{0}>; rel="next"']
)
def test_a_next_page_is_found_however_the_header_is_written(forge: GitHub, asked: Forge, link: str) -> None:
    following = f"{forge.url}/repositories/1300192/commits/{A}/pulls?per_page=100"
    forge.fault(Reply(200, [], {"link": "<" + link.format(following)}))
    assert len(asked.pull_requests(A)) == 1


def test_there_are_only_so_many_pages(forge: GitHub, asked: Forge) -> None:
    forge.page_size = 1
    for number in range(PAGES + 1):
        forge.comment(7, "lee", str(number))
    with pytest.raises(ForgeFailure, match=f"more than {PAGES} pages"):
        asked.comments(7)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (HTML, "is not JSON"),
        (Reply(200, b""), "is not JSON"),
        (Reply(200, b'[{"number": NaN}]'), "is not JSON"),
        (Reply(200, b'[{"number": 1, "number": 2}]'), "is not JSON"),
        (Reply(200, b"[" * 100_000), "is not JSON"),
        (Reply(200, b'[{"number": ' + b"9" * 5000 + b"}]"), "is not JSON"),
        (Reply(200, b'["\xff"]'), "is not JSON"),
        (Reply(200, {"message": "a list was asked for"}), "is not as documented"),
        (Reply(200, [1]), "is not as documented"),
        (Reply(204, b""), "HTTP 204"),
        (Reply(422, {"message": "Validation Failed"}), "HTTP 422, Validation Failed"),
        (Reply(418, [["\u2028"]]), "HTTP 418"),
    ],
)
def test_an_answer_that_is_not_as_documented_is_a_failure(forge: GitHub, asked: Forge, reply: Reply, why: str) -> None:
    forge.fault(reply)
    with pytest.raises(ForgeFailure, match=why):
        asked.pull_requests(A)
    assert len(forge.asked) == 1


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(200, b" " * (8 * 1024 * 1024 + 1)), "more than 8 MiB"),
        (Reply(200, gzip.compress(b"[]"), {"content-encoding": "gzip"}), "an encoding that was not asked for"),
    ],
)
def test_an_answer_that_is_too_long_or_packed_is_not_read(forge: GitHub, asked: Forge, reply: Reply, why: str) -> None:
    forge.fault(reply, reply, reply)
    with pytest.raises(ForgeFailure, match=why):
        asked.pull_requests(A)


def test_words_of_a_forge_are_shown_on_one_line_and_cut(forge: GitHub, asked: Forge) -> None:
    forge.fault(Reply(403, {"message": "no\n::error::\x1b[31m" + "x" * 1000}))
    with pytest.raises(ForgeFailure) as caught:
        asked.pull_requests(A)
    assert caught.value.message.isprintable()
    assert "no\\n::error::\\x1b[31mx" in caught.value.message
    assert len(caught.value.message) < 400
