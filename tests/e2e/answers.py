"""Plans that were kept: told apart from plans that are made, and compared with them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from reconciler.cache import Cache
from tests.e2e.workplace import Ended, Workplace

AGAIN = "this answer was kept\n"
_TICK = 0.15


def file_of(place: Workplace) -> Path:
    """Return the file of a clone's answers."""
    return place.top / ".git" / "reconciler" / "cache" / "answers"


def settle() -> None:
    """Let the files become old enough that no change to them could go unseen."""
    time.sleep(_TICK)


def change_kept(place: Workplace, change: Callable[[dict[str, object]], None]) -> None:
    """Change the answer that is kept, which has to be there."""
    cache = Cache(file_of(place))
    [key] = cache._rows
    kept = cache.get(key)
    assert kept is not None
    fields = json.loads(kept)
    change(fields)
    cache.put(key, json.dumps(fields).encode())
    cache.save(whole=True)


def keep_marked(place: Workplace, *arguments: str, **env: str) -> None:
    """Make a plan that is kept, and let the answer say that it was: so a process that gives it again shows."""
    settle()
    place.run("plan", *arguments, **env)
    change_kept(place, lambda fields: fields.update(result=AGAIN))


def made(place: Workplace, *arguments: str, **env: str) -> Ended:
    """Return a plan where none is kept."""
    file_of(place).unlink(missing_ok=True)
    return place.run("plan", *arguments, **env)
