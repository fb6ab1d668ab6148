"""Groups of requests: each gets its own answer, also when its group fails."""

import asyncio

import pytest

from app import errors, logs, waiting
from app.api.hot import Left
from app.api.retries import FAILURE
from app.serving.groups import Groups, answered, at_once


@pytest.mark.parametrize("run", [at_once, waiting.run])
@pytest.mark.parametrize("pause", [0, 0.01])
def test_a_group_that_fails_is_answered_and_the_next_one_served(run, pause):
    logs.configure("critical")
    groups = []

    def answer_group(requests):
        groups.append(requests)
        waiting.sleep(pause)
        if len(groups) == 1:
            raise RuntimeError("the first group fails")
        return [f"answer to {one}" for one in requests]

    async def ask():
        queue = Groups(answer_group, Left({FAILURE: errors.InternalError()}), run)
        first = await asyncio.wait_for(asyncio.gather(*(answered(queue.offer, one) for one in "ab")), timeout=5)
        second = await asyncio.wait_for(asyncio.gather(*(answered(queue.offer, one) for one in "cd")), timeout=5)
        return first, second

    first, second = asyncio.run(ask())
    assert [type(one.environ[FAILURE]) for one in first] == [errors.InternalError] * 2
    assert second == ["answer to c", "answer to d"]


def _groups_of(offers):
    """The groups that come of requests of which each turn of the event loop brings some."""
    groups = []

    def answer_group(requests):
        groups.append(list(requests))
        return requests

    async def offer():
        queue = Groups(answer_group, "fault")
        for requests in offers:
            for one in requests:
                queue.offer(one, lambda answer: None)
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)

    asyncio.run(offer())
    return groups


def test_a_group_waits_as_long_as_each_turn_of_the_loop_brings_more():
    assert _groups_of(["abc", "de", "f"]) == [list("abcdef")]
    assert _groups_of(["ab", "", "c"]) == [list("ab"), ["c"]]


def test_nobody_waits_for_ever_for_those_who_still_come():
    groups = _groups_of(["a", "b", "c", "d", "e", "f", "g", "h"])
    assert [len(one) for one in groups] == [4, 4]


def test_a_group_of_all_who_could_ask_waits_for_nobody():
    groups, answers = [], []

    def answer_group(requests):
        groups.append(list(requests))
        return requests

    async def offer():
        queue = Groups(answer_group, "fault")
        queue.most = lambda: 2
        queue.offer("a", answers.append)
        assert not groups
        await asyncio.sleep(0)
        queue.offer("b", answers.append)
        await asyncio.sleep(0)
        assert answers == ["a", "b"]
        queue.most = lambda: 1
        queue.offer("c", answers.append)
        assert answers == ["a", "b", "c"]

    asyncio.run(offer())
    assert groups == [["a", "b"], ["c"]]


def test_who_asks_again_at_once_is_answered_in_a_group_of_its_own():
    groups = []

    def answer_group(requests):
        groups.append(list(requests))
        return requests

    async def offer():
        queue, is_done = Groups(answer_group, "fault"), asyncio.Event()
        queue.most = lambda: 1

        def again(answer):
            if answer < 5_000:  # far more than there may be calls within each other
                queue.offer(answer + 1, again)
            else:
                is_done.set()

        queue.offer(0, again)
        await asyncio.wait_for(is_done.wait(), 5)

    asyncio.run(offer())
    assert groups == [[number] for number in range(5_001)]
