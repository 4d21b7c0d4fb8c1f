"""The client of a place: GitHub's or GitLab's."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep as real_sleep
from time import time as real_time

from reconciler.review.forge import Forge
from reconciler.review.place import Place
from reconciler.review.token import Token


def connect(
    place: Place,
    token: Token,
    *,
    sleep: Callable[[float], None] = real_sleep,
    now: Callable[[], float] = real_time,
) -> Forge:
    """Return the client of a place; it connects when it is first asked. `now` is in seconds since 1970."""
    if place.forge == "github":
        from reconciler.review.github import GitHub

        return GitHub(place, token, sleep=sleep, now=now)
    from reconciler.review.gitlab import GitLab

    return GitLab(place, token, sleep=sleep, now=now)
