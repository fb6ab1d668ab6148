"""Wait without blocking the event loop, in code that reads as if it blocked.

Such code runs in a greenlet. Where it must wait, the greenlet stops, the loop goes on, and resumes it when what it
waits for has come. Elsewhere, where nothing was started by `run`, the same code waits as any other.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")

READABLE, WRITABLE = 1, 2  # what may be waited for of a file, together too


class _Task(greenlet):  # type: ignore[misc]
    def __init__(self, function: Callable[[], Any], done: Callable[[Any], None]):
        super().__init__(function)
        self._done = done

    def resume(self, *value: Any) -> None:
        """Start it, or have it go on with a value, until it stops or ends."""
        self.parent = getcurrent()  # to whom it goes back when it stops or ends
        result = self.switch(*value)
        if self.dead:
            self._done(result)


def run(function: Callable[[], T], done: Callable[[T], None]) -> None:
    """Run a function, which must not raise, on this event loop; have `done` called with what it returns.

    When it has nothing to wait for, that is before this returns.
    """
    _Task(function, done).resume()


def may_stop() -> bool:
    """Return True if what runs was started by `run`."""
    return isinstance(getcurrent(), _Task)


def until(file: int, events: int, seconds: float) -> int:
    """Wait until the file of this number is READABLE, WRITABLE or either; return which, 0 after so many seconds.

    Call where `may_stop`.
    """
    loop, resume = asyncio.get_running_loop(), getcurrent().resume

    def ready(event: int) -> None:
        timer.cancel()
        # None is kept: the number may be that of another file the next time.
        if events & READABLE:
            loop.remove_reader(file)
        if events & WRITABLE:
            loop.remove_writer(file)
        # Not from here: libuv has on the stack what it polls, where the stack of the greenlet would come to lie.
        loop.call_soon(resume, event)

    if events & READABLE:
        loop.add_reader(file, ready, READABLE)
    if events & WRITABLE:
        loop.add_writer(file, ready, WRITABLE)
    timer = loop.call_later(seconds, ready, 0)
    return int(_stop())


def sleep(seconds: float) -> None:
    """Wait for so long."""
    if may_stop():
        asyncio.get_running_loop().call_later(seconds, getcurrent().resume)
        _stop()
    else:
        time.sleep(seconds)


def blocking(function: Callable[[], T]) -> T:
    """Return what a function returns that waits in a way of its own: in a thread where the event loop would wait."""
    if not may_stop():
        return function()
    running = asyncio.get_running_loop().run_in_executor(None, function)
    running.add_done_callback(getcurrent().resume)
    _stop()
    return running.result()


def _stop() -> Any:
    """Let the loop go on until the greenlet is resumed; return the value it is resumed with."""
    return getcurrent().parent.switch()
