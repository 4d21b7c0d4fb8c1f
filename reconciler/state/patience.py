"""How long a run waits for a remote: as long as the network's deadlines say, and less once the run is to stop."""

from __future__ import annotations

import math
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping

_SLICE = 0.1
_MOST = 1 << 20


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
        """Return what a process printed to its two pipes. Raises TimeoutExpired after `timeout` seconds, or earlier.

        A helper that it leaves behind with its pipes, as ssh's shared connections are, is not waited for.
        """
        printed = bytearray(), bytearray()
        for which, data in self.pieces(process, timeout):
            printed[which].extend(data)
        return bytes(printed[0]), bytes(printed[1])

    def pieces(self, process: subprocess.Popen[bytes], timeout: float) -> Iterator[tuple[int, bytes]]:
        """Yield what a process prints as it comes, 0 with its output and 1 with its complaints, and wait for its end.

        Raises TimeoutExpired after `timeout` seconds, or earlier, all that is still to come taken together.
        """
        end = time.monotonic() + timeout
        pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
        try:
            yield from self._read(process, {pipe.fileno(): which for which, pipe in enumerate(pipes)}, end)
            process.wait(max(0.0, self._left(end)))
        finally:
            for pipe in pipes:
                pipe.close()

    def _read(
        self, process: subprocess.Popen[bytes], pipes: Mapping[int, int], end: float
    ) -> Iterator[tuple[int, bytes]]:
        """Read all pipes to their end, or until the process has ended and nothing more comes."""
        poll = select.poll()
        for pipe in pipes:
            poll.register(pipe, select.POLLIN)
        still_open, ended = len(pipes), False
        while still_open:
            left = self._left(end)
            if left <= 0:
                if process.poll() is None:
                    raise subprocess.TimeoutExpired(process.args, left)
                return
            ready = poll.poll(min(_SLICE, left) * 1000)
            if not ready:
                if ended:
                    return
                ended = process.poll() is not None  # all that it wrote is there by the next look
            for pipe, _ in ready:
                data = os.read(pipe, _MOST)
                yield pipes[pipe], data
                if not data:
                    poll.unregister(pipe)
                    still_open -= 1

    def _left(self, end: float) -> float:
        return min(end, self._until) - time.monotonic()
