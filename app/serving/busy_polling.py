"""Busy polling: the event loop stays awake between two requests of a single client.

Such a client leaves the worker idle for a tenth of a millisecond. To sleep, to be woken from another core and to find
cold caches takes longer than to answer. So the loop goes on turning until the next request is there, and yields the
core to other processes. A client that lets more time pass, or waits for a disk, lets the loop sleep.
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
