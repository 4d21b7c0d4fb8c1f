"""Questions to a forge: how often each is put, how long for, and what is said where the answer is no.

The token goes to the API's own origin alone: no redirect is followed, and next pages are asked for there, whatever a
Link header says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import sleep as real_sleep
from time import time as real_time

from reconciler.core.text import printable
from reconciler.errors import ForgeFailure, ForgeUnreachable
from reconciler.review.exchange import Answer, Exchange, Method, Trouble
from reconciler.review.limits import Limited, rate_limit
from reconciler.review.link import ElsewhereError, next_page
from reconciler.review.place import TITLES, Api, Place
from reconciler.review.shape import Record, read_json, records
from reconciler.review.token import Token

PAGES = 100
"""The most pages of one list that are read."""

_TRIES = 3
_BACKOFF = 1.0
_LONGEST_WAIT = 30.0
_PATIENCE = 120.0
_REFUSALS = frozenset({401, 403, 404})
_MOVED = frozenset({301, 302, 303, 307, 308})
_LONGEST_TEXT = 200


class Refusal(ForgeFailure):
    """The forge answered, and the answer is no. `status` is HTTP's, `said` the forge's own words, made fit to show."""

    def __init__(self, message: str, hint: str, status: int, said: str) -> None:
        super().__init__(message, hint)
        self.status = status
        self.said = said


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: where, what about (`the reviews of #7`), and what to grant where the answer is no.

    `path` is that on the API's origin, its prefix included. `writes` is True where it changes something, so that it is
    not put again where nobody knows what became of it.
    """

    path: str
    about: str
    grant: str
    writes: bool = False


class Rest:
    """The API of one place. Not for several threads at once; `close` it in the end.

    What is lost in waits and failed tries is at most two minutes over its whole life; then it asks no more.
    """

    def __init__(
        self,
        place: Place,
        token: Token,
        headers: Mapping[str, str],
        *,
        sleep: Callable[[float], None] = real_sleep,
        now: Callable[[], float] = real_time,
    ) -> None:
        """Prepare to ask. Connects to nothing yet. `headers` carry the token; `now` is in seconds since 1970."""
        self._api: Api = place.api
        self._repository = place.repository
        self._title = TITLES[place.forge]
        self._token = token
        self._sleep = sleep
        self._now = now
        self._lost = 0.0
        self._exchange = Exchange(place.api, headers, now)

    def get(self, ask: Ask) -> Record:
        """Return the object that is at a path."""
        answer = self._ask("GET", ask, None)
        return Record.of(read_json(answer.body, self._about(ask)), self._about(ask))

    def pages(self, ask: Ask) -> tuple[Record, ...]:
        """Return the objects of a list, of all its pages. Raises ForgeFailure where there are more than PAGES."""
        found: list[Record] = []
        path = ask.path
        for _ in range(PAGES):
            answer = self._ask("GET", replace(ask, path=path), None)
            found += records(read_json(answer.body, self._about(ask)), self._about(ask))
            following = self._next(answer, ask)
            if following is None:
                return tuple(found)
            path = following
        raise ForgeFailure(f"{self._about(ask)} has more than {PAGES} pages", "this is more than is ever read")

    def send(self, method: Method, ask: Ask, body: Mapping[str, object]) -> Record:
        """Send a document and return the object that the forge answers.

        One that writes is sent again only where the forge certainly refused it, for its rate limit.
        """
        answer = self._ask(method, ask, json.dumps(body).encode())
        return Record.of(read_json(answer.body, self._about(ask)), self._about(ask))

    def close(self) -> None:
        self._exchange.close()

    def _ask(self, method: Method, ask: Ask, body: bytes | None) -> Answer:
        if self._lost >= _PATIENCE:
            raise _unreachable(f"{self._title} did not answer for {_PATIENCE:.0f}s in all, and is asked no more")
        for tries in range(1, _TRIES + 1):
            last = tries == _TRIES
            began = self._now()
            answer = self._exchange.once(method, ask.path, body)
            if isinstance(answer, Trouble):
                self._lost += max(0.0, self._now() - began)
                self._give_up(ask, answer.why, last=last)
            elif (limited := rate_limit(answer.status, answer.headers, answer.body, self._now())) is not None:
                self._wait_for(limited, last=last)
                continue
            elif answer.status < 500:
                return self._accepted(answer, ask)
            else:
                self._give_up(ask, f"answers {_status(answer.status, self._said(answer))}", last=last)
            self._wait(_BACKOFF * 2 ** (tries - 1))
        raise AssertionError("the last try returns or raises")

    def _give_up(self, ask: Ask, why: str, *, last: bool) -> None:
        """Raise where a question is not to be put again."""
        if ask.writes:
            hint = "look there whether it was written before you try again"
            raise _unreachable(f"{self._title} {why}, so it is not known whether it took {ask.about}", hint)
        if last:
            raise _unreachable(f"{self._title} {why}, when asked for {ask.about}")

    def _wait_for(self, limited: Limited, *, last: bool) -> None:
        if last or limited.seconds > _LONGEST_WAIT or self._lost + limited.seconds > _PATIENCE:
            raise _unreachable(
                f"{self._title} limits how often it is asked, and asks to wait until {limited.until} UTC"
            )
        self._wait(limited.seconds)

    def _wait(self, seconds: float) -> None:
        self._lost += seconds
        self._sleep(seconds)

    def _accepted(self, answer: Answer, ask: Ask) -> Answer:
        if answer.status in (200, 201):
            return answer
        if answer.status in _MOVED:
            raise _unreachable(
                f"{self._title} answers HTTP {answer.status} for {ask.about}: the repository was renamed or moved",
                "set approvals.reruns.repository, or url, to where it is now: a token follows no redirect",
            )
        said = self._said(answer)
        where = f"{ask.about} of {self._repository} at {self._api.host}"
        what = f"{self._title} refuses {where}: {_status(answer.status, said)}"
        if answer.status == 401:
            raise Refusal(what, f"the token in {self._token.source} is not valid, or no longer; {ask.grant}", 401, said)
        raise Refusal(what, ask.grant if answer.status in _REFUSALS else "", answer.status, said)

    def _said(self, answer: Answer) -> str:
        """Return the forge's own words, made fit to show, or nothing where it has none."""
        try:
            record = Record.of(read_json(answer.body, ""), "")
        except ForgeFailure:
            return ""
        for name in ("message", "error_description", "error"):
            text = record.fields.get(name)
            if isinstance(text, str) and text:
                shown = printable(self._token.blot(text))
                return shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}…"
        return ""

    def _next(self, answer: Answer, ask: Ask) -> str | None:
        try:
            return next_page(answer.headers.get("link", ""), self._api)
        except ElsewhereError:
            raise _unreachable(
                f"{self._title} names an address outside of {self._api.url} for the next page of {ask.about}",
                "set approvals.reruns.url to the address that the forge knows itself by; the token goes to no other",
            ) from None

    def _about(self, ask: Ask) -> str:
        return f"{self._title}'s answer about {ask.about}"


def _unreachable(message: str, hint: str = "try again later") -> ForgeUnreachable:
    return ForgeUnreachable(message, hint)


def _status(status: int, said: str) -> str:
    return f"HTTP {status}, {said}" if said else f"HTTP {status}"
