"""How tests of the forges' clients ask: places and tokens for the local forges, and clocks that need no waiting."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.review.connect import connect
from reconciler.review.forge import Forge
from reconciler.review.place import ForgeName, Place, read_api
from reconciler.review.token import Token
from tests.forges import github, gitlab
from tests.forges.serving import Serving

CANARY = 'CANARY-5f1e"&never-seen'


@dataclass(slots=True)
class Clock:
    """A clock that goes on when somebody sleeps. `slept` holds how long, each time."""

    time: float = 1_769_000_000.0  # 2026-01-21 12:53:20 UTC
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def client(server: Serving, token: str = "", clock: Clock | None = None, source: str = "a test") -> Forge:
    """Return the client for a local forge. The token is the one that may all but read teams, where none is given."""
    clock = clock or Clock()
    forge: ForgeName
    if isinstance(server, github.GitHub):
        forge, repository, usual = "github", server.repository, github.TOKEN
    else:
        assert isinstance(server, gitlab.GitLab)
        forge, repository, usual = "gitlab", server.project, gitlab.TOKEN
    place = Place(forge, read_api(server.url), repository)
    return connect(place, Token(token or usual, source), sleep=clock.sleep, now=clock.now)
