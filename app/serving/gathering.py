"""Gathering the requests of one moment, so that they can be answered together.

The event loop reads all sockets that are ready before it runs what they have brought: so whoever is here when `_flush`
runs came at the same time. Who was answered together comes again together, but not all within one turn of the loop: so
a group waits as long as each turn brings more, and somebody is left who could come. While it is with the database, the
next one gathers: the busier, the larger.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from app import logs
from app.api.hot import Left, Reply, Request
from app.serving.lingering import Lingering

_MAX_GROUP = 128  # requests; so many writes keep others from the database for some 10 ms
_MAX_TURNS = 3  # of the loop that a group waits for more: 1.06 to 1.24 times the requests a second; 8 gave no more

Answer = Reply | Left
Together = Callable[[Sequence[Request]], list[Answer]]
Run = Callable[[Callable[[], Any], Callable[[Any], None]], None]  # runs the first, hands what it returns to the second
Q = TypeVar("Q")  # a request
A = TypeVar("A")  # an answer


async def answered(offer: Callable[[Q, Callable[[A], None]], None], request: Q) -> A:
    """Return what `offer` calls its second argument with."""
    future: asyncio.Future[A] = asyncio.get_running_loop().create_future()

    def take(answer: A) -> None:
        if not future.done():  # its client went away meanwhile
            future.set_result(answer)

    offer(request, take)
    return await future


def at_once(function: Callable[[], Any], done: Callable[[Any], None]) -> None:
    """Run a function, and `done` with what it returns."""
    done(function())


class Gathering(Generic[Q, A]):
    """Hands requests to `together` in groups.

    fault: the answer to all of a group that it fails. run: how that is run on the event loop. most: how many can wait
    at a time just now, as far as is known: with so many a group is whole.
    """

    def __init__(self, together: Callable[[Sequence[Q]], list[A]], fault: A, run: Run = at_once):
        self._together, self._fault, self._run = together, fault, run
        self.most: Callable[[], float] = lambda: math.inf
        self._waiting: list[tuple[Q, Callable[[A], None]]] = []
        self._is_busy = False
        self._lingering = Lingering()
        self._turns, self._seen = 0, 0  # that the group waited, and how many there were after the last one

    def offer(self, request: Q, take: Callable[[A], None]) -> None:
        """Have `take` called with the answer to the request, on the event loop, maybe before this returns."""
        self._waiting.append((request, take))
        if self._is_busy:
            return
        self._is_busy = True
        if self._is_whole():
            self._flush()
        else:
            asyncio.get_running_loop().call_soon(self._flush)

    def _is_whole(self) -> bool:
        return len(self._waiting) >= self.most()

    def _flush(self) -> None:
        if self._turns < _MAX_TURNS and len(self._waiting) > self._seen and not self._is_whole():
            self._turns, self._seen = self._turns + 1, len(self._waiting)
            asyncio.get_running_loop().call_soon(self._flush)
            return
        self._turns, self._seen = 0, 0
        group, self._waiting = self._waiting[:_MAX_GROUP], self._waiting[_MAX_GROUP:]
        requests = [request for request, _ in group]
        self._run(lambda: self._answer(requests), lambda answers: self._hand_out(group, answers))

    def _answer(self, requests: list[Q]) -> list[A]:
        try:
            return self._together(requests)
        except Exception as error:  # noqa: BLE001 - a group without an answer would keep all that follow waiting for ever
            logs.fault(error, request_id="", method="", route="together")
            return [self._fault] * len(requests)

    def _hand_out(self, group: list[tuple[Q, Callable[[A], None]]], answers: list[A]) -> None:
        try:
            for (_, take), answer in zip(group, answers, strict=True):
                _give(take, answer)
        finally:
            self._is_busy = bool(self._waiting)
            if self._is_busy:
                asyncio.get_running_loop().call_soon(self._flush)
            elif self.most() == 1:
                self._lingering.answered()


def _give(take: Callable[[A], None], answer: A) -> None:
    try:
        take(answer)
    except Exception as error:  # noqa: BLE001 - one connection's fault must not cost the others their answers
        logs.fault(error, request_id="", method="", route="together")
