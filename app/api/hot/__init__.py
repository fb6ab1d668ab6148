"""The hot path: the five routes that are called all day, answered without Flask's dispatch.

recognising.py recognises the common form of a request, app/services/users/group_commit.py runs it with the others of
its group, and replying.py answers by the functions of its route. Everything else, errors included, goes to the routes.
They are the reference: a test sends the same requests both ways (tests/api/test_hot.py). ROLLCALL_HOT_PATH=false
switches the hot path off.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from flask import Flask

from app import errors, logs
from app.api import rates
from app.api.hot.recognising import Head, Recogniser, Request, Wanted
from app.api.hot.replying import Reply, line, make
from app.api.retries import FAILURE
from app.services import storage
from app.services.rates import Policy, Rates, Standing
from app.services.users import group_commit

__all__ = ["Head", "HotPath", "Later", "Left", "Reply", "Request"]

_Standings = Mapping[str, Standing]  # by the name of the policy
_NOWHERE: _Standings = {}
_Numbered = Sequence[tuple[int, Wanted]]  # with their places among the requests


class Left(NamedTuple):
    """A request that is left to its route, with what the route must know of it in its environ."""

    environ: dict[str, Any]


class Later(NamedTuple):
    """Requests whose writes found the lock taken: `run` does them in a thread, and returns the answer to each."""

    run: Callable[[], "list[Reply | Left]"]


_LEFT = Left({})


class HotPath:
    """Answers requests of one moment together.

    Made once for an app, of which it uses the known credentials, the trusted proxies and the rate limits.
    """

    def __init__(self, app: Flask):
        self._recognise = Recogniser(app)
        self._rates = app.extensions["rates"]

    def __call__(self, requests: Sequence[Request]) -> list[Reply | Left | Later]:
        """Return the reply to each request, or that its route must answer, or a thread: then the same Later to all.

        Reads are answered first: they need not wait for a commit.
        """
        answers: list[Reply | Left | Later] = [_LEFT] * len(requests)
        if not storage.is_prepared():
            return answers
        try:
            recognised = self._recognise(requests)
        except errors.StorageUnavailable as error:  # nobody can tell whose they are; their routes would wait once more
            return [Left({FAILURE: error})] * len(requests)
        wanted = [(index, one) for index, one in enumerate(recognised) if one]
        reads, writes = [], []
        for index, one, stands in self._admitted(wanted):
            if stands and any(standing.exceeded for standing in stands.values()):
                answers[index] = Left({rates.COUNTED: stands})
            elif one.operation.__class__ in group_commit.READS:
                reads.append((index, one, stands))
            else:
                writes.append((index, one, stands))
        if reads:
            _do(answers, reads, group_commit.look)
        if writes:
            try:
                _do(answers, writes, group_commit.write)
            except errors.Locked:
                later = Later(lambda: _do_later(writes))
                for index, _, _ in writes:
                    answers[index] = later
        return answers

    def _admitted(self, wanted: _Numbered) -> list[tuple[int, Wanted, _Standings]]:
        """Return those of clients who may log in, with where they stand."""
        limits = self._rates
        if limits.login:
            barred = set(filter(limits.login.is_used_up, {one.client for _, one in wanted}))
            wanted = [(index, one) for index, one in wanted if one.client not in barred] if barred else wanted
        standings = _count(limits, [one for _, one in wanted]) if limits.address or limits.key else repeat(_NOWHERE)
        return [(index, one, stands) for (index, one), stands in zip(wanted, standings)]  # noqa: B905 - repeat has no end


def _count(limits: Rates, wanted: Sequence[Wanted]) -> list[dict[str, Standing]]:
    """Count all for their addresses, and those that are within that limit for their keys."""
    found: list[dict[str, Standing]] = [{} for _ in wanted]
    _count_for(limits.address, found, [one.client for one in wanted])
    within = [index for index, stands in enumerate(found) if not any(one.exceeded for one in stands.values())]
    if limits.key:
        names = [rates.name_of(wanted[index].credential) for index in within]
        _count_for(limits.key, [found[index] for index in within], names)
    return found


def _count_for(policy: Policy | None, found: Sequence[dict[str, Standing]], names: Sequence[str]) -> None:
    if policy:
        for stands, name in zip(found, names, strict=True):
            stands[policy.name] = policy.count(name)


def _do_later(wanted: list[tuple[int, Wanted, _Standings]]) -> list[Reply | Left]:
    answers: list[Reply | Left | Later] = [_LEFT] * len(wanted)
    _do(answers, [(place, one, stands) for place, (_, one, stands) in enumerate(wanted)], group_commit.write)
    return answers  # type: ignore[return-value] # a thread waits for the lock, and is never told to come later


def _do(
    answers: list[Reply | Left | Later],
    wanted: list[tuple[int, Wanted, _Standings]],
    run: Callable[[Sequence[Any]], list[Any]],
) -> None:
    failure = None
    try:
        results = run([one.operation for _, one, _ in wanted])
    except errors.Locked:
        raise
    except errors.Contended:  # the routes do it, each by itself
        results = [None] * len(wanted)
    except errors.NotDone as error:  # the routes find out whose fault it is
        logs.fault(error.__cause__ or error, request_id="", method="", route="group")
        results = [None] * len(wanted)
    except Exception as error:  # noqa: BLE001 - not to be tried again: it may have been done
        results, failure = [None] * len(wanted), _failure(error)
    answered = []
    for (index, one, stands), result in zip(wanted, results, strict=True):
        if result is not None:
            answers[index] = make(one, result, list(stands.values()))
            answered.append(one)
        else:
            answers[index] = Left({rates.COUNTED: stands, FAILURE: failure} if failure else {rates.COUNTED: stands})
    logs.requests(map(line, answered))


def _failure(error: Exception) -> errors.Failure:
    """Return what the callers are told; a fault of ours is logged."""
    if not isinstance(error, errors.Failure) or isinstance(error, errors.InternalError):
        logs.fault(error.__cause__ or error, request_id="", method="", route="group")
    return error if isinstance(error, errors.Failure) else errors.StorageUnavailable()
