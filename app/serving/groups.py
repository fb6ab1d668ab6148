"""Group commit: concurrent requests share one round trip to the database and one commit.

The event loop reads all sockets that are ready before it runs callbacks: all requests present when `_flush` runs came
at the same time. Clients answered together ask again together, but not all within one turn of the loop. So a group
waits while each turn brings more requests and more connections are open. While a group is with the database, the next
one forms: the busier, the larger.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from app import logs
from app.api.hot import Later, Left, Reply, Request
from app.serving.busy_polling import BusyPolling

_MAX_GROUP = 128  # requests; so many writes keep others from the database for some 10 ms
_MAX_TURNS = 3  # of the loop that a group waits for more; 8 gave no more requests a second

Answer = Reply | Left
AnswerGroup = Callable[[Sequence[Request]], list[Answer | Later]]
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


class Groups(Generic[Q, A]):
    """Hands requests to `answer_group` in groups.

    fault: the answer to all of a group that it fails. run: how that is run on the event loop. delay: how what is to be
    done later is run beside it. most: how many can wait
    at a time just now, as far as is known: with so many a group is whole.
    """

    def __init__(
        self,
        answer_group: Callable[[Sequence[Q]], Sequence[A | Later]],
        fault: A,
        run: Run = at_once,
        delay: Run = at_once,
    ):
        self._answer_group, self._fault, self._run, self._delay = answer_group, fault, run, delay
        self.most: Callable[[], float] = lambda: math.inf
        self._waiting: list[tuple[Q, Callable[[A], None]]] = []
        self._is_busy = False
        self._busy_polling = BusyPolling()
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

    def _answer(self, requests: list[Q]) -> Sequence[A | Later]:
        try:
            return self._answer_group(requests)
        except Exception as error:  # noqa: BLE001 - a group without an answer would keep all that follow waiting for ever
            logs.fault(error, request_id="", method="", route="group")
            return [self._fault] * len(requests)

    def _hand_out(self, group: list[tuple[Q, Callable[[A], None]]], answers: Sequence[A | Later]) -> None:
        delayed: list[Callable[[A], None]] = []
        later = None
        try:
            for (_, take), answer in zip(group, answers, strict=True):
                if isinstance(answer, Later):
                    later = answer
                    delayed.append(take)
                else:
                    _give(take, answer)
            if later:
                self._do_later(later, delayed)
        finally:
            self._is_busy = bool(self._waiting)
            if self._is_busy:
                asyncio.get_running_loop().call_soon(self._flush)
            elif self.most() == 1:
                self._busy_polling.answered()

    def _do_later(self, later: Later, takes: list[Callable[[A], None]]) -> None:
        def run() -> list[Any]:
            try:
                return later.run()
            except Exception as error:  # noqa: BLE001 - as in `_answer`
                logs.fault(error, request_id="", method="", route="group")
                return [self._fault] * len(takes)

        def hand_out(answers: list[Any]) -> None:
            for take, answer in zip(takes, answers, strict=True):
                _give(take, answer)

        self._delay(run, hand_out)


def _give(take: Callable[[A], None], answer: A) -> None:
    try:
        take(answer)
    except Exception as error:  # noqa: BLE001 - one connection's fault must not cost the others their answers
        logs.fault(error, request_id="", method="", route="group")
