"""Lines appended to a file, each on disk before its writer goes on; one sync serves all that wait for one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from threading import Lock


class _Waiting:
    """A writer whose line is not on disk yet. It sleeps at its gate, unless it is the one that syncs."""

    __slots__ = ("durable", "gate", "leads")

    def __init__(self) -> None:
        self.gate = Lock()
        self.gate.acquire()
        self.leads = False
        self.durable = False


class DurableLines:
    """A file that several threads append to.

    Of the writers that wait, one leads: it syncs for all whose lines are written by then, opens their gates, and hands
    the lead to one of those that came meanwhile. So nobody queues for a lock to learn that there is nothing to do.
    """

    def __init__(self, file: int, sync: Callable[[int], None] = os.fsync) -> None:
        """`file` is a descriptor, open for appending; `sync` brings it to disk, or raises OSError."""
        self._file = file
        self._sync = sync
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._led = False
        self._broken: OSError | None = None

    @property
    def broken(self) -> bool:
        """Whether the disk did not take something: then nothing is written any more."""
        return self._broken is not None

    def append(self, line: bytes) -> None:
        """Write a line, and return once it is on disk. Raises OSError where that failed, for this line or before."""
        me = _Waiting()
        with self._lock:
            self._guarded(lambda: self._write(line))
            self._waiting.append(me)
            me.leads, self._led = not self._led, True
        if not me.leads:
            me.gate.acquire()
        if me.leads:
            self._lead()
        if not me.durable:
            raise self._broken or OSError(errno.EIO, os.strerror(errno.EIO))

    def _lead(self) -> None:
        """Sync for all that wait, this writer among them."""
        with self._lock:
            served, self._waiting = self._waiting, []
        try:
            self._guarded(lambda: self._sync(self._file))
            for each in served:
                each.durable = True
        except OSError:
            pass  # each of them is told by what is broken now
        finally:
            self._hand_on(served)

    def _hand_on(self, served: list[_Waiting]) -> None:
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._led = following is not None
        if following:
            following.leads = True
            following.gate.release()
        for each in served:
            each.gate.release()

    def _write(self, line: bytes) -> None:
        if os.write(self._file, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _guarded(self, action: Callable[[], object]) -> None:
        """Do something to the file, but nothing any more once it failed: a sync that failed is told of only once."""
        if self._broken is not None:
            raise self._broken
        try:
            action()
        except OSError as error:
            self._broken = error
            raise
        except BaseException:  # whatever it was: nobody knows what is on disk
            self._broken = OSError(errno.EIO, os.strerror(errno.EIO))
            raise
