"""Faults on demand: which calls go wrong, and how; seeded, so that the same calls go wrong again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.call import Method
from reconciler.core.wallclock import parse_duration


class Fault(StrEnum):
    """What can go wrong with a call that the scheduler would have taken."""

    LOST = "lost"
    """It runs; the connection closes without an answer."""
    ERROR = "error"
    """HTTP 500; it does not run."""
    RAN_ERROR = "ran-error"
    """HTTP 500; it ran all the same."""
    REJECT = "reject"
    """The documented failure, HTTP 200 with an errorMsg; it does not run."""
    LATE = "late"
    """It runs; the answer comes after `Faults.late` seconds."""
    HALF = "half"
    """It runs; the answer breaks off in its middle."""
    REFUSE = "refuse"
    """It does not run; the connection closes without an answer."""
    THROTTLE = "throttle"
    """HTTP 429 with `Retry-After: 1`; it does not run."""

    @property
    def runs(self) -> bool:
        """Whether the call runs in spite of the fault."""
        return self in {Fault.LOST, Fault.RAN_ERROR, Fault.LATE, Fault.HALF}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call that the rules allow, before it runs.

    `number` counts such calls from 1 since the emulator started; `attempt` counts, from 1, how often this very
    body came, earlier runs on the same database included. `instants` are wall-clock seconds.
    """

    number: int
    attempt: int
    method: Method
    tenant: str
    table: str
    instants: Sequence[int]
    digest: str


def _never(_: Arrival) -> Fault | None:
    return None


@dataclass(frozen=True, slots=True)
class Faults:
    """Decides the fault of each call, None for none; called from several threads at once. `late` is in seconds.

    It may block: that call then waits before it runs, and no other does.
    """

    decide: Callable[[Arrival], Fault | None] = _never
    late: float = 60.0


NO_FAULTS = Faults()

_SHARE = re.compile(r"[01](?:\.[0-9]{1,12})?|\.[0-9]{1,12}")


def parse_faults(text: str, seed: int = 0) -> Faults:
    """Read shares of calls that go wrong, such as `lost=0.02,reject=0.05,late=0.01:45s`.

    `late` takes how late after a colon, 60s by default. Whether a call goes wrong depends on the seed, its body
    and how often that body came before, not on what other calls do: the same run gives the same faults, whatever
    the concurrency. Raises ValueError, with a reason that can be shown, for other text.
    """
    shares: dict[Fault, float] = {}
    late = NO_FAULTS.late
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        fault = _fault(name.strip())
        if fault in shares:
            raise ValueError(f"{fault} is given twice")
        share, colon, seconds = value.strip().partition(":")
        if colon:
            late = _lateness(fault, seconds)
        shares[fault] = _share(fault, share)
    # A sum of decimal shares may miss 1 by a rounding error.
    if sum(shares.values()) > 1 + 1e-9:
        raise ValueError("the shares add up to more than 1")
    return Faults(_seeded(seed, tuple(shares.items())), late)


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        raise ValueError(f"{name!r} is none of {', '.join(Fault)}") from None


def _share(fault: Fault, text: str) -> float:
    if _SHARE.fullmatch(text) is None or float(text) > 1:
        raise ValueError(f"{fault}: {text!r} is not a share between 0 and 1, such as 0.05")
    return float(text)


def _lateness(fault: Fault, text: str) -> float:
    if fault is not Fault.LATE:
        raise ValueError(f"{fault}: only late takes a duration")
    try:
        return float(parse_duration(text))
    except ValueError as error:
        raise ValueError(f"late: {text!r} {error}") from None


def _seeded(seed: int, shares: tuple[tuple[Fault, float], ...]) -> Callable[[Arrival], Fault | None]:
    def decide(call: Arrival) -> Fault | None:
        name = f"{seed} {call.attempt} {call.digest}".encode()
        draw = int.from_bytes(hashlib.sha256(name).digest()[:8], "big") / 2**64
        for fault, share in shares:
            if draw < share:
                return fault
            draw -= share
        return None

    return decide
