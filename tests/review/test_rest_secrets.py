"""The forge's token: sent to the API alone, over a connection that is trusted, and told to nobody."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest

from reconciler.errors import ForgeFailure
from reconciler.review.connect import connect
from reconciler.review.forge import Forge
from reconciler.review.place import Place, read_api
from reconciler.review.token import Token
from tests.figures import Tried
from tests.forges.github import ACTIONS, GitHub
from tests.forges.serving import CUT, HTML, Reply, moved
from tests.review.asking import CANARY, Clock, client
from tests.scheduler.faulty_server import FaultyServer, hang

A = "a" * 40


@pytest.fixture
def forge() -> Iterator[GitHub]:
    with GitHub() as server:
        server.pull_request(7, commits=[A])
        yield server


@pytest.fixture
def asked(forge: GitHub) -> Iterator[Forge]:
    with client(forge) as one:
        yield one


def test_no_proxy_and_no_cookie_is_used(forge: GitHub, asked: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    forge.fault(Reply(200, [], {"set-cookie": "session=1"}))
    asked.pull_requests(A)
    asked.pull_requests(A)
    assert "cookie" not in forge.asked[1].headers


def test_a_certificate_that_nobody_vouches_for_gets_no_token() -> None:
    with FaultyServer(hang, tls=True) as server:
        place = Place("github", read_api(server.url), "acme/data")
        clock = Clock()
        with (
            connect(place, Token("t", "x"), sleep=clock.sleep, now=clock.now) as asked,
            pytest.raises(ForgeFailure, match="was not reached"),
        ):
            asked.reviewed(7)
        assert server.seen == []


def _everything(error: BaseException) -> str:
    """Return all that an exception says, and all those that came before it."""
    told = traceback.format_exception(error)
    chain: BaseException | None = error
    while chain is not None:
        told += [str(chain), repr(chain), repr(chain.args), repr(vars(chain))]
        chain = chain.__cause__ or chain.__context__
    return "\n".join(told)


@pytest.mark.claim("a forge's token is in no message, exception or log")
def test_a_token_is_in_no_exception_and_no_log(forge: GitHub, caplog: pytest.LogCaptureFixture, tried: Tried) -> None:
    caplog.set_level(logging.DEBUG)
    forge.token(CANARY, who=ACTIONS)
    echo = {"message": f"Bad credentials: {CANARY}", "documentation_url": CANARY}
    faults = [
        *([Reply(status, echo)] for status in (400, 401, 403, 404, 409, 422, 429, 451)),
        *([Reply(status, echo)] * 3 for status in (500, 503)),
        [CUT] * 3,
        [HTML],
        [Reply(200, [{CANARY: CANARY}])],
        [Reply(200, echo)],
        [Reply(200, [], {"link": f'<https://{CANARY}/x>; rel="next"'})],
        [moved(f"https://example.org/{CANARY}")],
        [Reply(200, b"", {"content-encoding": CANARY})] * 3,
    ]
    for replies in faults:
        forge.fault(*replies)
        with client(forge, CANARY, Clock()) as asked, pytest.raises(ForgeFailure) as caught:
            asked.pull_requests(A)
        assert "CANARY" not in f"{caught.value.message} {caught.value.hint} {_everything(caught.value)} {asked!r}"
    assert "CANARY" not in caplog.text
    tried(len(faults))
