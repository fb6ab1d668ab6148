"""Worker threads for long reads and writes on SQLite, each with its own connection.

Readers of a WAL wait for nobody, so one thread reads. Writers wait for the lock: one thread does long writes, in
portions; another does writes that found the lock taken, in the order in which they came.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from app.services import storage


class Threads:
    """Runs functions beside the event loop."""

    def __init__(self) -> None:
        self._reading = ThreadPoolExecutor(1, "reading")
        self._writing = ThreadPoolExecutor(1, "writing")
        self._delayed = ThreadPoolExecutor(1, "delayed")

    def read(self, function: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Run a function that reads for long; call `done` with what it returns, on the event loop."""
        _submit(self._reading, function, done)

    def write(self, function: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Run a function that writes for long, as `read` does."""
        _submit(self._writing, function, done)

    def delay(self, function: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Run a function whose writes found the lock taken, as `read` does; those that come meanwhile follow it."""
        storage.fall_behind()

        def end(result: Any) -> None:
            storage.catch_up()
            done(result)

        _submit(self._delayed, function, end)


def _submit(executor: Executor, function: Callable[[], Any], done: Callable[[Any], None]) -> None:
    running = asyncio.get_running_loop().run_in_executor(executor, function)
    running.add_done_callback(lambda one: done(one.result()))
