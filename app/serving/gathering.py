"""Gathering the requests of one moment, so that they can be answered together.

The event loop reads all sockets that are ready before it runs what they have brought: so whoever is here when `_flush`
runs came at the same time. While a group is with the database, the next one gathers: the busier, the larger.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from app import errors, logs
from app.api.hot import Left, Reply, Request
from app.api.retries import FAILURE

_MAX_GROUP = 128  # requests; so many writes keep others from the database for some 10 ms

Answer = Reply | Left
Together = Callable[[Sequence[Request]], list[Answer]]
Take = Callable[[Answer], None]


class Gathering:
    """Hands requests to `together` in groups. executor: where that runs; on the event loop itself when None."""

    def __init__(self, together: Together, executor: Executor | None):
        self._together, self._executor = together, executor
        self._waiting: list[tuple[Request, Take]] = []
        self._is_busy = False

    async def __call__(self, request: Request) -> Answer:
        """Return the answer to the request."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def take(answer: Answer) -> None:
            if not future.done():  # its client went away meanwhile
                future.set_result(answer)

        self.offer(request, take)
        return await future

    def offer(self, request: Request, take: Take) -> None:
        """Have `take` called with the answer to the request, on the event loop."""
        self._waiting.append((request, take))
        if not self._is_busy:
            self._is_busy = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        group, self._waiting = self._waiting[:_MAX_GROUP], self._waiting[_MAX_GROUP:]
        requests = [request for request, _ in group]
        if self._executor is None:
            self._hand_out(group, self._answer(requests))
        else:
            running = asyncio.get_running_loop().run_in_executor(self._executor, self._answer, requests)
            running.add_done_callback(lambda done: self._hand_out(group, done.result()))

    def _answer(self, requests: list[Request]) -> list[Answer]:
        try:
            return self._together(requests)
        except Exception as error:  # noqa: BLE001 - a group without an answer would keep all that follow waiting for ever
            logs.fault(error, request_id="", method="", route="together")
            return [Left({FAILURE: errors.InternalError()})] * len(requests)

    def _hand_out(self, group: list[tuple[Request, Take]], answers: list[Answer]) -> None:
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        else:
            self._is_busy = False
        for (_, take), answer in zip(group, answers, strict=True):
            try:
                take(answer)
            except Exception as error:  # noqa: BLE001 - one connection's fault must not cost the others their answers
                logs.fault(error, request_id="", method="", route="together")
