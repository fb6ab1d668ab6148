"""The hot path: the five routes that are called all day, answered beside Flask's dispatch.

Flask's way of a read takes eight times as long as the read. So the common form of a request is recognised here
(recognising.py), done together with the others of its moment (app/services/together.py) and answered by the same
functions as on its route (replying.py). Whatever is not surely that form, errors included, is left to the routes:
they are the reference, and a test sends the same requests both ways (tests/api/test_hot.py). ROLLCALL_HOT_PATH=false
switches it off.
"""

from collections.abc import Callable, Sequence

from flask import Flask

from app import errors, logs
from app.api.hot.recognising import Recogniser, Request, Wanted
from app.api.hot.replying import Reply, make
from app.services import together

__all__ = ["HotPath", "Reply", "Request"]

Answer = Reply | errors.Failure | None


class HotPath:
    """Answers requests of one moment together.

    Made once for an app, of which it uses the known credentials and the settings.
    """

    def __init__(self, app: Flask):
        self._recognise = Recogniser(app)

    def __call__(self, requests: Sequence[Request]) -> list[Answer]:
        """Return the reply to each request, None where its route must answer, a failure that its route must tell.

        Reads are answered first: they need not wait for a commit.
        """
        answers: list[Answer] = [None] * len(requests)
        wanted = [(index, one) for index, one in enumerate(map(self._recognise, requests)) if one]
        self._do(answers, [pair for pair in wanted if not pair[1].operation.user], together.look)
        self._do(answers, [pair for pair in wanted if pair[1].operation.user], together.write)
        return answers

    def _do(self, answers: list[Answer], wanted: list[tuple[int, Wanted]], run: Callable[..., list[object]]) -> None:
        if not wanted:
            return
        try:
            results = run([one.operation for _, one in wanted])
        except errors.StorageUnavailable as failure:  # not to be tried again: it may have been done
            results = [failure] * len(wanted)
        except Exception as error:  # noqa: BLE001 - nothing was done; the routes find out whose fault it is
            logs.fault(error, request_id="", method="", route="together")
            results = [None] * len(wanted)
        for (index, one), result in zip(wanted, results, strict=True):
            answers[index] = make(one, result) if result is not None else None
