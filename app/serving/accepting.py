"""Accept connections so that each worker has about as many.

All workers listen at the same socket, and the first to wake would accept all that wait: its clients would then wait
longer than those of the others for as long as they stay. So a worker that has more connections than another leaves the
other a moment to accept.
"""

import asyncio
import mmap
import socket
import ssl
from collections.abc import Callable
from typing import Any

_PLACES = 256  # workers that are told apart: four times as many as there can be, for those who replace others
_MOMENT = 0.001  # seconds in which an idle worker has accepted; no client notices
_SPARE = 8  # a worker may have an eighth more than another: a thousand clients who come at once need not wait a second
_PAUSE = 0.1  # seconds until the next try when there are no files or no memory left for a connection

# How many connections each worker has and one, 0 where there is none: memory that all share who are forked from here.
_counts = memoryview(mmap.mmap(-1, _PLACES * 4)).cast("I")


class Share:
    """The connections of one worker, as the others see them. worker: its number, as gunicorn counts them."""

    def __init__(self, worker: int):
        self._place, self._is_serving = worker % _PLACES, True
        self.tell(0)

    def tell(self, count: int) -> None:
        """Say how many connections it has."""
        if self._is_serving:
            _counts[self._place] = count + 1

    def leave(self) -> None:
        """Say that it accepts no more."""
        self._is_serving = False
        forget(self._place)

    def may_grow(self) -> bool:
        """Return True if it should have one more before all others do."""
        least = min(filter(None, _counts), default=1) - 1
        return _counts[self._place] - 1 <= least + least // _SPARE


def forget(worker: int) -> None:
    """Say that the worker of this number is gone, whatever it said before."""
    _counts[worker % _PLACES] = 0


class Listener:
    """A listening socket of a worker; it is closed as asyncio's servers are. connection: makes the protocol of one."""

    def __init__(
        self,
        listening: socket.socket,
        connection: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext | None,
        share: Share,
    ):
        self._socket, self._connection, self._context, self._share = listening, connection, context, share
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._opening: set[asyncio.Task[Any]] = set()
        self._listen()

    def close(self) -> None:
        """Accept no more."""
        self._share.leave()
        self._loop.remove_reader(self._socket)
        if self._timer:
            self._timer.cancel()
        self._socket.close()

    async def wait_closed(self) -> None:
        """Return when all who were accepted have their connections."""
        if self._opening:
            await asyncio.wait(self._opening)

    def _listen(self) -> None:
        self._loop.add_reader(self._socket, self._come)

    def _come(self) -> None:
        """Take one of those who stand at the socket, or leave it to others for a moment."""
        if self._share.may_grow():
            self._accept()
        else:
            self._wait(_MOMENT, self._come_at_last)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._socket)
        self._timer = self._loop.call_later(seconds, then)

    def _come_at_last(self) -> None:
        self._listen()
        self._accept()

    def _accept(self) -> None:
        try:
            accepted, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another worker was faster, or the client went away
        except OSError:  # no file is left, or no memory: the socket stays ready, and to ask at once again is to spin
            self._wait(_PAUSE, self._listen)
            return
        accepted.setblocking(False)
        task = self._loop.create_task(self._open(accepted))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._connection, accepted, ssl=self._context)
        except OSError:  # the client went away, or what it sent is no TLS
            accepted.close()
