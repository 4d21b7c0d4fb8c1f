"""How long a run waits for a remote: as long as the network's deadlines say, and less once the run is to stop."""

from __future__ import annotations

import math
import subprocess
import time

_SLICE = 0.1


class Patience:
    """Plain fields and short waits, so that a signal handler can end the waiting wherever the main thread is."""

    def __init__(self) -> None:
        self._until = math.inf

    @property
    def over(self) -> bool:
        """Whether nothing is waited for any more."""
        return time.monotonic() >= self._until

    def limit(self, seconds: float) -> None:
        """Wait no longer than `seconds` from now, all that is still to come taken together."""
        self._until = min(self._until, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := min(end, self._until) - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))

    def communicate(self, process: subprocess.Popen[bytes], timeout: float) -> tuple[bytes, bytes]:
        """Return what a process printed until its end. Raises TimeoutExpired after `timeout` seconds, or earlier."""
        end = time.monotonic() + timeout
        while True:
            left = min(end, self._until) - time.monotonic()
            try:
                return process.communicate(timeout=max(0.0, min(left, _SLICE)))
            except subprocess.TimeoutExpired:
                if left <= _SLICE:
                    raise
