"""Staying awake for a client who is alone with a worker and asks again and again.

Between two requests of one client the worker has nothing to do for some 0.1 ms. To fall asleep for that, be woken from
another core and have cold caches took longer than to answer: so the event loop goes on turning until the next request
is there, and leaves the core to whoever else wants it. Who lets more time pass, and who waits for a disk, is waited for
asleep. A read costs no more CPU time so, and there are 1.4 times as many of them a second.
"""

import asyncio
import os
import time

_MOMENT = 0.000_4  # seconds between two answers, and that the loop stays awake after the second


class BusyPolling:
    """Keeps the event loop from sleeping."""

    def __init__(self) -> None:
        self._answered = self._end = 0.0  # of time.perf_counter, seconds
        self._is_turning = False
        self._has_others = _cores() > 1  # with one, the client runs where we would turn

    def answered(self) -> None:
        """Stay awake for a moment if it is no longer since the last answer to who is alone."""
        before, self._answered = self._answered, time.perf_counter()
        if self._has_others and self._answered - before < _MOMENT:
            self._end = self._answered + _MOMENT
            if not self._is_turning:
                self._is_turning = True
                self._turn()

    def _turn(self) -> None:
        if time.perf_counter() < self._end:
            os.sched_yield()
            asyncio.get_running_loop().call_soon(self._turn)
        else:
            self._is_turning = False


def _cores() -> int:
    """Return how many cores this process may use, where the system tells; else how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
